"""What is learned from refusals, in virtual time, against limits of about fifty a second.

The same at higher rates, and beside rivals: `tests/benchmarks/test_pace_goals.py`.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwbatch.core.pace import SLACK_S, Pace
from tests.core.throttled import COLD_S, GOODPUT, KINDS, REFUSED, Chance, Kind, Play, Window, meets

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@kinds
def test_the_limit_is_used(kind: Kind) -> None:
    """Beyond 10 s at least 0.95 of the limit is served, and at most 2 % of all requests are refused."""
    assert meets(Play(Pace(), kind(50), 60)(), 50)


@kinds
def test_retry_after(kind: Kind) -> None:
    """With Retry-After nobody sends while it lasts; the seconds that it costs leave at least 0.9 of the limit."""
    run = Play(Pace(), kind(50), 60, retry_after=1.0)()
    assert run.silent(1.0)
    assert run.goodput(COLD_S) >= 0.9 * 50
    assert run.share_refused <= REFUSED


@kinds
@pytest.mark.parametrize(("before", "after", "within"), [(60, 120, 40), (120, 40, 10)])
def test_a_limit_that_changes(kind: Kind, before: float, after: float, within: float) -> None:
    """Twice the limit is found within 40 s; where more than two thirds are gone, 5 % are refused in all."""
    run = Play(Pace(), kind(before), 80, changes=[(30, after)])()
    assert run.reached(GOODPUT * after, since=31) <= within
    assert run.goodput(75) >= GOODPUT * after
    assert run.share_refused <= 0.05


@pytest.mark.parametrize(("most", "latency"), [(64, 0.08), (128, 0.5), (16, 0.01)])
def test_without_a_limit_nothing_slows_us(most: int, latency: float) -> None:
    """An API that refuses nothing has ``most`` in flight after a dozen round trips, whatever its latency, and all the time."""
    play = Play(Pace(most), Chance(0.0, 1), 40 * latency, latency=latency, jitter=0.5)
    run = play()
    assert run.most == most
    assert run.goodput(14 * latency) >= 0.97 * most / (1.25 * latency)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("share", "retry_after", "least"), [(0.01, None, 250), (0.05, None, 200), (0.05, 1.0, 15)]
)
def test_chance_is_not_a_limit(share: float, retry_after: float | None, least: float, seed: int) -> None:
    """Refusals that have nothing to do with our rate do not bring us to a stand, as they do those who always yield."""
    run = Play(Pace(32), Chance(share, seed), 90, retry_after=retry_after, seed=seed)()
    assert run.goodput(30) >= least


def test_a_limit_after_chance() -> None:
    """Once refusals are borne, a limit that comes is noticed all the same."""

    class Both(Window):
        chance = Chance(0.05, 1)

        def admits(self, now: float) -> bool:
            return self.chance.admits(now) and (now < 40 or super().admits(now))

    run = Play(Pace(32), Both(50), 60)()
    assert run.goodput(20, 40) > 200
    assert 25 <= run.goodput(50, 60) <= 50
    assert sum(moment >= 50 for moment in run.refused) < 1500


@given(st.sampled_from(list(KINDS.values())), st.integers(1, 40), st.floats(5, 80), st.none() | st.just(1.0))
@settings(max_examples=10, deadline=None)
def test_the_user_has_the_last_word(kind: Kind, most: int, rate: float, retry_after: float | None) -> None:
    """Whatever is learned, --concurrency and --rate are never exceeded."""
    run = Play(Pace(most, rate), kind(50), 20, retry_after=retry_after)()
    assert run.most <= most
    for window in (0.1, 1.0, 5.0):
        assert run.bursts(window) <= rate * (window + SLACK_S) + 1 + 1e-6


def test_a_limit_that_is_no_more_is_forgotten() -> None:
    """When an API stops refusing, in the end nothing bounds us but ``most``."""
    pace = Pace(32)
    run = Play(pace, Window(50), 90, changes=[(20, float("inf"))])()
    assert pace.bound is None
    assert run.goodput(85) >= 0.9 * 32 / 0.082
