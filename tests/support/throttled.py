"""A simulated API that refuses what comes too fast, and workers that send to it as a pace allows,
in virtual time.

No event loop and no sockets: a heap of moments, so that a minute of a thousand requests a second takes a
second.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Final, Protocol

from mwbatch.core.pace.pace import backoff


class Paced(Protocol):
    """What sends: `mwbatch.core.pace.pace.Pace`, or one of its rivals."""

    most: int

    def delay(self, in_flight: int, now: float) -> float | None:
        """Seconds until one more request may start; None for not before one in flight has ended."""

    def started(self, now: float) -> None:
        """A request leaves."""

    def answered(self, started_at: float, now: float) -> None:
        """A request was answered."""

    def refused(self, started_at: float, now: float, retry_after: float | None) -> None:
        """A request was answered 429."""


class Limiter(Protocol):
    """How an API decides; ``rate`` may change at any time."""

    rate: float

    def admits(self, now: float) -> bool:
        """Say whether a request that comes at ``now`` is let in, and count it if so."""


class Bucket:
    """A token bucket that holds ``seconds`` worth of requests, full at first."""

    def __init__(self, rate: float, seconds: float = 1.0) -> None:
        self.rate, self.seconds = rate, seconds
        self.left, self.filled_at = self.size, 0.0

    @property
    def size(self) -> float:
        """Tokens that it holds; a bucket of one is more than any jitter of the network bears."""
        return max(2.0, self.rate * self.seconds)

    def admits(self, now: float) -> bool:
        """Take a token if there is one."""
        self.left = min(self.size, self.left + (now - self.filled_at) * self.rate)
        self.filled_at = now
        admitted = self.left >= 1 - 1e-9
        self.left -= admitted
        return admitted


class Window:
    """So many requests in each second by the clock; ``phase`` says when the clock's second begins."""

    def __init__(self, rate: float, phase: float = 0.0) -> None:
        self.rate, self.phase = rate, phase
        self.second, self.count = -1, 0

    def admits(self, now: float) -> bool:
        """Count within this second."""
        if (second := int(now + self.phase)) != self.second:
            self.second, self.count = second, 0
        admitted = self.count < self.rate
        self.count += admitted
        return admitted


class Sliding:
    """So many requests in any second."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.admitted: deque[float] = deque()

    def admits(self, now: float) -> bool:
        """Count within the last second."""
        while self.admitted and self.admitted[0] <= now - 1:
            self.admitted.popleft()
        if len(self.admitted) >= self.rate:
            return False
        self.admitted.append(now)
        return True


class Chance:
    """Refuses a ``share`` of all requests, however fast they come."""

    def __init__(self, share: float, seed: int) -> None:
        self.rate, self.share = float("inf"), share
        self.random = random.Random(seed)

    def admits(self, _: float) -> bool:
        """Draw."""
        return self.random.random() >= self.share


class Scattered:
    """An ``api`` that besides refuses a ``share`` of the requests between two moments,
    however fast they come.

    With ``taken`` such a request counts for the limit as well: the chance looks at what the limit let in.
    """

    def __init__(
        self,
        api: Limiter,
        share: float,
        seed: int,
        *,
        taken: bool = False,
        since: float = 0.0,
        until: float = float("inf"),
    ) -> None:
        self.api, self.taken, self.since, self.until = api, taken, since, until
        self.chance = Chance(share, seed)
        self.walled = 0

    @property
    def rate(self) -> float:
        """The limit's."""
        return self.api.rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self.api.rate = rate

    def admits(self, now: float) -> bool:
        """Draw, and ask the limit; ``walled`` counts what that refused."""
        lucky = not self.since <= now < self.until or self.chance.admits(now)
        if not lucky and not self.taken:
            return False
        admitted = self.api.admits(now)
        self.walled += not admitted
        return lucky and admitted


@dataclass
class Run:
    """What came of it: when requests started, when which of them were answered and refused,
    the most in flight.
    """

    seconds: float
    starts: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    most: int = 0

    def goodput(self, since: float, until: float | None = None) -> float:
        """Requests a second that were answered in a part of the run."""
        end = self.seconds if until is None else until
        return sum(since <= moment < end for moment in self.served) / (end - since)

    @property
    def share_refused(self) -> float:
        """The refused part of all requests."""
        return len(self.refused) / (len(self.refused) + len(self.served))

    def reached(self, rate: float, since: float = 0.0) -> float:
        """Seconds from ``since`` to the first of five seconds in which ``rate`` was served."""
        for second in range(int(since), int(self.seconds) - 4):
            if self.goodput(second, second + 5) >= rate:
                return second - since
        return float("inf")

    def bursts(self, window: float) -> int:
        """The most requests that started within ``window`` seconds."""
        first, most = 0, 0
        for last, moment in enumerate(self.starts):
            while self.starts[first] < moment - window:
                first += 1
            most = max(most, last - first + 1)
        return most

    def silent(self, wait: float) -> bool:
        """Whether nothing started within ``wait`` seconds after any refusal."""
        moments = sorted([(moment, 0) for moment in self.refused] + [(moment, 1) for moment in self.starts])
        return not any(
            began and not before and start < refused + wait - 1e-9
            for (refused, before), (start, began) in pairwise(moments)
        )


@dataclass
class Play:
    """``pace.most`` workers send for ``seconds`` of virtual time.

    ``latency`` is what a round trip takes, give or take ``jitter`` of it; a request is judged half way.
    ``changes`` are moments and the rates that are the limit from then on; ``waits`` is what a worker waits by
    itself after each refusal of the same row that named no wait.
    """

    pace: Paced
    api: Limiter
    seconds: float
    latency: float = 0.08
    jitter: float = 0.05
    retry_after: float | None = None
    changes: Sequence[tuple[float, float]] = ()
    waits: Callable[[], Iterator[float]] = backoff
    seed: int = 1

    def __post_init__(self) -> None:
        self.run, self.now, self.in_flight = Run(self.seconds), 0.0, 0
        self._random = random.Random(self.seed)
        self._idle, self._resting = self.pace.most, 0
        self._due: deque[Iterator[float]] = deque()
        self._moments: list[tuple[float, int, Callable[[], None]]] = []
        self._ticking = False
        for moment, rate in self.changes:
            self._at(moment, partial(setattr, self.api, "rate", rate))

    def __call__(self) -> Run:
        """Play it."""
        self._start()
        while self._moments:
            self.now, _, happen = heapq.heappop(self._moments)
            if self.now >= self.seconds:
                break
            happen()
            self._start()
        return self.run

    def _at(self, moment: float, happen: Callable[[], None]) -> None:
        self._order = getattr(self, "_order", 0) + 1
        heapq.heappush(self._moments, (moment, self._order, happen))

    def _start(self) -> None:
        while self._idle and (self._due or self._resting < self.pace.most):
            delay = self.pace.delay(self.in_flight, self.now)
            if delay != 0.0:
                if delay is not None and not self._ticking:
                    self._ticking = True
                    self._at(self.now + delay, self._tick)
                return
            self._idle -= 1
            self._send(self._due.popleft() if self._due else iter(self.waits()))

    def _tick(self) -> None:
        self._ticking = False

    def _send(self, waits: Iterator[float]) -> None:
        self.pace.started(self.now)
        self.in_flight += 1
        self.run.starts.append(self.now)
        self.run.most = max(self.run.most, self.in_flight)
        began, way = self.now, self.latency / 2 * (1 + self.jitter * self._random.random())

        def arrive() -> None:
            admitted = self.api.admits(self.now)
            self._at(self.now + way, lambda: self._end(began, admitted, waits))

        self._at(began + way, arrive)

    def _end(self, began: float, admitted: bool, waits: Iterator[float]) -> None:
        self.in_flight -= 1
        self._idle += 1
        if admitted:
            self.run.served.append(self.now)
            self.pace.answered(began, self.now)
            return
        self.run.refused.append(self.now)
        self.pace.refused(began, self.now, self.retry_after)
        if self.retry_after is None:
            self._resting += 1
            self._at(self.now + next(waits), lambda: self._rested(waits))
        else:
            self._due.append(waits)

    def _rested(self, waits: Iterator[float]) -> None:
        self._resting -= 1
        self._due.append(waits)


Kind = Callable[[float], Limiter]
GOODPUT, REFUSED, COLD_S = 0.95, 0.02, 10.0
"""The goals: at least so much of the limit, at most so many refused,
from a cold start within so many seconds.
"""

KINDS: Final[Mapping[str, Kind]] = {
    "a bucket of a second": Bucket,
    "a bucket of a twentieth": lambda rate: Bucket(rate, 0.05),
    "a window by the clock": Window,
    "another window": lambda rate: Window(rate, 0.4),
    "a sliding window": Sliding,
}


def meets(run: Run, rate: float) -> bool:
    """Whether a run reached all three goals."""
    return run.goodput(COLD_S) >= GOODPUT * rate and run.share_refused <= REFUSED


def heeds(run: Run, rate: float, wait: float) -> bool:
    """Whether nobody sent while refusals said to wait, and hardly more than those seconds were lost."""
    return run.silent(wait) and run.goodput(COLD_S) >= 0.9 * rate and run.share_refused <= REFUSED
