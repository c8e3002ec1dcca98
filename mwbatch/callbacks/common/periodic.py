"""Something done again and again while a block runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.journal.files.closing import ended


@asynccontextmanager
async def every(seconds: float, call: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Await ``call`` every so many seconds until the block ends; a call that fails is logged once,
    and others follow.
    """
    troubles = Troubles()

    async def repeat() -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await call()
                troubles.end("look", "a look that repeats goes well again")
            # a watch that ended at its first failure would watch nothing
            except Exception as error:  # noqa: BLE001
                name = type(error).__name__
                troubles.begin("look", f"a look that repeats failed: {name}", name)

    repeating = asyncio.create_task(repeat())
    try:
        yield
    finally:
        await ended(repeating)
