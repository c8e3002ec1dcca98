"""What shows, without reading it, whether a segment still holds what was read of it."""

from pathlib import Path
from typing import NamedTuple, Self


class Mark(NamedTuple):
    """Device and inode of a file, its size in bytes, and when its content changed last."""

    device: int
    inode: int
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """That of a file as it is now; None where it is not there, or nobody can tell."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def stands(self, path: Path) -> bool:
        """Whether the file is the same, or has only grown, as one does that is being written."""
        now = Mark.of(path)
        if now is None or now[:2] != self[:2]:
            return False
        return now.size > self.size or now == self
