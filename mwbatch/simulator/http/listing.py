"""The listing of tasks: its query, its pages, and its faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final

from mwbatch.simulator.world.answers import Branded, Labelled, response
from mwbatch.simulator.world.chance import identifier
from mwbatch.simulator.world.faults import Fault
from mwbatch.simulator.world.forms import Refusal
from mwbatch.simulator.world.shelf import View
from mwbatch.simulator.world.tasks import Document, Task, later, nested
from mwbatch.simulator.world.world import World

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATUSES: Final = {
    "pending": "pending",
    "completed": "completed",
    "canceled": "canceled",
    "finished": "completed",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A listing as it was asked for: what to show, which page of it, and whether caches may answer."""

    view: View
    limit: int = 100
    offset: int = 0
    fresh: bool = False


def read_query(parameters: Mapping[str, str], cache_control: str = "") -> Query:
    """Read a listing's query parameters, and its ``Cache-Control``.

    Raises:
        Refusal: 400, with the parameter at fault.
    """
    limit = _whole(parameters, "limit", 100)
    offset = _whole(parameters, "offset", 0)
    if not 1 <= limit <= 100:
        raise Refusal(400, "limit must be a number between 1 and 100")
    view = View(
        start=-(-_microseconds(parameters, "start_time") // 1000) if "start_time" in parameters else -inf,
        end=_microseconds(parameters, "end_time") // 1000 if "end_time" in parameters else inf,
        status=_status(parameters.get("status")),
        kind=parameters.get("type"),
    )
    return Query(view, limit, offset, fresh="no-cache" in cache_control)


class Listings:
    """Answers listings of one world; remembers what a stale listing, or a cache before it,
    goes on to serve.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._snapshot_at = -inf
        self._kept: dict[tuple[int, int], tuple[float, object]] = {}

    def befalls(self) -> frozenset[Fault]:
        """Count a listing in and say what befalls it."""
        self._world.counts["listings"] += 1
        faults = self._world.settings.faults.pick_listing(self._world.counts["listings"])
        self._world.counts.update(fault.value for fault in faults)
        return faults

    def answer(self, query: Query, faults: frozenset[Fault], now: float) -> object:
        """Give one page as JSON: the reference's object, or the later dialect's bare array."""
        if Fault.LIST_CACHED not in faults:
            return self._page(query, faults, now)
        place, size = (query.limit, query.offset), self._world.settings.faults.size
        kept_at, kept = self._kept.get(place, (-inf, None))
        if query.fresh or now >= kept_at + size.list_cached_s:
            kept = self._page(query, faults, now)
            self._kept[place] = now, kept
        return kept

    def _page(self, query: Query, faults: frozenset[Fault], now: float) -> object:
        world, size = self._world, self._world.settings.faults.size
        world.advance(now)
        if Fault.LIST_STRANGERS in faults:
            for _ in range(size.strangers_per_listing):
                world.create_stranger(now)
        limit = min(query.limit, world.settings.max_page)
        if Fault.LIST_LIMIT_CLAMPED in faults:
            limit = min(limit, size.list_limit)
        view = self._view(query.view, faults, now)
        endless = Fault.LIST_OFFSET_IGNORED in faults
        tasks, total = world.shelf.page(view, limit, 0 if endless else query.offset)
        docs = [_shown(task, view, abridged=Fault.LIST_ABRIDGED in faults) for task in tasks]
        if Fault.LIST_BARE in faults or world.settings.dialect == "later":
            return [later(doc) for doc in docs]
        return {
            "docs": docs,
            "total": min(total, size.list_total) if Fault.LIST_TOTAL_CAPPED in faults else total,
            "limit": limit,
            "offset": query.offset,
            "has_more": endless or query.offset + len(tasks) < total,
        }

    def _view(self, view: View, faults: frozenset[Fault], now: float) -> View:
        size = self._world.settings.faults.size
        if Fault.LIST_STALE in faults:
            if now >= self._snapshot_at + size.list_stale_s:
                self._snapshot_at = now
            view = replace(view, seen_at=self._snapshot_at)
        if Fault.LIST_LAG in faults:
            view = replace(view, lag=size.list_lag_s, seen_at=min(now, view.seen_at))
        return view


def _shown(task: Task, view: View, *, abridged: bool) -> Document:
    document = nested(task, None if view.seen_at == inf else view.seen_at)
    if "response" in document:
        _, otherwise, short = given(task)
        document["response"] = otherwise if task.otherwise else short if abridged else document["response"]
    return document


def given(task: Task) -> tuple[Document, Document, Document]:
    """Give the true answer of a task, the one of listings that show it otherwise,
    and that of an abridged listing.
    """
    tags = response(task.draft)["tags"]
    short = {"tags": [{"id": tag["id"]} for tag in tags[:1]]}
    return {"tags": tags}, {"tags": _otherwise(tags)}, short


def _otherwise(tags: Sequence[Branded | Labelled]) -> list[Document]:
    if not tags:
        return [{"id": identifier("otherwise"), "left": 0, "top": 0, "width": 9, "height": 9, "brand": None}]
    return [{**tags[0], "left": tags[0]["left"] + 7}, *({**tag} for tag in tags[1:])]


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    given = parameters.get(name, str(default))
    if not (given.isascii() and given.isdigit() and len(given) < 12):
        raise Refusal(400, f"{name} must be a whole number")
    return int(given)


def _microseconds(parameters: Mapping[str, str], name: str) -> int:
    try:
        moment = datetime.fromisoformat(parameters[name])
    except ValueError as error:
        raise Refusal(400, f"{name} must be an ISO 8601 date") from error
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return since // timedelta(microseconds=1)


def _status(given: str | None) -> str | None:
    if given is not None and given not in _STATUSES:
        raise Refusal(400, "status must be completed, pending, or canceled")
    return None if given is None else _STATUSES[given]
