"""Lines that are read without making a fact: a plan, or a plain showing at attempt 1, as nearly every line is."""

import re
from binascii import a2b_hex
from typing import Final, NamedTuple

from mwbatch.core.codes import CANCELED, CONFIRMED, DONE, LISTED
from mwbatch.core.facts import CONFIRMING, Seen, Via, answer_name, identity
from mwbatch.core.lines import checked, parse
from mwbatch.core.text import as_bytes

SAID: Final = {"pending": 0, "completed": DONE, "canceled": CANCELED}
"""What the API may say of a task, as bits; any other word has no column."""

DIGEST, ANSWER = 16, 16 + 32
"""The bytes of an answer's digest, and of that and its SHA-256."""

# A digit at a time: the engine is slower at counting them.
_TIME: Final = rb"[1-9]ddd-dd-ddTdd:dd:dd\.dddZ".replace(b"d", b"[0-9]")
PLAIN: Final = re.compile(
    rb'\{"v":1,"fact":"(?:(planned)|seen)","at":[0-9.e+-]+,"row":([0-9]{1,9}),(?(1)|"attempt":1,'
    rb'"task_id":"([A-Za-z0-9_-]{1,64})","status":"(pending|completed|canceled)",'
    rb'"via":"(?:callback|(create|get|list|cancel))"'
    rb'(?:,"created_at":"(%b)")?(?:,"completed_at":"(%b)")?'
    rb'(?:,"answer":"([0-9a-f]{32})","sha256":"([0-9a-f]{64})")?(?=,"body":|\Z))' % (_TIME, _TIME)
).match
"""Finds what columns hold in a line, without its checksum: it plans a row, or is a plain showing at attempt 1."""

_IS_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_IS_TIME: Final = re.compile(_TIME.decode())
_IS_HEX: Final = re.compile(rb"[0-9a-f]*")


class Shown(NamedTuple):
    """One showing of a task at attempt 1, in the form in which columns hold it.

    ``said`` has the bits of `SAID`, ``CONFIRMED`` and ``LISTED``; ``created`` and ``completed`` are the digits of a
    time, 0 for none; ``answer`` is digest and SHA-256, empty for none.
    """

    row: int
    task_id: bytes
    said: int
    created: int
    completed: int
    answer: bytes


def shown_by(seen: Seen) -> Shown | None:
    """The form of a fact at hand; None unless it is a plain showing at attempt 1."""
    said = SAID.get(seen.status)
    if seen.attempt != 1 or said is None or not _IS_TEXT.fullmatch(seen.task_id):
        return None
    created, completed = _column(seen.created_at), _column(seen.completed_at)
    if created is None or completed is None:
        return None
    answer = b""
    if seen.answer is not None:
        digest, sha256 = _ascii(seen.answer), _ascii(seen.sha256)
        answer = digest + sha256
        if len(digest) != 2 * DIGEST or len(answer) != 2 * ANSWER or not _IS_HEX.fullmatch(answer):
            return None
    said |= _BY_API.get(seen.via, 0)
    return Shown(seen.row, seen.task_id.encode("ascii"), said, created, completed, a2b_hex(answer))


def confirmed_by(via: str) -> int:
    """What it means, as bits, that the API itself has shown a task so."""
    return CONFIRMED | LISTED if via == Via.LIST else CONFIRMED


_BY_API: Final[dict[str, int]] = {via: confirmed_by(via) for via in CONFIRMING}


def _ascii(text: str | None) -> bytes:
    return text.encode("ascii", "replace") if text else b""


def _column(time: str | None) -> int | None:
    """A time as it stands in its column, which has 0 for none; None where it cannot stand there."""
    if not time:
        return 0
    return digits(time.encode("ascii")) if _IS_TIME.fullmatch(time) else None


class Kept(NamedTuple):
    """An answer on disk: its `mwbatch.core.facts.identity`, and of which task of which attempt it is."""

    name: bytes
    row: int
    attempt: int
    task_id: str


def kept_answer(text: bytes) -> Kept | None:
    """The answer in a line of a segment; None where it has none. Raises as `parse`."""
    found = PLAIN(checked(text))
    if found is None:
        fact = parse(text)
        name = identity(fact)
        return Kept(name, fact.row, fact.attempt, fact.task_id) if name and isinstance(fact, Seen) else None
    _, row, task_id, _, _, _, _, answer, _ = found.groups()
    if not answer:
        return None
    number, task = int(row), task_id.decode()
    return Kept(answer_name(number, 1, task, answer.decode()), number, 1, task)


def answered_row(text: bytes) -> int | None:
    """The number of the row to which a line brings an answer; None where it brings none. Raises as `parse`."""
    found = PLAIN(checked(text))
    if found is not None and found[8]:
        return int(found[2])
    fact = parse(text)
    return fact.row if isinstance(fact, Seen) and fact.answer is not None else None


def shown_task(text: bytes) -> tuple[int, bytes] | None:
    """The row and the id of the task that a line shows; None where it shows none. Raises as `parse`."""
    found = PLAIN(checked(text))
    if found is not None:
        return None if found[1] else (int(found[2]), found[3])
    fact = parse(text)
    return (fact.row, as_bytes(fact.task_id)) if isinstance(fact, Seen) else None


def planned_row(text: bytes) -> int | None:
    """The number of the row that a line plans, unproved; None where it is another line, or written in another way."""
    found = PLAIN(text)
    return int(found[2]) if found and found[1] else None


def digits(time: bytes) -> int:
    """A time as the number that its 17 digits are: it orders as the text does, in 8 bytes; 0 for none."""
    return int(time.translate(None, b"-T:.Z")) if time else 0


def time_of(digits: int) -> str:
    """The time again."""
    if not digits:
        return ""
    d = str(digits)
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}.{d[14:]}Z"
