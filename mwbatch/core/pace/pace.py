"""How many requests may be in flight, how fast they may start, and when none may; every time is an argument.

In flight grows from few to ``most`` as long as requests are answered (slow start); nothing but an API that
refuses makes us slower, and then it is the rate of starts that is bounded (`RateEstimate`): most limits count
requests, not connections. While nothing bounds us answers are only counted here. Trouble is contained before
it costs more than it must: too many requests that leave rows in doubt, or refusals that concern every row,
end all starts (`Breaker`).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from mwbatch.core.api.create_request import Outcome
from mwbatch.core.facts.kinds import Verdict
from mwbatch.core.pace.meter import SLOTS_A_SECOND
from mwbatch.core.pace.rate_estimate import RateEstimate
from mwbatch.core.words.values import CONCURRENCY, GREATEST_RATE, LEAST_RATE, MOST_CONCURRENT, amount, whole

MOST: Final = CONCURRENCY
"""In flight at most, unless the user says otherwise."""

FIRST: Final = 4
"""In flight at the very beginning."""

GROWTH: Final = 1 / 3
"""More in flight with each answer: a third more with each round trip, 64 after eleven, 128 after thirteen."""

SLACK_S: Final = 0.005
"""A start that a late timer held up is made up for within this; so bursts are never longer than this."""

UNKNOWN_IN_A_ROW: Final = 8
WINDOW: Final = 200
UNKNOWN_SHARE: Final = 0.2
REFUSED_IN_A_ROW: Final = 20


class Pace:
    """The shared pace of all workers. Times are seconds of any clock that never goes back.

    ``most`` is the upper bound of requests in flight, ``rate`` of starts a second (None: no bound of our
    own). ``limit`` is how many may be in flight now; nothing starts before ``next_start``.
    """

    __slots__ = ("_estimate", "_first", "_gathered", "_slot", "_step", "limit", "most", "next_start", "rate")

    def __init__(self, most: int = MOST, rate: float | None = None) -> None:
        whole("concurrency", most, 1, MOST_CONCURRENT)
        amount("rate", rate, LEAST_RATE, GREATEST_RATE, none=True)
        self.most, self.rate = most, rate
        self.limit = float(min(FIRST, most))
        self.next_start = 0.0
        self._estimate = RateEstimate()
        # Answers of which the estimate was not told yet: how many, in which slot, when the first came.
        self._gathered, self._slot, self._first = 0, 0, 0.0
        self._step = 0.0
        self._space()

    def __repr__(self) -> str:
        return f"Pace(most={self.most}, rate={self.rate}, limit={self.limit:g}, bound={self.bound})"

    @property
    def bound(self) -> float | None:
        """Starts a second that are allowed now; None where nothing bounds them."""
        return 1 / self._step if self._step else None

    def delay(self, in_flight: int, now: float) -> float | None:
        """Seconds until one more request may start; 0.0: now, None: not before one in flight has ended."""
        if in_flight >= int(self.limit) or (self._estimate.walled and in_flight >= FIRST):
            return None
        return max(0.0, self.next_start - now)

    def started(self, now: float) -> None:
        """A request leaves at ``now``."""
        if self._step:
            self.next_start = max(self.next_start, now - SLACK_S) + self._step

    def answered(self, started_at: float, now: float) -> None:
        """A request that left at ``started_at`` was answered at ``now``, and not refused for its haste."""
        if self.limit < self.most:
            self.limit = min(float(self.most), self.limit + GROWTH)
        estimate = self._estimate
        if estimate.rate is not None or estimate.walled:
            estimate.answered(started_at, now)
            self._space()
        elif self._gathered and int(now * SLOTS_A_SECOND) == self._slot:  # as nearly always
            self._gathered += 1
        else:
            self._tell()
            self._gathered, self._slot, self._first = 1, int(now * SLOTS_A_SECOND), now

    def refused(self, started_at: float, now: float, retry_after: float | None) -> None:
        """A request that left at ``started_at`` was answered 429 at ``now``; ``retry_after`` in seconds.

        Where the API names a wait everybody waits; where it does not, a lower rate is what slows us down.
        Refusals of requests that left before the last one that was heeded say nothing new.
        """
        self._tell()
        wait = retry_after or 0.0
        if wait:
            self.next_start = max(self.next_start, now + wait)
        bounded = self._estimate.rate is not None
        self._estimate.refused(started_at, now, wait)
        if bounded and self._estimate.rate is None:
            self.limit = float(min(FIRST, self.most))
        self._space()

    def _tell(self) -> None:
        """Tell the estimate of the answers that were gathered: a tenth of a second of them at once."""
        if self._gathered:
            self._estimate.answered(self._first, self._first, self._gathered)
            self._gathered = 0

    def _space(self) -> None:
        """Take the lesser of the two rates."""
        rates = [rate for rate in (self.rate, self._estimate.rate) if rate is not None]
        self._step = 1 / min(rates) if rates else 0.0


def backoff(first: float = 0.5, longest: float = 30.0) -> Iterator[float]:
    """Seconds to wait before the first new try, the second …, each twice as many, up to ``longest``."""
    wait = first
    while True:
        yield wait
        wait = min(2 * wait, longest)


class Advice(Enum):
    """What the sender must do after an outcome."""

    GO_ON = auto()
    PROBE = auto()
    """Start nothing until a listing was answered: too many requests leave rows in doubt."""
    STOP = auto()
    """End the run: it concerns the account, or every row."""


@dataclass(slots=True)
class Breaker:
    """Counts the outcomes of creates, in the order in which they came."""

    keep_going: bool = False
    count: int = 0
    """How many outcomes came since counting began anew."""
    unknowns: deque[int] = field(default_factory=deque)
    """Which of the last `WINDOW` of them were unknown, by their number."""
    unknown: int = 0
    """How many of the last, in a row, were."""
    refused: int = 0
    message: str = ""

    def note(self, outcome: Outcome) -> Advice:
        """Take one outcome in, and say what follows."""
        self.count += 1
        if outcome.verdict is Verdict.CREATED and not self.unknowns:  # as nearly always
            self.refused = 0
            return Advice.GO_ON
        self._note_unknown(outcome.verdict is Verdict.UNKNOWN)
        self._note_refusal(outcome)
        if outcome.verdict is Verdict.HALTED:
            return Advice.STOP
        if self.refused >= REFUSED_IN_A_ROW and not self.keep_going:
            return Advice.STOP
        full = self.count >= WINDOW
        if self.unknown >= UNKNOWN_IN_A_ROW or (full and len(self.unknowns) >= UNKNOWN_SHARE * WINDOW):
            return Advice.PROBE
        return Advice.GO_ON

    def calmed(self) -> None:
        """A probe was answered: count anew."""
        self.unknowns.clear()
        self.count = self.unknown = 0

    def _note_unknown(self, unknown: bool) -> None:
        if self.unknowns and self.unknowns[0] <= self.count - WINDOW:
            self.unknowns.popleft()
        if unknown:
            self.unknowns.append(self.count)
        self.unknown = self.unknown + 1 if unknown else 0

    def _note_refusal(self, outcome: Outcome) -> None:
        if outcome.verdict is not Verdict.REFUSED:
            self.refused = 0
        elif outcome.message == self.message:
            self.refused += 1
        else:
            self.refused, self.message = 1, outcome.message
