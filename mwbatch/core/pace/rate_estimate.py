"""The rate above which the API refuses: found by refusals, remembered, approached from below, probed rarely.

CUBIC (RFC 9438) for a rate instead of a window, as the AWS SDKs have it in their adaptive retry mode. While
nothing was refused there is no bound. The first alarm gives a cautious estimate, and from there the rate
grows until the second; after that it follows a `RateCurve` from each alarm to the next. Four things are not
CUBIC's: a probe that was refused goes back to a rate that was held without refusal, so that it costs one
refusal and not several; the more often probes were refused at about the same rate, the rarer they become,
rarer still where Retry-After makes each cost silence; refusals that chance explains are no alarm
(`UnrelatedRefusals`); and where chance is possible, a `Trial` at a lower rate says whether it was chance:
then we go back to where we were before. The figures were found by trying, in virtual time, against a token
bucket, fixed and sliding windows, with and without refusals at random; tests guard the goals.

| state  | alarm | suspicion | in vain | unused | limit  | more  | clean |
|--------|-------|-----------|---------|--------|--------|-------|-------|
| free   | bound | -         | -       | -      | -      | -     | -     |
| bound  | bound | trying    | free    | free   | -      | -     | -     |
| trying | -     | -         | -       | -      | trying | lower | bound |
| lower  | -     | -         | -       | -      | trying | bound | bound |

- *free*: no rate. Answers and refusals are counted.
- *bound*: the rate follows a curve up, past the top that is remembered, to the next alarm.
- *trying*: a trial runs at a rate clearly below what is served; every answer and refusal counts in it.
- *lower*: a second trial, lower still, since the first one told neither way.

*Alarm*: more was refused than chance explains. Then the rate is lowered, and its top moved unless the alarm
is of the same excess. *Suspicion*: an alarm where chance is possible, or one of several that followed one
another. *In vain*: silence after silence found no limit. *Unused*: the rate has been far ahead of what is
answered for long. *Limit*, *more*, *clean*: what a trial found, more than was expected, or no more than that.
Refusals of what left before the rate was last lowered are no event: they only say that the excess lasts.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Final

from mwbatch.core.pace.curve_top import FIRST_RATE, REMEMBERED, SAFE, SLOWEST, Top, first_rate, lowered
from mwbatch.core.pace.meter import WINDOW_S, Meter
from mwbatch.core.pace.rate_curve import APPROACH_S, HELD_S, LONGEST_STEP_S, RateCurve
from mwbatch.core.pace.trial import KEPT, KEPT_AFTER_MORE, TRIED, End, Trial
from mwbatch.core.pace.unrelated_refusals import LONGEST, MANY, SELDOM, Counts, UnrelatedRefusals


class State(Enum):
    """What is known of a bound."""

    FREE = "free"
    BOUND = "bound"
    TRYING = "trying"
    LOWER = "lower"


class Event(Enum):
    """What answers and refusals come to."""

    ALARM = "alarm"
    SUSPICION = "suspicion"
    IN_VAIN = "in vain"
    UNUSED = "unused"
    LIMIT = "limit"
    MORE = "more"
    CLEAN = "clean"


TABLE: Final[Mapping[tuple[State, Event], State]] = {
    (State.FREE, Event.ALARM): State.BOUND,
    (State.BOUND, Event.ALARM): State.BOUND,
    (State.BOUND, Event.SUSPICION): State.TRYING,
    (State.BOUND, Event.IN_VAIN): State.FREE,
    (State.BOUND, Event.UNUSED): State.FREE,
    (State.TRYING, Event.LIMIT): State.TRYING,
    (State.TRYING, Event.MORE): State.LOWER,
    (State.TRYING, Event.CLEAN): State.BOUND,
    (State.LOWER, Event.LIMIT): State.TRYING,
    (State.LOWER, Event.MORE): State.BOUND,
    (State.LOWER, Event.CLEAN): State.BOUND,
}
"""Every edge there is; another one is a bug of ours, and a `KeyError`."""

# Names of their own: looking into an Enum for each answer costs 0.2 µs.
_FREE, _BOUND = State.FREE, State.BOUND
_TRIAL: Final = (State.TRYING, State.LOWER)

WALL: Final = 8
"""Refusals with no answer between them: nothing at all is let through now, and it is enough that few ask."""

EXCESS_S: Final = 1.0
"""Refusals so soon after one that moved the top are of the same excess: the rest of a second's worth."""


class RateEstimate:
    """The learned bound of starts a second: ``rate``, None where there is none; ``walled``: all is refused.

    Times are seconds of a clock that never goes back. ``state`` is changed by `_take` alone.
    """

    def __init__(self) -> None:
        self.state = _FREE
        self.rate: float | None = None
        self._curve = RateCurve.search(FIRST_RATE)  # means nothing while free
        self._trial = Trial(FIRST_RATE, 0.0, Counts())  # means nothing but while trying
        self._served, self._unrelated = Meter(), UnrelatedRefusals()
        self._unanswered, self.walled = 0, False  # refusals since the last answer: `WALL` of them are one
        # While nothing bounds us: answers since when, and how many there were when the first refusal came.
        self._answers, self._began, self._first = 0, 0.0, (0, 0.0)
        # Seconds in use since the last alarm; silence and idleness do not count.
        self._active = self._seen_at = 0.0
        self._lowered_at = self._moved_at = self._resumed_at = float("-inf")
        self._top, self._generation = Top(), 0  # generations of refusals of one excess
        # Alarms that followed one another, what was answered meanwhile, and where we were before them.
        self._alarms = self._row_answers = 0
        self._before: tuple[RateCurve, float] | None = None

    def _take(self, event: Event) -> None:
        """Go along an edge of the table."""
        self.state = TABLE[self.state, event]

    def answered(self, started_at: float, now: float, count: int = 1) -> None:
        """A request that left at ``started_at`` was answered, and not refused for its haste.

        While there is no rate, ``count`` in one slot of `Meter` may be told of at once, the first at ``now``.
        """
        if self._unanswered:
            if self.walled and self.state is not _FREE:
                self._unrelated.begin()  # the wall is known, and over; what was served before says nothing
                self._resumed_at = now
            self._unanswered, self.walled = 0, False
        self._served.count(now, count)
        self._row_answers += count
        if self.state is _FREE:
            self._unrelated.answers += count
            self._began = self._began if self._answers else now
            self._answers += count
        elif self.state is _BOUND:
            self._unrelated.answers += 1
            self._grow(now)
        else:
            self._seen_at = max(self._seen_at, now)
            if started_at > self._lowered_at:
                self._try(now, refused=False)

    def refused(self, started_at: float, now: float, wait: float) -> None:
        """A request that left at ``started_at`` was refused, and everybody is silent for ``wait`` seconds.

        Where it left before we last became slower, and so at another rate than now, it says nothing new.
        """
        self._unanswered += 1
        self.walled = self._unanswered >= WALL
        if started_at <= self._lowered_at:
            self._lasting(now)
        elif self.state in _TRIAL:
            if self.walled:
                self._lasting(now)
            self._try(now, refused=True)
        elif self._alarming(now, wait):
            self._alarm(now, wait)

    def _alarming(self, now: float, wait: float) -> bool:
        if wait:  # each refusal costs silence
            self._unrelated.disbelieve()
        bound = self.state is State.BOUND or (wait > 0 and self._unrelated.none)
        alarm = self._unrelated.refused(self.rate or self._served.rate(now), bound)
        if self._unrelated.first:
            self._first = self._answers, now
        return alarm

    def _alarm(self, now: float, wait: float) -> None:
        """More was refused than chance explains."""
        self._lowered_at = now
        served = self._room(now)
        if wait:
            self._resumed_at = now + wait
        self._seen_at = now + wait
        if self.state is State.FREE:
            self._begin(now)
        elif now - self._moved_at >= EXCESS_S and self._in_vain(wait):
            self._forget(Event.IN_VAIN)
        else:
            self._yield(served, now, wait)
        self._unrelated.begin()

    def _room(self, now: float) -> float:
        """Requests a second that a limit let through lately, those included that chance refused."""
        room = self._served.rate(now) / (1 - self._unrelated.share)
        if self.rate is not None and now - self._resumed_at < WINDOW_S:
            return max(room, self.rate)  # what was served during silence says nothing
        return room

    def _begin(self, now: float) -> None:
        """The first alarm: all that was answered may have come out of a bucket or window of a second."""
        self._take(Event.ALARM)
        answers, since = self._first
        seconds = since - self._began if answers else 0.0
        self._moved_at, self._top = now, Top()
        self._follow(RateCurve.search(first_rate(answers, WINDOW_S + seconds)), APPROACH_S)

    def _yield(self, served: float, now: float, wait: float) -> None:
        """Begin anew below the rate, with another top unless the same excess has moved it already."""
        self._take(Event.ALARM)
        # What was allowed and not used was not refused.
        rate = min(self.rate or SLOWEST, max(self._curve.top, 1.25 * served))
        if now - self._moved_at >= EXCESS_S:
            self._curve = self._moved(rate, served, wait)
            self._moved_at, self._generation = now, 0
        elif self._curve.searching:
            return
        self._generation += 1
        low = lowered(rate, self._generation, served, self._curve.top, wait)
        self._follow(replace(self._curve, low=low), 0.0)
        if not wait and (not self._unrelated.none or self._alarms >= MANY):
            self._lower(Event.SUSPICION, served, now, self._unrelated.suspects)

    def _moved(self, rate: float, served: float, wait: float) -> RateCurve:
        if not self._unrelated.none:
            return self._top.beside_chance(self._curve, rate, served, wait)
        return self._top.between(self._curve, self._active, rate, served, wait, self._generation)

    def _in_vain(self, wait: float) -> bool:
        """Count the alarms that follow one another; whether silence after silence has not found a limit."""
        if self._active > APPROACH_S + HELD_S:
            self._alarms = 0
        if not self._alarms:
            self._before, self._row_answers = (self._curve, self._active), 0
        self._alarms += 1
        if not wait or self._alarms < LONGEST or self._row_answers < SELDOM * self._alarms:
            return False
        self._unrelated.learn(Counts(self._alarms, self._row_answers + self._alarms), KEPT_AFTER_MORE)
        self._alarms = 0
        return True

    def _lasting(self, now: float) -> None:
        """An excess goes on.

        The longer it does, the nearer to a limit is what was served in the second that ends now.
        """
        if self.state is State.FREE or now - self._moved_at >= EXCESS_S:
            return
        room = self._room(now)
        if self.state in _TRIAL and self.rate is not None:  # which MUST be below the limit
            self.rate = self._trial.rate = min(self.rate, max(SLOWEST, TRIED * room))
            return
        top = min(self._curve.top, max(SLOWEST, REMEMBERED * room))
        self._curve = replace(self._curve, low=min(self._curve.low, top), top=top)

    def _lower(self, event: Event, served: float, now: float, cause: Counts) -> None:
        """Begin a trial clearly below what is served."""
        self._take(event)
        self._lowered_at = now
        self.rate = max(SLOWEST, min(TRIED * (self.rate or SLOWEST), TRIED * served, self._curve.top))
        self._trial = Trial(self.rate, now, cause, self._trial if event is Event.MORE else None)

    def _try(self, now: float, refused: bool) -> None:
        """Count an answer of a trial, and do as it says when it ends."""
        trial = self._trial
        if (end := trial.counted(now, refused, self._unrelated.share)) is None:
            return
        served = self._room(now)
        if end is End.LIMIT:
            self._curve = RateCurve.loose(max(SLOWEST, min(self._curve.top, SAFE * served)))
            self._lower(Event.LIMIT, served, now, trial.cause)
        elif end is End.MORE and self.state is State.TRYING:
            self._lower(Event.MORE, served, now, trial.cause)
        else:
            self._take(Event(end.value))
            self._alarms = 0
            self._conclude(trial, end)

    def _conclude(self, trial: Trial, end: End) -> None:
        """Learn the share from a trial; go back to before the alarm if it explains that, else to the top."""
        before, unrelated, curve = trial.before, self._unrelated, self._curve
        alike = before is None or trial.alike(before, unrelated.none)
        unrelated.learn(trial.counts, KEPT if end is End.CLEAN else KEPT_AFTER_MORE)
        if before is not None and alike:
            unrelated.learn(before.counts, KEPT)
        if before is not None and not alike:  # the limit is between the two
            curve = RateCurve.loose(max(SLOWEST, min(curve.top, SAFE * before.rate)))
        elif self._before is not None and unrelated.explains(trial.cause):
            self._follow(*self._before)
            return
        self._follow(replace(curve, low=min(curve.top, trial.rate)), 0.0)

    def _grow(self, now: float) -> None:
        """Follow the curve, so far as the rate is used at all."""
        curve = self._curve
        self._active += min(LONGEST_STEP_S, max(0.0, now - self._seen_at))
        self._seen_at = max(self._seen_at, now)
        self.rate = rate = curve.at(self._active)
        if rate > curve.top:
            self.rate = curve.used(rate, self._active, self._served.rate(now))
        if self.rate is None:
            self._forget(Event.UNUSED)

    def _forget(self, event: Event) -> None:
        self._take(event)
        self.rate, self._answers = None, 0

    def _follow(self, curve: RateCurve, active: float) -> None:
        self._curve, self._active, self.rate = curve, active, curve.at(active)
