"""The gate through which every create request passes: the pace, applied to all workers at once."""

import asyncio
from collections import deque
from collections.abc import Callable

from mwbatch.core.course import SENDING, STOPPED, Course, State
from mwbatch.core.pace import Pace


class Gate:
    """Lets requests through as the pace allows: none while the run probes, none once it has stopped.

    First come, first served. ``ticks`` is a clock in seconds that never goes back.
    """

    def __init__(self, pace: Pace, ticks: Callable[[], float], course: Course) -> None:
        self.pace, self._ticks, self._course = pace, ticks, course
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        course.follow(self._heed)

    async def enter(self) -> bool:
        """Wait for the turn of one request; False when the run has stopped and it must not leave."""
        if self._course.state in STOPPED:
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
        """A request that entered has ended.

        The pace MUST have learned from it before: another may leave at once.
        """
        self.in_flight -= 1
        self._let_through()

    def _heed(self, state: State) -> None:
        if state is SENDING:
            self._let_through()
        while self._waiting and state in STOPPED:
            self._answer(False)

    def _start(self) -> float | None:
        """Count one more request that leaves now, if it may (0.0); else say when, if time alone decides."""
        if self._course.state is not SENDING:
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
