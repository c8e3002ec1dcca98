"""The goals of the pace, in virtual time: what an API lets through is used,
and hardly anything is refused.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwbatch.core.pace.pace import Pace
from tests.bench.pacing.rivals_pace import AutoThrottle, Fixed, FixedPause
from tests.support.throttled import (
    COLD_S,
    GOODPUT,
    KINDS,
    REFUSED,
    Bucket,
    Kind,
    Play,
    Scattered,
    Window,
    heeds,
    meets,
)

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
drawn = st.sampled_from(list(KINDS.values()))


@kinds
def test_the_limit_is_used(kind: Kind) -> None:
    """Beyond 10 s at least 0.95 of 300 a second is served, and at most 2 % of all requests are refused."""
    assert meets(Play(Pace(), kind(300), 40)(), 300)


@kinds
def test_retry_after(kind: Kind) -> None:
    """With Retry-After nobody sends while it lasts;
    the seconds that it costs leave at least 0.9 of the limit.
    """
    assert heeds(Play(Pace(), kind(300), 60, retry_after=1.0)(), 300, 1.0)


@pytest.mark.parametrize("kind", [Bucket, Window], ids=["a bucket", "a window"])
def test_the_limit_is_used_at_a_thousand(kind: Kind) -> None:
    """The same where a second lets a thousand through: no timer for each is needed,
    nor another --concurrency.
    """
    for seed in range(5):
        assert meets(Play(Pace(), kind(1000), 30, seed=seed)(), 1000), seed


@pytest.mark.parametrize("kind", [Bucket, Window], ids=["a bucket", "a window"])
@pytest.mark.parametrize("seed", range(2))
def test_a_thousand_beside_chance(kind: Kind, seed: int) -> None:
    """With one request in twenty refused at random besides, 0.9 of a thousand a second is served."""
    run = Play(Pace(), Scattered(kind(1000), 0.05, seed), 20, seed=seed)()
    assert run.goodput(COLD_S) >= 0.9 * 1000


@given(drawn, st.floats(40, 160), st.floats(0.01, 0.3), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_any_limit_is_used(kind: Kind, rate: float, latency: float, seed: int) -> None:
    """Whatever limit and latency: 0.95 is served from the 20th second on,
    2 % refused beside one overshoot.
    """
    run = Play(Pace(), kind(rate), 50, latency=latency, jitter=0.02, seed=seed)()
    assert run.goodput(20) >= GOODPUT * int(rate)
    assert len(run.refused) <= REFUSED * len(run.starts) + 64


@kinds
def test_a_limit_that_is_halved(kind: Kind) -> None:
    """Half the limit after the first of two minutes is kept within 10 s,
    and in all no more than 2 % are refused.
    """
    run = Play(Pace(), kind(300), 120, changes=[(60, 150)])()
    assert run.reached(GOODPUT * 150, since=61) <= COLD_S
    assert run.goodput(90) >= GOODPUT * 150
    assert run.share_refused <= REFUSED


@given(drawn, st.sampled_from([0.3, 0.5, 2.0, 3.0]), st.floats(15, 25), st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_any_change(kind: Kind, factor: float, moment: float, seed: int) -> None:
    """Whenever and however much a limit changes, in the end it is used."""
    run = Play(Pace(), kind(80), 90, changes=[(moment, 80 * factor)], seed=seed)()
    assert run.goodput(70) >= GOODPUT * int(80 * factor)


@pytest.mark.parametrize("rival", [Fixed, AutoThrottle, FixedPause])
@pytest.mark.parametrize("kind", [Bucket, Window], ids=["a bucket", "a window"])
def test_the_goals_tell_good_from_bad(rival: type[Fixed], kind: Kind) -> None:
    """None of the three rivals reaches the goals that we do."""
    run = Play(rival(128), kind(300), 40, waits=rival.waits)()
    assert not meets(run, 300)
