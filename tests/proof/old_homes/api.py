"""The API as it stood when a home was kept: it lists what it listed then, and makes new tasks."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from mwbatch.client.transport.wire import WireResponse

LATER: Final = 1_700_500_000.0
"""The time at which a kept home is opened again, seconds since the epoch."""


def clock() -> float:
    """The wall clock in virtual time."""
    return LATER + asyncio.get_running_loop().time()


class KeptApi:
    """A `Wire` to an account whose tasks stand in a file; ``created`` holds the image of each new task."""

    def __init__(self, listing: Path) -> None:
        self._tasks: dict[str, dict[str, Any]] = {}
        for line in listing.read_bytes().splitlines():
            task = orjson.loads(line)
            self._tasks[task["task_id"]] = task
        self.created: list[str] = []

    async def send(
        self,
        method: str,  # noqa: ARG002 (the wire's signature)
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        fresh: bool = False,  # noqa: ARG002
    ) -> WireResponse:
        """Answer one request at once."""
        await asyncio.sleep(0.01)
        if body is not None:
            return _answer(self._create(path, dict(parse_qsl(body.decode()))))
        if path == "/v1/tasks":
            return _answer(self._page(dict(params)))
        return _answer(self._tasks[path.split("/")[3]])

    async def close(self) -> None:
        """Nothing to close."""

    def _create(self, path: str, fields: dict[str, str]) -> dict[str, Any]:
        kind = "annotating" if path.endswith("annotating") else "tagging"
        task: dict[str, Any] = {
            "task_id": f"new{len(self._tasks)}",
            "created_at": _iso(clock()),
            "callback_url": fields["callback_url"],
            "type": kind,
            "status": "pending",
            "params": {"image_url": fields["image_url"]},
        }
        self._tasks[task["task_id"]] = task
        self.created.append(fields["image_url"])
        return task

    def _page(self, asked: dict[str, str]) -> dict[str, Any]:
        first, last = asked.get("start_time", ""), asked.get("end_time", "9")
        there = [task for task in self._tasks.values() if first <= task["created_at"] <= last]
        there.sort(key=lambda task: (str(task["created_at"]), str(task["task_id"])), reverse=True)
        offset, limit = int(asked["offset"]), int(asked["limit"])
        shown: list[dict[str, Any]] = there[offset : offset + limit]
        return {"docs": shown, "total": len(there), "has_more": offset + len(shown) < len(there)}


def _answer(document: Any) -> WireResponse:
    date = format_datetime(datetime.fromtimestamp(clock(), UTC), usegmt=True)
    return WireResponse(200, {"Date": date}, orjson.dumps(document))


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
