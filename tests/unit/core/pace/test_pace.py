"""The laws of the pace, over any history of a sender that obeys it; and the table of trouble: which outcomes
ask for a probe, and which end a run.
"""

from itertools import islice, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mwbatch.core.api.create_request import Outcome
from mwbatch.core.facts.kinds import Verdict
from mwbatch.core.pace.curve_top import FIRST_RATE, SLOWEST
from mwbatch.core.pace.pace import (
    FIRST,
    MOST,
    REFUSED_IN_A_ROW,
    SLACK_S,
    UNKNOWN_IN_A_ROW,
    UNKNOWN_SHARE,
    WINDOW,
    Advice,
    Breaker,
    Pace,
    backoff,
)
from mwbatch.core.pace.unrelated_refusals import LONGEST

waits = st.sampled_from([0.0, 0.01, 0.3, 5.0])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), waits),
        st.tuples(st.just("start"), st.just(0.0)),
        st.tuples(st.just("answered"), st.just(0.0)),
        st.tuples(st.just("refused"), st.sampled_from([None, 0.0, 0.5, 7.0])),
    ),
    max_size=120,
)
Script = list[tuple[str, float | None]]
paces = st.builds(Pace, st.integers(1, 9), st.none() | st.sampled_from([0.5, 3.0, 40.0]))


class Play:
    """A sender that obeys ``pace`` through a list of steps, and what it saw."""

    def __init__(self, pace: Pace, script: Script) -> None:
        self.pace, self.now = pace, 0.0
        self.flying: list[float] = []
        self.starts: list[float] = []
        self.most = 0
        self.changes: list[tuple[float, float]] = []
        self.silent_until = 0.0
        for step in script:
            self.step(*step)

    def step(self, name: str, number: float | None) -> None:
        """One step; ends of requests without one in flight do nothing."""
        if name == "wait":
            self.now += number or 0.0
        elif name == "start" and self.pace.delay(len(self.flying), self.now) == 0.0:
            assert self.now >= self.silent_until
            self.pace.started(self.now)
            self.flying.append(self.now)
            self.starts.append(self.now)
            self.most = max(self.most, len(self.flying))
        elif name == "answered" and self.flying:
            self.pace.answered(self.flying.pop(0), self.now)
        elif name == "refused" and self.flying:
            self.refuse(self.flying.pop(0), number)

    def refuse(self, began: float, retry_after: float | None) -> None:
        """A 429, with a wait or without."""
        before = self.pace.bound
        self.pace.refused(began, self.now, retry_after)
        self.silent_until = max(self.silent_until, self.now + (retry_after or 0.0))
        if self.pace.bound != before:
            self.changes.append((began, self.now))


@given(paces, steps)
def test_never_more_than_the_user_wants(pace: Pace, script: Script) -> None:
    """No history lets more be in flight than ``most``, or leave faster than ``rate``;
    Retry-After silences every start.
    """
    assert Play(pace, script).most <= pace.most
    assert 1 <= pace.limit <= pace.most
    assert pace.bound is None or SLOWEST * 0.999 <= pace.bound <= (pace.rate or float("inf")) * 1.001


@given(paces, steps)
def test_one_change_a_generation(pace: Pace, script: Script) -> None:
    """A refusal changes the rate only if its request left after the last one that did."""
    for (_, last), (began, _) in pairwise(Play(pace, script).changes):
        assert began > last


def test_what_left_before_says_nothing_new() -> None:
    """However late it comes, a refusal of a request that left before the
    last one that was heeded changes nothing.
    """
    pace = Pace(4)
    pace.refused(0.0, 1.0, 1.0)
    learned = pace.bound
    pace.refused(0.5, 5.0, 1.0)
    assert pace.bound == learned
    pace.refused(2.0, 5.0, 1.0)
    assert pace.bound != learned


@given(
    st.sampled_from([0.5, 3.0, 40.0, 1000.0]),
    st.lists(st.sampled_from([0.0, 0.0007, 0.01, 0.3]), max_size=80),
)
def test_the_rate_holds_over_any_window(rate: float, pauses: list[float]) -> None:
    """In any window of w seconds at most rate x (w + `SLACK_S`) + 1 requests start."""
    script: Script = [
        step for pause in pauses for step in (("wait", pause), ("start", 0.0), ("answered", 0.0))
    ]
    starts = Play(Pace(9, rate), script).starts
    for first in range(len(starts)):
        for last in range(first, len(starts)):
            assert last - first <= rate * (starts[last] - starts[first] + SLACK_S) + 1e-6


def test_late_timers_cost_no_rate() -> None:
    """A sender whose timers come a few milliseconds late keeps the rate all the same."""
    pace, now, started = Pace(9, rate=500.0), 0.0, 0
    while now < 2.0:
        while pace.delay(0, now) == 0.0:
            pace.started(now)
            started += 1
        now += 0.0037
    assert started == pytest.approx(1000, abs=5)


@pytest.mark.parametrize(("most", "trips"), [(3, 0), (64, 11), (128, 13)])
def test_slow_start(most: int, trips: int) -> None:
    """Where nothing is refused, a third more are in flight with each round trip, up to ``most``,
    and no rate is kept.
    """
    pace = Pace(most)
    assert pace.limit == min(FIRST, most)
    for trip in range(trips):
        for _ in range(int(pace.limit)):
            pace.started(float(trip))
            pace.answered(float(trip), float(trip))
    assert (pace.limit, pace.bound, pace.delay(most - 1, 99.0)) == (most, None, 0.0)


def test_delay_has_three_answers() -> None:
    """None while the limit is reached, the time that is left while nothing may start, 0.0 for now."""
    pace = Pace(2)
    assert [pace.delay(in_flight, 10.0) for in_flight in (0, 1, 2, 3)] == [0.0, 0.0, None, None]
    pace.refused(0.0, 10.0, 4.0)
    assert [pace.delay(0, now) for now in (10.0, 13.0, 14.0, 15.0)] == [4.0, 1.0, 0.0, 0.0]


def test_without_retry_after_nobody_is_silent() -> None:
    """429s that name no wait set a rate and silence nobody; a shorter wait never cuts a longer one."""
    pace = Pace(4)
    for _ in range(8):
        pace.refused(0.0, 1.0, None)
    assert (pace.delay(0, 1.0), pace.bound) == (0.0, FIRST_RATE)
    pace.refused(0.5, 1.0, 9.0)
    pace.refused(0.5, 2.0, 1.0)
    assert pace.next_start == 10.0


def test_where_a_limit_was_looked_for_in_vain_it_begins_slowly() -> None:
    """Silence after silence has found no limit: no rate is kept,
    and as few may be in flight as at the very beginning.
    """
    pace, now = Pace(32), 0.0
    for _ in range(3 * LONGEST):
        for _ in range(12):
            now += 1 / 64
            pace.answered(now, now)
        before = pace.bound
        pace.refused(now, now, 1.0)
        if before is not None and pace.bound is None:
            break
        now += 1.0
        pace.answered(now, now)
    assert (before is None, pace.bound, pace.limit) == (False, None, FIRST)


def test_the_default_is_enough() -> None:
    """1,000 requests a second with 80 ms each need 80 in flight: the default allows them."""
    assert MOST >= 1.2 * 1000 * 0.08


def test_it_shows_itself() -> None:
    """Its repr tells both bounds and what was learned."""
    assert repr(Pace(8, 2.0)) == "Pace(most=8, rate=2.0, limit=4, bound=2.0)"


def test_backoff_doubles_up_to_the_longest() -> None:
    """Each wait is twice the one before, up to the longest."""
    assert list(islice(backoff(), 9)) == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert list(islice(backoff(3.0, 4.0), 3)) == [3.0, 4.0, 4.0]


CREATED = Outcome(Verdict.CREATED)
UNKNOWN = Outcome(Verdict.UNKNOWN, message="HTTP 500")
HALTED = Outcome(Verdict.HALTED)
BUSY = Outcome(Verdict.BUSY)
BAD = Outcome(Verdict.REFUSED, message="no such picture")
WORSE = Outcome(Verdict.REFUSED, message="too large")

TABLE: list[tuple[list[Outcome], Advice]] = [
    ([UNKNOWN] * 7, Advice.GO_ON),
    ([UNKNOWN] * 8, Advice.PROBE),
    ([UNKNOWN] * 7 + [CREATED] + [UNKNOWN] * 7, Advice.GO_ON),
    ([UNKNOWN] * 7 + [BUSY, UNKNOWN], Advice.GO_ON),
    ([UNKNOWN, CREATED, CREATED, CREATED, CREATED] * 40, Advice.PROBE),
    ([UNKNOWN, CREATED, CREATED, CREATED, CREATED] * 39, Advice.GO_ON),
    (([UNKNOWN] + [CREATED] * 4) * 39 + [CREATED] * 5, Advice.GO_ON),
    ([BAD] * 19, Advice.GO_ON),
    ([BAD] * 20, Advice.STOP),
    ([CREATED] * 50 + [BAD] * 20, Advice.STOP),
    ([BAD] * 19 + [CREATED] + [BAD] * 19, Advice.GO_ON),
    ([BAD] * 19 + [WORSE] * 19, Advice.GO_ON),
    ([BAD] * 19 + [WORSE] * 20, Advice.STOP),
    ([HALTED], Advice.STOP),
    ([CREATED], Advice.GO_ON),
]


@pytest.mark.parametrize(("outcomes", "advice"), TABLE)
def test_the_table(outcomes: list[Outcome], advice: Advice) -> None:
    """8 unknowns in a row or a fifth of the last 200 ask for a probe; a halt, or 20 refusals alike,
    stop the run.
    """
    trouble = Breaker()
    assert [trouble.note(outcome) for outcome in outcomes][-1] is advice


def told(history: list[Outcome | None]) -> Advice:
    """What follows after these, counted from the start; None is a probe that was answered."""
    outcomes = [one for one in history if one is not None]
    calm = next((n for n, one in enumerate(reversed(history)) if one is None), len(history))
    last = outcomes[len(outcomes) - calm :][-WINDOW:]
    unknown = [outcome is UNKNOWN for outcome in last]
    alike = next((n for n, one in enumerate(reversed(outcomes)) if one != outcomes[-1]), len(outcomes))
    if outcomes[-1] is HALTED or (outcomes[-1] in (BAD, WORSE) and alike >= REFUSED_IN_A_ROW):
        return Advice.STOP
    many = len(last) == WINDOW and sum(unknown) >= UNKNOWN_SHARE * WINDOW
    in_a_row = unknown[-UNKNOWN_IN_A_ROW:] == [True] * UNKNOWN_IN_A_ROW
    return Advice.PROBE if many or in_a_row else Advice.GO_ON


runs = st.tuples(st.sampled_from([CREATED, UNKNOWN, BUSY, BAD, WORSE, HALTED, None]), st.integers(1, 30))
histories = st.lists(runs, min_size=1, max_size=40).map(
    lambda them: [one for one, n in them for _ in range(n)]
)


@given(histories)
@example(([UNKNOWN] + [CREATED] * 4) * 40 + [CREATED] * 400)
@example([UNKNOWN, CREATED] * 20 + [CREATED] * 300 + [UNKNOWN] * 8)
@example([*[CREATED] * 180, None, *[UNKNOWN, CREATED] * 60])
def test_counting_is_the_law(history: list[Outcome | None]) -> None:
    """What is said after each outcome is what counting them all anew says."""
    trouble = Breaker()
    for end, outcome in enumerate(history, 1):
        if outcome is None:
            trouble.calmed()
        else:
            assert trouble.note(outcome) is told(history[:end])


def test_keep_going_goes_on_through_refusals_only() -> None:
    """``keep_going`` passes over any number of refusals alike, never over a halt."""
    trouble = Breaker(keep_going=True)
    assert {trouble.note(BAD) for _ in range(100)} == {Advice.GO_ON}
    assert trouble.note(HALTED) is Advice.STOP


def test_after_a_probe_counting_begins_anew() -> None:
    """Once a listing was answered, it takes the same trouble again to ask for another."""
    trouble = Breaker()
    first = [trouble.note(UNKNOWN) for _ in range(9)]
    trouble.calmed()
    again = [trouble.note(UNKNOWN) for _ in range(8)]
    assert (first[-2:], again) == ([Advice.PROBE] * 2, [Advice.GO_ON] * 7 + [Advice.PROBE])
