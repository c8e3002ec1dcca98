"""The null server: an API that answers at once and knows nothing, so that what is measured is who calls it.

A create is answered with a task that names the address it came with; the listing shows the last task created.
It keeps the clock of the creating phase, from the first create that arrives to the last:
``/_null/begin?rows=`` sets it back, ``/_null/watch?pid=`` names the process whose processor time is looked at
with it, ``/_null/phase`` tells.
"""

import asyncio
import re
import sys
import time
from email.utils import formatdate
from typing import Final
from urllib.parse import parse_qs, unquote_to_bytes

import uvloop

from mwbatch.core.codec.json_codec import Json, encode
from tests.bench.stand.children import cpu

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CALLBACK: Final = re.compile(rb'callback_url(?:=|": ?")([^&"]*)')
_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %b\r\nContent-Length: %d\r\n\r\n%b"
)
_TASK: Final = (
    b'{"task_id":"t%015d","created_at":"%b","callback_url":"%b","type":"tagging","status":"pending",'
    b'"image_url":"https://images.example.com/shelf.jpg","objects_to_tag":"brands"}'
)
_PAGE: Final = b'{"docs":[%b],"total":%d,"limit":100,"offset":0,"has_more":false}'


class Phase:
    """The creating phase: how many creates came, when the first and the last,
    and what the caller had used by then.
    """

    def __init__(self, rows: int = 0) -> None:
        self.rows, self.count, self.pid = rows, 0, 0
        self.first = self.last = 0.0
        self.cpus: list[float | None] = []
        self.own: list[float] = []

    def note(self) -> None:
        """A create has arrived."""
        self.count += 1
        self.last = time.perf_counter()
        if self.count == 1:
            self.first = self.last
        if self.count in (1, self.rows):
            self.cpus.append(cpu(self.pid) if self.pid else None)
            self.own.append(time.process_time())

    def json(self) -> Json:
        """What is told of it."""
        spent = [used for used in self.cpus if used is not None]
        return {
            "requests": self.count,
            "seconds": self.last - self.first,
            "cpu": spent[1] - spent[0] if len(spent) == 2 else None,
            "own": self.own[-1] - self.own[0] if self.own else 0.0,
        }


class World:
    """What all connections share."""

    def __init__(self) -> None:
        self.phase, self.made, self.task = Phase(), 0, b""
        self._date = self._created = b""
        self._at = 0

    def answer(self, head: bytes, body: bytes) -> bytes:
        """Answer one request."""
        now = int(time.time() * 1000)
        if now != self._at:
            self._tell_time(now)
        if head.startswith(b"POST /v1/"):
            return _HEAD % (self._date, len(task := self._create(body)), task)
        said = self._told(head.split(b" ", 2)[1].decode())
        return _HEAD % (self._date, len(said), said)

    def _tell_time(self, now: int) -> None:
        if now // 1000 != self._at // 1000:
            self._date = formatdate(now // 1000, usegmt=True).encode()
        self._at = now
        self._created = b"%b.%03dZ" % (
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 1000)).encode(),
            now % 1000,
        )

    def _create(self, body: bytes) -> bytes:
        self.phase.note()
        self.made += 1
        found = _CALLBACK.search(body)
        address = unquote_to_bytes(found[1]) if found else b""
        self.task = _TASK % (self.made, self._created, address)
        return self.task

    def _told(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        asked = parse_qs(query)
        if path == "/_null/begin":
            self.phase = Phase(int(asked["rows"][0]))
        elif path == "/_null/watch":
            self.phase.pid = int(asked["pid"][0])
        elif path == "/v1/tasks":
            return _PAGE % (self.task, bool(self.task))
        return encode(self.phase.json())


class Null(asyncio.Protocol):
    """One connection."""

    def __init__(self, world: World) -> None:
        self._world, self._rest = world, b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports derive from none of asyncio's
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole by now."""
        data = self._rest + data
        while (end := data.find(b"\r\n\r\n") + 4) > 3:
            length = _LENGTH.search(data, 0, end)
            whole = end + (int(length[1]) if length else 0)
            if len(data) < whole:
                break
            self._transport.write(self._world.answer(data[:end], data[end:whole]))
            data = data[whole:]
        self._rest = data


async def main(port: int) -> None:
    """Listen until somebody ends this process."""
    world, loop = World(), asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Null(world), "127.0.0.1", port, backlog=1024)
    await listening.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
