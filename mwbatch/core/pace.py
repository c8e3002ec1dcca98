"""How many requests may be in flight and how fast they may start; no clock of its own, every time is an argument.

Additive increase, multiplicative decrease (Chiu and Jain, 1989): each full round of answers raises the limit by one,
a 429 halves it. Refusals of requests that left before the last halving say nothing new and halve nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST: Final = 64
"""In flight at most, unless the user says otherwise."""


@dataclass(slots=True)
class Pace:
    """The shared pace of all workers. Times are seconds of any clock that never goes back.

    ``most`` is the upper bound of requests in flight, ``rate`` of starts a second (None: no bound of our own).
    """

    most: int = MOST
    rate: float | None = None
    limit: float = 0.0
    next_start: float = 0.0
    halved_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.limit = self.limit or float(self.most)

    def delay(self, in_flight: int, now: float) -> float | None:
        """Seconds until one more request may start; 0.0 for now, None for not before one in flight has ended."""
        if in_flight >= int(self.limit):
            return None
        return max(0.0, self.next_start - now)

    def started(self, now: float) -> None:
        """A request leaves at ``now``."""
        if self.rate is not None:
            self.next_start = max(self.next_start, now) + 1 / self.rate

    def answered(self) -> None:
        """A request was answered and not refused for its haste."""
        self.limit = min(float(self.most), self.limit + 1 / self.limit)

    def refused(self, started_at: float, now: float, retry_after: float | None) -> None:
        """A request that left at ``started_at`` was answered 429 at ``now``; ``retry_after`` in seconds if named.

        Where the API names a wait everybody waits; where it does not, fewer in flight is what slows us down.
        """
        if started_at > self.halved_at:
            self.limit, self.halved_at = max(1.0, self.limit / 2), now
        if retry_after is not None:
            self.next_start = max(self.next_start, now + retry_after)


def backoff(first: float = 0.5, longest: float = 30.0) -> Iterator[float]:
    """Seconds to wait before the first new try, the second …, each twice the one before, up to ``longest``."""
    wait = first
    while True:
        yield wait
        wait = min(2 * wait, longest)
