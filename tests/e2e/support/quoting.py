"""An API that quotes what it was sent: in front of the simulator,
with a refusal for many a request and words in it.
"""

import asyncio
import json
from collections.abc import Callable
from html import escape
from typing import Final
from urllib.parse import parse_qs, quote

import aiohttp
from aiohttp import web

from mwbatch.simulator import Settings, serve
from tests.e2e.support.stage import ADDRESS, KEY, Api

_HELD: Final = {"Content-Length", "Transfer-Encoding", "Content-Encoding", "Connection", "Date", "Server"}


def _json(said: str) -> str:
    return json.dumps({"status_code": 400, "error": said})


def _php(said: str) -> str:
    return json.dumps({"message": said}).replace("/", "\\/")


def _html(said: str) -> str:
    return f"<html><body><p>{escape(said).replace('/', '&#x2F;')}</p></body></html>"


STYLES: Final[tuple[tuple[int, Callable[[str], str]] | None, ...]] = (
    None,
    (400, _json),
    (422, _php),
    (400, _html),
    (413, lambda said: quote(said, safe="")),
    (400, lambda said: quote(quote(said, safe=""))),
    (415, lambda said: said.replace("/", "\\")),
    (400, lambda said: _json(said.upper())),
    (500, _json),
    (200, lambda said: f"OK {said}"),
    (400, lambda said: _json(said.rpartition("/")[2])),
    None,
)
"""By row: passed on, or status and words. The 500 and the 200 come after the task was made."""

UNKNOWN: Final = (200, 500)


class Quoting(Api):
    """The simulator behind such a proxy; reads are refused where they ask for ``quote``."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._address = ""

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        simulator = await serve(self._settings)
        application = web.Application()
        application.router.add_route("*", r"/{path:[\s\S]*}", self._answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession(simulator.url) as self._session:
            self._ready.set()
            await self._over.wait()
            await runner.cleanup()
        await simulator.close()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._address = parse_qs(body.decode()).get("callback_url", [self._address])[0]
        style = self._style(request, body)
        if style is None or style[0] in UNKNOWN:
            passed = await self._pass_on(request, body)
            if style is None or passed.status >= 300:
                return passed
        status, put = style
        said = f"no: {request.headers.get('Authorization')}, {KEY}, and cannot call {self._address}"
        return web.Response(status=status, text=put(said), headers={"X-Said": quote(said)})

    def _style(self, request: web.Request, body: bytes) -> tuple[int, Callable[[str], str]] | None:
        if "quote" in request.path_qs:
            return 403, _php
        row = ADDRESS.search(self._address)
        return STYLES[int(row[2]) % len(STYLES)] if body and row else None

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: text for name, text in request.headers.items() if name not in {"Host", *_HELD}}
        async with self._session.request(
            request.method, request.path_qs, data=body, headers=headers
        ) as answer:
            kept = {name: text for name, text in answer.headers.items() if name not in _HELD}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)
