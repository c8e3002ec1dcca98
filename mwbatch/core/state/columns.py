"""Rows on the straight path, in columns: planned, started once, one task, one answer; or canceled on the way.

Nearly every row of a batch takes this path, and a `Row` with its `TaskState` costs some 700 bytes; here it is
41, 57 more once there are answers, and one more where listings showed tasks. What cannot be said in these
columns is refused, and becomes a `Row`: it is a law (``tests/unit/core/state/test_batch.py``) that both ways
say the same of every row. Beside them is their index: which row has a task, by the task's id.
"""

import re
from array import array
from binascii import a2b_hex
from collections import Counter
from collections.abc import Callable
from itertools import compress, product
from typing import Final

from mwbatch.core.facts.kinds import CONFIRMING, Seen, Via
from mwbatch.core.facts.line_patterns import STATUSES, TASK, TIME, Glance
from mwbatch.core.state.codes import (
    ANSWERED,
    CANCELED,
    CONFIRMED,
    DETACHED,
    DONE,
    LISTED,
    PLANNED,
    SHOWN,
    Question,
    row_of,
    task_of,
)
from mwbatch.core.state.row_status import Row
from mwbatch.core.state.task_state import TaskState

Shown = tuple[int, bytes, int, int, int, bytes]
"""Row, task id, what is said, created, completed, answer.

What is said are the bits ``DONE``, ``CANCELED``, ``CONFIRMED`` and ``LISTED``. Times are the number that
their 17 digits are, 0 for none: it orders as the text does, in 8 bytes. The answer is digest and SHA-256,
empty for none.
"""

DIGEST, ANSWER = 16, 16 + 32
"""The bytes of an answer's digest, and of that and its SHA-256."""

_STATUS: Final[dict[str, int]] = dict(zip(STATUSES, (0, DONE, CANCELED), strict=True))
_VIA: Final[dict[str, int]] = {via: CONFIRMED | LISTED * (via is Via.LIST) for via in CONFIRMING}
_IN_LINE: Final = {
    (status.encode(), via.encode() if via else None): _STATUS[status] | _VIA.get(via, 0)
    for status, via in product(STATUSES, ("", *CONFIRMING))
}
_IS_TASK: Final = re.compile(TASK.decode()).fullmatch
_IS_TIME: Final = re.compile(TIME.decode()).fullmatch
_IS_ANSWER: Final = re.compile(f"[0-9a-f]{{{2 * ANSWER}}}").fullmatch
_MARKS: Final = b"-T:.Z"
_MONTH: Final = 10**11
"""What the digits of a time are divided by to have its year and month alone."""

_FIRST: Final = 1 << 10
_PART: Final = (1 << 30) - 1
"""What is kept of a hash: as much as Python counts with in one step."""

_MOST: Final = (1 << 32) - 1


class Holders:
    """The first row at which each task was shown: 12 to 24 bytes a task,
    because ids are kept by the rows alone.

    An open hash table in two columns: the row's number, counted from 1, and a part of the id's hash. ``has``
    says whether a row has a task of this id.
    """

    def __init__(self, has: Callable[[int, bytes], bool]) -> None:
        self._has = has
        self._used = 0
        self._empty(_FIRST)

    def claim(self, task_id: bytes, row: int) -> int:
        """Note that a task was shown at a row, which has it already;
        returns the first row at which it was.
        """
        rows, parts, mask, part = self._rows, self._parts, self._mask, hash(task_id) & _PART
        slot = part & mask
        while there := rows[slot]:
            if parts[slot] == part and self._has(there - 1, task_id):
                return there - 1
            slot = slot + 1 & mask
        if row < _MOST:
            rows[slot], parts[slot] = row + 1, part
            self._used += 1
            if self._used * 3 > mask * 2:
                self._grow()
        return row

    def find(self, task_id: bytes) -> int | None:
        """The first row at which a task was shown; None for none."""
        rows, parts, mask, part = self._rows, self._parts, self._mask, hash(task_id) & _PART
        slot = part & mask
        while there := rows[slot]:
            if parts[slot] == part and self._has(there - 1, task_id):
                return there - 1
            slot = slot + 1 & mask
        return None

    def _empty(self, size: int) -> None:
        self._rows, self._parts = array("I", bytes(4 * size)), array("I", bytes(4 * size))
        self._mask = size - 1

    def _grow(self) -> None:
        """Make the table twice as large and place every entry anew."""
        there = zip(self._rows, self._parts, strict=True)
        self._empty(2 * self._mask + 2)
        rows, parts, mask = self._rows, self._parts, self._mask
        for row, part in there:
            if row:
                slot = part & mask
                while rows[slot]:
                    slot = slot + 1 & mask
                rows[slot], parts[slot] = row, part


class Columns:
    """The columns. Row ``n`` has code ``codes[n]``, 0 where no fact has named it.

    ``holders`` knows the tasks of all rows: no column holds one that another row has.
    """

    def __init__(self, holders: Holders) -> None:
        self.codes = bytearray()
        self._holders = holders
        self._ids = bytearray()
        self._places = array("Q")
        self._created = array("Q")
        self._completed = array("Q")
        self._answers = bytearray()
        self._listed = bytearray()

    def grow(self, size: int) -> None:
        """Make room for rows below ``size``, and some more."""
        more = max(size, len(self.codes) * 5 // 4) - len(self.codes)
        self.codes.extend(bytes(more))

    def take(self, found: Glance) -> bool:
        """Join what was found in a line; False, and nothing is changed, where no column can hold it."""
        return self.mark(int(found["row"]), PLANNED) if found["plan"] else self.show(*shown_in(found))

    def mark(self, number: int, bit: int) -> bool:
        """Join what says a bit of a row and no more; False, and nothing is changed, as in `take`."""
        if number >= len(self.codes) or self.codes[number] == DETACHED:
            return False
        self.codes[number] |= bit
        return True

    def show(
        self, number: int, task_id: bytes, said: int, created: int, completed: int, answer: bytes
    ) -> bool:
        """Join one showing, as `Shown`; False, and nothing is changed, as in `take`."""
        if number >= len(self.codes) or (code := self.codes[number]) == DETACHED:
            return False
        if not code & SHOWN:
            if self._holders.claim(task_id, number) != number:
                return False
            self._name(number, task_id, created)
        elif not self._is_named(number, task_id) or (
            answer and code & ANSWERED and self._answer_of(number)[1][:DIGEST] != answer[:DIGEST]
        ):
            return False
        elif (code ^ said) & CONFIRMED:
            # What the API itself shows of a task replaces what callbacks said.
            if code & CONFIRMED:
                said = 0
            else:
                code &= ~(DONE | CANCELED)
                self._created[number] = created
        elif created and (created < self._created[number] or not self._created[number]):
            self._created[number] = created
        if answer:
            self._answer(number, code, completed, answer)
            code |= ANSWERED
        if said & LISTED:
            self._list(number)
            said ^= LISTED
        self.codes[number] = code | SHOWN | said
        return True

    def row(self, number: int) -> Row:
        """A row as the fold would have it."""
        return row_of(self.codes[number], self.task(number))

    def task(self, number: int) -> TaskState | None:
        """The one task of a row; None where none was shown."""
        code = self.codes[number]
        if not code & SHOWN:
            return None
        task = task_of(code, self._id(number).decode())
        task.created_at = time_of(self._created[number])
        task.listed = number < len(self._listed) and self._listed[number] == 1
        if code & ANSWERED:
            completed, answer = self._answer_of(number)
            task.answers[answer[:DIGEST].hex()] = (time_of(completed), task.task_id, answer[DIGEST:].hex())
        return task

    def months(self, asked: Question) -> Counter[int]:
        """How many tasks were created in each month, as 202611, of rows that say yes; in 0 without a date."""
        return Counter(time // _MONTH for time in compress(self._created, self.codes.translate(asked.table)))

    def _name(self, number: int, task_id: bytes, created: int) -> None:
        """Keep the id and the time of a task that is shown for the first time."""
        if number >= len(self._places):
            more = bytes(8 * (len(self.codes) - len(self._places)))
            self._places.frombytes(more)
            self._created.frombytes(more)
        self._places[number] = len(self._ids)
        self._ids.append(len(task_id))
        self._ids += task_id
        self._created[number] = created

    def _list(self, number: int) -> None:
        """Keep that a listing has shown the task of a row."""
        if number >= len(self._listed):
            self._listed.extend(bytes(len(self.codes) - len(self._listed)))
        self._listed[number] = 1

    def _id(self, number: int) -> bytes:
        place = self._places[number]
        return bytes(self._ids[place + 1 : place + 1 + self._ids[place]])

    def has(self, number: int, task_id: bytes) -> bool:
        """Whether the columns have this task at a row."""
        return bool(self.codes[number] & SHOWN) and self._is_named(number, task_id)

    def _is_named(self, number: int, task_id: bytes) -> bool:
        place = self._places[number]
        return self._ids[place] == len(task_id) and self._ids.startswith(task_id, place + 1)

    def _answer(self, number: int, code: int, completed: int, answer: bytes) -> None:
        """Keep an answer, unless the one that is there stands before it."""
        if code & ANSWERED and self._answer_of(number) <= (completed, answer):
            return
        if number >= len(self._completed):
            more = len(self.codes) - len(self._completed)
            self._completed.frombytes(bytes(8 * more))
            self._answers.extend(bytes(ANSWER * more))
        self._completed[number] = completed
        self._answers[number * ANSWER : (number + 1) * ANSWER] = answer

    def _answer_of(self, number: int) -> tuple[int, bytes]:
        return self._completed[number], bytes(self._answers[number * ANSWER : (number + 1) * ANSWER])


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
