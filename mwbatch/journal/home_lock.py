"""The lock of a home: one process at a time compares its rows with those of all batches, and plans them."""

import errno
import fcntl
import os
from pathlib import Path
from typing import Final

from mwbatch.errors import StoreError
from mwbatch.journal.disk import DISK, Disk

LOCK: Final = "home.lock"

_WITHOUT_LOCKS: Final = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a file system says that locks no files."""


class HomeLock:
    """Held from before rows are compared until they are durable, so that who comes next finds them; released at death.

    ``blind``: the file system locks nothing, and two at once may not see each other.
    """

    def __init__(self, home: Path, disk: Disk = DISK) -> None:
        self._home, self._disk = home, disk
        self._file: int | None = None
        self.blind = False

    def take(self) -> bool:
        """Take it if nobody else has it; says whether it is held now.

        Raises:
            StoreError: the home cannot be made, or written.
        """
        if self._file is not None:
            return True
        try:
            self._disk.make_folder(self._home)
            return self._lock(os.open(self._home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreError(f"cannot lock {self._home}: {error.strerror}") from error

    def _lock(self, file: int) -> bool:
        held = False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # MUST be the file that others find: somebody may have removed the one that was opened.
            held = os.path.samestat(os.fstat(file), (self._home / LOCK).stat())
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
            held = self.blind = True
        finally:
            if not held:
                os.close(file)
        if held:
            self._file = file
        return held

    def release(self) -> None:
        """Let others have it; nothing happens where it is not held."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
