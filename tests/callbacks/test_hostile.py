"""Hostile requests over raw sockets: each with its status, ended in time, and never a new line in the store."""

import time
from typing import Final

import pytest

from mwbatch.callbacks.limits import Limits
from tests.callbacks.conftest import Start
from tests.callbacks.stage import callback, status, talk

LIMITS: Final = Limits(
    body=100_000, body_seconds=0.4, keepalive_seconds=0.5, lingering_seconds=0.2, shutdown_seconds=1.0
)
PATIENCE: Final = 3.0
"""Seconds in which the receiver has to end any connection, with the limits above."""

BODY: Final = callback()
SIZE: Final = len(BODY)
HEAD: Final = b"Host: x\r\nContent-Type: application/json\r\n"
END: Final = b"Connection: close\r\n\r\n"
LENGTH: Final = b"Content-Length: %d\r\n" % SIZE
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
POST: Final = b"POST PATH HTTP/1.1\r\n" + HEAD

HOSTILE: Final[dict[str, tuple[bytes, set[int]]]] = {
    # No HTTP at all.
    "nothing": (b"", {0}),
    "a newline": (b"\r\n", {0}),
    "nulls": (b"\0" * 500, {400}),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50, {400}),
    "HTTP 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {0, 400}),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", {400}),
    "a path only": (b"GET PATH\r\n\r\n", {405}),
    "HTTP 0.9": (b"POST PATH HTTP/0.9\r\n\r\n", {400, 404, 411}),
    "HTTP 7": (b"POST PATH HTTP/7.0\r\n" + HEAD + LENGTH + END + BODY, {400}),
    # The request line.
    "a long path": (b"POST /" + b"a" * 3000 + b" HTTP/1.1\r\n" + HEAD + END, {400}),
    "a long way below": (b"POST " + b"/a" * 900 + b" HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {404}),
    "no slash": (b"POST callbacks HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {400, 404}),
    "another host": (b"POST http://evil.example/ HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {404}),
    "connect": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HEAD + END, {400, 404}),
    "everything": (b"OPTIONS * HTTP/1.1\r\n" + HEAD + END, {404}),
    "a method of its own": (b"STEAL PATH HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {400}),
    "dots": (b"POST /../../etc/passwd HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {404}),
    "a null in the path": (b"POST PATH\0 HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {400}),
    "an escaped null": (b"POST PATH%00 HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {404}),
    "escaped slashes": (b"POST /%2F%2F%2F%2F HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {404}),
    "bad escapes": (b"POST PATH%zz%u0041 HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {400, 404}),
    "latin-1 in the path": (b"POST PATH\xe9 HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {400, 404}),
    "a space in the path": (b"POST PATH x HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {400}),
    "a fragment": (b"POST /x#PATH HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {400, 404}),
    "an address in the query": (b"POST /?PATH HTTP/1.1\r\n" + HEAD + LENGTH + END + BODY, {404}),
    # The headers.
    "two lengths": (POST + LENGTH + b"Content-Length: 5\r\n" + END + BODY, {400}),
    "length and chunks": (POST + LENGTH + CHUNKED + END + b"0\r\n\r\n", {400}),
    "a negative length": (POST + b"Content-Length: -1\r\n" + END, {400}),
    "a length in hex": (POST + b"Content-Length: 0x10\r\n" + END, {400}),
    "a length with a sign": (POST + b"Content-Length: +5\r\n" + END + BODY, {400}),
    "an endless length": (POST + b"Content-Length: " + b"9" * 30 + b"\r\n" + END, {400}),
    "a great length": (POST + b"Content-Length: 9999999999\r\n" + END, {413}),
    "another coding": (POST + b"Transfer-Encoding: gzip\r\n" + END + BODY, {400}),
    "two codings": (POST + b"Transfer-Encoding: gzip, chunked\r\n" + END + b"0\r\n\r\n", {400}),
    "a coding hidden": (POST + b"Transfer-Encoding : chunked\r\n" + END + b"0\r\n\r\n", {400}),
    "a folded header": (POST + b"X-A: b\r\n c\r\n" + END, {400}),
    "a header without colon": (POST + b"nonsense\r\n" + END, {400}),
    "a null in a header": (POST + b"X-A: \0\r\n" + LENGTH + END + BODY, {400}),
    "a bare newline": (POST.replace(b"\r\n", b"\n") + b"\n", {400}),
    "a long header": (POST + b"X-A: " + b"b" * 5000 + b"\r\n" + END, {400}),
    "many headers": (POST + b"".join(b"X-%d: b\r\n" % i for i in range(100)) + END, {400}),
    "an endless head": (POST + b"X-A: b\r\n" * 10_000, {0, 400}),
    "an upgrade": (POST + LENGTH + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", {0, 408}),
    # The body.
    "no body": (POST + LENGTH + END, {408}),
    "a short body": (POST + LENGTH + END + BODY[:-1], {408}),
    "half a character": (POST + b"Content-Length: 3\r\n" + END + b'"\xc3"', {400}),
    "a bad chunk size": (POST + CHUNKED + END + b"zz\r\n{}\r\n0\r\n\r\n", {400}),
    "a negative chunk": (POST + CHUNKED + END + b"-1\r\n{}\r\n0\r\n\r\n", {400}),
    "an endless chunk size": (POST + CHUNKED + END + b"f" * 40 + b"\r\n", {400}),
    "a chunk too long": (POST + CHUNKED + END + b"1\r\n{}}}}\r\n0\r\n\r\n", {400}),
    "a chunk extension": (POST + CHUNKED + END + b"2;" + b"x" * 9000 + b"\r\n{}\r\n0\r\n\r\n", {400}),
    "chunks without end": (POST + CHUNKED + END + b"2\r\n{}\r\n", {408}),
    "too many chunks": (POST + CHUNKED + END + b"400\r\n" + b" " * 1024 + b"\r\n", {408}),
    "a bomb": (POST + LENGTH + b"Content-Encoding: gzip\r\n" + END + BODY, {415}),
    "deep": (POST + b"Content-Length: 90000\r\n" + END + b"[" * 90_000, {400}),
    "great numbers": (POST + b"Content-Length: 50000\r\n" + END + b"1" * 50_000, {400}),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile(start: Start, name: str) -> None:
    """A hostile request gets its status, or none, in time; nothing is stored; the next callback is served."""
    raw, expected = HOSTILE[name]
    stage = await start(limits=LIMITS)
    began = time.monotonic()
    answer = await talk(stage.running.port, raw.replace(b"PATH", stage.path().encode()), patience=PATIENCE)
    assert status(answer) in expected
    assert time.monotonic() - began < PATIENCE
    assert not stage.lines()
    assert (await stage.post(stage.address(), callback())).status == 200


async def test_smuggling(start: Start) -> None:
    """A request hidden in the body of another is body, and never a request."""
    stage = await start(limits=LIMITS)
    path = stage.path().encode()
    inner = (POST + LENGTH + END + BODY).replace(b"PATH", path)
    outer = b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n" % len(inner) + END + inner
    assert (await talk(stage.running.port, outer)).count(b"HTTP/1.1") == 1
    assert not stage.lines()


def test_at_least_forty() -> None:
    """The table does not shrink."""
    assert len(HOSTILE) >= 40
