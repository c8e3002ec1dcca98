"""One hostile request: what is sent and how, what may be answered, and when the connection has to be over."""

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from mwbatch.callbacks.common.limits import Limits
from tests.unit.callbacks.stage import callback

LIMITS: Final = Limits(
    body=100_000,
    body_seconds=1.5,
    keepalive_seconds=3.5,
    lingering_seconds=0.3,
    answer_seconds=0.5,
    head=8_000,
)
"""What the receiver allows while the tables are played."""

AT_ONCE: Final = 3.0
"""Seconds in which a connection ends that is refused or answered,
on a machine that is busy with all the others.
"""
IN_TIME: Final = 8.0
"""The same where a deadline of the receiver has to pass first."""
PATIENCE: Final = 12.0
"""Seconds after which an entry is given up."""

BODY: Final = callback()
LENGTH: Final = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
CLOSE: Final = b"Connection: close\r\n"
END: Final = b"\r\n"
JSON: Final = b"Content-Type: application/json\r\n"
HOST: Final = b"Host: x\r\n"

_STATUS: Final = re.compile(rb"(?:^|\r\n\r\n|: Not Found)HTTP/[0-9]\.[0-9] ([0-9]{3}) [A-Z]")


@dataclass(frozen=True)
class Hostile:
    """``sent`` in pieces, a ``pause`` of seconds after each; ``PATH`` in it is a signed address,
    ``WRONG`` a forged one.

    ``statuses`` are the answers in their order, or several such where HTTP leaves it open. The connection has
    to be over ``within`` so many seconds, and not before ``lasting``. A sender who is ``half_closed`` says
    that nothing follows.
    """

    sent: Sequence[bytes]
    statuses: Sequence[tuple[int, ...]]
    within: float = AT_ONCE
    lasting: float = 0.0
    pause: float = 0.0
    half_closed: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of it: the statuses, the seconds until it was over, lines stored,
    and the next callback's status.
    """

    statuses: tuple[int, ...]
    seconds: float
    stored: int
    next: int


def says(*codes: int) -> tuple[tuple[int, ...], ...]:
    """One answer with one of these statuses; 0 is none."""
    return tuple((code,) if code else () for code in codes)


def line(text: bytes, *codes: int) -> Hostile:
    """A request line, or what stands for one, before a proper callback."""
    return Hostile([text + b"\r\n" + HOST + JSON + LENGTH + CLOSE + END + BODY], says(*codes))


def head(headers: bytes, *codes: int, body: bytes = b"", within: float = AT_ONCE) -> Hostile:
    """Headers of a request to a signed address."""
    return Hostile(
        [b"POST PATH HTTP/1.1\r\n" + HOST + JSON + headers + CLOSE + END + body], says(*codes), within
    )


def body(text: bytes, code: int = 400) -> Hostile:
    """A body at a signed address, of the length that was declared."""
    return head(b"Content-Length: %d\r\n" % len(text), code, body=text)


def raw(text: bytes, *codes: int, within: float = AT_ONCE) -> Hostile:
    """Bytes as they stand."""
    return Hostile([text], says(*codes), within)


async def played_at(port: int, entry: Hostile, path: bytes) -> tuple[tuple[int, ...], float]:
    """Send it and take what is answered, until the connection ends; the statuses and the seconds."""
    wrong = path[:-1] + (b"0" if path[-1:] != b"0" else b"1")
    pieces = [piece.replace(b"PATH", path).replace(b"WRONG", wrong) for piece in entry.sent]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    answer = bytearray()
    taking = asyncio.create_task(_take(reader, answer))
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await _send(writer, pieces, entry, taking)
            await taking
    seconds = time.monotonic() - began
    taking.cancel()
    writer.close()
    return tuple(int(code) for code in _STATUS.findall(bytes(answer))), seconds


async def _take(reader: asyncio.StreamReader, answer: bytearray) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(1 << 16):
            answer += chunk


async def _send(
    writer: asyncio.StreamWriter, pieces: Sequence[bytes], entry: Hostile, taking: asyncio.Task[None]
) -> None:
    for piece in pieces:
        if taking.done():
            return
        writer.write(piece)
        with suppress(ConnectionError):  # what was answered before may still be read
            await writer.drain()
        await asyncio.sleep(entry.pause)
    if entry.half_closed:
        writer.write_eof()
