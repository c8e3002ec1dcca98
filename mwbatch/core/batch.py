"""The state of a batch, folded from its facts: rows on the straight path in columns, the few others as `Row`."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from typing import Final

from mwbatch.core.codes import (
    AS_PLANNED,
    AS_STARTED,
    CODES,
    IDLE,
    LIFTED,
    PLANNED,
    WITHDRAWN,
    is_by_callback_only,
    is_confirmed,
    is_open,
    is_planned,
    is_shown,
    is_spent,
    is_started,
    is_unknown,
    is_unstarted,
    is_untouched,
    marks_of,
    status_of,
)
from mwbatch.core.columns import Columns, RowsByNumber
from mwbatch.core.facts import Fact, Planned, Seen, Started, Withdrawn
from mwbatch.core.fold import Row, Status
from mwbatch.core.glances import glance
from mwbatch.core.holders import Holders
from mwbatch.core.lines import parse
from mwbatch.core.shown import shown_by
from mwbatch.core.task_state import Answered, Shared, TaskState
from mwbatch.core.text import as_bytes
from mwbatch.core.times import moment

GAP: Final = 1 << 20
"""How far beyond the last row a number may lie and still have room made in the columns."""


class Batch:
    """The state of a batch; a row is known by its number. Order and repetition of facts do not matter."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._holders = Holders(self._has)
        self._columns = Columns(self._holders)
        self._lifted: dict[int, Row] = {}
        self._shared: dict[str, Shared] = {}
        for fact in facts:
            self.add(fact)

    @property
    def rows(self) -> Mapping[int, Row]:
        """Every row that a fact has named. A row on the straight path is made when it is asked for: a look, no handle."""
        return RowsByNumber(self._columns.codes, self._lifted, self.row)

    def add(self, fact: Fact) -> None:
        """Take one fact in."""
        if isinstance(fact, Started):
            self._start(fact)
        elif isinstance(fact, Planned) and self._in_columns(fact.row):
            self._columns.codes[fact.row] |= PLANNED
        elif (
            isinstance(fact, Seen)
            and (shown := shown_by(fact))
            and self._in_columns(fact.row)
            and self._columns.show(*shown)
        ):
            return
        elif isinstance(fact, Withdrawn) and fact.attempt == 1 and self._in_columns(fact.row):
            self._columns.codes[fact.row] |= WITHDRAWN
        else:
            row = self._lift(fact.row)
            row.join(fact)
            if isinstance(fact, Seen):
                self._hold(fact.row, row.tasks[fact.task_id])

    def add_all(self, facts: Sequence[Fact]) -> None:
        """Take some facts in; plans of rows that follow each other, as a manifest gives them, at once."""
        if not self._plan([fact.row for fact in facts if isinstance(fact, Planned)], len(facts)):
            for fact in facts:
                self.add(fact)

    def _plan(self, rows: list[int], facts: int) -> bool:
        """Take in plans, if there are no other facts and no such row is an object; False, and none is taken in, for others."""
        if not rows or len(rows) < facts or rows != list(range(rows[0], rows[0] + facts)):
            return False
        first, end, codes = rows[0], rows[-1] + 1, self._columns.codes
        if not self._reaches(end) or LIFTED in codes[first:end]:
            return False
        codes[first:end] = codes[first:end].translate(AS_PLANNED)
        return True

    def add_line(self, text: bytes) -> None:
        """Take in one line of a segment, as `add` would take its fact, which is built only where it must be.

        Raises:
            BadLine, UnknownFact: as `parse`.
        """
        if (found := glance(text)) is None or not self._columns.take(found):
            self.add(parse(text))

    def row(self, number: int) -> Row:
        """The row with this number; an empty one where no fact has named it."""
        if (row := self._lifted.get(number)) is not None:
            return row
        return self._columns.row(number) if number < len(self._columns.codes) else Row()

    def untouched(self, number: int) -> bool:
        """Whether a row is planned and nothing else is known of it, as nearly all are before they are sent."""
        codes = self._columns.codes
        return number < len(codes) and codes[number] == PLANNED

    def is_idle(self, number: int) -> bool:
        """Whether nothing of a row is open: no answer came of it, no task is pending, no attempt is in doubt."""
        if (row := self._lifted.get(number)) is not None:
            return row.status in IDLE
        codes = self._columns.codes
        return number >= len(codes) or status_of(codes[number]) in IDLE

    def is_sendable(self, number: int) -> bool:
        """Whether this row may be sent, planned or not; no object is made to see it."""
        if (row := self._lifted.get(number)) is not None:
            return row.sendable
        codes = self._columns.codes
        return number >= len(codes) or not codes[number] & ~PLANNED

    def task(self, number: int, task_id: str) -> TaskState | None:
        """What the API has shown of one task of a row, None for nothing: a look, no handle."""
        if number in self._lifted or number >= len(self._columns.codes):
            return self.row(number).tasks.get(task_id)
        task = self._columns.task(number)
        return task if task is not None and task.task_id == task_id else None

    def stands_at_another(self, task_id: str, number: int, attempt: int) -> bool:
        """Whether the API itself has shown a task of this id at another row or attempt of the batch."""
        if (first := self._holders.find(as_bytes(task_id))) is None:  # as nearly always
            return False
        own = self.task(number, task_id)
        if own is not None and own.by_api and own.attempt != attempt:
            return True
        if (shared := self._shared.get(task_id)) is not None:
            return shared.shown > (own is not None and own.by_api)
        task = None if first == number else self.task(first, task_id)
        return task is not None and task.by_api

    def chosen(self) -> dict[int, Answered | None]:
        """Which answer is shown of each row that has those of several tasks, or none that is its own: then None."""
        return {
            number: kept.least if kept is not None and kept.answered else None
            for number, row in self._lifted.items()
            if (said := sum(bool(task.answers) for task in row.tasks.values()))
            and ((kept := row.kept) is None or said > 1 or not kept.answered)
        }

    def tasks(self, first: int = 0) -> Iterator[tuple[int, TaskState]]:
        """Every task that was ever shown, with the row's number; unknown rows too.

        Those below ``first`` may be left out where they are kept in columns, as one attempt alone.
        """
        yield from ((n, task) for n in self._numbers(is_shown, first) if (task := self._columns.task(n)))
        yield from ((n, task) for n, row in self._lifted.items() for task in row.tasks.values())

    def _start(self, fact: Started) -> None:
        for first, end in fact.rows:
            if fact.attempt == 1 and self._reaches(end):
                codes = self._columns.codes
                codes[first:end] = codes[first:end].translate(AS_STARTED)
                there: Iterable[int] = (number for number in range(first, end) if codes[number] == LIFTED)
            else:
                there = range(first, end)
            for number in there:
                self._lift(number).started |= 1 << fact.attempt

    def _in_columns(self, number: int) -> bool:
        """Whether the columns are to hold this row; room is made where there is none yet."""
        codes = self._columns.codes
        return (number < len(codes) or self._reaches(number + 1)) and codes[number] != LIFTED

    def _reaches(self, size: int) -> bool:
        """Whether the columns hold rows below ``size``, which they are made to where that is not too far."""
        codes = self._columns.codes
        before = len(codes)
        if size > before + GAP:
            return False
        if size > before:
            self._columns.grow(size)
            for number in self._lifted:
                if before <= number < len(codes):
                    codes[number] = LIFTED
        return True

    def _lift(self, number: int) -> Row:
        """The row as an object that facts may join: taken out of the columns if it was there."""
        if (row := self._lifted.get(number)) is None:
            row = self._lifted[number] = self.row(number)
            if number < len(self._columns.codes):
                self._columns.codes[number] = LIFTED
        return row

    def _has(self, number: int, task_id: bytes) -> bool:
        """Whether a row has a task of this id."""
        if (row := self._lifted.get(number)) is not None:
            return task_id.decode("utf-8", "surrogatepass") in row.tasks
        return self._columns.has(number, task_id)

    def _hold(self, number: int, task: TaskState) -> None:
        """Note that a row that is an object has a task, and let all rows that have it know of each other."""
        first = self._holders.claim(as_bytes(task.task_id), number)
        if first != number or task.task_id in self._shared:
            shared = self._shared.setdefault(task.task_id, Shared())
            shared.take(self._lift(first).tasks[task.task_id])
            shared.take(task)

    def _count(self, fits: Callable[[int], bool], of: Callable[[Row], int]) -> int:
        """Count one for each row of the columns whose code fits, and what ``of`` says of each of the others."""
        straight = sum(self._columns.codes.count(code) for code in CODES if fits(code))
        return straight + sum(map(of, self._lifted.values()))

    def _numbers(self, fits: Callable[[int], bool], first: int = 0) -> Iterator[int]:
        """The numbers of the rows of the columns whose code fits, ascending from ``first`` on."""
        marks = self._columns.codes.translate(marks_of(fits))
        number = marks.find(1, first)
        while number >= 0:
            yield number
            number = marks.find(1, number + 1)

    @property
    def planned(self) -> int:
        """How many rows the batch has."""
        return self._count(is_planned, lambda row: row.planned)

    @property
    def end(self) -> int:
        """One more than the greatest number of a planned row; 0 for none."""
        marks = self._columns.codes.translate(marks_of(is_planned))
        return max([marks.rfind(1), *(n for n, row in self._lifted.items() if row.planned)]) + 1

    def numbered(self, status: Status) -> Iterator[int]:
        """The numbers of the rows in one status, ascending."""
        lifted = sorted(n for n, row in self._lifted.items() if row.planned and row.status is status)
        return merge(self._numbers(lambda code: is_planned(code) and status_of(code) is status), lifted)

    def by_status(self) -> dict[Status, int]:
        """Count the rows: all six statuses, in order, zeros included."""
        counts = dict.fromkeys(Status, 0)
        for code in CODES:
            if is_planned(code):
                counts[status_of(code)] += self._columns.codes.count(code)
        for row in self._lifted.values():
            if row.planned:
                counts[row.status] += 1
        return counts

    def sendable(self) -> int:
        """How many rows may be sent."""
        return self._count(is_untouched, lambda row: row.planned and row.sendable)

    def exhausted(self) -> int:
        """How many planned rows were sent in vain as often as is done without asking the user."""
        return sum(row.exhausted and row.status is Status.PLANNED for row in self._lifted.values())

    def belied(self) -> bool:
        """Whether a task showed up that sweeps had not found."""
        return any(row.belied for row in self._lifted.values())

    def doubtful(self) -> Iterator[tuple[int, int]]:
        """Every attempt in doubt of a planned row, with the row's number."""
        for number in self._numbers(lambda code: is_planned(code) and status_of(code) is Status.DOUBT):
            yield number, 1
        for number, row in self._lifted.items():
            if row.planned:
                yield from ((number, attempt) for attempt in row.doubtful)

    def unsettled(self) -> Iterator[int]:
        """The numbers of the rows that were started and are in doubt, or may be sent again, in no order."""
        yield from (number for number, _ in self.doubtful())
        yield from (n for n, row in self._lifted.items() if row.planned and row.started and row.sendable)

    def spent(self) -> int:
        """How many tasks the batch has or may have: every confirmed task, and one for every other open attempt."""
        return self._count(is_spent, lambda row: row.spent)

    def months(self) -> dict[str, int]:
        """How many of the confirmed tasks were created in which month (``2026-11``); those without a date in none."""
        counts = self._columns.months(marks_of(is_confirmed))
        there = Counter({f"{month // 100}-{month % 100:02}": n for month, n in counts.items() if month})
        for row in self._lifted.values():
            times = (moment(task.created_at) for task in row.tasks.values() if task.confirmed)
            there.update(f"{time:%Y-%m}" for time in times if time)
        return dict(sorted(there.items()))

    def confirmed(self) -> int:
        """How many tasks the API itself has shown, each of them one row's for all that is known."""
        return self._count(
            is_confirmed, lambda row: sum(t.confirmed and not t.void for t in row.tasks.values())
        )

    def begun(self) -> bool:
        """Whether a start of any row is known."""
        return self._count(is_started, lambda row: row.started) > 0

    def unplanned(self) -> int:
        """How many rows are missing: below the last that was planned, or with a start and no plan."""
        end = self.end
        lifted = sum(n >= end and row.started != 0 for n, row in self._lifted.items())
        beyond = self._columns.codes[end:].translate(marks_of(is_started))
        return end - self.planned + beyond.count(1) + lifted

    def unstarted(self) -> int:
        """How many rows have an outcome of an attempt of which no start is known."""
        return self._count(is_unstarted, lambda row: bool((row.seen | row.failed) & ~row.started))

    def open(self) -> Iterator[tuple[int, TaskState]]:
        """Every task that is not canceled, of rows without an answer of a confirmed task; unknown rows too."""
        numbers = array("I", self._numbers(is_open))
        numbers.extend(
            n
            for n, row in self._lifted.items()
            if not any(t.answered and t.confirmed for t in row.tasks.values())
        )
        for number in numbers:
            # A list, since whoever walks may learn of a task of that very row meanwhile.
            yield from [(number, task) for task in self.row(number).tasks.values() if not task.canceled]

    def surplus(self) -> Iterator[tuple[int, TaskState]]:
        """Every task beyond the one kept of its row, with the row's number."""
        return ((n, task) for n, row in self._lifted.items() for task in row.surplus)

    def conflicts(self) -> Iterator[tuple[int, TaskState]]:
        """Every task with two answers that say different things, with its row's number."""
        return ((n, task) for n, row in self._lifted.items() for task in row.conflicts)

    def by_callback_only(self) -> int:
        """How many completed rows have no answer of a confirmed task."""
        return self._count(is_by_callback_only, lambda row: row.planned and row.by_callback_only)

    def unknown(self) -> Iterator[tuple[int, TaskState]]:
        """Every task at one of our addresses whose row the batch does not have."""
        numbers = (*self._numbers(is_unknown), *(n for n, row in self._lifted.items() if not row.planned))
        return ((n, task) for n in numbers for task in self.row(n).tasks.values())
