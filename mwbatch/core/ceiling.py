"""The rate above which the API refuses: found by refusals, remembered, approached from below, probed rarely.

CUBIC (RFC 9438) for a rate instead of a window, as the AWS SDKs have it in their adaptive retry mode. While nothing was
refused there is no bound. The first refusal gives a cautious estimate, and from there the rate grows until the second;
after that it follows a `Curve` from each refusal to the next. Three things are not CUBIC's: a probe that was refused goes
back to a rate that was held without refusal, so that it costs one refusal and not several; the more often probes were
refused at about the same rate, the rarer they become, rarer still where Retry-After makes each cost silence; and refusals
that are not about our rate are borne (`Stray`). The figures were found by trying, in virtual time, against a token bucket,
fixed and sliding windows; the tests of the goals guard them.
"""

from dataclasses import replace
from typing import Final

from mwbatch.core.curve import APPROACH_S, HOLD_S, Curve
from mwbatch.core.meter import WINDOW_S, Meter
from mwbatch.core.stray import Stray

SLOWEST: Final = 0.5
"""Starts a second, however much is refused."""

FIRST_RATE: Final = 5.0
"""The least that is tried after the first refusal, when hardly anything was answered."""

REMEMBERED: Final = 0.98
"""Of the rate that was refused; to the power of the refusals in a row, of one more where they silence us."""

LAST_POWER: Final = 3
YIELD: Final = 0.96
"""Of the rate, at once; to the power of the generations of refusals of one excess, up to `LAST_GENERATION`."""

LAST_GENERATION: Final = 4
TELLING: Final = 3
"""Generations of refusals of one excess after which it has lasted long enough to measure the limit."""

SERVED: Final = 0.97
"""Of the requests a second that were answered lately: the start after a refusal is not above it."""

DEEPEST: Final = 0.5
"""The least part of the rate that one refusal leaves."""

EXCESS_S: Final = 1.0
"""Refusals so soon after one that moved the top are of the same excess: the rest of a second that is used up."""

CALM_S: Final = APPROACH_S + 5.0
"""After so long a refusal does not belong to the row before it."""

NEAR: Final = 0.06
"""The top is known when the rates that were held and refused are no further apart, as a part of the latter."""

MOST_DOUBLINGS: Final = 2
"""The hold doubles with each probe that was refused near the top, so often at most."""

SILENCE: Final = 0.02
"""The part of the time that Retry-After may cost because of probing …"""

LONGEST_HOLD_S: Final = 600.0
"""… unless probes would become rarer than this."""

AHEAD: Final = 2.0
"""A rate that is not used proves nothing: it rises to so many times what is answered, and `SPARE` a second more."""

SPARE: Final = 10.0
FORGOTTEN_S: Final = 15.0
"""A bound that is so far ahead for so long is none."""

_LONGEST_STEP_S: Final = 1.0


class Ceiling:
    """The learned bound of starts a second: ``rate``, None while nothing speaks for one.

    Times are seconds of a clock that never goes back.
    """

    __slots__ = (
        "_active",
        "_answers",
        "_began",
        "_curve",
        "_generation",
        "_moved_at",
        "_near",
        "_resumed_at",
        "_row",
        "_seen_at",
        "_served",
        "_stray",
        "rate",
    )

    def __init__(self) -> None:
        self.rate: float | None = None
        self._curve: Curve | None = None
        self._served, self._stray = Meter(), Stray()
        self._answers, self._began = 0, 0.0
        # Seconds in use since the last refusal; silence and idleness do not count.
        self._active = self._seen_at = 0.0
        self._moved_at = self._resumed_at = float("-inf")
        # Refusals in a row, generations of refusals of one excess, probes in a row that were refused near the top.
        self._row = self._generation = self._near = 0

    def answered(self, now: float) -> None:
        """A request was answered, and not refused for its haste."""
        self._served.count(now)
        self._stray.answered()
        if self._curve is not None:
            self._grow(self._curve, now)
            return
        if not self._answers:
            self._began = now
        self._answers += 1

    def refused(self, now: float, fresh: bool, wait: float) -> None:
        """A request was refused, and everybody is silent for ``wait`` seconds.

        It is ``fresh`` where it left after the last one that was heeded, and so at the rate of now.
        """
        self._stray.refused()
        if not fresh or self._stray.borne(now):
            return
        served = self._served.rate(now)
        if self.rate is not None and now - self._resumed_at < WINDOW_S:
            served = max(served, self.rate)  # what was served during silence says nothing
        if wait:
            self._resumed_at = now + wait
        self._seen_at = now + wait
        if self._curve is None or self.rate is None:
            self._begin(now)
        else:
            # What was allowed and not used was not refused.
            rate = min(self.rate, max(self._curve.top, 1.25 * served))
            self._yield(self._curve, rate, served, now, wait)

    def _grow(self, curve: Curve, now: float) -> None:
        self._active += min(_LONGEST_STEP_S, max(0.0, now - self._seen_at))
        self._seen_at = max(self._seen_at, now)
        rate = curve.at(self._active)
        if rate > curve.top:
            used = AHEAD * self._served.rate(now) + SPARE
            if rate > used > AHEAD * curve.top and curve.probing(self._active) > FORGOTTEN_S:
                self._forget()
                return
            rate = max(curve.top, min(rate, used))
        self.rate = rate

    def _forget(self) -> None:
        self.rate, self._curve, self._answers = None, None, 0

    def _begin(self, now: float) -> None:
        """The first refusal. Everything that was answered may have come out of a bucket or window of a second."""
        seconds = now - self._began if self._answers else 0.0
        rate = max(FIRST_RATE, SERVED * self._answers / (WINDOW_S + seconds))
        self._moved_at, self._row, self._near = now, 0, 0
        self._follow(Curve.search(rate), APPROACH_S)

    def _yield(self, curve: Curve, rate: float, served: float, now: float, wait: float) -> None:
        """Begin anew below the rate, with another top unless the refusal is of an excess that moved it already."""
        if now - self._moved_at >= EXCESS_S:
            if self._stray.vain(rate, self._active > CALM_S, now):
                self._forget()
                return
            curve = self._moved(curve, rate, served, wait)
            self._moved_at, self._generation = now, 0
        elif curve.searching:
            return
        self._generation += 1
        low = min(
            YIELD ** min(self._generation, LAST_GENERATION) * rate, max(SERVED * served, DEEPEST * rate)
        )
        # Silence has refilled what can be refilled: there is no need to go deep as well.
        least = (YIELD if wait else DEEPEST) * curve.top
        self._follow(replace(curve, low=max(SLOWEST, least, low)), 0.0)

    def _moved(self, curve: Curve, rate: float, served: float, wait: float) -> Curve:
        """The curve after a refusal at ``rate``: its top is between that and what was held or served before."""
        least = max(served, DEEPEST * rate)
        # After a second of refusals what was served is the limit itself; before, it may be less.
        between = least if self._generation >= TELLING else (rate + least) / 2
        held = curve.held(self._active) if rate > curve.top else None
        if held is not None:
            bound = min(REMEMBERED * rate, between)
            near = bound - held < NEAR * rate
            self._row, self._near = 0, self._near + 1 if near else 0
            # Where a refusal costs silence, what was held is better than what is likely.
            top = held if near and wait else max(held, (held + bound) / 2)
        else:
            self._row = 1 if self._active > CALM_S else self._row + 1
            near, self._near = self._row == 1 and served > (1 - NEAR) * rate, 0
            power = min(self._row, LAST_POWER) + (wait > 0)
            top = min(REMEMBERED**power * rate, between)
        top = max(SLOWEST, top)
        return Curve(top, top, self._hold(wait)) if near else Curve.rough(top, rate)

    def _hold(self, wait: float) -> float:
        doubled = HOLD_S * 2 ** min(max(0, self._near - 1), MOST_DOUBLINGS)
        return float(max(doubled, min(wait / SILENCE, LONGEST_HOLD_S)))

    def _follow(self, curve: Curve, active: float) -> None:
        self._curve, self._active, self.rate = curve, active, curve.at(active)
