"""Connections: the cap, who makes room, heads that grow, answers that nobody takes, descriptors."""

import asyncio
import gc
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from weakref import ReferenceType, ref

import pytest
import uvloop
from aiohttp import web

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import LIMITS, Limits
from mwbatch.callbacks.net.connections import Connection, Connections
from mwbatch.callbacks.net.site import Site
from mwbatch.callbacks.ops.server import serve
from tests.support.disks import Gated
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import Stage, callback, make_home, request, status, talk, turns, until

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[..., Awaitable[Ends]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Make a connection on which something is sent, and nothing more comes."""
    writers: list[asyncio.StreamWriter] = []

    async def begin(stage: Stage, sent: bytes = b"") -> Ends:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.running.port)
        writers.append(writer)
        writer.write(sent)
        await turns()
        return reader, writer

    yield begin
    for writer in writers:
        writer.close()


async def over(ends: Ends, patience: float = 2.0) -> bool:
    """Whether the receiver ends a connection within the time, unanswered."""
    try:
        async with asyncio.timeout(patience):
            return await ends[0].read() == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def whole(stage: Stage) -> bytes:
    """A callback that asks for the connection to be kept."""
    return request(stage.path(), body=callback()).replace(b"Connection: close\r\n", b"")


def half(stage: Stage) -> bytes:
    """The same without its last byte: it stays in flight until its time is up."""
    return whole(stage)[:-1]


async def test_who_has_waited_longest_makes_room(start: Start, connect: Connect) -> None:
    """At the cap a new connection is served, and the one that has waited longest for a request is ended."""
    stage = await start(limits=Limits(connections=2))
    first, second = await connect(stage), await connect(stage, b"POST /")
    assert status(await talk(stage.running.port, request("/"))) == 404
    assert await over(first)
    assert not await over(second, 0.1)
    assert (stage.running.counts.evicted, stage.running.counts.turned_away) == (1, 0)


async def test_a_request_begins_the_wait_anew(start: Start, connect: Connect) -> None:
    """Whoever was served last has waited least, however old the connection is."""
    stage = await start(limits=Limits(connections=2))
    reader, writer = old = await connect(stage)
    young = await connect(stage)
    writer.write(request("/").replace(b"Connection: close\r\n", b""))
    assert (await reader.readuntil(b"404: Not Found")).startswith(b"HTTP/1.1 404")
    await connect(stage)
    assert await over(young)
    assert not await over(old, 0.1)


@pytest.mark.parametrize("known", [False, True])
async def test_a_connection_that_has_ended_makes_no_room(start: Start, connect: Connect, known: bool) -> None:
    """At the cap a living connection makes room, though another that has ended had waited longer."""
    stage = await start(limits=Limits(connections=2))

    async def wait() -> Ends:
        reader, writer = await connect(stage, whole(stage) if known else b"")
        if known:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        return reader, writer

    _, gone = await wait()
    gone.close()
    await turns()
    second = await wait()
    await wait()
    assert stage.running.counts.evicted == 0
    await connect(stage)
    assert await over(second)
    assert stage.running.counts.evicted == 1


@pytest.mark.parametrize("path", ["/", "/late", "/large"])
async def test_nothing_is_kept_of_a_connection_that_has_ended(path: str) -> None:
    """Whether it waited, was being served, or did not take its answer when it ended:
    it is forgotten whole.
    """
    late, asked = asyncio.Event(), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.set()
        if request.path == "/late":
            await late.wait()
        return web.Response(body=b"x" * (1 << 25 if request.path == "/large" else 1))

    connections, made = Connections(web.Server(answer), Limits(), Counts()), list[ReferenceType[Connection]]()

    def accept() -> Connection:
        connection = connections()
        made.append(ref(connection))
        return connection

    listening = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    async with listening:
        _, writer = await asyncio.open_connection("127.0.0.1", listening.sockets[0].getsockname()[1])
        writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        await asked.wait()
        await turns()
        connections.watch()
        connections.unwatch()
        writer.transport.abort()
        await turns()
        late.set()
        await until(lambda: gc.collect() >= 0 and made[0]() is None)


async def test_who_listens_no_more_looks_at_nothing() -> None:
    """A receiver that has ended keeps nothing of itself in the loop that goes on."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response()

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = Site(runner, "127.0.0.1", 0, tls=None, limits=Limits(), counts=Counts())
    await site.start()
    looking = ref(site._connections)
    await site.stop()
    await runner.cleanup()
    del runner, site
    await until(lambda: gc.collect() >= 0 and looking() is None)


async def test_nobody_is_cut_off_while_being_served(start: Start, connect: Connect) -> None:
    """Where every connection is being served, the new one is ended unanswered, and the others are not."""
    stage = await start(limits=Limits(connections=2, body_seconds=0.4))
    served = [await connect(stage, half(stage)) for _ in range(2)]
    assert await talk(stage.running.port, request("/")) == b""
    assert (stage.running.counts.evicted, stage.running.counts.turned_away) == (0, 1)
    for reader, writer in served:
        writer.write(callback()[-1:])
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    assert status(await talk(stage.running.port, request("/"))) == 404


async def test_no_flood_locks_callbacks_out(start: Start, connect: Connect) -> None:
    """While idle connections come, ten times as many as there may be,
    every callback is answered 200 at once.
    """
    stage = await start(limits=Limits(connections=20))

    async def flood() -> None:
        for _ in range(20):
            await asyncio.gather(*(connect(stage, b"POST /") for _ in range(10)))

    flooding = asyncio.create_task(flood())
    for row in range(20):
        assert status(await talk(stage.running.port, request(stage.path(row), body=callback()))) == 200
        await asyncio.sleep(0.02)
    await flooding
    assert stage.running.counts.evicted >= 180


async def test_who_brought_a_callback_goes_last(start: Start, connect: Connect) -> None:
    """A connection on which callbacks came is kept while any other can make room."""
    stage = await start(limits=Limits(connections=3))
    reader, writer = await connect(stage, whole(stage))
    for _ in range(10):
        await connect(stage, b"POST /")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.write(whole(stage))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def on_uvloop(tmp_path: Path, limits: Limits, act: Callable[[Stage], Awaitable[bytes]]) -> bytes:
    """The same stage under the event loop of production."""
    home = make_home(tmp_path / "home")
    async with await serve(home, "127.0.0.1", 0, limits=limits) as running:
        return await act(Stage(home, running, None))  # type: ignore[arg-type] # sends by hand


def test_capped_by_the_loop_of_production(tmp_path: Path) -> None:
    """The cap holds under uvloop too, whose transports are of other classes."""

    async def turned_away(stage: Stage) -> bytes:
        return await talk(stage.running.port, request("/"), patience=2.0)

    assert uvloop.run(on_uvloop(tmp_path, Limits(connections=0), turned_away)) == b""


def test_answers_by_the_loop_of_production(tmp_path: Path) -> None:
    """Answers that nobody takes end their connection under uvloop too."""

    async def never_read(stage: Stage) -> bytes:
        await unread(stage)
        return str(stage.running.counts.untaken).encode()

    assert uvloop.run(on_uvloop(tmp_path, Limits(answer_seconds=0.2), never_read)) == b"1"


async def unread(stage: Stage) -> None:
    """Ask for ever, and take no answer, until the receiver has had enough."""
    many = request("/", method="GET").replace(b"Connection: close\r\n", b"") * 1000
    with socket.socket() as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that the kernel's buffers fill soon
        sender.connect(("127.0.0.1", stage.running.port))
        sender.setblocking(False)
        async with asyncio.timeout(20):
            with suppress(ConnectionError):
                while True:
                    await asyncio.get_running_loop().sock_sendall(sender, many)


async def test_answers_that_nobody_takes(start: Start) -> None:
    """A sender that never reads is cut off, and does not hold its connection for ever."""
    stage = await start(limits=Limits(answer_seconds=0.2))
    await unread(stage)
    assert stage.running.counts.untaken == 1
    assert (await stage.post(stage.address(), callback())).status == 200


@pytest.mark.parametrize("size", [1000, 4000])
async def test_a_head_is_bounded_as_a_whole(start: Start, size: int) -> None:
    """A head whose every header is small enough is ended once it has grown too large,
    before its time is up.
    """
    stage = await start(limits=Limits(head=16_000))
    header = b"X-A: " + b"b" * size + b"\r\n"
    pieces = [b"POST / HTTP/1.1\r\n", *[header] * (20_000 // size)]
    assert await talk(stage.running.port, *pieces, pause=0.01, patience=3.0) == b""
    assert stage.running.counts.rejected.total() == 1


async def test_a_body_is_no_head(start: Start) -> None:
    """A body far larger than a head may be, in many pieces and twice on a connection, is served."""
    stage = await start(limits=Limits(head=2000))
    text = callback().ljust(20_000)
    for row in range(2):
        body = request(stage.path(row), body=text)
        pieces = [body[at : at + 500] for at in range(0, len(body), 500)]
        assert status(await talk(stage.running.port, *pieces, pause=0.001)) == 200
    assert (await stage.post(stage.address(), text)).status == 200
    assert (await stage.post(f"{stage.running.url}/", text)).status == 404
    assert (await stage.post(stage.address(), text)).status == 200


DESCRIPTORS = """
import resource, sys
from mwbatch.callbacks.net.descriptors import fitting
soft, hard = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(fitting(1024), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(("soft", "hard", "fit", "then"), [(256, 4000, 1024, 4000), (100, 300, 150, 300)])
def test_descriptors(soft: int, hard: int, fit: int, then: int) -> None:
    """The soft limit is raised to the hard one, and no more connections are taken than half of it."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= hard
    words = [sys.executable, "-c", DESCRIPTORS, str(soft), str(hard)]
    done = subprocess.run(words, capture_output=True, check=True, timeout=20)
    assert done.stdout.split() == [str(fit).encode(), str(then).encode()]


async def last_words(stage: Stage, sent: bytes, *, gate: Gated | None = None) -> bytes:
    """Send something, then nothing more ever; all that comes back.

    With a gate only once the disk is at work.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.running.port)
    writer.write(sent)
    if gate is not None:
        await asyncio.to_thread(gate.waiting.wait, 5)
    writer.write_eof()
    if gate is not None:
        await turns()
        gate.gate.set()
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


async def test_who_says_nothing_more_is_answered(stage: Stage) -> None:
    """Who has sent whole requests and closes his own side alone gets every answer,
    and then the end of the connection.
    """
    assert (await last_words(stage, whole(stage))).count(b"200 OK") == 1
    assert (await last_words(stage, whole(stage) * 3)).count(b"200 OK") == 3
    assert status(await last_words(stage, request("/"))) == 404
    assert status(await last_words(stage, b"rubbish\r\n\r\n")) == 400
    assert await last_words(stage, b"") == b""


async def test_who_says_nothing_more_while_it_is_written(start: Start) -> None:
    """So does he who closes his side while his callback is on its way to the disk."""
    disk = Gated()
    stage = await start(disk=disk)
    answer = await last_words(stage, whole(stage), gate=disk)
    assert (status(answer), b"Connection: close" in answer) == (200, True)


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
async def test_who_asks_for_another_protocol_is_answered_in_ours(stage: Stage, protocol: str) -> None:
    """A sender that offers to go on in another protocol (Java's does) is answered, and told to begin anew:
    no request waits.
    """
    asking = whole(stage).replace(
        b"\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: %b\r\n" % protocol.encode(), 1
    )
    answer = await talk(stage.running.port, asking + whole(stage))
    assert (status(answer), b"Connection: close" in answer) == (200, True)
    assert len(stage.lines()) == 1


async def test_who_says_nothing_more_in_the_middle(stage: Stage) -> None:
    """Whole requests before one that is cut off are answered, or the connection ends;
    what is cut is no callback.
    """
    answer = await last_words(stage, whole(stage) + half(stage))
    assert answer.count(b"HTTP/1.1") <= 1
    assert await last_words(stage, half(stage)) == b""
    assert len(stage.lines()) <= 1
    await until(lambda: not stage.running._receiver.held)


async def test_answers_wait_while_the_kernel_has_no_room() -> None:
    """What answers is told when the kernel has no room for more, and when it has again: it does not fill
    memory for whoever reads nothing.
    """

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response()

    connection = Connections(web.Server(answer), LIMITS, Counts())()
    told = list[bool]()
    for tell in (connection.pause_writing, connection.resume_writing):
        tell()
        told.append(connection.http.writing_paused)
    assert told == [True, False]
