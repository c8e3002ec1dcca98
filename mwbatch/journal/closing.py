"""What must come to its end once it began, however often its caller is cancelled meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_end(closing: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; a cancel that came meanwhile is passed on afterwards, unless it failed, which is worth more.

    `asyncio.shield` is not enough: it keeps what is shielded alive, and lets its caller go on without it.
    """
    running, cancelled = asyncio.ensure_future(closing), False
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            cancelled = True
    result = running.result()
    if cancelled:
        raise asyncio.CancelledError
    return result


async def in_thread(call: Callable[[], T]) -> T:
    """What ``call`` gives, which blocks, out of a thread; cancelled, this waits for it: nothing goes on unseen."""
    return await to_end(asyncio.to_thread(call))
