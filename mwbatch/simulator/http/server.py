"""The simulated API as an aiohttp application."""

import asyncio
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from aiohttp import web

from mwbatch.simulator.http import wire
from mwbatch.simulator.http.delivery import Deliveries
from mwbatch.simulator.http.listing import Listings, read_query
from mwbatch.simulator.settings import Settings
from mwbatch.simulator.world import asked, pictures
from mwbatch.simulator.world.creation import create
from mwbatch.simulator.world.faults import Fault
from mwbatch.simulator.world.forms import Kind, Refusal, read_draft
from mwbatch.simulator.world.tasks import Document, later
from mwbatch.simulator.world.throttle import Throttle
from mwbatch.simulator.world.world import World

_BODY_LIMIT: Final = 8 * 1024 * 1024
_SHUTDOWN_S: Final = 0.1
_Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Simulator:
    """A running simulator.

    Attributes:
        world: its state.
        settings: how it was set up.
        url: where it listens, ``http://host:port``.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.world = World(settings, clock())
        self.url = ""
        self._clock = clock
        self._deliveries = Deliveries(self.world, clock)
        self._listings = Listings(self.world)
        self._throttle = Throttle(settings.rate)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, and begin to deliver callbacks.

        Raises:
            OSError: the port is taken.
        """
        self._runner = web.AppRunner(
            self._application(), access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self.settings.host, self.settings.port).start()
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        await self._deliveries.start()

    async def close(self) -> None:
        """Stop listening and delivering; the world stays readable."""
        await self._deliveries.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_BODY_LIMIT, middlewares=[self._guard])
        application.on_response_prepare.append(self._date)
        application.add_routes(
            [
                web.post("/v1/task/images/tagging", self._tagging),
                web.post("/v1/task/images/tags/annotating", self._annotating),
                web.get("/v1/task/{task_id}", self._retrieve),
                # The reference's own command ends in a stray brace: /cancel}
                web.post("/v1/task/{task_id}/cancel{brace:.?}", self._cancel),
                web.get("/v1/tasks", self._list),
                web.get("/pictures/{number:[0-9]{1,6}}.png", self._picture),
                web.get("/templates/{slug}.png", self._template),
                web.get("/_sim/ledger", self._ledger),
                web.get("/_sim/ledger.jsonl", self._ledger_lines),
                web.get("/_sim/stats", self._stats),
                web.post("/_sim/complete", self._complete),
            ]
        )
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Respond) -> web.StreamResponse:
        if not request.path.startswith("/v1/"):
            return await handler(request)
        try:
            self._authorize(request)
            if self.settings.latency:
                await asyncio.sleep(self.settings.latency)
            return await handler(request)
        except Refusal as refused:
            self.world.counts[f"refused_{refused.status}"] += 1
            return wire.refusal(refused.status, refused.message)
        except web.HTTPException as error:
            return wire.refusal(error.status, error.reason)

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        """State the time as the API does; aiohttp has put its own there before."""
        if not request.path.startswith("/v1/"):
            return
        response.headers.pop("Date", None)
        if (date := self.world.date(self._clock())) is not None:
            response.headers["Date"] = date

    def _authorize(self, request: web.Request) -> None:
        given = _user(request.headers.get("Authorization", ""))
        if not given or self.settings.api_key not in {None, given}:
            raise Refusal(401, "the API key is wrong")

    async def _tagging(self, request: web.Request) -> web.StreamResponse:
        return await self._create(request, "tagging")

    async def _annotating(self, request: web.Request) -> web.StreamResponse:
        return await self._create(request, "annotating")

    async def _create(self, request: web.Request, kind: Kind) -> web.StreamResponse:
        draft = read_draft(kind, await request.read(), request.content_type)
        size = self.settings.faults.size
        now = self._clock()
        if not self._throttle.admits(now):
            self.world.counts["throttled"] += 1
            return wire.busy(size)
        made = create(self.world, draft, now)
        shown = made.document()
        document = None if shown is None else self._said(shown)
        if made.early is not None:
            await asyncio.shield(self._deliveries.deliver(made.early))
        return await wire.respond(request, made.fault, document, size)

    async def _retrieve(self, request: web.Request) -> web.Response:
        shown = asked.retrieve(self.world, request.match_info["task_id"], self._clock())
        return wire.answer(self._said(shown))

    async def _cancel(self, request: web.Request) -> web.Response:
        shown = asked.cancel(self.world, request.match_info["task_id"], self._clock())
        return wire.answer(self._said(shown))

    async def _list(self, request: web.Request) -> web.Response:
        query = read_query(request.query, request.headers.get("Cache-Control", ""))
        faults = self._listings.befalls()
        if Fault.LIST_SLOW in faults:
            await asyncio.sleep(self.settings.faults.size.list_slow_s)
        return wire.answer(self._listings.answer(query, faults, self._clock()))

    def _said(self, document: Document) -> object:
        if self.settings.dialect == "reference":
            return document
        return later(document)

    async def _picture(self, request: web.Request) -> web.Response:
        return web.Response(body=pictures.png(int(request.match_info["number"])), content_type="image/png")

    async def _template(self, request: web.Request) -> web.Response:
        for brand in pictures.BRANDS:
            if brand.slug == request.match_info["slug"]:
                return web.Response(body=pictures.template(brand), content_type="image/png")
        raise web.HTTPNotFound

    async def _ledger(self, _: web.Request) -> web.Response:
        self.world.advance(self._clock())
        return wire.answer(dict(self.world.ledger()))

    async def _ledger_lines(self, request: web.Request) -> web.StreamResponse:
        self.world.advance(self._clock())
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for address, tasks in list(self.world.ledger()):
            await response.write(orjson.dumps({"address": address, "tasks": tasks}) + b"\n")
        return response

    async def _stats(self, _: web.Request) -> web.Response:
        self.world.advance(self._clock())
        return wire.answer(self.world.stats())

    async def _complete(self, _: web.Request) -> web.Response:
        return wire.answer({"completed": self.world.complete_all(self._clock())})


def _user(authorization: str) -> str:
    """Give the user name of HTTP Basic credentials (RFC 7617); empty when there are none to read."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(credentials.strip(), validate=True).decode("utf-8").partition(":")[0]
    except ValueError:
        return ""


async def serve(settings: Settings) -> Simulator:
    """Start a simulator in the running loop; ``close`` it afterwards.

    Raises:
        OSError: the port is taken.
    """
    simulator = Simulator(settings)
    await simulator.start()
    return simulator
