"""One segment: a JSONL file written by one run of one process, and never opened for writing again.

Writing obeys the table of events in `RELIABILITY.md` section 2: a full disk cuts back to the last good line
and may be tried again; an error of fdatasync, of a cut, or EIO poisons the writer, because nobody knows what
the file holds now (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
"""

import errno
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mwbatch.errors import DiskFull, Displaced, Poisoned, StoreError
from mwbatch.journal.disk import DISK, Disk, astray

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
