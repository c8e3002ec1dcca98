"""Of one address one body is read at a time: whoever learns an address gets one body's share of the room,
not all of it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from mwbatch.callbacks.common.refusal import Reason, Rejected

MOST: Final = 16
"""Bodies that wait for their turn at one address: beyond them they come again later.

The API sends one, or a few copies.
"""


class AddressTurns:
    """The addresses at which a body is being read that did not come in one piece with its head."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting = Counter[str]()

    @asynccontextmanager
    async def of(self, address: str, seconds: float) -> AsyncIterator[None]:
        """Wait for the turn of one more body, at most for ``seconds``, and keep it while the block runs.

        Raises:
            Rejected: it did not come, or too many wait already.
        """
        if self._waiting[address] > MOST:
            raise Rejected(Reason.OVERLOADED)
        lock = self._locks.setdefault(address, asyncio.Lock())
        self._waiting[address] += 1
        try:
            async with _within(lock, seconds):
                yield
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address], self._locks[address]


@asynccontextmanager
async def _within(lock: asyncio.Lock, seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            await lock.acquire()
    except TimeoutError:
        raise Rejected(Reason.OVERLOADED) from None
    try:
        yield
    finally:
        lock.release()
