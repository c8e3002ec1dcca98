"""How far back a run has to look: whatever the home forgot, no row is sent that has a task."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.times import iso
from mwbatch.core.facts.kinds import Fact, Started, Via
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.core.sweeps.doubt import started_since
from mwbatch.core.sweeps.drift import Drift
from mwbatch.core.sweeps.reach import Reach, next_number, unbroken
from mwbatch.core.sweeps.span import Span, oldest
from tests.support.facts import fail, plan, retry, show, start

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROWS = 5
PLANS = [plan(row) for row in range(ROWS)]


def at(seconds: int) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)


def date(seconds: int) -> str:
    """The API's clock then."""
    return format_datetime(at(seconds), usegmt=True)


def begun(
    number: int, rows: tuple[int, int] = (0, 1), clock: str | None = date(0), attempt: int = 1
) -> Started:
    """A start with its number."""
    return replace(start(attempt, (rows,)), number=number, clock=clock)


@dataclass(frozen=True)
class Request:
    """One create request, so many seconds after the one before;
    the clock in its start lies ``skew`` seconds off.

    Its task is ``made`` after so many seconds, None for never. ``told`` is what stands on disk of it:
    nothing, its task, or that sweeps found none.
    """

    made: int | None = 0
    told: str = "task"
    after: int = 0
    skew: int = 0


@dataclass(frozen=True)
class Run:
    """A run, so much later than the one before: a listing that can be ``believed`` or not,
    and what is sent.
    """

    after: int
    requests: tuple[Request, ...] = ()
    believed: bool = True


@dataclass(frozen=True)
class Loss:
    """Starts by their index are lost, with all that came of them."""

    starts: frozenset[int]


@dataclass(frozen=True)
class PutBack:
    """The whole home is put back as it was so many steps ago."""

    steps: int


Step = Run | Loss | PutBack
after = st.integers(0, 9000)
told = st.builds(Request, st.integers(0, 30), st.just("task"), after, st.integers(-600, 600))
untold = st.builds(
    Request,
    st.none() | st.integers(0, 20_000),
    st.sampled_from(["nothing", "absent"]),
    after,
    st.integers(-600, 600),
)
runs = st.builds(
    Run, after, st.lists(told | told | untold, max_size=3).map(tuple), st.sampled_from([True, True, False])
)
losses = st.builds(Loss, st.frozensets(st.integers(0, 5), min_size=1, max_size=3))
histories = st.lists(runs | runs | losses | st.builds(PutBack, st.integers(1, 4)), max_size=8)

Rule = Callable[[Batch, list[Started], int | None], Reach | None]
OPEN = (Status.PLANNED, Status.DOUBT)


class Home:
    """A home as its facts and its info, and the tasks that the API has: each row, attempt and date,
    whatever is known.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.facts: list[Fact] = []
        self.behind: int | None = None
        self.now = 0
        self.tasks: list[tuple[int, int, int]] = []
        self.kept: list[tuple[list[Fact], int | None]] = []

    def lives(self, history: Sequence[Step]) -> bool:
        """Go through a history; False where some row that has a task would be sent, or given up,
        after a believed listing.
        """
        for step in history:
            self.kept.append(([*self.facts], self.behind))
            match step:
                case PutBack(steps):
                    self._arrive()
                    facts, self.behind = self.kept[-min(steps + 1, len(self.kept))]
                    self.facts = [*facts]
                case Loss(starts):
                    self._arrive()
                    self._lose(starts)
                case Run() if not self._run(step):
                    return False
        return True

    @property
    def started(self) -> list[Started]:
        """The starts that it knows."""
        return [fact for fact in self.facts if isinstance(fact, Started)]

    @property
    def state(self) -> Batch:
        """All that it knows."""
        return Batch([*PLANS, *self.facts])

    def _arrive(self) -> None:
        """What was on its way when something was lost has arrived by the next run;
        else nobody could know of it.
        """
        self.now = max([self.now, *(made for _, _, made in self.tasks)])

    def _lose(self, starts: frozenset[int]) -> None:
        lost = {(fact.rows[0][0], fact.attempt) for at, fact in enumerate(self.started) if at in starts}
        self.facts = [fact for fact in self.facts if _place(fact) not in lost]

    def _run(self, run: Run) -> bool:
        self.now += run.after
        reach = self.rule(self.state, self.started, self.behind)
        self.behind = None if run.believed else reach.mark.number if reach else 0
        if run.believed:
            self.facts += [*self._listed(reach)]
            state = self.state
            if any(state.row(row).status in OPEN for row, _, made in self.tasks if made <= self.now):
                return False
        self._send(run)
        return True

    def _listed(self, reach: Reach | None) -> Iterator[Fact]:
        known = oldest(task.created_at for _, task in reach.span.known(self.state)) if reach else None
        begins = reach.span.start(Drift(), known) if reach else None
        for row, attempt, made in self.tasks:
            if made <= self.now and (begins is None or at(made) >= begins):
                yield show(attempt, row=row, created=iso(at(made)))

    def _send(self, run: Run) -> None:
        state, number = self.state, next_number(self.started)
        rows = [row for row in range(ROWS) if state.is_sendable(row)]
        for row, request in zip(rows, run.requests, strict=False):
            self.now += request.after
            attempt, made = state.row(row).next_attempt, self.now + (request.made or 0)
            self.facts.append(begun(number, (row, row + 1), date(self.now + request.skew), attempt))
            number += 1
            if request.made is not None:
                self.tasks.append((row, attempt, made))
            if request.told == "absent":
                self.facts.append(fail(attempt, row=row))
            elif request.told == "task":
                self.facts.append(show(attempt, row=row, created=iso(at(made)), via=Via.CREATE))
            self.now += 5


def _place(fact: Any) -> tuple[int, int]:
    return (fact.rows[0][0] if isinstance(fact, Started) else fact.row), fact.attempt


@given(histories)
def test_what_was_forgotten_shows(history: list[Step]) -> None:
    """After a listing that can be believed no row with a task may be sent or is in doubt,
    whatever starts were lost and whenever the home was put back.
    """
    assert Home(Reach.of).lives(history)


def _whatever_is_missing(state: Batch, started: list[Started], behind: int | None) -> Reach | None:
    """The last start counts, whatever is missing before it."""
    return Reach.of(state, [replace(fact, number=number) for number, fact in enumerate(started, 1)], behind)


def _never_behind(state: Batch, started: list[Started], _: int | None) -> Reach | None:
    """What could not be believed in an earlier run is forgotten."""
    return Reach.of(state, started)


def _new_rows_alone(state: Batch, started: list[Started], behind: int | None) -> Reach | None:
    """Rows in doubt, and those that may be sent again, do not count."""
    reach = Reach.of(state, started, behind)
    return reach and Reach(
        Span((reach.mark.clock,), includes=started_since({reach.mark}, started)[0]), reach.mark
    )


def _to_the_second(state: Batch, started: list[Started], behind: int | None) -> Reach | None:
    """Clocks are believed to the second."""
    reach = Reach.of(state, started, behind)
    return reach and Reach(replace(reach.span, padding=timedelta()), reach.mark)


ONE, TWO, HOURS = (Request(),), (Request(), Request()), 7200
LATE = Request(9000, "nothing")
HISTORIES: list[tuple[Rule, list[Step]]] = [
    (_whatever_is_missing, [Run(0, ONE), Run(HOURS, ONE), Run(HOURS, ONE), Loss(frozenset({1})), Run(9)]),
    (_never_behind, [Run(0, ONE), Run(HOURS, TWO), PutBack(1), Run(HOURS, ONE, believed=False), Run(9)]),
    (_new_rows_alone, [Run(0, (LATE, Request())), Run(HOURS, (Request(), Request(after=6000))), Run(9)]),
    (
        _to_the_second,
        [Run(0, (Request(30, skew=300), Request())), Loss(frozenset({1})), Run(60)],
    ),
]


@pytest.mark.parametrize(("rule", "history"), HISTORIES)
def test_the_law_tells_a_weaker_rule(rule: Rule, history: list[Step]) -> None:
    """Without any one part of the rule there is a history in which a row with a task would be sent."""
    assert Home(Reach.of).lives(history)
    assert not Home(rule).lives(history)


@given(st.permutations(range(1, 6)), st.sets(st.integers(1, 5)), st.integers(0, 3))
def test_the_sequence_ends_before_what_is_missing(order: list[int], lost: set[int], old: int) -> None:
    """In any order, repeated or not: all numbered starts before the first missing one;
    those of an older version count.
    """
    unnumbered = [replace(start(1), at=float(when)) for when in range(old)]
    numbered = [begun(old + place) for place in order if place not in lost]
    there = [*numbered, *unnumbered, *numbered]
    first = min(lost, default=6)
    assert [fact.number for fact in unbroken(there)] == [old + place for place in range(1, first)]
    assert not unnumbered or unbroken([*numbered, *unnumbered[1:]]) == []
    assert next_number(there) == max([old, *(fact.number for fact in numbered)]) + 1


def test_a_number_that_two_starts_have_says_nothing() -> None:
    """Where the folders of two hosts were put together,
    the sequence ends before the first number that both gave.
    """
    there = [begun(number) for number in range(1, 5)]
    assert unbroken([*there, replace(there[2], at=5.0)]) == there[:2]
    assert unbroken([there[0], replace(there[0], at=5.0)]) == []


def reach_of(*facts: Fact, behind: int | None = None) -> tuple[int, datetime | None] | None:
    """The number of the mark, and where the listing begins; None for everything."""
    started = [fact for fact in facts if isinstance(fact, Started)]
    reach = Reach.of(Batch([*PLANS, *facts]), started, behind)
    return None if reach is None else (reach.mark.number, reach.span.start(Drift(), None))


FIRST, SECOND = begun(1, clock=date(0)), begun(2, (1, 3), date(3600))
SHOWN = (show(1, row=0, created=iso(NOON)), show(1, row=2, created=iso(NOON)))
TEN_TO = NOON - timedelta(minutes=10)


def test_the_last_start_of_which_a_task_is_known() -> None:
    """It reaches back to ten minutes before the clock of the last start
    of which the listing has to show a task.
    """
    later = begun(3, (3, 4), date(7200))
    assert reach_of(FIRST, SECOND, *SHOWN, show(1, row=1)) == (2, TEN_TO + timedelta(hours=1))
    assert reach_of(FIRST, SECOND, *SHOWN, show(1, row=1), later, fail(1, row=3, final=True)) == (
        2,
        TEN_TO + timedelta(hours=1),
    )
    assert reach_of(FIRST, SECOND, *SHOWN, behind=1) == (1, TEN_TO)


@pytest.mark.parametrize("more", [[], [fail(1, row=1)], [fail(1, row=1, final=True), retry(2, row=1)]])
def test_rows_that_may_be_sent_again(more: list[Fact]) -> None:
    """It reaches back to the first start of each row that is in doubt or may be sent again."""
    later = begun(3, (3, 4), date(7200))
    facts = (FIRST, SECOND, *SHOWN, *more, later, show(1, row=3))
    assert reach_of(*facts) == (3, TEN_TO + timedelta(hours=1))


@pytest.mark.parametrize(
    "facts",
    [
        [],
        [FIRST, SECOND],
        [SECOND, *SHOWN],
        [replace(FIRST, number=0), *SHOWN],
        [replace(FIRST, clock=None), *SHOWN],
        [replace(FIRST, clock="soon"), *SHOWN],
    ],
)
def test_everything_where_the_record_does_not_tell(facts: list[Fact]) -> None:
    """Without a numbered start before which none is missing, of which a task is known, and a clock:
    back to where the batch began.
    """
    assert reach_of(*facts) is None


def test_an_older_start_is_none_that_was_forgotten() -> None:
    """Starts of an older version, all there, come before those with numbers."""
    old = replace(start(1, ((1, 2),)), clock=date(-3600))
    assert reach_of(old, replace(FIRST, number=2), *SHOWN, show(1, row=1)) == (2, TEN_TO)


@pytest.mark.parametrize(
    ("clock", "is_after"), [(date(-601), True), (date(-600), False), (date(9_000_000), False), (None, True)]
)
def test_a_clock_that_was_set_back(clock: str | None, is_after: bool) -> None:
    """Where the API's clock is before the interval, or there is none, dates say nothing."""
    reach = Reach.of(Batch([*PLANS, FIRST, *SHOWN]), [FIRST])
    assert reach is not None
    assert reach.is_after(clock) is is_after


@pytest.mark.parametrize("known", [show(1, row=1, via=Via.CALLBACK), show(2, row=1)])
def test_a_start_is_known_by_a_confirmed_task_of_its_own(known: Fact) -> None:
    """What only callbacks told of is no task of a start that a listing must show, nor another attempt's."""
    found = reach_of(FIRST, SECOND, SHOWN[0], known)
    assert found is not None
    assert found[0] == FIRST.number
