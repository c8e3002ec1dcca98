"""Real sockets of loopback in virtual time: what listens there has no task, no thread and no time of its own.

What it was asked is done at once, also where who asked is gone by then; what came of it is said later.
"""

import asyncio
import io
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from PIL import Image

from mwbatch.client.transport.wire import WireResponse
from mwbatch.errors import ApiError
from mwbatch.simulator.world.forms import Refusal
from tests.unit.commands.conftest import LATENCY, ScriptedWire, answer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request; the names of its headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Replies = Callable[[Asked], WireResponse | None]
"""What is said to a request; None cuts the connection."""


class Loopback:
    """Listens on a port for as long as it lives, and answers while it is `serving`."""

    def __init__(self, reply: Replies) -> None:
        self._reply = reply
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listening.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._talks: dict[socket.socket, bytearray] = {}

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Answer in the running loop; at the end what came already is still heard."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._listening, self._accept, loop)
        try:
            yield self.url
        finally:
            loop.remove_reader(self._listening)
            self._accept(loop)
            for talk in [*self._talks]:
                self._hear(loop, talk)
                loop.remove_reader(talk)

    def still_open(self) -> int:
        """How many connections nobody closed at the other end. What comes after this finds nobody."""
        count = 0
        for talk in self._talks:
            with talk, suppress(ConnectionError):
                try:
                    while talk.recv(1 << 16):
                        pass
                except BlockingIOError:
                    count += 1
        self._talks.clear()
        self._listening.close()
        return count

    def _accept(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(BlockingIOError):
            while True:
                talk, _ = self._listening.accept()
                talk.setblocking(False)
                self._talks[talk] = bytearray()
                loop.add_reader(talk, self._hear, loop, talk)

    def _hear(self, loop: asyncio.AbstractEventLoop, talk: socket.socket) -> None:
        """Do what is asked, and say later what came of it."""
        heard, ended = self._talks[talk], False
        with suppress(BlockingIOError, ConnectionError):
            while piece := talk.recv(1 << 16):
                heard += piece
            ended = True
        while asked := _request(heard):
            said = self._reply(asked)
            loop.call_later(LATENCY, self._say, talk, _bytes(said, asked) if said else b"")
        if ended:
            loop.remove_reader(talk)

    def _say(self, talk: socket.socket, said: bytes) -> None:
        with suppress(OSError):  # who asked is gone
            if said:
                talk.sendall(said)
            else:
                talk.shutdown(socket.SHUT_RDWR)


def _request(heard: bytearray) -> Asked | None:
    """The next whole request, which is taken out of what was heard."""
    head, there, _ = bytes(heard).partition(b"\r\n\r\n")
    if not there:
        return None
    (method, target, _), *lines = (line.split(" ", 2) for line in head.decode("ascii").split("\r\n"))
    headers = {line[0].rstrip(":").lower(): " ".join(line[1:]) for line in lines}
    end = len(head) + 4 + int(headers.get("content-length", 0))
    if len(heard) < end:
        return None
    body = bytes(heard[len(head) + 4 : end])
    del heard[:end]
    return Asked(method, target, headers, body)


def _bytes(said: WireResponse, asked: Asked) -> bytes:
    headers = {**said.headers, "Content-Length": str(len(said.body))}
    lines = [f"HTTP/1.1 {said.status} Said", *(f"{name}: {text}" for name, text in headers.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + (b"" if asked.method == "HEAD" else said.body)


def api(wire: ScriptedWire) -> Loopback:
    """The API with the world behind a wire: what is asked is done before it can be cut."""

    def reply(asked: Asked) -> WireResponse | None:
        where = urlsplit(asked.target)
        fresh = "cache-control" in asked.headers
        body = asked.body if asked.method == "POST" and asked.body else None
        try:
            return _at_once(
                wire._arrive(asked.method, where.path, dict(parse_qsl(where.query)), body, fresh=fresh)
            )
        except ApiError:
            return None
        except Refusal as refused:
            return answer(refused.status, {"status_code": refused.status, "error": refused.message})

    return Loopback(reply)


def pictures() -> Loopback:
    """A small picture at every address."""
    return Loopback(lambda _: WireResponse(200, {"Content-Type": "image/png"}, _picture()))


@cache
def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 3)).save(out, "PNG")
    return out.getvalue()


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits")
