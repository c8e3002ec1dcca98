"""The receiver in an application of the user's own: below a prefix, behind his middlewares, in his server."""

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import uvloop
from aiohttp import web

from mwbatch.callbacks.common.hiding import HideAddresses
from mwbatch.callbacks.ops.mounting import RECEIVER, application
from mwbatch.callbacks.receiver import Receiver
from mwbatch.core.api.receiver_probe import is_answer, probe_address, question
from mwbatch.core.facts.kinds import Seen
from mwbatch.errors import UsageError
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.support.disks import Gated
from tests.unit.callbacks.stage import BATCH, JSON, callback, make_home, path_below, until

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

PREFIX: Final = "/hooks"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one batch, and keys: a disk that holds its syncs back would hold the start."""
    home = make_home(tmp_path / "home", BATCH)
    keys_of(home)
    return home


@asynccontextmanager
async def served(own: web.Application, **options: Any) -> AsyncIterator[str]:
    """An application in aiohttp's own server; gives its URL."""
    runner = web.AppRunner(own, **options)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def post(url: str, body: bytes = callback(), **headers: str) -> int:
    """Post as the API does; the status."""
    named = JSON | {name.replace("_", "-"): text for name, text in headers.items()}
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=named) as reply:
        return reply.status


def lines(home: Home) -> list[bytes]:
    """Every line on disk."""
    paths = [path for path in home.path.rglob("*.jsonl") if path.parent.name in ("journal", "results")]
    return [line for path in paths for line in path.read_bytes().splitlines()]


async def by_read(request: web.Request) -> None:
    """Take the body as bytes."""
    await request.read()


async def by_text(request: web.Request) -> None:
    """Take it as a text."""
    await request.text()


async def by_json(request: web.Request) -> None:
    """Take what it means."""
    await request.json()


async def by_post(request: web.Request) -> None:
    """Take what a form says."""
    await request.post()


@pytest.mark.parametrize("reads", [by_read, by_text, by_json, by_post])
async def test_a_middleware_that_reads_the_body(home: Home, reads: Callable[..., Awaitable[None]]) -> None:
    """A middleware of the user's may read the body first: the callback is stored as it came."""

    @web.middleware
    async def reading(request: web.Request, handler: Next) -> web.StreamResponse:
        await reads(request)
        return await handler(request)

    own = web.Application(middlewares=[reading])
    own.add_subapp(PREFIX, application(home))
    async with served(own) as url:
        assert await post(url + path_below(home, PREFIX)) == 200
    [line] = lines(home)
    assert callback() in line


async def test_a_middleware_that_keeps_the_body(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """Where a middleware took the body and left nothing of it the answer is 503, so that it comes again, and
    the log says once who is to blame.
    """

    @web.middleware
    async def draining(request: web.Request, handler: Next) -> web.StreamResponse:
        await request.content.read()
        return await handler(request)

    own = web.Application(middlewares=[draining])
    own.add_subapp(PREFIX, application(home))
    async with served(own) as url:
        for _ in range(2):
            assert await post(url + path_below(home, PREFIX)) == 503
    assert caplog.text.count("a middleware has taken the body") == 1
    assert lines(home) == []


async def test_told_though_nobody_waits(home: Home) -> None:
    """A sender that is gone before the disk is done takes nothing away: the fact is stored, counted
    and told.
    """
    told: list[str] = []
    disk = Gated()

    def listen(_: str, fact: Seen) -> None:
        told.append(fact.task_id)

    own = web.Application()
    own.add_subapp(PREFIX, hooks := application(Home(home.path, disk=disk), on_stored=listen))
    async with served(own, handler_cancellation=True) as url:
        sending = asyncio.create_task(post(url + path_below(home, PREFIX)))
        await until(disk.waiting.is_set)
        sending.cancel()
        await asyncio.wait([sending])
        await until(lambda: not hooks[RECEIVER].held)
        disk.gate.set()
        await until(lambda: told)
        assert (told, hooks[RECEIVER].counts.stored) == (["t1"], 1)
        assert await post(url + path_below(home, PREFIX)) == 200
        assert (told, hooks[RECEIVER].counts.repeated) == (["t1"], 1)
    assert len(lines(home)) == 1


async def test_a_middleware_that_gives_up(home: Home) -> None:
    """A time-out of the user's application cancels the request and not the fact."""
    told: list[str] = []
    disk = Gated()

    @web.middleware
    async def hasty(request: web.Request, handler: Next) -> web.StreamResponse:
        waiting = asyncio.ensure_future(handler(request))
        await until(disk.waiting.is_set)
        waiting.cancel()
        await asyncio.wait([waiting])
        return web.Response(status=504)

    own = web.Application(middlewares=[hasty])
    own.add_subapp(
        PREFIX, application(Home(home.path, disk=disk), on_stored=lambda _, fact: told.append(fact.task_id))
    )
    async with served(own) as url:
        assert await post(url + path_below(home, PREFIX)) == 504
        assert told == []
        disk.gate.set()
        await until(lambda: told == ["t1"])
    assert len(lines(home)) == 1


async def test_who_hangs_up_gets_no_more_room(home: Home) -> None:
    """Senders that hang up before the disk is done are held to what one address may store, too."""
    disk = Gated()
    own = web.Application()
    own.add_subapp(PREFIX, hooks := application(Home(home.path, disk=disk)))
    async with served(own, handler_cancellation=True) as url:
        bodies = [callback(response={"n": n}) for n in range(4)]
        posts = [asyncio.create_task(post(url + path_below(home, PREFIX), body)) for body in bodies]
        await until(lambda: hooks[RECEIVER].held == sum(map(len, bodies)))
        await until(disk.waiting.is_set)
        for one in posts:
            one.cancel()
        await asyncio.wait(posts)
        await until(lambda: not hooks[RECEIVER].held)
        late = asyncio.create_task(post(url + path_below(home, PREFIX), callback(response={"n": 9})))
        disk.gate.set()
        assert await late == 422
    assert len(lines(home)) == 4


async def test_ready_once_it_is_mounted(home: Home) -> None:
    """Mounted it is ready as soon as its application has started, and says so until that ends."""
    own = web.Application()
    own.add_subapp(PREFIX, hooks := application(home))
    receiver = hooks[RECEIVER]
    assert (receiver.ready, receiver.hindrance) == (False, "starting")
    async with served(own):
        assert (receiver.ready, receiver.hindrance, receiver.failure) == (True, None, None)
    assert (receiver.ready, receiver.hindrance) == (False, "shutting_down")


@pytest.mark.parametrize("again", ["another runner", "the same runner"])
async def test_started_again(home: Home, again: str, caplog: pytest.LogCaptureFixture) -> None:
    """An application that was ended and is started again takes callbacks as at first,
    and knows what it has.
    """
    own = web.Application()
    own.add_subapp(PREFIX, hooks := application(home))
    runner = web.AppRunner(own)
    for n in range(3):
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        for row in (0, n):
            assert await post(url + path_below(home, PREFIX, row), callback(f"t{row}")) == 200
        assert hooks[RECEIVER].ready
        await runner.cleanup()
        if again == "another runner":
            runner = web.AppRunner(own)
    assert len(lines(home)) == 3
    assert "closed" not in caplog.text


async def test_two_homes_in_one_application(tmp_path: Path) -> None:
    """Two homes in one application each take what their own keys signed, and nothing of the other."""
    homes = {name: make_home(tmp_path / name, BATCH) for name in ("one", "two")}
    own = web.Application()
    for name, home in homes.items():
        own.add_subapp(f"/{name}/hooks", application(home))
    async with served(own) as url:
        for name, home in homes.items():
            assert await post(url + path_below(home, f"/{name}/hooks"), callback(name)) == 200
        assert await post(url + path_below(homes["one"], "/two/hooks")) == 404
    for name, home in homes.items():
        [line] = lines(home)
        assert name.encode() in line


async def test_a_listener_that_waits(home: Home) -> None:
    """A coroutine function is awaited, one call after the other, in the order in which facts became durable;
    no answer waits for it, and what is left is told before the end.
    """
    told: list[str] = []
    going = asyncio.Event()

    async def listen(_: str, fact: Seen) -> None:
        await going.wait()
        told.append(fact.task_id)

    own = web.Application()
    own.add_subapp(PREFIX, application(home, on_stored=listen))
    async with served(own) as url:
        for row in range(3):
            assert await post(url + path_below(home, PREFIX, row), callback(f"t{row}")) == 200
        assert told == []
        going.set()
    assert told == ["t0", "t1", "t2"]


async def test_a_listener_that_waits_and_fails(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """What fails in a coroutine is logged by its line, and the next fact is told."""
    told: list[str] = []

    async def listen(_: str, fact: Seen) -> None:
        await asyncio.sleep(0)
        if fact.row == 0:
            raise RuntimeError(fact.task_id)
        told.append(fact.task_id)

    own = web.Application()
    own.add_subapp(PREFIX, application(home, on_stored=listen))
    async with served(own) as url:
        for row in range(2):
            assert await post(url + path_below(home, PREFIX, row), callback(f"t{row}")) == 200
        await until(lambda: told == ["t1"])
    where = f"RuntimeError at {__file__}:{listen.__code__.co_firstlineno + 3}"
    assert f"on_stored failed: {where}" in caplog.text
    assert logging.ERROR in {record.levelno for record in caplog.records}


def access_log(hide: bool, shown: list[str]) -> logging.Logger:
    """A logger as aiohttp's own, which writes what it is told to a list."""

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            shown.append(f"{self.format(record)} {record.__dict__}")

    log = logging.Logger("own.access", logging.INFO)  # noqa: LOG001 (nobody else's)
    log.addHandler(Keep())
    if hide:
        log.addFilter(HideAddresses())
    return log


@pytest.mark.parametrize("hide", [True, False])
async def test_an_access_log_without_addresses(
    home: Home, hide: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """With the filter aiohttp's access log shows no callback address, neither in its line nor in what goes
    along with it; without it, that it shows them is said once.
    """
    shown = list[str]()
    own = web.Application()
    own.add_subapp(PREFIX, application(home))
    path = path_below(home, PREFIX)
    async with served(own, access_log=access_log(hide, shown)) as url:
        for _ in range(2):
            assert await post(url + path) == 200
    await until(lambda: len(shown) == 2)
    secret = path.rpartition("/")[2]
    assert [f"POST {PREFIX}/callbacks/v1/" in line for line in shown] == [True, True]
    assert any(secret in line for line in shown) is not hide
    assert caplog.text.count("mwbatch help mounting") == 1
    assert ("access log shows" in caplog.text) is not hide


def test_addresses_are_hidden_wherever_they_stand(home: Home) -> None:
    """An address is hidden in a message, an argument, a part of one, an error and its traceback; numbers and
    all else stay what they are.
    """
    path = path_below(home)
    start, secret = path.rpartition("/")[::2]
    records = [
        logging.LogRecord("x", 20, "f", 1, path, None, None),
        logging.LogRecord("x", 20, "f", 1, "%s %d", (path, 7), None),
        logging.LogRecord("x", 20, "f", 1, "%s/%s", (start, secret), None),
        logging.LogRecord("x", 20, "f", 1, "%s", (ValueError(path),), None),
    ]
    with pytest.raises(ValueError, match="callbacks") as raised:
        int(path)
    error = raised.value
    records.append(logging.LogRecord("x", 20, "f", 1, "no", None, (type(error), error, error.__traceback__)))
    for record in records:
        assert HideAddresses().filter(record)
        assert secret not in logging.Formatter().format(record)
    assert records[1].args == (f"{start}/***", 7)


async def test_handed_over_by_any_framework(home: Home) -> None:
    """What another framework has read goes by the same rules: status, headers and body of the answer, once
    what was sent is on disk; probes are answered, strangers are not.
    """
    told: list[str] = []
    path = path_below(home, "/any/where")
    receiver = Receiver(home, on_stored=lambda _, fact: told.append(fact.task_id))
    with pytest.raises(UsageError, match="not open"):
        await receiver.receive(path, {}, callback())
    for _ in range(2):
        async with receiver:
            assert receiver.ready
            assert await receiver.receive(path, JSON, callback()) == (200, {}, b"")
            packed = {"content-encoding": "gzip"}
            assert (await receiver.receive(path + "?a=b", packed, gzip.compress(callback()))).status == 200
            status, headers, body = await receiver.receive(path, {}, callback(), method="GET")
            assert (status, headers["Allow"], body[:3]) == (405, "POST", b"405")
            assert (await receiver.receive(path, {}, b"{")).status == 400
            assert (await receiver.receive(path, {"Content-Encoding": "br"}, callback())).status == 415
            assert (await receiver.receive(path, {}, bytes(9 << 20))).status == 413
            assert (await receiver.receive(path[:-1] + "!", {}, callback())).status == 404
            asked = probe_address("", keys_of(home).newest)
            reply = await receiver.receive(asked, {}, question("n1"))
            assert (reply.status, is_answer(reply.body, "n1")) == (200, True)
            with pytest.raises(UsageError, match="is open"):
                await receiver.__aenter__()
        assert not receiver.held
    assert told == ["t1"]
    assert len(lines(home)) == 1


def test_on_uvloop(home: Home) -> None:
    """It is mounted in an application on uvloop as anywhere, a loop at a time."""

    async def once() -> None:
        own = web.Application()
        own.add_subapp(PREFIX, application(home))
        async with served(own) as url:
            assert await post(url + path_below(home, PREFIX)) == 200

    for new_loop in (uvloop.new_event_loop, asyncio.new_event_loop):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(once())
    assert len(lines(home)) == 1
