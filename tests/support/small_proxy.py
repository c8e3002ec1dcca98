"""A small forward proxy on loopback: it knows names that nobody else resolves, makes tunnels,
and hands on plain requests.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class SmallProxy:
    """``places`` are the ports of names, on loopback. ``says`` is what it answers by itself instead,
    a status line.

    ``after``: first it hands the request on, and then it gives that answer in place of the one that came.
    ``heads`` are the first lines that came, ``told`` their headers, ``wanted`` is what `Proxy-Authorization`
    must say. ``most``: a tunnel breaks off where the client has sent so many bytes through it. ``fates`` are
    for the tunnels after the first, each what is answered in its place, or nothing for one that is made and
    broken off; once they are used up all goes well.
    """

    def __init__(
        self,
        places: Mapping[str, int],
        says: str = "",
        *,
        after: bool = False,
        wanted: str = "",
        most: int | None = None,
    ) -> None:
        self.places, self.says, self.after, self.wanted, self.most = places, says, after, wanted, most
        self.heads: list[str] = []
        self.told: list[dict[str, str]] = []
        self.port = 0
        self.tunnels: list[Writer] = []
        self.fates: list[str] = []

    def drop(self) -> None:
        """Break off every tunnel, without a word."""
        for tunnel in self.tunnels:
            tunnel.transport.abort()

    async def serve(self, reader: Reader, writer: Writer) -> None:
        """Serve one connection."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: Reader, writer: Writer) -> None:
        """One request; the connection ends with it, as some proxies do."""
        first, headers, body = await _message(reader)
        self.heads.append(first)
        self.told.append(headers.copy())
        if headers.pop("proxy-authorization", "") != self.wanted:
            await _answer(writer, "407 Proxy Authentication Required")
        elif self.says and not self.after:
            await _answer(writer, self.says)
        elif self.tunnels and self.fates:
            await _answer(writer, self.fates.pop() or "200 Connection established")
        else:
            method, target, _ = first.split(" ")
            place = target if method == "CONNECT" else target.split("/")[2]
            there = await asyncio.open_connection("127.0.0.1", self.places[place.partition(":")[0]])
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self.tunnels.append(writer)
                await _join((reader, writer), there, self.most)
                return
            start = f"{method} /{target.split('/', 3)[3]} HTTP/1.1"
            there[1].write(_text(start, headers, body))
            said, named, answer = await _message(there[0])
            there[1].close()
            if self.after:
                await _answer(writer, self.says)
            else:
                writer.write(_text(said, named | {"connection": "close"}, answer))
                await writer.drain()


async def _message(reader: Reader) -> tuple[str, dict[str, str], bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode().rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return first, headers, await reader.readexactly(int(headers.get("content-length", 0)))


def _text(first: str, headers: Mapping[str, str], body: bytes) -> bytes:
    return (
        "\r\n".join([first, *(f"{name}: {said}" for name, said in headers.items()), "", ""]).encode() + body
    )


async def _answer(writer: Writer, status: str) -> None:
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno".encode())
    await writer.drain()


async def _pump(
    reader: Reader,
    writer: Writer,
    most: int | None = None,
    handed_on: Callable[[bytes], None] = lambda _: None,
) -> None:
    with suppress(OSError):
        while most != 0 and (piece := await reader.read(1 << 16 if most is None else min(most, 1 << 16))):
            writer.write(piece)
            await writer.drain()
            handed_on(piece)
            most = None if most is None else most - len(piece)
    writer.close()


async def _join(
    one: tuple[Reader, Writer],
    other: tuple[Reader, Writer],
    most: int | None = None,
    handed_on: Callable[[bytes], None] = lambda _: None,
) -> None:
    """Join both ways, until each has ended; or until ``most`` bytes of the first have gone the one way."""
    await asyncio.gather(_pump(one[0], other[1], most, handed_on), _pump(other[0], one[1]))


@asynccontextmanager
async def proxy(places: Mapping[str, int], says: str = "", **how: object) -> AsyncIterator[SmallProxy]:
    """A proxy that listens for as long as the block lasts."""
    small = SmallProxy(places, says, **how)  # type: ignore[arg-type]
    server = await asyncio.start_server(small.serve, "127.0.0.1", 0)
    small.port = server.sockets[0].getsockname()[1]
    try:
        yield small
    finally:
        server.close()


@asynccontextmanager
async def tls_front(
    port: int, context: ssl.SSLContext, handed_on: Callable[[bytes], None] = lambda _: None
) -> AsyncIterator[int]:
    """A port that speaks TLS in front of one that does not; ``handed_on`` gets what clients said,
    once it was.
    """

    async def serve(reader: Reader, writer: Writer) -> None:
        there = await asyncio.open_connection("127.0.0.1", port)
        await _join((reader, writer), there, handed_on=handed_on)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
