"""The line decoder and the reading of segments: whatever stands in a file,
nothing is invented and nothing overlooked.
"""

import atexit
import shutil
import tempfile
from inspect import signature
from pathlib import Path
from typing import Final
from zlib import crc32

from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts import lines
from mwbatch.core.facts.kinds import (
    KINDS,
    Fact,
    Failed,
    Planned,
    Retried,
    Seen,
    Started,
    Verdict,
    Via,
    Withdrawn,
)
from mwbatch.core.facts.lines import BadLine, UnknownFact
from mwbatch.errors import StoreError
from mwbatch.journal.interface.health import Damage
from mwbatch.journal.segments.scan import placed
from tests.proof.fuzz.oracle import is_json
from tests.proof.fuzz.shelf import unique
from tests.proof.fuzz.target import Target
from tests.proof.fuzz.values import build

SEAL: Final = b"!"
"""A line that begins so gets the checksum that it lacks, which no mutation could guess."""

_FOLDER: Final = tempfile.mkdtemp(prefix="mwbatch-fuzz-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
_FILE: Final = Path(_FOLDER) / "segment.jsonl"
_TEXTS: Final = ("task_id", "id", "type", "base", "origin", "key", "kid", "message")
_MAYBE: Final = ("created_at", "completed_at", "answer", "sha256", "clock")
_WHOLE: Final = ("row", "attempt", "line")
_WORDS: Final = tuple(
    {"v", "fact", "crc", *KINDS, *(name for kind in KINDS.values() for name in signature(kind).parameters)}
)


def one(raw: bytes) -> None:
    """The first byte says what the rest is: one line, a recipe for a record, or a whole file."""
    kind, rest = raw[:1], raw[1:]
    if kind == b"r":
        decoded(sealed(_record(rest)))
    elif kind == b"s":
        read_file(b"\n".join(_line(text) for text in rest.split(b"\n")))
    else:
        decoded(_line(rest))


def sealed(head: bytes) -> bytes:
    """A line with the checksum that fits."""
    return b'%b,"crc":"%08x"}' % (head, crc32(head))


def _line(text: bytes) -> bytes:
    return sealed(text[1:]) if text.startswith(SEAL) else text


def _record(recipe: bytes) -> bytes:
    """A record of our version and one of our kinds, with the fields that a recipe gives it."""
    kind = [*KINDS][recipe[0] % len(KINDS)] if recipe else "seen"
    spelled = build(b"\x06" + recipe[1:], sorted(_WORDS))
    return encode({"v": lines.VERSION, "fact": kind} | (spelled if isinstance(spelled, dict) else {}))[:-1]


def decoded(text: bytes) -> Fact | None:
    """A line is a fact that writes itself as a line that says the same, or it is `BadLine`."""
    try:
        fact = lines.parse(text)
    except BadLine:
        return None
    assert text[-10:-2] == b"%08x" % crc32(text[:-18]), "the checksum is wrong"
    typed(fact)
    if b"\n" in text or not _is_sound(fact):
        return fact
    line = lines.line(fact)
    assert line.find(b"\n") == len(line) - 1
    assert lines.parse(line[:-1]) == fact
    return fact


def _is_sound(fact: Fact) -> bool:
    """Whether the body, which is kept unread, is what the checksum says that we wrote: JSON."""
    return not isinstance(fact, Seen) or fact.body is None or is_json(fact.body)


def typed(fact: Fact) -> None:
    """Every field is of the type that it is declared with: whoever reads facts relies on it."""
    for name in _WHOLE:
        number = getattr(fact, name, 0)
        assert type(number) is int, name
        assert number >= 0, name
    for name in _TEXTS:
        assert type(getattr(fact, name, "")) is str, name
    for name in _MAYBE:
        assert type(getattr(fact, name, None)) in (str, type(None)), name
    assert type(fact.at) in (int, float)
    match fact:
        case Planned():
            assert type(fact.request) is type(fact.columns) is dict
        case Started():
            assert all(type(first) is type(end) is int for first, end in fact.rows)
        case Seen():
            assert type(fact.status) is str
            assert type(fact.body) in (bytes, type(None))
            assert type(fact.via) is (Via if fact.via in {*Via} else str)
        case Failed():
            assert type(fact.final) is bool
            assert type(fact.verdict) is (Verdict if fact.verdict in {*Verdict} else str)
            assert type(fact.status) in (int, type(None))
        case Retried() | Withdrawn():
            pass


def read_file(raw: bytes) -> None:
    """Facts and damage together are the whole file, each fact at its place; only `StoreError` is raised."""
    _FILE.write_bytes(raw)
    damage: list[Damage] = []
    expected, unknown = _expected(raw)
    found: dict[int, Fact] = {}
    try:
        found.update(placed(_FILE, damage.append, lines.parse))
    except StoreError:
        assert unknown is not None, "an undamaged file was refused"
        return
    assert unknown is None, "a fact that nobody knows was passed over"
    assert found == expected
    _covered(raw, set(found), damage)


def _expected(raw: bytes) -> tuple[dict[int, Fact], int | None]:
    """Line by line: the facts by offset, and where the first stands that nobody knows."""
    found: dict[int, Fact] = {}
    offset = 0
    *whole, _ = raw.split(b"\n")
    for text in whole:
        try:
            found[offset] = lines.parse(text)
        except UnknownFact:
            return found, offset
        except BadLine:
            pass
        offset += len(text) + 1
    return found, None


def _covered(raw: bytes, offsets: set[int], damage: list[Damage]) -> None:
    """No byte is both in a fact and in damage, and none but line ends in neither."""
    said = [(at, raw.index(b"\n", at)) for at in offsets] + [(d.offset, d.offset + d.size) for d in damage]
    place = 0
    for first, end in sorted(said):
        assert first >= place
        assert not raw[place:first].strip(b"\n")
        place = end
    assert not raw[place:].strip(b"\n")


def _seeds() -> list[bytes]:
    written = [
        lines.line(fact)[:-1]
        for fact in (
            Planned(
                1.5, RowNumber(0), "a", 2, "tagging", {"image_url": "https://x.test/1.jpg"}, {"note": "x"}
            ),
            Started(
                1.5,
                ((0, 1), (4, 9)),
                Attempt(1),
                "https://c.test",
                "https://a.test",
                "0" * 16,
                Kid("k1"),
                "now",
                (),
                3,
            ),
            Seen(1.5, RowNumber(0), Attempt(1), "t1", "pending", Via.CREATE, "2016-06-23T09:09:34.752Z"),
            Seen(
                1.5,
                RowNumber(0),
                Attempt(1),
                "t1",
                "completed",
                Via.CALLBACK,
                None,
                "now",
                "00",
                "ff",
                b'{"task_id": "t1"}',
            ),
            Seen(
                1.5,
                RowNumber(0),
                Attempt(1),
                '\ud83d,"body":',
                "",
                Via.GET,
                None,
                None,
                "00",
                "ff",
                b'{"a":1,"a":2}',
            ),
            Failed(1.5, RowNumber(3), Attempt(2), Verdict.REFUSED, True, 400, "no"),
            Retried(1.5, RowNumber(3), Attempt(3)),
            Withdrawn(1.5, RowNumber(3), Attempt(4)),
        )
    ]
    heads = [SEAL + line[:-18] for line in written]
    file = b"\n".join(heads)
    odd = [
        b'!{"v":2,"fact":"seen"',
        b'!{"v":true,"fact":"retried","at":1,"row":0,"attempt":1',
        b'!{"v":1,"fact":"x"',
    ]
    return [
        *(b"l" + line for line in (*written, *heads, *odd)),
        *(
            b"s" + text
            for text in (file, file + b"\n", b"\n".join(written[:3]) + b"\n", file + b"\n\0\0\0\0")
        ),
        *(b"s" + heads[6] + b"\n" + written[0][:40] + b"\n" + heads[7] + b"\n" + text for text in odd),
        *(b"r" + bytes([kind]) + bytes(range(1, 90, 3)) for kind in range(6)),
    ]


_DICTIONARY: Final = (
    *(b'"%b":' % word.encode() for word in sorted(_WORDS)),
    *b'{"v":1,"fact":" {"v":1,"fact":"seen", ,"crc":" ,"body": [[0,1]] null true false -1 1e999'.split(),
    *(b"18446744073709551616", b"\\ud83d", b"\n!", b"\n", b"\0"),
)

TARGET: Final = Target("lines", one, unique(_seeds()), _DICTIONARY, longest=1024)
