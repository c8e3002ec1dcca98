"""What each row of a batch asks for, as stable digests beside the batch: a cache, never the truth.

``digests.bin`` has, for each line that plans a row, its number and its digest; then what that rests on::

    MAGIC | 24 bytes a line … | JSON | its length | BLAKE2b

    {"volatile": […], "segments": {name: [bytes, end of the last line]}}

It is believed only where all of it fits: the version, the checksum, the names that the user calls volatile,
and of each segment the length that it covers and the checksum of the line that ends there. What the segments
hold beyond is read and added. Anything else is made anew, and where it cannot be written nothing is lost but
time.
"""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, suppress
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final, NamedTuple, Self

from mwbatch.core.codec.json_codec import BadJson, Json, decode_object, encode, of_kind, table
from mwbatch.core.facts.digests import SIZE, stable_digest
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.facts.lines import parse
from mwbatch.journal.files.disk import read_own
from mwbatch.journal.files.replacing import Staged, aside
from mwbatch.journal.interface.belongings import RECORD
from mwbatch.journal.interface.health import Damage, DamageKind
from mwbatch.journal.segments.folders import ROWS
from mwbatch.journal.segments.scan import Tip, placed, segments_in

NAME: Final = "digests.bin"
MAGIC: Final = b"mwbatch digests\x00\x01"
"""The last byte is the version of the format."""

BLOCK: Final = 4096 * RECORD.size
"""Bytes that are handed on at a time."""

_LENGTH: Final = Struct("<I")
_TAIL: Final = _LENGTH.size + SIZE
_MARK: Final = 11
"""The bytes of a line's end that tell it from another: its checksum."""

_MOST: Final = (1 << 64) - 1

Covered = dict[str, tuple[int, str]]
"""Of each segment by name how many bytes are covered, and the end of the last line of them."""


def asked(
    folder: Path,
    volatile: Collection[str] = (),
    *,
    keep: bool = True,
    report: Callable[[Damage], None] = lambda _: None,
) -> Iterator[bytes]:
    """Row and digest of every planned line of a batch folder, as blocks of `RECORD`.

    A row may come more than once.

    ``keep``: what was read is kept beside the batch for the next time, unless lines of it are lost: those are
    told to ``report`` each time. Blocks while it reads.

    Raises:
        StoreError: a segment cannot be read, or holds what this version does not know.
    """
    names, new = sorted(volatile), None
    kept = _Kept.open(folder, names)
    covered = dict(kept.covered) if kept else {}
    lost: list[Damage] = []
    try:
        if kept:
            yield from kept.blocks()
        for path in segments_in(folder / ROWS):
            for block in _beyond(path, covered, volatile, lost.append):
                if keep and new is None:
                    new = _New(folder)
                    deque(map(new.write, kept.blocks() if kept else ()), maxlen=0)
                if new:
                    new.write(block)
                yield block
        lost = [damage for damage in lost if damage.kind is DamageKind.DAMAGED]
        deque(map(report, lost), maxlen=0)
        if new and not lost:
            new.place(names, covered)
    finally:
        if new:
            new.close()
        if kept:
            kept.file.close()


def _beyond(
    path: Path, covered: Covered, volatile: Collection[str], report: Callable[[Damage], None]
) -> Iterator[bytes]:
    """Read a segment from where it is covered to its end; ``covered`` grows with what is handed on."""

    def take(text: bytes) -> tuple[bytes, int, bytes]:
        fact = parse(text)
        if not isinstance(fact, Planned):
            return b"", len(text), text
        digest = stable_digest(fact.type, fact.request, volatile)
        return RECORD.pack(min(fact.row, _MOST), digest), len(text), text

    records, begin = bytearray(), covered.get(path.name, (0, ""))[0]
    for offset, (record, size, text) in placed(path, report, take, tip=Tip(begin)):
        records += record
        covered[path.name] = offset + size + 1, text[-_MARK:].decode("ascii", "replace")
        if len(records) >= BLOCK:
            yield bytes(records)
            records.clear()
    if records:
        yield bytes(records)


class _Kept(NamedTuple):
    """A file of digests that may be believed."""

    file: BinaryIO
    size: int
    covered: Covered

    @classmethod
    def open(cls, folder: Path, volatile: list[str]) -> Self | None:
        """Open it; None where there is none that says what reading the segments would."""
        with ExitStack() as held:
            try:
                file = held.enter_context(read_own(folder / NAME, BLOCK))
                size, said = _proved(file)
                covered = _covered(said)
                if said["volatile"] == volatile and all(
                    _stands(folder / ROWS / name, *place) for name, place in covered.items()
                ):
                    held.pop_all()
                    return cls(file, size, covered)
            except (OSError, BadJson, ValueError, KeyError, TypeError, AttributeError):
                pass
        return None

    def blocks(self) -> Iterator[bytes]:
        """The records."""
        self.file.seek(len(MAGIC))
        left = self.size
        while left and (block := self.file.read(min(left, BLOCK))):
            left -= len(block)
            yield block


def _covered(said: dict[str, Json]) -> Covered:
    """What the records rest on; raises ValueError or TypeError where that is none of ours."""
    there = {name: of_kind(place, list, name) for name, place in table(said, "segments").items()}
    return {name: (of_kind(size, int, name), of_kind(end, str, name)) for name, (size, end) in there.items()}


def _proved(file: BinaryIO) -> tuple[int, dict[str, Json]]:
    """The size of the records and what they rest on; raises ValueError where the file is not whole."""
    left = os.fstat(file.fileno()).st_size - SIZE
    name, tail = blake2b(digest_size=SIZE), b""
    while left > 0 and (block := file.read(min(left, BLOCK))):
        left -= len(block)
        name.update(block)
    if left or file.read() != name.digest():
        raise ValueError("cut or changed")
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError("another version")
    end = file.seek(-_TAIL, os.SEEK_END)
    (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
    begin = file.seek(end - length)
    tail = file.read(length)
    return begin - len(MAGIC), decode_object(tail)


def _stands(path: Path, size: int, end: str) -> bool:
    """Whether a segment still has the line that ended what was covered of it."""
    with read_own(path, 0) as file:
        file.seek(size - _MARK - 1)
        return file.read(_MARK + 1) == end.encode() + b"\n"


class _New:
    """The file as it will be, beside the one that is: nobody sees it before it is whole; no error matters."""

    def __init__(self, folder: Path) -> None:
        self._name = blake2b(digest_size=SIZE)
        self._held = ExitStack()
        self._aside: Staged | None = None
        with suppress(OSError):
            self._aside = self._held.enter_context(aside(folder / NAME))
        self.write(MAGIC)

    def write(self, block: bytes) -> None:
        """Add some bytes."""
        if self._aside is None:
            return
        try:
            self._aside.write(block)
        except OSError:
            self.close()
            return
        self._name.update(block)

    def place(self, volatile: list[str], covered: Covered) -> None:
        """Put it in place of the one that was there."""
        said = encode({"volatile": volatile, "segments": covered})
        self.write(said)
        self.write(_LENGTH.pack(len(said)))
        self.write(self._name.digest())
        with suppress(OSError):
            if self._aside is not None:
                self._aside.replace()

    def close(self) -> None:
        """Leave nothing behind of what was not put in its place."""
        self._aside = None
        with suppress(OSError):
            self._held.close()
