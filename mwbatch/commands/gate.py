"""The gate through which every create request passes: the pace, applied to all workers at once."""

import asyncio
from collections import deque
from collections.abc import Callable

from mwbatch.core.pace import Pace


class Gate:
    """Lets requests through as the pace allows: none while it is shut, none ever again once it is closed.

    ``ticks`` is a clock in seconds that never goes back.
    """

    def __init__(self, pace: Pace, ticks: Callable[[], float]) -> None:
        self.pace, self._ticks = pace, ticks
        self.in_flight = 0
        self.closed = False
        self._shut = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self) -> bool:
        """Wait for the turn of one request; False when the gate is closed and it must not leave."""
        while not self.closed:
            now = self._ticks()
            delay = None if self._shut else self.pace.delay(self.in_flight, now)
            if delay == 0.0:
                self.in_flight += 1
                self.pace.started(now)
                return True
            await self._turn(delay)
        return False

    def leave(self) -> None:
        """A request that entered has ended."""
        self.in_flight -= 1
        self._wake(max(1, int(self.pace.limit) - self.in_flight))

    def shut(self) -> None:
        """Let nothing more through for now."""
        self._shut = True

    def reopen(self) -> None:
        """Let requests through again."""
        self._shut = False
        self.wake_all()

    def close(self) -> None:
        """Let nothing more through, ever."""
        self.closed = True
        self.wake_all()

    def wake_all(self) -> None:
        """Let every waiting worker look again: the pace or the wish to stop has changed."""
        self._wake(len(self._waiting))

    async def _turn(self, delay: float | None) -> None:
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if delay is not None and self._timer is None:
            self._timer = loop.call_later(delay, self._tick)
        await turn

    def _tick(self) -> None:
        self._timer = None
        self.wake_all()

    def _wake(self, count: int) -> None:
        while count and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                count -= 1
