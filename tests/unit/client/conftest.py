"""Raw servers on loopback, and a wire in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress

import orjson
import pytest
from multidict import CIMultiDict

from mwbatch.client.transport.wire import WireResponse
from mwbatch.errors import ApiError

Script = Callable[["Talk"], Awaitable[None]]
Start = Callable[[Script], Awaitable["Server"]]
KEY = "live_0123456789"
ADDRESS = "https://example.com/callbacks/v1/k1/b7/12-1/0123456789abcdef0123456789abcdef"


def http(body: object = None, status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer with a JSON body."""
    text = orjson.dumps(body)
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(text)}", *headers, "", ""]
    return "\r\n".join(head).encode() + text


class Talk:
    """One connection, as the server sees it."""

    def __init__(self, server: "Server", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer

    async def hear(self) -> bytes:
        """Read one request and note it."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = [
            line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ]
        body = await self.reader.readexactly(int(length[0])) if length else b""
        self.server.requests.append(head + body)
        return head + body

    async def say(self, *pieces: bytes, pause: float = 0.02) -> None:
        """Send pieces, each in a packet of its own."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(pause)


class Server:
    """A server that plays one script on every connection, and counts."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self.script(Talk(self, reader, writer))
        finally:
            writer.close()


async def started(script: Script) -> tuple[Server, asyncio.Server]:
    """Start a raw server on a free port of loopback."""
    server = Server(script)
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    return server, listening


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start raw servers that end with the test."""
    async with AsyncExitStack() as stack:

        async def begin(script: Script) -> Server:
            server, listening = await started(script)
            stack.callback(listening.close)
            return server

        yield begin


def always(*pieces: bytes) -> Script:
    """Answer every request of a connection with these pieces."""

    async def script(talk: Talk) -> None:
        while True:
            await talk.hear()
            await talk.say(*pieces, pause=0)

    return script


class FakeWire:
    """A wire in memory: it plays answers and errors in turn, the last one for ever,
    and notes what was sent.
    """

    def __init__(self, *plays: WireResponse | ApiError) -> None:
        self.plays = list(plays)
        self.sent: list[tuple[str, str]] = []
        self.params: list[dict[str, str]] = []
        self.bodies: list[bytes | None] = []
        self.fresh: list[bool] = []
        self.closed = False

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        fresh: bool = False,
    ) -> WireResponse:
        """Note what is sent, and play."""
        self.sent.append((method, path))
        self.params.append(dict(params))
        self.bodies.append(body)
        self.fresh.append(fresh)
        play = self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]
        if isinstance(play, ApiError):
            raise play
        return play

    async def close(self) -> None:
        """Note it."""
        self.closed = True


def answer(body: object = None, status: int = 200, **headers: str) -> WireResponse:
    """A JSON answer; ``Retry_After="3"`` is a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireResponse(status, CIMultiDict(named), orjson.dumps(body))
