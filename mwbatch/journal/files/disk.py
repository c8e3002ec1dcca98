"""The few calls by which facts reach the disk, so that a test can put a failing disk in their place; and the
looks that tell what stands there.
"""

import errno
import fcntl
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

from mwbatch.journal.files.unwanted import reader

UNLOCKABLE: Final = {
    errno.EBADF,
    errno.EINVAL,
    errno.ENOLCK,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
}
"""What a file system says that locks no files, or no folders: NFS wants them open for writing,
which no folder can be.
"""

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_MORE: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OWN: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LOCK: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_ROOT: Final = 0
_NAMES: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFSOCK: "a socket",
}


class Disk:
    """The real disk. Every method raises OSError and nothing else."""

    def create(self, path: Path) -> int:
        """Create a file that only its owner can read; return its descriptor, locked against other writers."""
        file = _given(os.open(path, _NEW, 0o600), path.parent)
        fcntl.flock(file, fcntl.LOCK_EX)  # waits only for a reader's `is_live`, which lasts microseconds
        return file

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        """Append, and return how many bytes were taken: it may be fewer, but never none."""
        taken = os.write(file, chunk)
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return taken

    def sync(self, file: int) -> None:
        """Return once everything written to ``file`` would survive a power cut."""
        if sys.platform == "darwin":
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(file)

    def settle(self, file: int) -> None:
        """Make durable what stands in an open file or folder, whoever wrote it."""
        if sys.platform == "darwin":
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
        else:
            os.fsync(file)

    def forget(self, file: int) -> None:
        """Let memory drop what it holds of a settled file, so that the next read shows what the disk has.

        What the kernel could not write it keeps and calls clean (Rebello et al., ATC 2020): a later sync goes
        well, and the bytes are read until the machine stops.
        """
        if sys.platform == "linux":
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)

    def truncate(self, file: int, size: int) -> None:
        """Cut the file back to ``size`` bytes."""
        os.ftruncate(file, size)

    def look(self, path: Path, file: int) -> int:
        """How many bytes an open file has; -1 where its name leads elsewhere,
        since somebody removed or moved it.
        """
        return os.fstat(file).st_size if leads(path, file) else -1

    def close(self, file: int) -> None:
        """Close the descriptor and release its lock."""
        os.close(file)

    def append(self, path: Path, content: bytes) -> None:
        """Add to a file that only its owner can read, made if need be;
        how much of it a power cut leaves nobody knows.
        """
        file = _given(_plain(os.open(path, _MORE, 0o600)), path.parent)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[self.write(file, rest) :]
        finally:
            self.close(file)

    def remove(self, path: Path) -> None:
        """Remove a file that mwbatch made; nothing happens where there is none."""
        path.unlink(missing_ok=True)

    def make_folder(self, folder: Path) -> None:
        """Make a folder and its missing parents, each durable in its parent, for its owner only."""
        above = [folder, *folder.parents]
        there = next(i for i, path in enumerate(above) if path.is_dir())
        # MUST come first: whoever made the last one that is there may have died, or failed,
        # before it was durable.
        with suppress(PermissionError):  # nor could he have made it durable: it is not one of ours
            self.sync_folder(above[there].parent)
        for path in reversed(above[:there]):
            _make_folder(path)
            self.sync_folder(path.parent)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        file = os.open(folder, _FOLDER)  # MUST be one: a pipe would be waited for
        try:
            self.settle(file)
        finally:
            os.close(file)


DISK: Final = Disk()
"""The disk that is used where no other is given."""


def is_live(file: int) -> bool:
    """Whether another process still writes to this open file (it holds the lock on it)."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


class Mark(NamedTuple):
    """Device and inode of a file, its size in bytes, and when its content changed last: what shows, without
    reading it, whether it still holds what was read of it.
    """

    device: int
    inode: int
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path, *, follow: bool = True) -> Self | None:
        """That of a file as it is now; None where it is not there, or nobody can tell."""
        try:
            return cls.told(path.stat(follow_symlinks=follow))
        except OSError:
            return None

    @classmethod
    def told(cls, found: os.stat_result) -> Self:
        """That of what somebody looked at already."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def stands(self, path: Path) -> bool:
        """Whether the file is the same, or has only grown, as one does that is being written."""
        now = Mark.of(path)
        if now is None or now[:2] != self[:2]:
            return False
        return now.size > self.size or now == self


def leads(name: Path | str, file: int, folder: int | None = None) -> bool:
    """Whether a name, in an open ``folder`` or by itself, leads to an open file."""
    try:
        return os.path.samestat(os.stat(name, dir_fd=folder), os.fstat(file))
    except OSError:
        return False


def astray(path: Path, gone: str) -> str:
    """What befell a name that leads elsewhere now, to stand behind ``was``: ``gone``,
    or that nobody may look there.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return gone
    except OSError as error:
        return f"put out of reach ({error.strerror})"
    return gone


def open_to_read(path: Path) -> int:
    """Open a file or folder that somebody else may have put there: through no link, and waiting for nobody.

    Raises OSError.
    """
    return os.open(path, _READ)


def open_own(path: Path) -> int:
    """Open a file that mwbatch itself keeps, to read it, through links too.

    Raises OSError, also where a pipe, a device or a folder stands there: some would be waited for, or read,
    for ever.
    """
    return _plain(os.open(path, _OWN))


def read_own(path: Path, buffering: int = -1) -> BinaryIO:
    """The same, to be read."""
    return reader(open_own(path), buffering)


def content_of(path: Path) -> bytes:
    """All that a file of mwbatch's own holds; raises as `open_own` does."""
    with read_own(path) as file:
        return file.read()


def _plain(file: int) -> int:
    """An open file, if it is one; else closed, with an OSError that says what it is."""
    mode = os.fstat(file).st_mode
    if stat.S_ISREG(mode):
        return file
    os.close(file)
    raise OSError(errno.EINVAL, f"it is {_NAMES.get(stat.S_IFMT(mode), 'something else')}, and no file")


def open_lock(path: Path | str, folder: int | None = None) -> int:
    """Open a file that is there to be locked, made if need be, in an open ``folder`` or by its path.

    Raises OSError.
    """
    file = _plain(os.open(path, _LOCK, 0o600, dir_fd=folder))
    return _given(file, Path(path).parent if folder is None else folder)


def heir(folder: Path | int) -> tuple[int, int]:
    """Whose is what we make in a folder, by user and group: root's goes to the owner of the folder.

    Raises OSError.
    """
    if (me := os.geteuid()) != _ROOT:
        return me, -1
    there = os.stat(folder)  # noqa: PTH116 (it may be an open one)
    return there.st_uid, there.st_gid


def _given(file: int, folder: Path | int) -> int:
    """What was opened in a folder; root hands what is new there to its `heir`, who would be locked out of it.

    MUST be empty and have one name: nobody gets what is root's by another name for it.
    """
    with suppress(OSError):  # where we may not, as on a network file system: it stays ours
        owner, group = heir(folder)
        if owner != os.geteuid():
            made = os.fstat(file)
            if stat.S_ISDIR(made.st_mode) or (made.st_size == 0 and made.st_nlink == 1):
                os.fchown(file, owner, group)
    return file


def _make_folder(path: Path) -> None:
    """Make one folder, for its owner only; nothing happens where it is."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not path.is_dir():
            raise
    else:
        os.close(_given(os.open(path, _FOLDER | os.O_NOFOLLOW), path.parent))


def put_words(name: str, words: bytes, folder: int) -> None:
    """Write a few words for people into an open folder,
    in the place of those that stand there. Raises OSError.

    They are a new file each time: in an old one somebody else may have a name for it, such as a copy made of
    hard links.
    """
    with suppress(FileNotFoundError):
        remove_words(name, folder)
    with os.fdopen(_given(os.open(name, _NEW, 0o600, dir_fd=folder), folder), "wb") as file:
        file.write(words)


def remove_words(name: str, folder: int) -> None:
    """Remove them. Raises OSError."""
    os.unlink(name, dir_fd=folder)
