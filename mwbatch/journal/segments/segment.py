"""A segment: a JSONL file written by one run of one process, and never opened for writing again; and that of
ours in one folder, made at the first line, and never again once it, or its disk, has failed.

Writing obeys the table of events in `docs/reliability.md`: a full disk cuts back to the last good line
and may be tried again; an error of fdatasync, of a cut, or EIO poisons the writer, because nobody knows what
the file holds now (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
"""

import errno
import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mwbatch.errors import DiskFull, Displaced, Poisoned, StoreError
from mwbatch.journal.files.disk import DISK, Disk, Mark, astray
from mwbatch.journal.files.replacing import aside

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_OUT_OF_REACH: Final = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EACCES,
    errno.EPERM,
    errno.ELOOP,
    errno.EMFILE,
    errno.ENFILE,
}
"""Why a folder cannot be opened to be synced.

It went, or lets nobody in. No sync says so, and nothing of the disk is wrong.
"""


class Segment:
    """A segment that is being written. All methods block; call them from one thread."""

    def __init__(self, folder: Path, writer: str, disk: Disk = DISK) -> None:
        self._disk, self._poison = disk, ""
        self.size = 0
        """Bytes that are durable."""
        self.path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{writer}-{secrets.token_hex(4)}.jsonl"
        try:
            disk.make_folder(folder)
            self._file = disk.create(self.path)
        except OSError as error:
            raise _not_made(error, self.path) from error
        try:
            disk.sync(self._file)
            disk.sync_folder(folder)
        except OSError as error:
            with suppress(StoreError):  # the first error says what is wrong
                self.close()
            if error.errno in _OUT_OF_REACH:
                raise _not_made(error, self.path) from error
            raise Poisoned(
                f"cannot make {self.path} durable: {error.strerror}; mend the disk, start again"
            ) from error

    def append(self, lines: bytes) -> None:
        """Write whole lines; once this returns they are durable.

        Raises:
            DiskFull: nothing of them is in the file; it may be tried again.
            Poisoned: the file is not to be written again, now or later.
            Displaced: they are written, but the file was removed, moved or cut meanwhile; so it will be at
            every call.
        """
        if self._poison:
            raise Poisoned(self._poison)
        try:
            self._write(lines)
            self._disk.sync(self._file)
            there = self._disk.look(self.path, self._file)
        except OSError as error:
            # Readers MUST not take for kept what no sync has proved: the page cache shows it although the
            # disk lacks it.
            with suppress(OSError):
                self._disk.truncate(self._file, self.size)
            name = self.path.name
            self._poison = (
                f"{name} can no longer be trusted: {error.strerror}; free or mend the disk, start again"
            )
            raise Poisoned(self._poison) from error
        self.size += len(lines)
        if there != self.size:
            what = astray(self.path, "removed or moved") if there < 0 else "cut"
            raise Displaced(
                f"{self.path} was {what} while it was being written; see what became of it, start again"
            )

    @property
    def stands(self) -> bool:
        """Whether its name leads to what was written, as a look at the disk shows."""
        try:
            return self._disk.look(self.path, self._file) >= self.size
        except OSError:
            return False

    def _write(self, lines: bytes) -> None:
        rest = memoryview(lines)
        while rest:
            try:
                rest = rest[self._disk.write(self._file, rest) :]
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                self._disk.truncate(self._file, self.size)
                raise DiskFull(f"no space for {self.path}: {error.strerror}") from error

    def close(self) -> None:
        """Release the file; a segment in which nothing was written is removed."""
        try:
            try:
                if not self.size and not self._poison:
                    self._disk.remove(self.path)
            finally:
                self._disk.close(self._file)
        except OSError as error:
            raise Poisoned(f"{self.path} could not be closed: {error.strerror}") from error


def _not_made(error: OSError, path: Path) -> StoreError:
    """A segment that is not there: EIO poisons here too, since it may have been the sync of a folder."""
    kind = DiskFull if error.errno in _FULL else Poisoned if error.errno == errno.EIO else StoreError
    return kind(f"cannot create {path}: {error.strerror}")


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
