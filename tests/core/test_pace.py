"""The laws of the pace, over any history of a sender that obeys it."""

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.pace import Pace, backoff

steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 0.3, 5.0])),
        st.tuples(st.just("start"), st.just(0.0)),
        st.tuples(st.just("answered"), st.just(0.0)),
        st.tuples(st.just("refused"), st.sampled_from([0.0, 0.5, 7.0])),
    ),
    max_size=60,
)
paces = st.builds(Pace, st.integers(1, 9), st.none() | st.sampled_from([0.5, 3.0, 40.0]))


class Play:
    """A sender that obeys ``pace`` through a list of steps, and what it saw."""

    def __init__(self, pace: Pace, script: list[tuple[str, float]]) -> None:
        self.pace, self.now = pace, 0.0
        self.flying: list[float] = []
        self.starts: list[float] = []
        self.most = 0
        self.halvings: list[tuple[float, float]] = []
        self.banned = 0.0
        for step in script:
            self.step(*step)

    def step(self, name: str, number: float) -> None:
        """One step; ends of requests without one in flight do nothing."""
        if name == "wait":
            self.now += number
        elif name == "start" and self.pace.delay(len(self.flying), self.now) == 0.0:
            assert self.now >= self.banned
            self.pace.started(self.now)
            self.flying.append(self.now)
            self.starts.append(self.now)
            self.most = max(self.most, len(self.flying))
        elif name == "answered" and self.flying:
            self.flying.pop(0)
            self.pace.answered()
        elif name == "refused" and self.flying:
            self.refuse(self.flying.pop(0), number)

    def refuse(self, began: float, retry_after: float) -> None:
        """A 429, with a wait."""
        before = self.pace.limit
        self.pace.refused(began, self.now, retry_after)
        self.banned = max(self.banned, self.now + retry_after)
        if self.pace.limit < before:
            self.halvings.append((began, self.now))


@given(paces, steps)
def test_never_more_in_flight_than_most(pace: Pace, script: list[tuple[str, float]]) -> None:
    """No history lets more than ``most`` requests be in flight, and the limit stays between 1 and ``most``."""
    assert Play(pace, script).most <= pace.most
    assert 1 <= pace.limit <= pace.most


@given(paces, steps)
def test_one_halving_a_generation(pace: Pace, script: list[tuple[str, float]]) -> None:
    """A refusal halves only if its request left after the last halving; Retry-After is obeyed by every start."""
    for (_, last), (began, _) in pairwise(Play(pace, script).halvings):
        assert began > last


@given(st.sampled_from([0.5, 3.0, 40.0]), st.lists(st.sampled_from([0.0, 0.01, 0.3, 5.0]), max_size=80))
def test_the_rate_holds_over_any_window(rate: float, waits: list[float]) -> None:
    """In any window of w seconds at most rate x w + 1 requests start."""
    script = [step for wait in waits for step in (("wait", wait), ("start", 0.0), ("answered", 0.0))]
    starts = Play(Pace(9, rate), script).starts
    for first in range(len(starts)):
        for last in range(first, len(starts)):
            assert last - first <= rate * (starts[last] - starts[first]) + 1e-6


def test_a_round_of_answers_adds_about_one() -> None:
    """After a halving, a full round of answers raises the limit by about one, up to ``most``."""
    pace = Pace(8)
    pace.refused(0.0, 1.0, None)
    assert pace.limit == 4.0
    for _ in range(4):
        pace.answered()
    assert pace.limit == pytest.approx(5.0, abs=0.2)
    for _ in range(100):
        pace.answered()
    assert pace.limit == 8.0


def test_delay_has_three_answers() -> None:
    """None while the limit is reached, the time that is left while a wait runs, 0.0 for now."""
    pace = Pace(2)
    assert [pace.delay(in_flight, 10.0) for in_flight in (0, 1, 2, 3)] == [0.0, 0.0, None, None]
    pace.refused(0.0, 10.0, 4.0)
    assert [pace.delay(0, now) for now in (10.0, 13.0, 14.0, 15.0)] == [4.0, 1.0, 0.0, 0.0]


def test_without_retry_after_nobody_waits() -> None:
    """A 429 that names no wait halves what is in flight and pauses nobody; a shorter wait never cuts a longer one."""
    pace = Pace(4)
    pace.refused(0.0, 1.0, None)
    assert (pace.next_start, pace.limit) == (0.0, 2.0)
    pace.refused(0.5, 1.0, 9.0)
    pace.refused(0.5, 2.0, 1.0)
    assert pace.next_start == 10.0


def test_backoff_doubles_up_to_the_longest() -> None:
    """Each wait is twice the one before, up to the longest."""
    assert list(islice(backoff(), 9)) == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert list(islice(backoff(3.0, 4.0), 3)) == [3.0, 4.0, 4.0]
