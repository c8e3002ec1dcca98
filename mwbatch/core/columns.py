"""Rows on the straight path, kept in columns: planned, started once, one task, one answer; or canceled on the way.

Nearly every row of a batch takes this path, and a `Row` with its `TaskState` costs some 700 bytes; here it is
41, 57 more once there are answers, and one more where listings showed tasks. Whatever cannot be said in these
columns is refused, and becomes a `Row`.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from heapq import merge
from itertools import compress
from typing import Final

from mwbatch.core.codes import (
    ANSWERED,
    CANCELED,
    CONFIRMED,
    DONE,
    LIFTED,
    LISTED,
    PLANNED,
    SHOWN,
    STARTED,
    WITHDRAWN,
)
from mwbatch.core.fold import Row
from mwbatch.core.glances import Glance
from mwbatch.core.holders import Holders
from mwbatch.core.shown import ANSWER, DIGEST, shown_in, time_of
from mwbatch.core.task_state import TaskState

_MONTH: Final = 10**11
"""What the digits of a time are divided by to have its year and month alone."""


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
        number, codes = int(found["row"]), self.codes
        if number >= len(codes) or codes[number] == LIFTED:
            return False
        if found["plan"]:
            codes[number] |= PLANNED
            return True
        return self.show(*shown_in(found))

    def show(
        self, number: int, task_id: bytes, said: int, created: int, completed: int, answer: bytes
    ) -> bool:
        """Join one showing of a row that is not lifted, as `Shown`; False, and nothing is changed, as in `take`."""
        code = self.codes[number]
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
            if not code & ANSWERED or (completed, answer) < self._answer_of(number):
                self._answer(number, completed, answer)
            code |= ANSWERED
        if said & LISTED:
            self._list(number)
            said ^= LISTED
        self.codes[number] = code | SHOWN | said
        return True

    def row(self, number: int) -> Row:
        """A row as the fold would have it."""
        code = self.codes[number]
        bit = 1 << 1
        row = Row(
            planned=bool(code & PLANNED),
            started=bit if code & STARTED else 0,
            forbidden=1 if code & WITHDRAWN else 0,
        )
        if task := self.task(number):
            row.seen = bit
            row.confirmed = bit if code & CONFIRMED else 0
            row.tasks[task.task_id] = task
        return row

    def task(self, number: int) -> TaskState | None:
        """The one task of a row; None where none was shown."""
        code = self.codes[number]
        if not code & SHOWN:
            return None
        said = "canceled" if code & CANCELED else "completed" if code & DONE else "pending"
        task = TaskState(self._id(number).decode(), 1, said, time_of(self._created[number]))
        task.by_api = bool(code & CONFIRMED)
        task.listed = number < len(self._listed) and self._listed[number] == 1
        if code & ANSWERED:
            completed, answer = self._answer_of(number)
            task.answers[answer[:DIGEST].hex()] = (time_of(completed), task.task_id, answer[DIGEST:].hex())
        return task

    def months(self, marks: bytes) -> Counter[int]:
        """How many tasks were created in each month, as 202611, of the rows whose code ``marks`` has a 1 for; 0 for no date."""
        return Counter(time // _MONTH for time in compress(self._created, self.codes.translate(marks)))

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

    def _answer(self, number: int, completed: int, answer: bytes) -> None:
        """Keep an answer in the place of any other."""
        if number >= len(self._completed):
            more = len(self.codes) - len(self._completed)
            self._completed.frombytes(bytes(8 * more))
            self._answers.extend(bytes(ANSWER * more))
        self._completed[number] = completed
        self._answers[number * ANSWER : (number + 1) * ANSWER] = answer

    def _answer_of(self, number: int) -> tuple[int, bytes]:
        return self._completed[number], bytes(self._answers[number * ANSWER : (number + 1) * ANSWER])


class RowsByNumber(Mapping[int, Row]):
    """The rows of a batch by number, made one by one."""

    def __init__(self, codes: bytearray, lifted: Mapping[int, Row], make: Callable[[int], Row]) -> None:
        self._codes, self._lifted, self._make = codes, lifted, make

    def __getitem__(self, number: int) -> Row:
        if number not in self:
            raise KeyError(number)
        return self._make(number)

    def __contains__(self, number: object) -> bool:
        if number in self._lifted:
            return True
        return isinstance(number, int) and 0 <= number < len(self._codes) and self._codes[number] != 0

    def __iter__(self) -> Iterator[int]:
        named = (number for number, code in enumerate(self._codes) if code and code != LIFTED)
        return merge(named, sorted(self._lifted))

    def __len__(self) -> int:
        return len(self._codes) - self._codes.count(0) - self._codes.count(LIFTED) + len(self._lifted)
