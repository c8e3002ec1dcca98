"""Renames that never replace, and swaps, where the system can: what `rename(2)` alone does not promise."""

import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

_AT_FDCWD: Final = -100 if sys.platform.startswith("linux") else -2
_LINUX: Final = sys.platform.startswith("linux")
_EXCLUSIVE: Final = 1 if _LINUX else 4
_SWAP: Final = 2
_CANNOT: Final = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV}
"""What is said where a system, or a file system, knows no such rename."""


def give_name(old: Path, new: Path) -> None:
    """Rename a file or folder to a name that nothing has.

    Raises:
        FileExistsError: something has it, were it only a link that leads nowhere.
        OSError: it cannot be.
    """
    if _renamed(old, new, _EXCLUSIVE):
        return
    if not old.is_dir():
        try:
            os.link(old, new, follow_symlinks=False)
        except FileExistsError:
            raise
        except OSError:
            pass  # a file system that knows neither: the best that is left is a look before
        else:
            old.unlink()
            return
    if os.path.lexists(new):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
    os.rename(old, new)  # noqa: PTH104 (its error names both)


def swap(one: Path, other: Path) -> bool:
    """Let two names change places at once; False where that cannot be, with nothing done. Raises OSError."""
    return _renamed(one, other, _SWAP)


def _renamed(old: Path, new: Path, flag: int) -> bool:
    call = _call()
    if call is None:
        return False
    code = call(os.fsencode(old), os.fsencode(new), flag)
    if code == 0 or code in _CANNOT:
        return code == 0
    raise OSError(code, os.strerror(code), str(old), None, str(new))


@cache
def _call() -> Callable[[bytes, bytes, int], int] | None:
    """``renameat2`` of Linux, ``renameatx_np`` of macOS, which returns 0 or an error number;
    None where the C library has neither, or this Python no `ctypes`.
    """
    try:
        import ctypes  # noqa: PLC0415 (3 ms, which whoever only reads need not pay)
    except ImportError:
        return None
    library = ctypes.CDLL(None, use_errno=True)
    call: Callable[..., int] | None = getattr(library, "renameat2" if _LINUX else "renameatx_np", None)
    if call is None:
        return None

    def rename(old: bytes, new: bytes, flag: int) -> int:
        return call(_AT_FDCWD, old, _AT_FDCWD, new, flag) and ctypes.get_errno()

    return rename
