"""One account at the simulated API, without sockets: what a request does, and what the client sees of it."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import orjson

from mwbatch.client.transport.wire import WireResponse
from mwbatch.errors import Unsure
from mwbatch.simulator import (
    Fault,
    Listings,
    Refusal,
    World,
    cancel,
    create,
    read_draft,
    read_query,
    retrieve,
)
from mwbatch.simulator.http.wire import RUBBISH
from mwbatch.simulator.world.forms import Kind
from mwbatch.simulator.world.tasks import later
from mwbatch.simulator.world.world import Callback

FORM: Final = "application/x-www-form-urlencoded"
_KINDS: Final[dict[str, Kind]] = {
    "/v1/task/images/tagging": "tagging",
    "/v1/task/images/tags/annotating": "annotating",
}
_STATUSES: Final = {
    Fault.CREATED_500: 500,
    Fault.CREATED_503: 503,
    Fault.CREATED_LATE: 504,
    Fault.NOT_CREATED_500: 500,
    Fault.NOT_CREATED_503: 503,
    Fault.CREATED_307: 307,
}


@dataclass(frozen=True)
class Request:
    """What a client sent; ``fresh``: no cache may answer."""

    method: str
    path: str
    params: dict[str, str]
    body: bytes | None
    fresh: bool = False

    @property
    def creates(self) -> bool:
        """Whether this asks for a task."""
        return self.path in _KINDS


@dataclass(frozen=True)
class Reaction:
    """What comes back: an answer or trouble, after ``delay`` s, and a callback that arrives before it."""

    seen: WireResponse | Unsure
    delay: float = 0.0
    early: Callback | None = None


class Account:
    """One world and its listing, asked at times given in epoch seconds."""

    def __init__(self, world: World) -> None:
        self.world, self.listings = world, Listings(world)
        self._stray: WireResponse | None = None

    def react(self, request: Request, now: float) -> Reaction:
        """Let a request happen."""
        try:
            if request.creates:
                return self._create(request, now)
            if request.path == "/v1/tasks":
                return self._list(request, now)
            task_id, _, verb = request.path.removeprefix("/v1/task/").partition("/")
            shown = (cancel if verb else retrieve)(self.world, task_id, now)
            return Reaction(self._answer(shown, now))
        except Refusal as refused:
            return Reaction(self._error(refused.status, now))

    def shows_until(self, now: float) -> float:
        """Before which moment a task was made that a listing shows now: where that stands still,
        it is a while ago.
        """
        world, taken_at = self.world, self.listings._snapshot_at
        befalling = world.settings.faults.pick_listing(world.counts["listings"] + 1)
        is_still = Fault.LIST_STALE in befalling and now < taken_at + world.settings.faults.size.list_stale_s
        return taken_at if is_still else now

    def _create(self, request: Request, now: float) -> Reaction:
        made = create(self.world, read_draft(_KINDS[request.path], request.body or b"", FORM), now)
        shown = made.document()
        whole = self._error(500, now) if shown is None else self._answer(shown, now)
        seen, delay = self._befallen(made.fault, whole, now)
        if self._stray is not None and isinstance(seen, WireResponse):
            seen = self._stray
        self._stray = whole if made.fault is Fault.STRAY_ANSWER else None
        return Reaction(seen, delay, made.early)

    def _befallen(
        self, fault: Fault | None, whole: WireResponse, now: float
    ) -> tuple[WireResponse | Unsure, float]:
        """What the client sees of an answer that a fault befell."""
        size = self.world.settings.faults.size
        match fault:
            case None | Fault.PROXIED_TWICE | Fault.ONE_TASK_ID | Fault.STRAY_ANSWER | Fault.CREATED_TIMEOUT:
                return whole, size.silent_s if fault is Fault.CREATED_TIMEOUT else 0.0
            case Fault.BUSY:
                wait = {} if size.retry_after_s is None else {"Retry-After": f"{size.retry_after_s:g}"}
                return self._error(429, now, wait), 0.0
            case Fault.ANSWER_RUBBISH:
                return WireResponse(200, whole.headers, RUBBISH), 0.0
            case Fault.ANSWER_CUT if now % 2 < 1:
                return WireResponse(200, whole.headers, whole.body[: len(whole.body) // 2]), 0.0
            case Fault.CREATED_CUT | Fault.ANSWER_CUT | Fault.ANSWER_BAD_HEADERS:
                return Unsure(f"the answer broke off: {fault}"), 0.0
            case _:
                return self._error(_STATUSES[fault], now), 0.0

    def _list(self, request: Request, now: float) -> Reaction:
        faults = self.listings.befalls()
        delay = self.world.settings.faults.size.list_slow_s if Fault.LIST_SLOW in faults else 0.0
        query = read_query(request.params, "no-cache" if request.fresh else "")
        page = self.listings.answer(query, faults, now)
        return Reaction(WireResponse(200, self._headers(now), orjson.dumps(page)), delay)

    def _answer(self, document: Any, now: float) -> WireResponse:
        said = document if self.world.settings.dialect == "reference" else later(document)
        return WireResponse(200, self._headers(now), orjson.dumps(said))

    def _error(self, status: int, now: float, headers: dict[str, str] | None = None) -> WireResponse:
        """An error as the sibling API writes it."""
        body = orjson.dumps({"status_code": status, "error": "trouble"})
        return WireResponse(status, {**self._headers(now), **(headers or {})}, body)

    def _headers(self, now: float) -> dict[str, str]:
        date = self.world.date(now)
        return {"Content-Type": "application/json"} | ({} if date is None else {"Date": date})


async def after(delay: float, event: asyncio.Event) -> None:
    """Wait for a time, or for an event before."""
    try:
        async with asyncio.timeout(max(0.0, delay)):
            await event.wait()
    except TimeoutError:
        return
