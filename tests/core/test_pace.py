"""The laws of the pace, over any history of a sender that obeys it."""

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.pace import FIRST, MOST, SLACK_S, Pace, backoff
from mwbatch.core.top import FIRST_RATE, SLOWEST

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
