"""How others hold the pace, with the interface of `mwbatch.core.pace.pace.Pace`."""

# ruff: noqa: ARG002 - the interface is given

from collections.abc import Iterator
from itertools import repeat

from mwbatch.core.pace.pace import backoff


class Fixed:
    """So many in flight, always; each refused request waits by itself, twice as long each time (tenacity,
    urllib3).
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)

    @staticmethod
    def waits() -> Iterator[float]:
        """What a refused request waits."""
        return backoff()

    def delay(self, in_flight: int, now: float) -> float | None:
        """Whether there is room."""
        return 0.0 if in_flight < self.most else None

    def started(self, now: float) -> None:
        """Nothing."""

    def answered(self, started_at: float, now: float) -> None:
        """Nothing."""

    def refused(self, started_at: float, now: float, retry_after: float | None) -> None:
        """Nothing: whoever was refused waits."""


class AutoThrottle(Fixed):
    """Scrapy's rule (docs.scrapy.org, "AutoThrottle extension"), with ``most`` as the target concurrency.

    The delay between two starts begins at 5 s; with each answer it becomes the mean of itself and of latency
    / target, and is never below that; the latency of an answer other than 200 may not lower it; it lies
    between 0 and 60 s. The default target is 1; here it is what the other contenders may have in flight, or
    there would be no race.
    """

    START_S = 5.0
    LONGEST_S = 60.0

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.gap, self.next_start = self.START_S, 0.0

    @staticmethod
    def waits() -> Iterator[float]:
        """Scrapy's retries go back to the queue at once."""
        return repeat(0.0)

    def delay(self, in_flight: int, now: float) -> float | None:
        """Room, and the delay since the last start."""
        return max(0.0, self.next_start - now) if in_flight < self.most else None

    def started(self, now: float) -> None:
        """The next one starts a delay later."""
        self.next_start = now + self.gap

    def answered(self, started_at: float, now: float) -> None:
        """An answer's latency."""
        self._adjust(now - started_at, good=True)

    def refused(self, started_at: float, now: float, retry_after: float | None) -> None:
        """A refusal's latency."""
        self._adjust(now - started_at, good=False)

    def _adjust(self, latency: float, *, good: bool) -> None:
        target = latency / self.most
        gap = min(max(target, (self.gap + target) / 2), self.LONGEST_S)
        if good or gap > self.gap:
            self.gap = gap


class FixedPause(Fixed):
    """After a 429 nobody sends for 15 seconds, whatever the API says; then everybody goes on as before."""

    PAUSE_S = 15.0

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.next_start = 0.0

    @staticmethod
    def waits() -> Iterator[float]:
        """The pause is for all."""
        return repeat(0.0)

    def delay(self, in_flight: int, now: float) -> float | None:
        """Room, and the end of the pause."""
        return max(0.0, self.next_start - now) if in_flight < self.most else None

    def refused(self, started_at: float, now: float, retry_after: float | None) -> None:
        """Pause."""
        self.next_start = max(self.next_start, now + self.PAUSE_S)
