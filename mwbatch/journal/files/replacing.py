"""The one way to put a file or a folder in its place: written aside, made durable, then there as a whole.

What is written aside is new (``O_EXCL``, ``O_NOFOLLOW``) under a name that nobody can foretell, and written
through its descriptor: no link leads it elsewhere. Its writer holds a lock on it, as on a segment; so whoever
writes the same file next tells what a kill has left from what another process is writing now, and removes it.

Nothing else in mwbatch opens a file for writing or renames one, save `disk` (segments and locks, which are
never replaced) and `outputs`, which adds to this what is due to files of the user's; a test sees to it.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from mwbatch.journal.files.disk import DISK, UNLOCKABLE, Disk, heir, leads, open_to_read
from mwbatch.journal.files.renaming import give_name

_TOKEN: Final = 8
_PART: Final = 50
"""Characters of a name that are said again beside it: a name may have 255 bytes."""

_LEFT: Final = r"\.{}\.mwbatch-[0-9a-f]{{{}}}"
_PUBLIC: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Make = Callable[[Path], int]
"""Makes what is to be written, locked, and gives its descriptor."""


class Staged:
    """A file or folder that is to take ``place``; until then it stands at ``path``.

    Every method raises OSError.
    """

    def __init__(self, place: Path, disk: Disk, make: Make) -> None:
        self.place, self._disk = place, disk
        while True:
            self.path = beside(place)
            self.file = make(self.path)
            if leads(self.path, self.file):
                break
            disk.close(self.file)  # taken for a leftover before it was locked

    def write(self, content: bytes | memoryview) -> None:
        """Write all of it behind what is there."""
        rest = memoryview(content)
        while rest:
            rest = rest[self._disk.write(self.file, rest) :]

    def give_to(self, owner: int, group: int) -> None:
        """Let it be somebody's, by their numbers."""
        os.fchown(self.file, owner, group)

    def settle(self) -> None:
        """Make what was written durable."""
        self._disk.sync(self.file)

    def replace(self) -> None:
        """Take the place, whatever is there: only for files that are mwbatch's own."""
        self.settle()
        self.path.replace(self.place)
        self.sync_folder()

    def put(self) -> None:
        """Take the place where nothing is there; raises FileExistsError where something is."""
        self.settle()
        give_name(self.path, self.place)
        self.sync_folder()

    def sync_folder(self) -> None:
        """Make durable what name it has."""
        with suppress(PermissionError):  # a folder that may be written and not read
            self._disk.sync_folder(self.place.parent)

    def detach(self) -> int:
        """The descriptor, which stays open: the caller closes it."""
        file, self.file = self.file, -1
        return file

    def close(self) -> None:
        """Leave nothing behind of what took no place."""
        try:
            with suppress(OSError):  # the next one to write here removes it
                remove(self.path)
        finally:
            if self.file >= 0:
                self._disk.close(self.detach())


@contextmanager
def aside(place: Path, disk: Disk = DISK, make: Make | None = None) -> Iterator[Staged]:
    """Something new beside ``place``, for its owner only unless ``make`` makes it;
    gone after the block if it took no place.

    Raises:
        OSError: it cannot be made. What leaves the block is raised as it is.
    """
    clear(place)
    new = Staged(place, disk, make or disk.create)
    try:
        yield new
    finally:
        new.close()


@contextmanager
def scratch(name: str) -> Iterator[Staged]:
    """A file where the system has its temporary ones, to be read by its path; gone after the block.

    Raises OSError.
    """
    import tempfile  # noqa: PLC0415 (for what comes through a pipe)

    with aside(Path(tempfile.gettempdir()) / name) as new:
        yield new


def make_public(path: Path) -> int:
    """Make a file as open as the umask says."""
    return _locked(os.open(path, _PUBLIC, 0o666))


def make_folder(path: Path) -> int:
    """Make a folder as open as the umask says."""
    path.mkdir()
    return _locked(os.open(path, _FOLDER))


def clear(place: Path) -> None:
    """Remove what others began beside ``place`` and died over; what cannot be looked at stays."""
    left = re.compile(_LEFT.format(re.escape(place.name[:_PART]), 2 * _TOKEN))
    with suppress(OSError):
        for name in names_in(place.parent):
            if left.fullmatch(name):
                _clear(place.parent / name)


def _clear(path: Path) -> None:
    """Remove one that nobody writes: under its lock, so that who has just made it notices."""
    with suppress(OSError):
        file = open_to_read(path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_uid in (os.geteuid(), heir(path.parent)[0]) and leads(path, file):
                remove(path)
        finally:
            os.close(file)


def remove(path: Path) -> None:
    """Remove what mwbatch wrote, a folder too, whatever modes it was given since;
    nothing happens where nothing is.
    """
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    import shutil  # noqa: PLC0415 (4 ms, which whoever only reads need not pay)

    for folder, _, _ in os.walk(path):
        Path(folder).chmod(0o700)
    shutil.rmtree(path)


def names_in(folder: Path | int) -> frozenset[str]:
    """The names in a folder, or in an open one."""
    with os.scandir(folder) as there:
        return frozenset(entry.name for entry in there)


def beside(place: Path) -> Path:
    """A name that nobody can foretell, for what is to take a place or has left it."""
    return place.with_name(f".{place.name[:_PART]}.mwbatch-{secrets.token_hex(_TOKEN)}")


def _locked(file: int) -> int:
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in UNLOCKABLE:
            os.close(file)
            raise
    return file
