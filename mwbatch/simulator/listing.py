"""The listing of tasks: its query, its pages, and its faults."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, Final

from mwbatch.simulator.faults import Fault
from mwbatch.simulator.forms import Refusal
from mwbatch.simulator.shelf import View
from mwbatch.simulator.tasks import Task, later, nested
from mwbatch.simulator.world import World

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATUSES: Final = {
    "pending": "pending",
    "completed": "completed",
    "canceled": "canceled",
    "finished": "completed",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A listing as it was asked for: what to show, and which page of it."""

    view: View
    limit: int = 100
    offset: int = 0


def read_query(parameters: Mapping[str, str]) -> Query:
    """Read a listing's query parameters.

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
    return Query(view, limit, offset)


class Listings:
    """Answers listings of one world; remembers the snapshot that a stale listing goes on to serve."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._snapshot_at = -inf

    def befalls(self) -> frozenset[Fault]:
        """Count a listing in and say what befalls it."""
        self._world.counts["listings"] += 1
        return self._world.settings.faults.pick_listing(self._world.counts["listings"])

    def answer(self, query: Query, faults: frozenset[Fault], now: float) -> Any:
        """Give one page as JSON: the reference's object, or the later dialect's bare array."""
        world, size = self._world, self._world.settings.faults.size
        world.advance(now)
        if Fault.LIST_STRANGERS in faults:
            for _ in range(size.strangers_per_listing):
                world.create_stranger(now)
        limit = min(query.limit, world.settings.max_page)
        if Fault.LIST_LIMIT_CLAMPED in faults:
            limit = min(limit, size.list_limit)
        view = self._view(query.view, faults, now)
        tasks, total = world.shelf.page(view, limit, query.offset)
        if Fault.LIST_BARE in faults or world.settings.dialect == "later":
            return [later(_shown(task, view)) for task in tasks]
        return {
            "docs": [_shown(task, view) for task in tasks],
            "total": min(total, size.list_total) if Fault.LIST_TOTAL_CAPPED in faults else total,
            "limit": limit,
            "offset": query.offset,
            "has_more": query.offset + len(tasks) < total,
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


def _shown(task: Task, view: View) -> dict[str, Any]:
    return nested(task, None if view.seen_at == inf else view.seen_at)


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
