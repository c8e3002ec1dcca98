"""The wire over aiohttp: what it sends, and what it takes."""

import asyncio
import socket
import ssl
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trustme
from aiohttp.connector import Connection
from aioresponses import aioresponses

from mwbatch import __version__
from mwbatch.client.transport import aiohttp_wire
from mwbatch.client.transport.aiohttp_wire import AiohttpWire, base
from mwbatch.client.transport.pool import connected
from mwbatch.errors import Unsent, Unsure, UsageError
from tests.unit.callbacks.stage import turns
from tests.unit.client.conftest import KEY, Script, Server, Start, Talk, always, http


async def silent(talk: Talk) -> None:
    await talk.hear()
    await talk.reader.read()


async def test_a_create_is_these_bytes_and_no_others(start: Start) -> None:
    """A POST carries our form and our fixed headers: no cookies, no other encodings, nothing automatic."""
    server = await start(always(http({})))
    wire = AiohttpWire(KEY, server.url + "/api/")
    await wire.send("POST", "/v1/x", body=b"a=1&tags[0][id]=b")
    await wire.close()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    assert (first, body) == ("POST /api/v1/x HTTP/1.1", b"a=1&tags[0][id]=b")
    assert dict(line.split(": ", 1) for line in rest) == {
        "Host": server.url.removeprefix("http://"),
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode(),
        "User-Agent": f"mwbatch/{__version__}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": "17",
    }


async def test_a_fresh_read_asks_caches_to_stand_aside(start: Start) -> None:
    """Only a fresh request carries Cache-Control, and parameters are percent-encoded once."""
    server = await start(always(http({})))
    wire = AiohttpWire(KEY, server.url)
    await wire.send("GET", "/v1/task/a%2Fb", params=[("end_time", "12:00+é")], fresh=True)
    await wire.send("GET", "/v1/tasks")
    await wire.close()
    assert server.requests[0].startswith(b"GET /v1/task/a%2Fb?end_time=12%3A00%2B%C3%A9 HTTP/1.1\r\n")
    assert [b"Cache-Control: no-cache\r\n" in request for request in server.requests] == [True, False]


async def test_cookies_are_not_kept(start: Start) -> None:
    """A cookie that the API sets is not sent back."""
    server = await start(always(http({}, "200 OK", "Set-Cookie: session=1; Path=/")))
    wire = AiohttpWire(KEY, server.url)
    for _ in range(2):
        await wire.send("GET", "/v1/tasks")
    await wire.close()
    assert b"ookie" not in server.requests[1]


async def test_connections_are_used_again(start: Start) -> None:
    """Requests one after another share a connection."""
    server = await start(always(http({})))
    wire = AiohttpWire(KEY, server.url)
    for _ in range(5):
        assert (await wire.send("POST", "/v1/x", body=b"")).body == b"{}"
    await wire.close()
    assert (server.connections, len(server.requests)) == (1, 5)


async def test_the_kernel_forgets_a_request_when_we_do(start: Start) -> None:
    """A connection to the API gives up unacknowledged bytes after the request's time-out,
    where the system can (Linux).
    """
    server = await start(always(http({})))
    wire = AiohttpWire(KEY, server.url, timeout=7.5)
    await wire.send("GET", "/v1/tasks")
    assert wire._session is not None
    assert wire._session.connector is not None
    [[(protocol, _)]] = wire._session.connector._conns.values()
    assert protocol.transport is not None
    used = protocol.transport.get_extra_info("socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    assert (option is None) is (sys.platform != "linux")
    assert option is None or used.getsockopt(socket.IPPROTO_TCP, option) == 7500
    await wire.close()


async def test_a_dripping_answer_is_cut(start: Start) -> None:
    """The time-out covers the whole exchange: bytes that trickle in do not renew it."""

    async def drip(talk: Talk) -> None:
        await talk.hear()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", *[b"x"] * 300, pause=0.02)

    wire = AiohttpWire(KEY, (await start(drip)).url, timeout=0.3)
    with pytest.raises(Unsure):
        await asyncio.wait_for(wire.send("GET", "/v1/tasks"), 2)
    await wire.close()


async def test_a_cancel_from_outside_stays_a_cancel(start: Start) -> None:
    """Cancelling the caller is not taken for a time-out."""
    wire = AiohttpWire(KEY, (await start(silent)).url)
    task = asyncio.create_task(wire.send("GET", "/v1/tasks"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wire.close()


async def test_a_cut_request_leaves_its_task_alive(start: Start) -> None:
    """After a time-out the same task sends again: the watchdog's cancel does not stick to it."""

    async def second_time(talk: Talk) -> None:
        if await talk.hear() and len(talk.server.requests) > 1:
            await talk.say(http({}))
        await talk.reader.read()

    wire = AiohttpWire(KEY, (await start(second_time)).url, timeout=0.2)
    with pytest.raises(Unsure):
        await wire.send("GET", "/v1/tasks")
    async with asyncio.timeout(2):
        assert (await wire.send("GET", "/v1/tasks")).status == 200
    await wire.close()


async def test_who_was_answered_is_watched_no_more(start: Start) -> None:
    """However long a task lives after its answer, nothing cuts it: it has no request in flight."""

    async def served(talk: Talk) -> None:
        await talk.hear()
        await talk.say(http({}))

    wire = AiohttpWire(KEY, (await start(served)).url)
    assert (await wire.send("GET", "/v1/tasks")).status == 200
    wire._watchdog.limit = 0.0
    wire._watchdog._look(asyncio.get_running_loop())
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await wire.close()


async def test_an_endless_answer_is_not_read(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes than the cap are never held."""
    monkeypatch.setattr(aiohttp_wire, "LONGEST_BODY", 1000)
    chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
    server = await start(
        always(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, chunk, chunk)
    )
    wire = AiohttpWire(KEY, server.url, timeout=3)
    with pytest.raises(Unsure, match="ClientPayloadError"):
        await wire.send("GET", "/v1/tasks")
    await wire.close()


async def test_a_stranger_behind_https_gets_no_request() -> None:
    """A certificate that nobody vouches for ends the connection before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = Server(silent)
    listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=context)
    wire = AiohttpWire(KEY, f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    with pytest.raises(Unsent, match="certificate"):
        await wire.send("POST", "/v1/x", body=b"a=1")
    await wire.close()
    listening.close()
    assert server.requests == []


UNFORESEEN = pytest.mark.parametrize(
    "error", [RuntimeError("odd"), ValueError(KEY), MemoryError(), TimeoutError()]
)


@UNFORESEEN
async def test_what_nobody_foresaw_proves_nothing(error: Exception) -> None:
    """Any exception at all out of the library is Unsure, and its words stay behind."""
    wire = AiohttpWire(KEY, "http://127.0.0.1:9")
    with aioresponses() as mocked:
        mocked.post("http://127.0.0.1:9/v1/x", exception=error)
        with pytest.raises(Unsure) as raised:
            await wire.send("POST", "/v1/x", body=b"")
    await wire.close()
    assert KEY not in str(raised.value)
    assert raised.value.__context__ is None


@UNFORESEEN
async def test_no_create_knows_better(
    error: Exception, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A create, which goes a way of its own,
    is Unsure too where anything at all is raised once it has a connection.
    """

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(aiohttp_wire, "exchange", broken)
    wire = AiohttpWire(KEY, (await start(silent)).url, limit=1)
    for _ in range(2):  # and the only connection is given back
        with pytest.raises(Unsure) as raised:
            await wire.send("POST", "/v1/x", body=b"a=1")
        assert KEY not in str(raised.value)
        assert raised.value.__context__ is None
    await wire.close()


@UNFORESEEN
async def test_before_it_has_a_connection_nothing_left(
    error: Exception, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything at all that is raised before a create has a connection is Unsent:
    nothing can have been written.
    """

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(aiohttp_wire, "connected", broken)
    wire = AiohttpWire(KEY, (await start(silent)).url)
    with pytest.raises(Unsent) as raised:
        await wire.send("POST", "/v1/x", body=b"a=1")
    await wire.close()
    assert KEY not in str(raised.value)
    assert raised.value.__context__ is None


async def early(talk: Talk) -> None:
    await talk.say(http({"task_id": "t1"}), pause=0)
    await talk.reader.read()


async def lose(connection: Connection) -> None:
    assert connection.protocol is not None
    connection.protocol.abort()


async def wait(_: Connection) -> None:
    await turns()


@pytest.mark.parametrize(("server_does", "we_do"), [(silent, lose), (early, wait)], ids=["lost", "spoken on"])
async def test_a_connection_that_is_spoiled_before_its_use_is_not_used(
    server_does: Script,
    we_do: Callable[[Connection], Awaitable[None]],
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where it is gone, or something came on it, before the request is written, nothing is,
    and that is Unsent.
    """

    async def spoiled(*given: Any) -> Connection:
        connection: Connection = await connected(*given)
        await we_do(connection)
        return connection

    monkeypatch.setattr(aiohttp_wire, "connected", spoiled)
    server = await start(server_does)
    wire = AiohttpWire(KEY, server.url)
    with pytest.raises(Unsent, match="before it was used"):
        await wire.send("POST", "/v1/x", body=b"a=1")
    await wire.close()
    assert server.requests == []


async def test_only_a_plain_create_goes_the_short_way(start: Start) -> None:
    """Any other request with a body is sent as it was asked for, method, parameters and all."""
    server = await start(always(http({})))
    wire = AiohttpWire(KEY, server.url)
    await wire.send("PUT", "/v1/x", body=b"a=1")
    await wire.send("POST", "/v1/x", body=b"a=1", params=[("q", "1")])
    await wire.close()
    assert [request.split(b" HTTP")[0] for request in server.requests] == [b"PUT /v1/x", b"POST /v1/x?q=1"]


async def test_closing_twice_is_closing() -> None:
    """A wire may be closed before it was used, and twice."""
    wire = AiohttpWire(KEY, "http://127.0.0.1:9")
    await wire.close()
    await wire.close()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://api.microwork.io", "https://api.microwork.io"),
        ("HTTPS://API.microwork.io/", "https://api.microwork.io"),
        ("http://127.0.0.1:8900/proxy/", "http://127.0.0.1:8900/proxy"),
    ],
)
def test_a_base_url_is_written_one_way(given: str, used: str) -> None:
    """Two spellings of one base URL are one origin."""
    assert base(given) == used


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.microwork.io",
        "ftp://x",
        "http://",
        "http://user:pw@x",
        "http://x?a=1",
        "http://x#a",
        "http://x:y",
    ],
)
def test_a_wrong_base_url_is_a_usage_error(url: str) -> None:
    """What cannot be a base URL is said before anything is sent, without quoting a password."""
    with pytest.raises(UsageError, match="MICROWORK_BASE_URL") as raised:
        base(url)
    assert "pw" not in str(raised.value)
