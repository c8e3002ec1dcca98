"""Reading one segment: its lines with their places, what of them is damaged, and single facts again.

A segment is read while others write it, and after whatever ended them: the last line that is whole is where
reading ends.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NoReturn, TypeVar
from weakref import finalize

from mwbatch.core.facts.kinds import Fact
from mwbatch.core.facts.lines import BadLine, UnknownFact, parse
from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import Disk, is_live, open_own, read_own
from mwbatch.journal.interface.health import Damage, DamageKind

_CHUNK: Final = 1 << 20
_GLANCE: Final = 1 << 16
_MARK: Final = 20
_LINE: Final = 1 << 12
"""What most lines are shorter than."""

Taken = TypeVar("Taken")
"""What a reader makes of a line."""


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
    """Whether another process, or another writer of this one, still writes this segment.

    Raises `StoreError`.
    """
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
    """Reads facts of one segment again where `placed` found them.

    The file is opened once, and closed with this object.

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
    """Read the lines of one segment with their offsets, in the order of writing; ``report`` what is none.

    It goes on from a ``tip``, and moves it. ``take`` makes of a line what the reader wants, and raises as
    `parse` does. With a disk as ``proof`` all would survive a power cut, if this ends without an error.

    Raises:
        StoreError: the file cannot be read, or holds a fact of a version that this code does not know. One
            that is gone by now held nothing: its writer removes it at close only when it is empty.
    """
    try:
        tip = tip or Tip()
        with read_own(path, _CHUNK) as file, _proved(file.fileno(), proof), tip.moving(file.fileno()):
            yield from _taken(file, path, report, take, tip)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error


def _taken(
    file: BinaryIO,
    path: Path,
    report: Callable[[Damage], None],
    take: Callable[[bytes], Taken],
    tip: Tip,
) -> Iterator[tuple[int, Taken]]:
    end = DamageKind.LIVE if is_live(file.fileno()) else DamageKind.TORN
    held: Damage | None = None
    after = file.seek(tip.end)
    for text in file:
        offset, after, whole = after, after + len(text), text.endswith(b"\n")
        try:
            taken = take(text[:-1]) if whole else _cut()
        except UnknownFact as error:
            raise StoreError(f"{path} at byte {offset}: {error}") from None
        except BadLine as error:
            bad = Damage(str(path), offset, len(text) - whole, DamageKind.DAMAGED, str(error))
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
        first.where, first.offset, second.offset + second.size - first.offset, first.kind, first.reason
    )
