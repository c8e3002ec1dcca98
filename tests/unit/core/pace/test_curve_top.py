"""Where the next top is, case by case: near the one that was known, far from it, and where silence costs."""

import pytest

from mwbatch.core.pace.curve_top import REMEMBERED, SAFE, Top
from mwbatch.core.pace.rate_curve import APPROACH_S, HELD_S, HOLD_S, RateCurve

LONG = APPROACH_S + HELD_S + 2.0
"""Seconds after a refusal at which a top is held."""


@pytest.mark.parametrize(
    ("before", "searching", "near"),
    [(50.0, False, True), (47.0, False, False), (54.0, False, False), (50.0, True, False)],
)
def test_beside_chance_the_top_is_known_where_it_stays(before: float, searching: bool, near: bool) -> None:
    """Where some is refused by chance, a top about where the last one was is held as long as any,
    another one for a moment only.
    """
    top = SAFE * 52.5
    found = Top().beside_chance(RateCurve(before, before, HOLD_S, searching=searching), 60.0, 52.5, 0.0)
    assert found == (RateCurve(top, top, HOLD_S) if near else RateCurve.loose(top))


@pytest.mark.parametrize(("wait", "silenced"), [(0.0, False), (0.1, True)])
def test_a_probe_that_is_refused_near_the_top(wait: float, silenced: bool) -> None:
    """The next top is between what was held and what was refused;
    where a refusal costs silence, what was held.
    """
    curve, rate = RateCurve(50.0, 50.0, HOLD_S), 52.0
    bound = REMEMBERED * rate
    found = Top().between(curve, LONG, rate, rate, wait, 1)
    assert found.top == pytest.approx(50.0 if silenced else (50.0 + bound) / 2)
    assert (found.hold, found.low) == (HOLD_S, found.top)


def test_a_probe_that_is_refused_far_above_the_top() -> None:
    """What lies far below the rate that was refused is held for a moment, whether or not silence follows,
    and half of the way to it is gone.
    """
    curve, rate = RateCurve(50.0, 50.0, HOLD_S), 80.0
    bound = REMEMBERED * rate
    for wait in (0.0, 0.1):
        found = Top().between(curve, LONG, rate, rate, wait, 1)
        assert found == RateCurve.rough((50.0 + bound) / 2, rate)


def test_a_probe_that_is_refused_far_above_ends_the_row_of_those_near_the_top() -> None:
    """The more often probes were refused near the top, the longer it is held,
    until one is refused far above it: then that is counted anew.
    """
    top, curve = Top(), RateCurve(50.0, 50.0, HOLD_S)

    def hold(rate: float) -> float:
        return top.between(curve, LONG, rate, rate, 0.0, 1).hold

    assert [hold(52.0) for _ in range(3)] == [HOLD_S, 2 * HOLD_S, 4 * HOLD_S]
    hold(80.0)
    assert hold(52.0) == HOLD_S


def test_the_way_to_the_top_is_a_cubic() -> None:
    """Half of the time to the top leaves an eighth of the way."""
    assert RateCurve(42.0, 50.0, HOLD_S).at(APPROACH_S / 2) == 49.0
