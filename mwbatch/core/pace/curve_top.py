"""Where the top of the next curve is: between the rate that was refused and what was held or served."""

from typing import Final

from mwbatch.core.pace.rate_curve import APPROACH_S, HOLD_S, RateCurve

SLOWEST: Final = 0.5
"""Starts a second, however much is refused."""

FIRST_RATE: Final = 5.0
"""The least that is tried after the first refusal, when hardly anything was answered."""

FIRST: Final = 0.93
"""Of what was answered before the first refusal."""

YIELD: Final = 0.96
"""Of the rate, at once; to the power of the generations of refusals of one excess, up to
`LAST_GENERATION`."""

LAST_GENERATION: Final = 4
SERVED: Final = 0.97
"""Of the requests a second that were answered lately: the start after a refusal is not above it."""

REMEMBERED: Final = 0.98
"""Of the rate that was refused; to the power of the refusals in a row, of one more where they silence us."""

LAST_POWER: Final = 3
TELLING: Final = 3
"""Generations of refusals of one excess after which it has lasted long enough to measure the limit."""

SAFE: Final = 0.96
"""The top, of what is served where some is refused by chance: how much that is is not known exactly."""

DEEPEST: Final = 0.5
"""The least part of the rate that one refusal leaves."""

CALM_S: Final = APPROACH_S + 5.0
"""After so long a refusal does not belong to the row before it."""

NEAR: Final = 0.06
"""The top is known when the rates that were held and refused are no further apart, as a part of the
latter."""

MOST_DOUBLINGS: Final = 2
"""The hold doubles with each probe that was refused near the top, so often at most."""

SILENCE: Final = 0.02
"""The part of the time that Retry-After may cost because of probing …"""

LONGEST_HOLD_S: Final = 600.0
"""… unless probes would become rarer than this."""


class Top:
    """What refusals say of the top: how many came in a row, and how many near the top that was known."""

    __slots__ = ("_near", "_row")

    def __init__(self) -> None:
        # Alarms in a row on the way to the top, probes in a row that were refused near the top.
        self._row = self._near = 0

    def beside_chance(self, curve: RateCurve, rate: float, served: float, wait: float) -> RateCurve:
        """The curve after an alarm where refusals may be chance: its top is safely below what was served."""
        top = max(SLOWEST, min(REMEMBERED * rate, SAFE * served))
        near = abs(top - curve.top) < NEAR * top and not curve.searching
        self._near = self._near + 1 if near else 0
        return RateCurve(top, top, self._hold(wait)) if near else RateCurve.loose(top)

    def between(
        self, curve: RateCurve, active: float, rate: float, served: float, wait: float, generation: int
    ) -> RateCurve:
        """The curve after a refusal at ``rate``, ``active`` seconds after the one before.

        Everybody is silent for ``wait`` seconds now; ``generation`` counts the refusals of the excess before,
        from 1.
        """
        least = max(served, DEEPEST * rate)
        # After a second of refusals what was served is the limit itself; before, it may be less.
        between = least if generation >= TELLING else (rate + least) / 2
        held = curve.held(active) if rate > curve.top else None
        if held is not None:
            bound = min(REMEMBERED * rate, between)
            near = bound - held < NEAR * rate
            self._row, self._near = 0, self._near + 1 if near else 0
            # Where a refusal costs silence, what was held is better than what is likely.
            top = held if near and wait else max(held, (held + bound) / 2)
        else:
            self._row = 1 if active > CALM_S else self._row + 1
            near, self._near = self._row == 1 and served > (1 - NEAR) * rate, 0
            power = min(self._row, LAST_POWER) + (wait > 0)
            top = min(REMEMBERED**power * rate, between)
        top = max(SLOWEST, top)
        return RateCurve(top, top, self._hold(wait)) if near else RateCurve.rough(top, rate)

    def _hold(self, wait: float) -> float:
        doubled = HOLD_S * 2 ** min(max(0, self._near - 1), MOST_DOUBLINGS)
        return float(max(doubled, min(wait / SILENCE, LONGEST_HOLD_S)))


def first_rate(answers: int, seconds: float) -> float:
    """The rate after the first refusal, where so much was answered before in so many seconds."""
    return max(FIRST_RATE, FIRST * answers / seconds)


def lowered(rate: float, generation: int, served: float, top: float, wait: float) -> float:
    """Where to begin below a ``rate`` that was refused; ``generation``: of how many of one excess."""
    low = min(YIELD ** min(generation, LAST_GENERATION) * rate, max(SERVED * served, DEEPEST * rate))
    # Silence has refilled what can be refilled: there is no need to go deep as well.
    return max(SLOWEST, (YIELD if wait else DEEPEST) * top, low)
