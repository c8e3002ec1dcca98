"""The verdict table of docs/reliability.md, played by raw servers."""

import asyncio
import gzip
import socket
from collections import Counter
from inspect import signature

import orjson
import pytest

from mwbatch.client import Client
from mwbatch.commands.sending.creating import SendOptions
from mwbatch.core.api.create_request import Outcome
from mwbatch.core.facts.kinds import Verdict
from tests.support.ports import free_port
from tests.unit.client.conftest import ADDRESS, KEY, Start, Talk, always, http

TASK = {"task_id": "t", "status": "pending", "callback_url": ADDRESS}
JSON = orjson.dumps(TASK)
HEAD = b"HTTP/1.1 200 OK\r\n"
ZIPPED = gzip.compress(JSON, mtime=0)
UNKNOWN, CREATED, HALTED = Verdict.UNKNOWN, Verdict.CREATED, Verdict.HALTED

TABLE: dict[str, tuple[Verdict, list[bytes]]] = {
    "created": (CREATED, [http(TASK)]),
    "created, in pieces": (CREATED, [http(TASK)[:20], http(TASK)[20:60], http(TASK)[60:]]),
    "created, until the end": (CREATED, [HEAD + b"\r\n" + JSON]),
    "created, chunked": (
        CREATED,
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(JSON), JSON)],
    ),
    "created, after interim answers": (CREATED, [b"HTTP/1.1 103 Early Hints\r\n\r\n", http(TASK)]),
    "created, zipped unasked": (
        CREATED,
        [HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(ZIPPED), ZIPPED)],
    ),
    "another address": (UNKNOWN, [http({**TASK, "callback_url": ADDRESS.replace("12-1", "13-1")})]),
    "success without a body": (UNKNOWN, [b"HTTP/1.1 204 No Content\r\n\r\n"]),
    "rubbish in a 200": (UNKNOWN, [HEAD + b"Content-Length: 5\r\n\r\nhello"]),
    "cut before the answer": (UNKNOWN, []),
    "cut in the headers": (UNKNOWN, [HEAD + b"Content-Le"]),
    "cut in the body": (UNKNOWN, [http(TASK)[:-5]]),
    "cut in a chunk": (UNKNOWN, [HEAD + b"Transfer-Encoding: chunked\r\n\r\n50\r\n{"]),
    "bad chunk after a 200": (UNKNOWN, [HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"]),
    "bad chunk, later": (UNKNOWN, [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n{}\r\n"]),
    "over-long header after a 200": (UNKNOWN, [HEAD + b"X: " + b"x" * 20_000 + b"\r\n\r\n"]),
    "two Content-Lengths": (UNKNOWN, [HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"]),
    "broken gzip": (UNKNOWN, [HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nrubb"]),
    "not HTTP": (UNKNOWN, [b"SSH-2.0-OpenSSH_9.2\r\n"]),
    "switching protocols": (UNKNOWN, [b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"]),
    "redirect that would post again": (HALTED, [http(None, "307 Go", "Location: /v1/task/images/tagging")]),
    "wrong key": (HALTED, [http({"error": "no"}, "401 Unauthorized")]),
    "no such endpoint": (HALTED, [http(None, "404 Not Found")]),
    "bad row": (Verdict.REFUSED, [http({"error": "no"}, "400 Bad Request")]),
    "too many": (Verdict.BUSY, [http(None, "429 Slow Down", "Retry-After: 7")]),
    "request time-out": (UNKNOWN, [http(None, "408 Request Timeout")]),
    "their fault": (UNKNOWN, [http(TASK, "500 Oops")]),
    "maintenance": (UNKNOWN, [http(TASK, "503 Offline")]),
}


async def attempted(url: str, within: float = 2.0) -> Outcome:
    async with Client(KEY, url, within) as client:
        return await client.attempt("tagging", {"image_url": "https://ibb.co/fmMFRQ"}, ADDRESS)


@pytest.mark.parametrize("name", TABLE)
async def test_the_table_holds_on_the_wire(name: str, start: Start) -> None:
    """Whatever comes back over the wire, the verdict is the table's,
    and the request was sent exactly once.
    """
    verdict, pieces = TABLE[name]

    async def script(talk: Talk) -> None:
        await talk.hear()
        await talk.say(*pieces)

    server = await start(script)
    outcome = await attempted(server.url)
    assert outcome.verdict is verdict, outcome
    assert len(server.requests) == 1


async def test_a_reset_proves_nothing(start: Start) -> None:
    """A connection reset after the request was read is unknown."""

    async def script(talk: Talk) -> None:
        await talk.hear()
        talk.writer.transport.abort()

    assert (await attempted((await start(script)).url)).verdict is UNKNOWN


async def test_a_silent_server_proves_nothing(start: Start) -> None:
    """A server that reads and never answers is unknown after the time-out."""

    async def script(talk: Talk) -> None:
        await talk.hear()
        await talk.reader.read()

    outcome = await attempted((await start(script)).url, within=0.2)
    assert (outcome.verdict, outcome.message) == (UNKNOWN, "no whole answer came within 0.2 s")


async def test_nobody_listening_is_unsent() -> None:
    """A refused connection means that no request left."""
    assert (await attempted(f"http://127.0.0.1:{free_port()}")).verdict is Verdict.UNSENT


async def test_a_host_without_a_name_is_unsent() -> None:
    """A name that does not resolve means that no request left (RFC 6761: .invalid never does)."""
    assert (await attempted("http://no-such-host.invalid")).verdict is Verdict.UNSENT


async def test_a_connection_that_is_never_made_is_unsent() -> None:
    """A server whose backlog is full lets connections hang: that is no time-out of a request."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued = [socket.socket() for _ in range(3)]
        for waiting in queued:
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        outcome = await attempted(f"http://127.0.0.1:{full.getsockname()[1]}", within=0.4)
        for waiting in queued:
            waiting.close()
    assert outcome.verdict is Verdict.UNSENT


async def test_a_turn_comes_whenever_it_comes(start: Start) -> None:
    """The wait for a turn has no limit and is not counted:
    of twice as many creates as a client carries none is lost.

    The second half waits for longer than a connection may take, and for longer than is left of its time-out.
    """

    async def slow(talk: Talk) -> None:
        while True:
            await talk.hear()
            await asyncio.sleep(2.2)  # and 0.8 s for a machine that is busy
            await talk.say(http(TASK), pause=0)

    server = await start(slow)
    async with Client(KEY, server.url, 3.0, limit=64) as client:
        calls = (client.attempt("tagging", {"image_url": "x"}, ADDRESS) for _ in range(128))
        outcomes = await asyncio.gather(*calls)
    assert Counter(outcome.verdict for outcome in outcomes) == {CREATED: 128}
    assert server.connections <= 64


def test_a_client_carries_what_a_run_sends() -> None:
    """As it comes a client has as many connections as a run has requests in flight."""
    assert signature(Client).parameters["limit"].default == SendOptions().concurrency


@pytest.mark.parametrize("asked", [{"status": "\udcff"}, {"start_time": "\ud83d"}])
async def test_what_cannot_be_asked_is_no_trouble_on_the_way(asked: dict[str, str]) -> None:
    """A filter that cannot be written is told at once, and never tried again: waiting does not mend it."""
    waited = list[float]()
    async with Client(KEY, f"http://127.0.0.1:{free_port()}") as client:
        client.waits = lambda _, seconds: waited.append(seconds)
        with pytest.raises(ValueError, match="surrogates"):
            await client.list_page(**asked)  # type: ignore[arg-type]
    assert waited == []


async def test_the_apis_wait_reaches_the_outcome(start: Start) -> None:
    """Retry-After of a 429 is in the outcome."""
    server = await start(always(http(None, "429 Slow Down", "Retry-After: 7")))
    assert (await attempted(server.url)).retry_after == 7.0


async def test_what_cannot_be_written_is_not_sent(start: Start) -> None:
    """A row that cannot be written as a request is refused without one."""
    server = await start(always(http(TASK)))
    async with Client(KEY, server.url) as client:
        assert (await client.attempt("tagging", {}, ADDRESS)).verdict is Verdict.REFUSED
    assert server.connections == 0
