"""The segment of ours in one folder.

Made at the first line, and never again once it, or its disk, has failed.
"""

import errno
import os
import secrets
from pathlib import Path

from mwbatch.errors import DiskFull, Displaced, Poisoned, StoreError
from mwbatch.journal.disk import Disk
from mwbatch.journal.mark import Mark
from mwbatch.journal.replacing import aside
from mwbatch.journal.segment import Segment


class OwnSegment:
    """What one run of one process writes into a folder. All methods block; call them from one thread.

    Where a ``base`` is named, folders are made below it alone.
    """

    def __init__(self, folder: Path, writer: str, disk: Disk, base: Path | None = None) -> None:
        self._folder, self._writer, self._disk, self._base = folder, writer, disk, base
        self._segment: Segment | None = None
        self._sealed: dict[Path, Mark] = {}
        self._poison: Poisoned | None = None
        self.lacking = 0
        """Bytes for which there was no space at the last append, and none was found since."""

    @property
    def written(self) -> tuple[Path, int] | None:
        """The segment and how many bytes of it are durable; None where there is none."""
        return (self._segment.path, self._segment.size) if self._segment else None

    @property
    def stands(self) -> bool:
        """Whether what was written is there still."""
        segment = self._segment
        return (segment is None or segment.stands) and all(
            mark.stands(path) for path, mark in self._sealed.items()
        )

    def append(self, lines: bytes) -> None:
        """Make whole lines durable.

        Once poisoned MUST NOT make another segment. Raises as `Segment.append`.
        """
        if self._poison:
            raise Poisoned(str(self._poison))
        try:
            if self._segment is None:
                stand(self._base)
                self._segment = Segment(self._folder, self._writer, self._disk)
            self._segment.append(lines)
        except DiskFull as error:
            self.lacking = len(lines)
            if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EFBIG:
                self._seal()
            raise
        except Poisoned as error:
            self._poison = error
            raise
        self.lacking = 0

    def _seal(self) -> None:
        """Let the next lines go to another segment.

        This one can grow no more, although the disk has space.
        """
        if (segment := self._segment) is not None:
            if segment.size and (mark := Mark.of(segment.path)):
                self._sealed = self._sealed | {segment.path: mark}
            self.close()

    def try_space(self) -> None:
        """See whether what lacked space would fit now.

        MUST NOT touch the segment, which belongs to the facts.
        """
        if not self.lacking:
            return
        try:
            stand(self._base)
            self._disk.make_folder(self._folder)
            with aside(self._folder / "space", self._disk) as scratch:
                # Random, because zeros take no space on a file system that compresses.
                scratch.write(secrets.token_bytes(self.lacking))
                scratch.settle()
        except (OSError, StoreError):
            return
        self.lacking = 0

    def close(self) -> None:
        """Release the file; an empty one is removed. Raises as `Segment.close`."""
        if self._segment is not None:
            segment, self._segment = self._segment, None
            segment.close()


def stand(base: Path | None) -> None:
    """Raise `Displaced` where a base is gone.

    What is made in its place would be found by nobody once it is put back.
    """
    if base and not os.path.isdir(base):  # noqa: PTH112 (Path would raise where it cannot be looked at)
        raise Displaced(f"{base} is gone, or out of reach; see what became of it, start again")
