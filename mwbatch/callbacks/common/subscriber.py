"""Who wants to hear of what is stored: a function of the user's, or a coroutine function.

A fact is told after it is durable, whoever still waits for the answer, and in the order in which facts became
durable. No answer waits for what a coroutine does with it, and nothing that is raised gets any further than
the log.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Final

from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.core.facts.kinds import Seen

OnStored = Callable[[str, Seen], Awaitable[object] | None]
"""Called with batch id and fact once the fact is durable, for new facts only; rows are numbered within their
batch. What it returns is awaited, if that can be.
"""

BEHIND: Final = (
    "on_stored is behind by more than it may be: what comes meanwhile is stored and not told; catch up with "
    "the results once it goes on"
)

_log: Final = logging.getLogger("mwbatch.callbacks")


class Subscriber:
    """Tells one function; calls that have to be awaited are awaited one after the other.

    ``most`` bounds the bodies, in bytes, of facts that wait to be told; at the end they may take ``seconds``.
    """

    def __init__(self, on_stored: OnStored | None, most: int, seconds: float, troubles: Troubles) -> None:
        self._on_stored, self._most, self._seconds, self._troubles = on_stored, most, seconds, troubles
        self._waiting = deque[tuple[str, Seen]]()
        self._size = 0
        self._telling: asyncio.Task[None] | None = None

    def tell(self, batch: str, seen: Seen) -> None:
        """Tell of a fact, or let it wait for its turn; MUST NOT raise: the disk would wait for ever."""
        if self._on_stored is None:
            return
        if self._telling is None:
            if told := self._call(batch, seen):
                self._telling = asyncio.create_task(self._go_on(told))
        elif self._size + len(seen.body or b"") > self._most:
            self._troubles.begin("on_stored", BEHIND)
        else:
            self._waiting.append((batch, seen))
            self._size += len(seen.body or b"")

    def _call(self, batch: str, seen: Seen) -> Awaitable[object] | None:
        assert self._on_stored is not None
        try:
            told = self._on_stored(batch, seen)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (a 503 for what is stored would be a lie)
            _failed(error)
            return None
        return told if isawaitable(told) else None

    async def _go_on(self, told: Awaitable[object] | None) -> None:
        """Await what was begun, then tell what has come meanwhile."""
        while True:
            try:
                if told is not None:
                    await told
            except (Exception, asyncio.CancelledError) as error:
                if (own := asyncio.current_task()) and own.cancelling():
                    raise
                _failed(error)
            if not self._waiting:
                break
            batch, seen = self._waiting.popleft()
            self._size -= len(seen.body or b"")
            told = self._call(batch, seen)
        self._telling = None
        self._troubles.end("on_stored", "on_stored has caught up")

    async def close(self) -> None:
        """Let it hear what waits, for as long as it may."""
        if self._telling is None:
            return
        telling = self._telling
        await asyncio.wait([telling], timeout=self._seconds)
        if self._telling is not None:
            left = len(self._waiting) + 1
            _log.error("on_stored did not end in time: %d facts that are stored were not told", left)
            telling.cancel()
            await asyncio.wait([telling])


def _failed(error: BaseException) -> None:
    _log.error("on_stored failed: %s at %s", type(error).__name__, where(error))


def where(error: BaseException) -> str:
    """The file and line that raised, for a log that must not show what was being read."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
