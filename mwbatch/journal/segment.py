"""One segment: a JSONL file written by one run of one process, and never opened for writing again.

Writing obeys the table of events in `RELIABILITY.md` section 2: a full disk cuts back to the last good line and may be
tried again; an error of fdatasync, of a cut, or EIO poisons the writer, because nobody knows what the file holds now
(Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
"""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn, TypeVar
from weakref import finalize

from mwbatch.core.facts import Fact
from mwbatch.core.lines import BadLine, UnknownFact, parse
from mwbatch.errors import DiskFull, Displaced, Poisoned, StoreError
from mwbatch.journal.disk import DISK, Disk, is_live, open_own, read_own
from mwbatch.journal.health import Damage, Harm

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
"""Why a folder cannot be opened to be synced: it went, or lets nobody in. No sync says so, and nothing of the disk is wrong."""
_CHUNK: Final = 1 << 20
_GLANCE: Final = 1 << 16
_MARK: Final = 20
_LINE: Final = 1 << 12
"""What most lines are shorter than."""

Taken = TypeVar("Taken")
"""What a reader makes of a line."""


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
            Displaced: they are written, but the file was removed, moved or cut meanwhile; so it will be at every call.
        """
        if self._poison:
            raise Poisoned(self._poison)
        try:
            self._write(lines)
            self._disk.sync(self._file)
            there = self._disk.look(self.path, self._file)
        except OSError as error:
            # Readers MUST not take for kept what no sync has proved: the page cache shows it although the disk lacks it.
            with suppress(OSError):
                self._disk.truncate(self._file, self.size)
            self._poison = f"{self.path.name} can no longer be trusted: {error.strerror}; free or mend the disk, start again"
            raise Poisoned(self._poison) from error
        self.size += len(lines)
        if there != self.size:
            what = "removed or moved" if there < 0 else "cut"
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
                raise DiskFull(
                    f"no space for {self.path}: {error.strerror}; free some, it goes on by itself"
                ) from error

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


def segments_in(folder: Path) -> list[Path]:
    """The segments of a folder, the oldest first; none where it was not made yet.

    Raises:
        StoreError: it cannot be read, and MUST NOT look empty; or what has the name of a segment is none.
    """
    try:
        with os.scandir(folder) as there:
            found = {Path(entry): entry.is_file() for entry in there if Path(entry).suffix == ".jsonl"}
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"cannot read {folder}: {error.strerror}") from error
    # MUST come before any is opened: a pipe would keep its reader for ever, and a device never end.
    for path in (path for path, is_file in found.items() if not is_file and os.path.lexists(path)):
        raise StoreError(f"cannot read {path}: it is no file; move it out of {folder}")
    return sorted(found)


def written_now(path: Path) -> bool:
    """Whether another process, or another writer of this one, still writes this segment; raises `StoreError`."""
    try:
        with read_own(path) as file:
            return is_live(file.fileno())
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error


def holds(path: Path, mark: bytes) -> bool:
    """Whether some bytes stand anywhere in a segment: a look that costs a hundredth of reading its lines.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        with read_own(path) as file:
            tail = b""
            while chunk := file.read(_GLANCE):
                if mark in tail + chunk:
                    return True
                tail = chunk[1 - len(mark) :]
    except FileNotFoundError:  # its writer removes it at close where it is empty
        return False
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    return False


def read(path: Path, report: Callable[[Damage], None]) -> Iterator[Fact]:
    """The facts of one segment, as `placed` finds them."""
    return (fact for _, fact in placed(path, report, parse))


class Again:
    """Reads facts of one segment again where `placed` found them; the file is opened once, and closed with this object.

    Raises:
        StoreError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = open_own(path)
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}") from error
        finalize(self, os.close, self._file)

    def fact(self, offset: int) -> Fact:
        """The fact at a byte offset; raises `StoreError` where it is not there any more."""
        try:
            return parse(self._line(offset))
        except (OSError, BadLine) as error:
            raise StoreError(f"cannot read {self._path} at byte {offset}: {error}") from error

    def _line(self, offset: int) -> bytes:
        size = _LINE
        while True:
            text = os.pread(self._file, size, offset)
            end = text.find(b"\n")
            if end >= 0:
                return text[:end]
            if len(text) < size:
                _cut()
            size *= 4


class Tip:
    """Where reading a segment ended, behind a good line, with the bytes before it: a checksum is among them.

    They tell whether the file is still the one that was read.
    """

    __slots__ = ("_mark", "end")

    def __init__(self, end: int = 0) -> None:
        self.end, self._mark = end, b""

    def fits(self, file: int) -> bool:
        """Whether what was read is there still."""
        return os.pread(file, len(self._mark), self.end - len(self._mark)) == self._mark

    @contextmanager
    def moving(self, file: int) -> Iterator[None]:
        """Read from here, or from the beginning where this does not fit; ``end`` MUST be moved meanwhile."""
        if not self.fits(file):
            self.end = 0
        try:
            yield
        finally:
            size = min(self.end, _MARK)
            self._mark = os.pread(file, size, self.end - size)


def placed(
    path: Path,
    report: Callable[[Damage], None],
    take: Callable[[bytes], Taken],
    proof: Disk | None = None,
    tip: Tip | None = None,
) -> Iterator[tuple[int, Taken]]:
    """Read the lines of one segment with their byte offsets, in the order of writing; ``report`` what is not a fact.

    It goes on from a ``tip``, and moves it. ``take`` makes of a line what the reader wants, and raises `BadLine` or
    `UnknownFact` as `parse` does.

    With a disk as ``proof`` all of them would survive a power cut, if the reading ends without an error.

    Raises:
        StoreError: the file cannot be read, or holds a fact of a version that this code does not know. One that is gone by now
            held nothing: its writer removes it at close only when it is empty.
    """
    try:
        tip = tip or Tip()
        with read_own(path, _CHUNK) as file, _proved(file.fileno(), proof), tip.moving(file.fileno()):
            end = Harm.LIVE if is_live(file.fileno()) else Harm.TORN
            held: Damage | None = None
            after = file.seek(tip.end)
            for text in file:
                offset, after, whole = after, after + len(text), text.endswith(b"\n")
                try:
                    taken = take(text[:-1]) if whole else _cut()
                except UnknownFact as error:
                    raise StoreError(f"{path} at byte {offset}: {error}") from None
                except BadLine as error:
                    bad = Damage(str(path), offset, len(text) - whole, Harm.DAMAGED, str(error))
                    held = bad if held is None else _both(held, bad)
                    if whole:
                        continue
                    break  # MUST NOT read on: its writer may write the rest of it, and more, this moment
                if held is not None:
                    report(held)
                    held = None
                tip.end = after
                yield offset, taken
            if held is not None:
                report(Damage(str(path), held.offset, held.size, end, held.reason))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error


@contextmanager
def _proved(file: int, proof: Disk | None) -> Iterator[None]:
    """What is read meanwhile came from the disk and is durable, where this ends without an error."""
    if proof is None:
        yield
        return
    proof.settle(file)
    proof.forget(file)
    yield
    # MUST be the same descriptor: it is told of every error of the file since it was opened.
    proof.settle(file)


def _cut() -> NoReturn:
    raise BadLine("the line is cut off")


def _both(first: Damage, second: Damage) -> Damage:
    return Damage(
        first.where, first.offset, second.offset + second.size - first.offset, first.harm, first.reason
    )
