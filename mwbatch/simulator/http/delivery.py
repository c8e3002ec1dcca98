"""Delivers the callbacks of a world over HTTP, as they fall due."""

import asyncio
from collections.abc import Callable
from typing import Final

import aiohttp
import orjson

from mwbatch.simulator.world.tasks import later
from mwbatch.simulator.world.world import Callback, World

CONNECTIONS: Final = 64
"""How many callbacks may be under way at a time."""

_TICK_S: Final = 0.01
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)


class Deliveries:
    """Posts what a world has due; ``start`` and ``close`` it inside a running loop."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self._world = world
        self._clock = clock
        self._waiting: asyncio.Queue[Callback] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connections and begin to deliver."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=_TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Microwork (simulated)", "Content-Type": "application/json"},
        )
        self._tasks = [asyncio.create_task(self._post_what_waits()) for _ in range(CONNECTIONS)]
        self._tasks.append(asyncio.create_task(self._watch()))

    async def close(self) -> None:
        """Stop; what is under way is dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def deliver(self, callback: Callback) -> None:
        """Post one callback now and tell the world the outcome."""
        acknowledged = await self._post(callback)
        self._world.settle(callback, acknowledged=acknowledged, now=self._clock())

    async def _watch(self) -> None:
        while True:
            for callback in self._world.due(self._clock()):
                self._waiting.put_nowait(callback)
            await asyncio.sleep(_TICK_S)

    async def _post_what_waits(self) -> None:
        while True:
            await self.deliver(await self._waiting.get())

    async def _post(self, callback: Callback) -> bool:
        assert self._session is not None
        body = callback.body()
        raw = orjson.dumps(later(body) if self._world.settings.dialect == "later" else body)
        try:
            async with self._session.post(callback.url, data=raw, allow_redirects=False) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, OSError, ValueError):
            return False
