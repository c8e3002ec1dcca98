"""The probe over real HTTP: only a receiver of ours answers it,
whatever else may stand at a callback base.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mwbatch.client.receiver_probe import probe
from mwbatch.core.api.address import Key
from mwbatch.core.api.receiver_probe import answer
from mwbatch.core.codec.ids import Kid

KEY = Key(Kid("k1"), b"0123456789abcdef")
Handler = Callable[[web.Request], Awaitable[web.Response]]
Start = Callable[[Handler], Awaitable[str]]


async def receiver(request: web.Request) -> web.Response:
    return web.Response(body=answer(await request.read()))


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def gone(_: web.Request) -> web.Response:
    return web.Response(status=404, text="Not Found")


async def elsewhere(request: web.Request) -> web.Response:
    raise web.HTTPTemporaryRedirect(request.path + "/on")


@pytest.fixture
async def base() -> AsyncIterator[Start]:
    """Start a server with one handler; its callback base."""
    servers: list[TestServer] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_post("/{path:.*}", handler)
        servers.append(TestServer(app))
        await servers[-1].start_server()
        return str(servers[-1].make_url("/hooks"))

    yield start
    for server in servers:
        await server.close()


@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        (receiver, ""),
        (echo, "something else answers there, with status 200"),
        (gone, "something else answers there, with status 404"),
        (elsewhere, "something else answers there, with status 307"),
    ],
)
async def test_who_answers(base: Start, handler: Handler, problem: str) -> None:
    """A receiver is believed; an echo, a page and a redirect are not."""
    assert await probe(await base(handler), KEY) == problem


async def test_nobody() -> None:
    """A base where nobody listens is said to be one."""
    assert await probe("http://127.0.0.1:9", KEY) == "nobody listens there"
