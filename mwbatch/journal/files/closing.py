"""What must come to its end once it began, however often its caller is cancelled meanwhile.

Whoever ends a loop cancels every task in it, as `asyncio.run` does, and not only the one that waits: so what
must come to its end is a task that nobody can cancel. `asyncio.timeout` MUST NOT be used in one: it ends by
itself alone.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from mwbatch.journal.files.unwanted import WISH, Unwanted, Wish

P = ParamSpec("P")
T = TypeVar("T")


class Lasting(asyncio.Task[T]):
    """A task of the running loop that, once made, only its own end ends."""

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002 (as `asyncio.Task` has it)
        """It goes on; whoever cancelled it may wait for its end."""
        return False


class Starting(asyncio.Task[T]):
    """A task that can be cancelled once it has begun: cancelled before, it would never run."""

    has_begun = False

    def cancel(self, msg: object = None) -> bool:
        """As of any task, from its first step on."""
        return self.has_begun and super().cancel(msg)


async def to_end(closing: Coroutine[Any, Any, T], unwanted: Callable[[], object] = lambda: None) -> T:
    """Run it to its end; a cancel that came meanwhile is passed on afterwards, unless it failed,
    which is worth more.

    ``unwanted`` is told of the cancel. `asyncio.shield` is not enough: it keeps what is shielded alive, and
    lets its caller go on without it.
    """
    return await _outlasting(Lasting(closing), unwanted)


async def closed_whole(closing: Coroutine[Any, Any, T]) -> T:
    """The same of what has time-outs: whoever ends the loop cuts these short, and has begun all of it."""

    async def begin() -> T:
        running.has_begun = True
        return await closing

    running = Starting(begin(), loop=asyncio.get_running_loop())
    return await _outlasting(running, lambda: None)


async def _outlasting(running: asyncio.Task[T], unwanted: Callable[[], object]) -> T:
    cancelled = False
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            cancelled = True
            unwanted()
    result = running.result()
    if cancelled:
        raise asyncio.CancelledError
    return result


async def in_thread(job: Callable[P, T], *words: P.args, **named: P.kwargs) -> T:
    """Run what blocks in a thread, as `asyncio.to_thread` does, and do not go on without it.

    Cancelled, it ends where it reads its next block of a file; what it writes it writes to its end.
    """
    wish = Wish()

    def run() -> list[T]:
        WISH.set(wish)
        try:
            return [job(*words, **named)]
        except Unwanted:
            return []

    [result] = await to_end(asyncio.to_thread(run), wish.end)
    return result


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task, and wait until it has ended; what it raises is told to nobody."""
    task.cancel()
    await to_end(_over(task))


async def _over(task: asyncio.Task[Any]) -> None:
    await asyncio.wait([task])
