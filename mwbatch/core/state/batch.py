"""The state of a batch, folded from its facts: what each row says is asked, and counted or listed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from mwbatch.core.codec.ids import FIRST, Attempt, RowNumber
from mwbatch.core.codec.json_codec import as_bytes
from mwbatch.core.codec.times import moment
from mwbatch.core.facts.kinds import Fact, Failed, Planned, Retried, Seen, Started, Withdrawn
from mwbatch.core.facts.line_patterns import glance
from mwbatch.core.facts.lines import parse
from mwbatch.core.state import questions
from mwbatch.core.state.codes import AS_PLANNED, AS_STARTED, DETACHED, PLANNED, WITHDRAWN, Question
from mwbatch.core.state.columns import shown_by
from mwbatch.core.state.row_status import Row, Status
from mwbatch.core.state.row_table import Rows
from mwbatch.core.state.task_state import Answered, Shared, TaskState


class Batch:
    """The state of a batch; a row is known by its number. Order and repetition of facts do not matter.

    What takes several tasks or several attempts of a row is asked of the rows that are objects alone.
    """

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._rows = Rows()
        self._columns, self._detached = self._rows.columns, self._rows.detached
        self._shared: dict[str, Shared] = {}
        for fact in facts:
            self.add(fact)

    # What becomes known

    def add(self, fact: Fact) -> None:
        """Take one fact in."""
        if isinstance(fact, Started):
            self._start(fact)
        elif not self._join(fact):
            row = self._rows.lift(fact.row)
            row.join(fact)
            if isinstance(fact, Seen):
                self._hold(fact.row, row.tasks[fact.task_id])

    def _join(self, fact: Planned | Seen | Failed | Retried | Withdrawn) -> bool:
        """Join a fact in the columns; False, and nothing is changed, where they cannot hold it."""
        if fact.row >= len(self._columns.codes) and not self._rows.reaches(fact.row + 1):
            return False
        if isinstance(fact, Seen):
            return (shown := shown_by(fact)) is not None and self._columns.show(*shown)
        if isinstance(fact, Planned):
            return self._columns.mark(fact.row, PLANNED)
        return isinstance(fact, Withdrawn) and fact.attempt == 1 and self._columns.mark(fact.row, WITHDRAWN)

    def add_all(self, facts: Sequence[Fact]) -> None:
        """Take some facts in; plans of rows that follow each other, as a manifest gives them, at once."""
        if not self._plan([fact.row for fact in facts if isinstance(fact, Planned)], len(facts)):
            for fact in facts:
                self.add(fact)

    def add_line(self, text: bytes) -> None:
        """Take in one line of a segment, as `add` would take its fact, which is built only where it must be.

        Raises:
            BadLine, UnknownFact: as `parse`.
        """
        if (found := glance(text)) is None or not self._columns.take(found):
            self.add(parse(text))

    def _plan(self, rows: list[int], facts: int) -> bool:
        """Take in plans; False, and none is taken in, where others are among the facts, or objects."""
        if not rows or len(rows) < facts or rows != list(range(rows[0], rows[0] + facts)):
            return False
        first, end, codes = rows[0], rows[-1] + 1, self._columns.codes
        if not self._rows.reaches(end) or DETACHED in codes[first:end]:
            return False
        codes[first:end] = codes[first:end].translate(AS_PLANNED)
        return True

    def _start(self, fact: Started) -> None:
        for first, end in fact.rows:
            if fact.attempt == 1 and self._rows.reaches(end):
                codes = self._columns.codes
                codes[first:end] = codes[first:end].translate(AS_STARTED)
                there: Iterable[int] = (number for number in range(first, end) if codes[number] == DETACHED)
            else:
                there = range(first, end)
            for number in there:
                self._rows.lift(number).started |= 1 << fact.attempt

    def _hold(self, number: int, task: TaskState) -> None:
        """Note that a row that is an object has a task, and let all rows that have it know of each other."""
        first = self._rows.holders.claim(as_bytes(task.task_id), number)
        if first != number or task.task_id in self._shared:
            shared = self._shared.setdefault(task.task_id, Shared())
            shared.take(self._rows.lift(first).tasks[task.task_id])
            shared.take(task)

    # One row

    @property
    def rows(self) -> Mapping[int, Row]:
        """Every row that a fact has named: a look, no handle."""
        return self._rows

    def row(self, number: int) -> Row:
        """The row with this number; an empty one where no fact has named it."""
        return self._rows.row(number)

    def untouched(self, number: int) -> bool:
        """Whether a row is planned and nothing else is known of it, as of nearly all before they are sent."""
        codes = self._columns.codes
        return number < len(codes) and codes[number] == PLANNED

    def is_idle(self, number: int) -> bool:
        """Whether nothing of a row is open: no answer came of it, no task is pending, no attempt in doubt."""
        return bool(self._rows.ask(questions.IDLE, number))

    def is_sendable(self, number: int) -> bool:
        """Whether this row may be sent, planned or not."""
        return bool(self._rows.ask(questions.FREE, number))

    def task(self, number: int, task_id: str) -> TaskState | None:
        """What the API has shown of one task of a row, None for nothing: a look, no handle."""
        if number in self._detached or number >= len(self._columns.codes):
            return self.row(number).tasks.get(task_id)
        task = self._columns.task(number)
        return task if task is not None and task.task_id == task_id else None

    def stands_at_another(self, task_id: str, number: int, attempt: Attempt) -> bool:
        """Whether the API itself has shown a task of this id at another row or attempt of the batch."""
        if (first := self._rows.holders.find(as_bytes(task_id))) is None:  # as nearly always
            return False
        own = self.task(number, task_id)
        if own is not None and own.by_api and own.attempt != attempt:
            return True
        if (shared := self._shared.get(task_id)) is not None:
            return shared.shown > (own is not None and own.by_api)
        task = None if first == number else self.task(first, task_id)
        return task is not None and task.by_api

    # How many

    @property
    def planned(self) -> int:
        """How many rows the batch has."""
        return self._rows.count(questions.PLANNED)

    @property
    def end(self) -> int:
        """One more than the greatest number of a planned row; 0 for none."""
        in_columns = self._columns.codes.translate(questions.PLANNED.table).rfind(1)
        return max([in_columns, *(number for number, row in self._detached.items() if row.planned)]) + 1

    def by_status(self) -> dict[Status, int]:
        """Count the rows: all six statuses, in order, zeros included."""
        in_columns = self._columns.codes.translate(questions.STATUS.table)
        others = Counter(map(questions.STATUS, self._detached.values()))
        return {status: in_columns.count(n) + others[n] for n, status in enumerate(Status, 1)}

    def sendable(self) -> int:
        """How many rows may be sent."""
        return self._rows.count(questions.SENDABLE)

    def wanted(self, fits: Callable[[Row], bool]) -> Callable[[int], bool]:
        """Tells of each number whether that row may be sent and ``fits``, as it is now:
        any thread may ask.
        """
        return self._rows.told(Question(lambda row: row.planned and row.sendable and fits(row)))

    def exhausted(self) -> int:
        """How many planned rows were sent in vain as often as is done without asking the user."""
        return sum(row.exhausted and row.status is Status.PLANNED for row in self._detached.values())

    def spent(self) -> int:
        """How many tasks there are or may be: every confirmed one, and one for every other open attempt."""
        return self._rows.count(questions.SPENT)

    def confirmed(self) -> int:
        """How many tasks the API itself has shown, each of them one row's for all that is known."""
        return self._rows.count(questions.CONFIRMED)

    def by_callback_only(self) -> int:
        """How many completed rows have no answer of a confirmed task."""
        return self._rows.count(questions.BY_CALLBACK_ONLY)

    def unplanned(self) -> int:
        """How many rows are missing: below the last that was planned, or with a start and no plan."""
        end = self.end
        beyond = sum(1 for _ in self._rows.numbers(questions.STARTED, first=end))
        return end - self.planned + beyond

    def unstarted(self) -> int:
        """How many rows have an outcome of an attempt of which no start is known."""
        return self._rows.count(questions.UNSTARTED)

    def months(self) -> dict[str, int]:
        """How many confirmed tasks were created in which month (``2026-11``); without a date in none."""
        counts = self._columns.months(questions.CONFIRMED)
        there = Counter({f"{month // 100}-{month % 100:02}": n for month, n in counts.items() if month})
        for row in self._detached.values():
            times = (moment(task.created_at) for task in row.tasks.values() if task.confirmed)
            there.update(f"{time:%Y-%m}" for time in times if time)
        return dict(sorted(there.items()))

    def begun(self) -> bool:
        """Whether a start of any row is known."""
        return self._rows.count(questions.STARTED) > 0

    def refuted(self) -> bool:
        """Whether a task showed up that sweeps had not found."""
        return any(row.refuted for row in self._detached.values())

    # Which

    def numbered(self, status: Status) -> Iterator[RowNumber]:
        """The numbers of the rows in one status, ascending."""
        return self._rows.numbers(questions.STATUS, 1 + questions.STATUSES.index(status))

    def doubtful(self) -> Iterator[tuple[RowNumber, Attempt]]:
        """Every attempt in doubt of a planned row, with the row's number."""
        for number in self._rows.numbers(questions.DOUBTFUL):
            row = self._detached.get(number)
            yield from ((number, attempt) for attempt in (row.doubtful if row else (FIRST,)))

    def unsettled(self) -> Iterator[RowNumber]:
        """The numbers of the rows that were started and are in doubt, or may be sent again."""
        return self._rows.numbers(questions.UNSETTLED)

    def tasks(self, first: int = 0) -> Iterator[tuple[RowNumber, TaskState]]:
        """Every task that was ever shown, with the row's number; unknown rows too.

        Those below ``first`` may be left out where they are kept in columns, as one attempt alone.
        """
        yield from (
            (n, task)
            for n in self._rows.in_columns(questions.SHOWN, first=first)
            if (task := self._columns.task(n))
        )
        yield from ((n, task) for n, row in self._rows.objects() for task in row.tasks.values())

    def open(self) -> Iterator[tuple[RowNumber, TaskState]]:
        """Every task that is not canceled, of rows without a confirmed task's answer; unknown rows too."""
        for number in self._rows.numbers(questions.OPEN):
            yield from ((number, task) for task in self.row(number).open)

    def surplus(self) -> Iterator[tuple[RowNumber, TaskState]]:
        """Every task beyond the one kept of its row, with the row's number."""
        return ((n, task) for n, row in self._rows.objects() for task in row.surplus)

    def conflicts(self) -> Iterator[tuple[RowNumber, TaskState]]:
        """Every task with two answers that say different things, with its row's number."""
        return ((n, task) for n, row in self._rows.objects() for task in row.conflicts)

    def unknown(self) -> Iterator[tuple[RowNumber, TaskState]]:
        """Every task at one of our addresses whose row the batch does not have."""
        numbers = self._rows.numbers(questions.UNKNOWN)
        return ((number, task) for number in numbers for task in self.row(number).tasks.values())

    def chosen(self) -> dict[int, Answered | None]:
        """Which answer is shown of each row with answers of several tasks, or none of its own: then None."""
        return {
            number: kept.least if kept is not None and kept.answered else None
            for number, row in self._rows.objects()
            if (said := sum(bool(task.answers) for task in row.tasks.values()))
            and ((kept := row.kept) is None or said > 1 or not kept.answered)
        }
