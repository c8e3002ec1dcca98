"""One timer for all requests in flight: none may be older than the limit."""

import asyncio
from typing import Any

Job = asyncio.Task[Any]


class Watchdog:
    """Cancels each watched task whose request is older than ``limit`` seconds.

    A timer per request costs more than the request's own bookkeeping, and aiohttp's read time-out is renewed
    by every byte that trickles in. It looks five times per limit, and at least once a second.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._period = min(1.0, limit / 5)
        self._since: dict[Job, tuple[float, int]] = {}
        self._cut: dict[Job, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Job:
        """Watch the running task from now on; it has one request in flight at a time."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None, "requests are sent from tasks"
        self._since[task] = loop.time(), task.cancelling()
        if self._timer is None:
            self._timer = loop.call_later(self._period, self._look, loop)
        return task

    def end(self, task: Job) -> bool:
        """Stop watching; whether the request was cut by us and by nobody else."""
        self._since.pop(task, None)
        before = self._cut.pop(task, None)
        return before is not None and task.uncancel() <= before

    def stop(self) -> None:
        """Look no more, until something begins again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        for task in self._overdue(loop.time()):
            _, self._cut[task] = self._since.pop(task)
            task.cancel()
        self._timer = loop.call_later(self._period, self._look, loop) if self._since else None

    def _overdue(self, now: float) -> list[Job]:
        """The oldest stand first, so looking ends at the first that is young enough."""
        overdue = []
        for task, (since, _) in self._since.items():
            if now - since < self.limit:
                break
            overdue.append(task)
        return overdue
