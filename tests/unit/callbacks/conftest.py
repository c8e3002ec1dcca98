"""The stage for tests over real HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mwbatch.callbacks.ops.server import serve
from mwbatch.journal.files.disk import DISK, Disk
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.unit.callbacks.stage import BATCH, Stage, make_home

Start = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start a receiver with one batch, on a disk of its own; takes what `serve` takes."""
    home = make_home(tmp_path / "home", BATCH)
    keys_of(home)
    async with AsyncExitStack() as stack:

        async def begin(disk: Disk = DISK, **options: Any) -> Stage:
            there = Home(home.path, disk=disk)
            running = await stack.enter_async_context(await serve(there, "127.0.0.1", 0, **options))
            return Stage(home, running, await stack.enter_async_context(aiohttp.ClientSession()))

        yield begin


@pytest.fixture
async def stage(start: Start) -> Stage:
    """A receiver with one batch and the limits of everyday."""
    return await start()
