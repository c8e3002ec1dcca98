"""Something done again and again while a block runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

_log: Final = logging.getLogger("mwbatch.callbacks")


@asynccontextmanager
async def every(seconds: float, call: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Await ``call`` every so many seconds until the block ends; a call that fails is logged, and others follow."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await call()
            except Exception as error:  # noqa: BLE001 (a watch that ended at its first failure would watch nothing)
                _log.error("a look that repeats failed: %s", type(error).__name__)

    repeating = asyncio.create_task(repeat())
    try:
        yield
    finally:
        repeating.cancel()
        with suppress(asyncio.CancelledError):
            await repeating
