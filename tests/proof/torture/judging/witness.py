"""What is on disk, read by a witness of its own: no code of the package, only the promise of its format.

A line is ``{…,"crc":"xxxxxxxx"}``: the CRC-32 of all bytes before ``,"crc":``. A callback's line ends with
its ``body`` as it came, raw newlines and tabs made spaces, and carries the SHA-256 of the bytes that came.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zlib import crc32

_CRC: Final = b',"crc":"'
_BODY: Final = b',"body":'
_ONE_LINE: Final = bytes.maketrans(b"\n\r\t", b"   ")


@dataclass(frozen=True)
class Line:
    """One line that carries a callback: its batch, the record without its body, and the body."""

    batch: str
    record: dict[str, Any]
    body: bytes


@dataclass
class Found:
    """Everything below a home: callbacks, damaged lines, and ends that were cut off."""

    lines: list[Line]
    damaged: int = 0
    torn: int = 0


def on_one_line(body: bytes) -> bytes:
    """A body as it is stored."""
    return body.translate(_ONE_LINE)


def look(home: Path) -> Found:
    """Read every segment that may hold callbacks."""
    found = Found([])
    for batch, folder in _folders(home):
        for path in sorted([*folder.glob("results/*.jsonl"), *folder.glob("journal/*.jsonl")]):
            *whole, rest = path.read_bytes().split(b"\n")
            found.torn += bool(rest)
            for text in whole:
                record = _record(text)
                if record is None:
                    found.damaged += 1
                elif record["fact"] == "seen":
                    found.lines.append(Line(batch, record, _body(text)))
    return found


def _folders(home: Path) -> Iterator[tuple[str, Path]]:
    for info in home.glob("*/batch.json"):
        yield json.loads(info.read_bytes())["batch_id"], info.parent
    for folder in home.glob("inbox/*"):
        yield folder.name, folder


def _record(text: bytes) -> dict[str, Any] | None:
    head, cut, tail = text.rpartition(_CRC)
    if not cut or tail != b'%08x"}' % crc32(head):
        return None
    record: dict[str, Any] = json.loads(text)
    return record


def _body(text: bytes) -> bytes:
    return text.partition(_BODY)[2].rpartition(_CRC)[0]
