"""A null API: it answers at once, creates what it is asked for,
and lists the tasks of a generated batch besides.

``python -m tests.bench.growing.null_api ROWS PORT`` runs until it is terminated; its first line says
that it listens. No HTTP library, no storage: the documents of a page are made when the page is asked for.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson

from mwbatch.core.codec.times import iso, moment
from tests.bench.growing.tasks import APART, BEGAN, Made

EVER: Final = timedelta(days=100_000)


class Shelf:
    """The tasks: those of the generated rows, and whatever was created since."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._new: list[dict[str, Any]] = []

    def create(self, form: dict[str, list[str]]) -> dict[str, Any]:
        """Create one task."""
        fields = {name: values[0] for name, values in form.items()}
        shown = {
            "task_id": f"new{len(self._new):014d}",
            "created_at": iso(datetime.now(UTC)),
            "callback_url": fields.pop("callback_url"),
            "type": "tagging",
            "status": "pending",
            "params": fields,
        }
        self._new.append(shown)
        return shown

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """One page of the listing, newest first."""
        first, last = _time(query, "start_time", BEGAN - EVER), _time(query, "end_time", BEGAN + EVER)
        limit, offset = int(query.get("limit", ["100"])[0]), int(query.get("offset", ["0"])[0])
        new = [task for task in reversed(self._new) if iso(first) <= task["created_at"] <= iso(last)]
        low = max(0, -(-(first - BEGAN) // APART))
        high = min(self._rows, (last - BEGAN) // APART + 1)
        total = len(new) + max(0, high - low)
        docs = new[offset : offset + limit]
        begin = high - max(0, offset - len(new))
        docs += [
            Made(row).document() for row in range(begin - 1, max(low, begin - limit + len(docs)) - 1, -1)
        ]
        more = offset + len(docs) < total
        return {"docs": docs, "total": total, "limit": limit, "offset": offset, "has_more": more}


def _time(query: dict[str, list[str]], name: str, otherwise: datetime) -> datetime:
    return moment(query[name][0]) or otherwise if name in query else otherwise


class Protocol(asyncio.Protocol):
    """As much of HTTP/1.1 as the client needs: requests one after another, bodies by Content-Length."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self._held = shelf, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].decode("latin-1")
            size = int(_header(head, "content-length") or 0)
            if len(self._held) < end + 4 + size:
                return
            body, self._held = self._held[end + 4 : end + 4 + size], self._held[end + 4 + size :]
            self._answer(head, body)

    def _answer(self, head: str, body: bytes) -> None:
        method, target, _ = head.split(" ", 2)
        if method == "POST":
            said = self._shelf.create(parse_qs(body.decode()))
        else:
            said = self._shelf.page(parse_qs(urlsplit(target).query))
        text = orjson.dumps(said)
        date = formatdate(usegmt=True)
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (date.encode(), len(text), text)
        )


def _header(head: str, name: str) -> str:
    for text in head.split("\r\n")[1:]:
        key, _, value = text.partition(":")
        if key.lower() == name:
            return value.strip()
    return ""


async def main(rows: int, port: int) -> None:
    """Serve for ever."""
    shelf = Shelf(rows)
    server = await asyncio.get_running_loop().create_server(lambda: Protocol(shelf), "127.0.0.1", port)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
