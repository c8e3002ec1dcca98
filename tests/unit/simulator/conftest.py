"""A running simulator, somebody to call it, and somebody for it to call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mwbatch.simulator import Fault, Faults, Line, Settings, Simulator, Size, serve

FAST = Settings(port=0, complete_after=(0.0, 0.01))
SLOW = replace(FAST, complete_after=(3600.0, 3600.0))
IMAGE = "https://ibb.co/fmMFRQ"
KEY = {"Authorization": aiohttp.encode_basic_auth("sim_key")}

Start = Callable[[Settings], Awaitable[Simulator]]


def always(settings: Settings, *faults: Fault, size: Size | None = None) -> Settings:
    """Let ``faults`` befall every request."""
    script = tuple(Line(fault, 1, 10**9) for fault in faults)
    return replace(settings, faults=Faults(script=script, size=size or Size()))


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    running: list[Simulator] = []

    async def started(settings: Settings) -> Simulator:
        running.append(await serve(settings))
        return running[-1]

    yield started
    for simulator in running:
        await simulator.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers=KEY, timeout=aiohttp.ClientTimeout(total=5)) as opened:
        yield opened


class Receiver:
    """Keeps what is posted to it, and answers what it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self._came, self.going = asyncio.Event(), asyncio.Event()
        self.going.set()

    async def take(self, request: web.Request) -> web.Response:
        """Take one callback."""
        self.paths.append(request.path)
        self.bodies.append(await request.json())
        self._came.set()
        await self.going.wait()
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"Location": "/moved"} if status == 307 else {})

    async def until(self, callbacks: int) -> None:
        """Wait for so many callbacks."""
        async with asyncio.timeout(5):
            while len(self.bodies) < callbacks:
                self._came.clear()
                await self._came.wait()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    kept = Receiver()
    application = web.Application()
    application.router.add_post("/{rest:.*}", kept.take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kept.url = f"http://127.0.0.1:{runner.addresses[0][1]}/cb/1"
    yield kept
    await runner.cleanup()


async def tag(session: aiohttp.ClientSession, simulator: Simulator, callback_url: str) -> dict[str, Any]:
    """Create a tagging task as the reference's command does."""
    form = {"callback_url": callback_url, "image_url": IMAGE, "objects_to_tag": "brands"}
    async with session.post(f"{simulator.url}/v1/task/images/tagging", data=form) as answer:
        document: dict[str, Any] = await answer.json()
        return document


async def get(session: aiohttp.ClientSession, simulator: Simulator, path: str) -> Any:
    """Read JSON from the simulator."""
    async with session.get(simulator.url + path) as answer:
        return await answer.json()
