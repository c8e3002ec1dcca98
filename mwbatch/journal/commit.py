"""Group commit: many appends share one write and one fdatasync.

There is no linger timer. A commit takes whatever queued while the last one ran, so a single append is as fast as the
disk and a thousand at once cost little more than one.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from mwbatch.journal.measure import Commits

MAX_BYTES: Final = 4 << 20
"""The most bytes that one commit takes, unless a single append has more."""

MAX_LINES: Final = 512
"""The most lines that one commit takes, unless a single append has more."""


@dataclass(slots=True)
class Append:
    """Lines that must become durable together, and the future that tells when they are."""

    lines: bytes
    count: int
    done: asyncio.Future[None]


class Committer:
    """One task and one dedicated thread, which alone calls ``write``: it returns once its bytes are durable.

    ``commits`` counts what they cost; ``ticks`` is a clock in seconds that never goes back.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        name: str,
        commits: Commits | None = None,
        ticks: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._write, self._ticks = write, ticks
        self._commits = commits or Commits()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"commit-{name}")
        self._queue: deque[Append] = deque()
        self._runner: asyncio.Task[None] | None = None
        self.backlog = 0
        """Bytes that were handed in and are not durable yet."""

    async def append(self, lines: bytes, count: int) -> None:
        """Return once ``lines``, ``count`` of them, are durable; raises what ``write`` raises.

        A commit that began is never abandoned: cancelling the caller does not take its lines back.
        """
        done = asyncio.get_running_loop().create_future()
        self._queue.append(Append(lines, count, done))
        self.backlog += len(lines)
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        await asyncio.shield(done)

    async def between(self, call: Callable[[], None]) -> None:
        """Run something in the thread of the commits, so that none runs meanwhile."""
        await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def close(self) -> None:
        """Return once everything that was handed in was tried, and the thread is gone."""
        while self._runner is not None:
            await asyncio.shield(self._runner)
        self._thread.shutdown()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._take():
                lines = b"".join(append.lines for append in batch)
                error = None
                began = self._ticks()
                try:
                    await loop.run_in_executor(self._thread, self._write, lines)
                except Exception as failure:  # noqa: BLE001 (whoever waits for these lines must learn it)
                    error = failure
                else:
                    self._commits.add(self._ticks() - began, len(lines))
                self.backlog -= len(lines)
                _answer(batch, error)
        finally:
            self._runner = None

    def _take(self) -> list[Append]:
        """The appends of the next commit: the oldest that fit, at least one, none when nothing waits."""
        batch: list[Append] = []
        size = count = 0
        while self._queue:
            append = self._queue[0]
            size, count = size + len(append.lines), count + append.count
            if batch and (size > MAX_BYTES or count > MAX_LINES):
                break
            batch.append(self._queue.popleft())
        return batch


def _answer(batch: list[Append], error: Exception | None) -> None:
    for append in batch:
        if append.done.cancelled():
            continue
        if error is None:
            append.done.set_result(None)
        else:
            append.done.set_exception(error)
            append.done.exception()  # a caller that was cancelled meanwhile never asks for it
