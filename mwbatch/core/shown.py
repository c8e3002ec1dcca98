"""A showing of a task at attempt 1 in the form in which columns hold it: found in a line, or in a fact."""

import re
from binascii import a2b_hex
from itertools import product
from typing import Final

from mwbatch.core.codes import CANCELED, CONFIRMED, DONE, LISTED
from mwbatch.core.facts import CONFIRMING, Seen, Via
from mwbatch.core.glances import STATUSES, TASK, TIME, Glance

Shown = tuple[int, bytes, int, int, int, bytes]
"""Row, task id, what is said, created, completed, answer.

What is said are the bits ``DONE``, ``CANCELED``, ``CONFIRMED`` and ``LISTED``. Times are the number that
their 17 digits are, 0 for none: it orders as the text does, in 8 bytes. The answer is digest and SHA-256,
empty for none.
"""

DIGEST, ANSWER = 16, 16 + 32
"""The bytes of an answer's digest, and of that and its SHA-256."""

_STATUS: Final = dict(zip(STATUSES, (0, DONE, CANCELED), strict=True))
_VIA: Final[dict[str, int]] = {via: CONFIRMED | LISTED * (via is Via.LIST) for via in CONFIRMING}
_IN_LINE: Final = {
    (status.encode(), via.encode() if via else None): _STATUS[status] | _VIA.get(via, 0)
    for status, via in product(STATUSES, ("", *CONFIRMING))
}
_IS_TASK: Final = re.compile(TASK.decode()).fullmatch
_IS_TIME: Final = re.compile(TIME.decode()).fullmatch
_IS_ANSWER: Final = re.compile(f"[0-9a-f]{{{2 * ANSWER}}}").fullmatch
_MARKS: Final = b"-T:.Z"


def shown_in(found: Glance) -> Shown:
    """What a line shows, which plans nothing."""
    _, row, task, status, via, created, completed, answer, sha256 = found.groups()
    return (
        int(row),
        task,
        _IN_LINE[status, via],
        int(created.translate(None, _MARKS)) if created else 0,
        int(completed.translate(None, _MARKS)) if completed else 0,
        a2b_hex(answer + sha256) if answer else b"",
    )


def shown_by(seen: Seen) -> Shown | None:
    """What a fact shows; None where no column could give it back letter by letter."""
    said = _STATUS.get(seen.status)
    if seen.attempt != 1 or said is None or not _IS_TASK(seen.task_id):
        return None
    created, completed = _digits(seen.created_at), _digits(seen.completed_at)
    if created is None or completed is None:
        return None
    answer = ""
    if seen.answer is not None:
        answer = seen.answer + (seen.sha256 or "")
        if len(seen.answer) != 2 * DIGEST or not _IS_ANSWER(answer):
            return None
    said |= _VIA.get(seen.via, 0)
    return seen.row, seen.task_id.encode(), said, created, completed, a2b_hex(answer)


def _digits(time: str | None) -> int | None:
    """A time as it stands in its column; None where it cannot stand there."""
    if not time:
        return 0
    return int(time.encode().translate(None, _MARKS)) if _IS_TIME(time) else None


def time_of(digits: int) -> str:
    """A time again as the API writes it; empty for none."""
    if not digits:
        return ""
    d = str(digits)
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}.{d[14:]}Z"
