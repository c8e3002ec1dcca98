"""The few calls by which facts reach the disk, so that a test can put a failing disk in their place."""

import fcntl
import os
import sys
from pathlib import Path
from typing import Final

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC


class Disk:
    """The real disk. Every method raises OSError and nothing else."""

    def create(self, path: Path) -> int:
        """Create a file that only its owner can read; return its descriptor, locked against other writers."""
        file = os.open(path, _NEW, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)  # waits only for a reader's `is_live`, which lasts microseconds
        return file

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        """Append, and return how many bytes were taken: it may be fewer."""
        return os.write(file, chunk)

    def sync(self, file: int) -> None:
        """Return once everything written to ``file`` would survive a power cut."""
        if sys.platform == "darwin":
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(file)

    def truncate(self, file: int, size: int) -> None:
        """Cut the file back to ``size`` bytes."""
        os.ftruncate(file, size)

    def links(self, file: int) -> int:
        """How many names the file still has; 0 once somebody removed it."""
        return os.fstat(file).st_nlink

    def close(self, file: int) -> None:
        """Close the descriptor and release its lock."""
        os.close(file)

    def write_file(self, path: Path, content: bytes) -> None:
        """Create a small file, whole and durable; after an error it is not there."""
        file = self.create(path)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[self.write(file, rest) :]
            self.sync(file)
        except OSError:
            path.unlink()
            raise
        finally:
            self.close(file)

    def make_folder(self, folder: Path) -> None:
        """Make a folder and its missing parents, each durable in its parent, for its owner only."""
        missing = [folder, *folder.parents]
        for path in reversed(missing[: next(i for i, p in enumerate(missing) if p.is_dir())]):
            path.mkdir(mode=0o700, exist_ok=True)
            self.sync_folder(path.parent)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        self.sync_file(folder)

    def sync_file(self, path: Path) -> None:
        """Make what stands in a file or folder durable, whoever wrote it."""
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
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
