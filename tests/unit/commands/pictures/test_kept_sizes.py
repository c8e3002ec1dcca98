"""What was measured is kept along the way: who dies in the midst of it does not begin anew."""

import asyncio
from collections.abc import Generator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mwbatch.commands.context.context import Context
from mwbatch.commands.pictures import measuring
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.image_size import Measured
from mwbatch.journal.memory.batch import MemorySizes
from tests.support.facts import plan
from tests.unit.callbacks.stage import until
from tests.unit.client.test_images import picture


async def test_sizes_are_kept_before_the_last_one_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one picture is still waited for, those that were measured before stand in the store."""
    monkeypatch.setattr(measuring, "_FLUSH", 2)
    going, kept = asyncio.Event(), dict[int, Measured]()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/3":
            await going.wait()
        return web.Response(body=picture("PNG"))

    server = TestServer(web.Application())
    server.app.router.add_get("/{name}", answer)
    await server.start_server()

    def rows() -> Generator[Planned, None, None]:
        for row in range(4):
            yield plan(row)._replace(request={"image_url": str(server.make_url(f"/{row}"))})

    running = asyncio.create_task(measuring.measure(rows(), 4, MemorySizes(kept), Context()))
    await until(lambda: len(kept) >= 2)
    assert not running.done()
    going.set()
    assert await running == 0
    assert sorted(kept) == [0, 1, 2, 3]
    await server.close()
