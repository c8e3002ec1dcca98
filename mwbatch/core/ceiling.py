"""The rate above which the API refuses: found by refusals, remembered, approached from below, probed rarely.

CUBIC (RFC 9438) for a rate instead of a window, as the AWS SDKs have it in their adaptive retry mode. While nothing was
refused there is no bound. The first alarm gives a cautious estimate, and from there the rate grows until the second; after
that it follows a `Curve` from each alarm to the next. Four things are not CUBIC's: a probe that was refused goes back to a
rate that was held without refusal, so that it costs one refusal and not several; the more often probes were refused at about
the same rate, the rarer they become, rarer still where Retry-After makes each cost silence; refusals that chance explains are
no alarm (`Scatter`); and where chance is possible, a `Trial` at a lower rate says whether it was chance: then we go back to
where we were before. The figures were found by trying, in virtual time, against a token bucket, fixed and sliding windows,
with and without refusals at random; tests guard the goals.

| state | an answer | a refusal that chance explains | an alarm |
|---|---|---|---|
| free: no rate | counted | counted | bound: search upwards from below what was answered |
| bound: along a curve | rises; free, where the rate is far ahead of what is used | counted | lower, another top unless of the same excess; trying, where chance is possible or alarms followed one another; free, where silence after silence found no limit |
| trying: a trial's rate | counted; when enough: bound, or trying once more, lower | counted | trying, lower: it is a limit |

Refusals of what left before the rate was last lowered only say that the excess lasts.
"""

from dataclasses import replace
from typing import Final

from mwbatch.core.curve import APPROACH_S, HELD_S, Curve
from mwbatch.core.meter import WINDOW_S, Meter
from mwbatch.core.scatter import LONGEST, MANY, SELDOM, Counts, Scatter
from mwbatch.core.top import DEEPEST, REMEMBERED, SAFE, SLOWEST, TELLING, Top
from mwbatch.core.trial import KEPT, KEPT_AFTER_MORE, TRIED, End, Trial

WALL: Final = 8
"""Refusals with no answer between them: nothing at all is let through now, and it is enough that few ask."""

FIRST_RATE: Final = 5.0
"""The least that is tried after the first refusal, when hardly anything was answered."""

YIELD: Final = 0.96
"""Of the rate, at once; to the power of the generations of refusals of one excess, up to `LAST_GENERATION`."""

LAST_GENERATION: Final = 4
SERVED: Final = 0.97
"""Of the requests a second that were answered lately: the start after a refusal is not above it."""

FIRST: Final = 0.93
"""Of what was answered before the first refusal."""

EXCESS_S: Final = 1.0
"""Refusals so soon after one that moved the top are of the same excess: the rest of a second that is used up."""

AHEAD: Final = 2.0
"""A rate that is not used proves nothing: it rises to so many times what is answered, and `SPARE` a second more."""

SPARE: Final = 10.0
FORGOTTEN_S: Final = 15.0
"""A bound that is so far ahead for so long is none."""

_LONGEST_STEP_S: Final = 1.0


class Ceiling:
    """The learned bound of starts a second: ``rate``, None while nothing speaks for one; ``walled``: all is refused now.

    Times are seconds of a clock that never goes back.
    """

    __slots__ = (
        "_active",
        "_alarms",
        "_answers",
        "_before",
        "_began",
        "_curve",
        "_first",
        "_generation",
        "_lowered_at",
        "_moved_at",
        "_resumed_at",
        "_row_answers",
        "_scatter",
        "_seen_at",
        "_served",
        "_top",
        "_trial",
        "_unanswered",
        "rate",
        "walled",
    )

    def __init__(self) -> None:
        self.rate: float | None = None
        self._curve: Curve | None = None
        self._served, self._scatter = Meter(), Scatter()
        self._unanswered, self.walled = 0, False  # refusals since the last answer: `WALL` of them are one
        # While nothing bounds us: answers since when, and how many there were when the first refusal came.
        self._answers, self._began, self._first = 0, 0.0, (0, 0.0)
        # Seconds in use since the last alarm; silence and idleness do not count.
        self._active = self._seen_at = 0.0
        self._lowered_at = self._moved_at = self._resumed_at = float("-inf")
        self._top, self._generation = Top(), 0  # generations of refusals of one excess
        # Alarms that followed one another, what was answered meanwhile, and where we were before the first of them.
        self._alarms = self._row_answers = 0
        self._before: tuple[Curve, float] | None = None
        self._trial: Trial | None = None

    def answered(self, started_at: float, now: float) -> None:
        """A request that left at ``started_at`` was answered, and not refused for its haste."""
        if self._unanswered:
            if self.walled and self._curve is not None:
                self._scatter.begin()  # the wall is known, and over; what was served before it says nothing
                self._resumed_at = now
            self._unanswered, self.walled = 0, False
        self._served.count(now)
        self._row_answers += 1
        if self._trial is not None:
            self._seen_at = max(self._seen_at, now)
            if started_at > self._lowered_at:
                self._try(self._trial, now, refused=False)
            return
        self._scatter.answered()
        if self._curve is not None:
            self._grow(self._curve, now)
            return
        if not self._answers:
            self._began = now
        self._answers += 1

    def refused(self, started_at: float, now: float, wait: float) -> None:
        """A request that left at ``started_at`` was refused, and everybody is silent for ``wait`` seconds.

        Where it left before we last became slower, and so at another rate than that of now, it says nothing new.
        """
        self._unanswered += 1
        self.walled = self._unanswered >= WALL
        if started_at <= self._lowered_at:
            self._lasting(now)
            return
        if self._trial is not None:
            if self.walled:
                self._lasting(now)
            self._try(self._trial, now, refused=True)
            return
        if not self._alarming(now, wait):
            return
        self._lowered_at = now
        served = self._room(now)
        if wait:
            self._resumed_at = now + wait
        self._seen_at = now + wait
        if self._curve is None or self.rate is None:
            self._begin(now)
        else:
            # What was allowed and not used was not refused.
            rate = min(self.rate, max(self._curve.top, 1.25 * served))
            self._yield(self._curve, rate, served, now, wait)
        self._scatter.begin()

    def _alarming(self, now: float, wait: float) -> bool:
        if wait:  # each refusal costs silence
            self._scatter.disbelieve()
        bound = self._curve is not None or (wait > 0 and self._scatter.none)
        alarm = self._scatter.refused(self.rate or self._served.rate(now), bound)
        if self._scatter.first:
            self._first = self._answers, now
        return alarm

    def _room(self, now: float) -> float:
        """Requests a second that a limit let through lately, those included that chance refused."""
        room = self._served.rate(now) / (1 - self._scatter.share)
        if self.rate is not None and now - self._resumed_at < WINDOW_S:
            return max(room, self.rate)  # what was served during silence says nothing
        return room

    def _lower(self, served: float, now: float, cause: Counts, before: Trial | None = None) -> None:
        """Begin a trial clearly below what is served."""
        assert self.rate is not None
        assert self._curve is not None
        self._lowered_at = now
        self.rate = max(SLOWEST, min(TRIED * self.rate, TRIED * served, self._curve.top))
        self._trial = Trial(self.rate, now, cause, before)

    def _try(self, trial: Trial, now: float, refused: bool) -> None:
        """Count an answer of a trial, and do as it says when it ends."""
        end = trial.counted(now, refused, self._scatter.share)
        if end is None:
            return
        assert self._curve is not None
        served = self._room(now)
        if end is End.LIMIT:
            self._curve = Curve.loose(max(SLOWEST, min(self._curve.top, SAFE * served)))
            self._lower(served, now, trial.cause)
        elif end is End.MORE and trial.before is None:
            self._lower(served, now, trial.cause, trial)
        else:
            self._trial, self._alarms = None, 0
            self._scatter.begin()
            self._conclude(self._curve, trial, end)

    def _conclude(self, curve: Curve, trial: Trial, end: End) -> None:
        """Learn the share from a trial; go back to where we were before the alarm if it explains that, else to the top."""
        before, scatter = trial.before, self._scatter
        alike = before is None or trial.alike(before, scatter.none)
        scatter.learn(trial.counts, KEPT if end is End.CLEAN else KEPT_AFTER_MORE)
        if before is not None and alike:
            scatter.learn(before.counts, KEPT)
        if before is not None and not alike:  # the limit is between the two
            curve = Curve.loose(max(SLOWEST, min(curve.top, SAFE * before.rate)))
        elif self._before is not None and scatter.explains(trial.cause):
            self._follow(*self._before)
            return
        self._follow(replace(curve, low=min(curve.top, trial.rate)), 0.0)

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

    def _lasting(self, now: float) -> None:
        """An excess goes on. The longer it does, the nearer to a limit is what was served in the second that ends now."""
        if self._curve is None or now - self._moved_at >= EXCESS_S:
            return
        room = self._room(now)
        if self._trial is not None and self.rate is not None:  # which MUST be below the limit
            self.rate = self._trial.rate = min(self.rate, max(SLOWEST, TRIED * room))
            return
        top = min(self._curve.top, max(SLOWEST, REMEMBERED * room))
        self._curve = replace(self._curve, low=min(self._curve.low, top), top=top)

    def _begin(self, now: float) -> None:
        """The first refusal. Everything that was answered may have come out of a bucket or window of a second."""
        answers, since = self._first
        seconds = since - self._began if answers else 0.0
        rate = max(FIRST_RATE, FIRST * answers / (WINDOW_S + seconds))
        self._moved_at, self._top = now, Top()
        self._follow(Curve.search(rate), APPROACH_S)

    def _yield(self, curve: Curve, rate: float, served: float, now: float, wait: float) -> None:
        """Begin anew below the rate, with another top unless the refusal is of an excess that moved it already."""
        if now - self._moved_at >= EXCESS_S:
            if self._in_vain(curve, wait):
                self._forget()
                return
            curve = self._moved(curve, rate, served, wait)
            self._moved_at, self._generation = now, 0
        elif curve.searching:
            return
        self._generation += 1
        lowered = YIELD ** min(self._generation, LAST_GENERATION) * rate
        low = min(lowered, max(SERVED * served, DEEPEST * rate))
        # Silence has refilled what can be refilled: there is no need to go deep as well.
        least = (YIELD if wait else DEEPEST) * curve.top
        self._follow(replace(curve, low=max(SLOWEST, least, low)), 0.0)
        if not wait and (not self._scatter.none or self._alarms >= MANY):
            self._lower(served, now, self._scatter.suspects)

    def _in_vain(self, curve: Curve, wait: float) -> bool:
        """Count the alarms that follow one another; whether silence after silence has not found a limit."""
        if self._active > APPROACH_S + HELD_S:
            self._alarms = 0
        if not self._alarms:
            self._before, self._row_answers = (curve, self._active), 0
        self._alarms += 1
        if not wait or self._alarms < LONGEST or self._row_answers < SELDOM * self._alarms:
            return False
        self._scatter.learn(Counts(self._alarms, self._row_answers + self._alarms), KEPT_AFTER_MORE)
        self._alarms = 0
        return True

    def _moved(self, curve: Curve, rate: float, served: float, wait: float) -> Curve:
        if not self._scatter.none:
            return self._top.beside_chance(curve, rate, served, wait)
        long = self._generation >= TELLING
        return self._top.between(curve, self._active, rate, served, wait, long=long)

    def _follow(self, curve: Curve, active: float) -> None:
        self._curve, self._active, self.rate = curve, active, curve.at(active)
