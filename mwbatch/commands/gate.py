"""The gate through which every create request passes: the pace, applied to all workers at once."""

import asyncio
from collections import deque
from collections.abc import Callable

from mwbatch.core.pace import Pace


class Gate:
    """Lets requests through as the pace allows: none while it is shut, none ever again once it is closed.

    First come, first served. ``ticks`` is a clock in seconds that never goes back.
    """

    def __init__(self, pace: Pace, ticks: Callable[[], float]) -> None:
        self.pace, self._ticks = pace, ticks
        self.in_flight = 0
        self.closed = False
        self._shut = False
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self) -> bool:
        """Wait for the turn of one request; False when the gate is closed and it must not leave."""
        if self.closed:
            return False
        if not self._waiting and self._start() == 0.0:
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._let_through()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.leave()  # its turn had come, and passes on
            raise

    def leave(self) -> None:
        """A request that entered has ended. The pace MUST have learned from it before: another may leave at once."""
        self.in_flight -= 1
        self._let_through()

    def shut(self) -> None:
        """Let nothing more through for now."""
        self._shut = True

    def reopen(self) -> None:
        """Let requests through again."""
        self._shut = False
        self._let_through()

    def close(self) -> None:
        """Let nothing more through, ever."""
        self.closed = True
        while self._waiting:
            self._answer(False)

    def _start(self) -> float | None:
        """Count one more request that leaves now, if it may (0.0); else say when the next may, if time alone decides."""
        if self._shut:
            return None
        now = self._ticks()
        delay = self.pace.delay(self.in_flight, now)
        if delay == 0.0:
            self.in_flight += 1
            self.pace.started(now)
        return delay

    def _let_through(self) -> None:
        """Give their turn to those who have waited longest."""
        while self._waiting:
            if self._waiting[0].done():  # cancelled
                self._waiting.popleft()
                continue
            if (delay := self._start()) != 0.0:
                if delay is not None and self._timer is None:
                    self._timer = asyncio.get_running_loop().call_later(delay, self._tick)
                return
            self._answer(True)

    def _answer(self, may_leave: bool) -> None:
        turn = self._waiting.popleft()
        if not turn.done():
            turn.set_result(may_leave)

    def _tick(self) -> None:
        self._timer = None
        self._let_through()
