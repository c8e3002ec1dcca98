"""Slow senders starve nobody: room is claimed for what has come, an address has one share of it,
and who comes fast may go on.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.refusal import Reason
from mwbatch.callbacks.intake.address_turns import MOST, AddressTurns
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import Reply, Stage, callback, request, status, talk, until

OK = Reply(200, b"", None)
Open = Callable[..., Awaitable[asyncio.StreamWriter]]


def held(stage: Stage) -> int:
    """Bytes of bodies that have come."""
    return stage.running._receiver.held


@pytest.fixture
async def begin() -> AsyncIterator[Open]:
    """Begin a callback that promises ``size`` bytes and sends some of them;
    gives what more can be sent with.
    """
    writers: list[asyncio.StreamWriter] = []

    async def opened(stage: Stage, row: int, size: int, sent: int = 0) -> asyncio.StreamWriter:
        _, writer = await asyncio.open_connection("127.0.0.1", stage.running.port)
        writers.append(writer)
        head = request(stage.path(row), f"Content-Length: {size}", length=False)
        writer.write(head + callback().ljust(size)[:sent])
        return writer

    yield opened
    for writer in writers:
        writer.close()


async def test_a_promise_holds_no_room(start: Start, begin: Open) -> None:
    """However many connections promise the largest body and send nothing, every other callback is taken."""
    stage = await start(limits=Limits(body=1000, held=2000))
    for row in range(20):
        await begin(stage, row, 1000)
    for row in range(20, 25):
        assert await stage.post(stage.address(row), callback()) == OK


async def test_an_address_has_one_share(start: Start, begin: Open) -> None:
    """Whoever knows one address can fill the room with one body through it, not with many."""
    stage = await start(limits=Limits(body=1000, held=3000))
    for _ in range(10):
        await begin(stage, 0, 1000, 990)
    await until(lambda: held(stage) >= 990)
    for row in range(1, 6):
        assert await stage.post(stage.address(row), callback().ljust(900)) == OK
    assert await stage.post(stage.address(0), callback()) == OK  # in one piece it waits for nobody


async def test_the_next_body_waits_its_turn(start: Start, begin: Open) -> None:
    """A second body of an address waits until the first one is whole or given up, and is taken then."""
    stage = await start(limits=Limits(body=1000, body_seconds=5.0))
    first = await begin(stage, 0, 1000, 500)
    await until(lambda: held(stage) == 500)
    whole = request(stage.path(), body=callback("t2").ljust(1000))
    second = asyncio.create_task(talk(stage.running.port, whole[:-500], whole[-500:], pause=0.05))
    await asyncio.sleep(0.3)
    assert not second.done()
    first.write(b" " * 500)
    assert status(await second) == 200
    assert len(stage.lines()) == 2


async def test_who_waits_too_long_comes_again(start: Start, begin: Open) -> None:
    """A body whose turn does not come in time is 503: it was not slow itself."""
    stage = await start(limits=Limits(body=1000, body_seconds=1.0, body_rate=1.0, lingering_seconds=0.1))
    first = await begin(stage, 0, 1000, 500)
    await until(lambda: held(stage) == 500)
    whole = request(stage.path(), body=callback("t2").ljust(1000))

    async def keep_going() -> None:
        for _ in range(100):
            first.write(b" ")
            await asyncio.sleep(0.05)

    going = asyncio.create_task(keep_going())
    answer = await talk(stage.running.port, whole[:-500], patience=20.0)
    going.cancel()
    assert (status(answer), b"Retry-After: 60" in answer) == (503, True)


async def test_not_too_many_wait() -> None:
    """Beyond a few waiting bodies of one address the next is turned away at once; another address is not."""
    turns, held = AddressTurns(), asyncio.Event()

    async def hold(address: str) -> str:
        try:
            async with turns.of(address, 10.0):
                await held.wait()
        except Exception as error:  # noqa: BLE001
            return str(getattr(error, "reason", error))
        return "ok"

    holding = [asyncio.create_task(hold("a")) for _ in range(MOST + 5)] + [asyncio.create_task(hold("b"))]
    await asyncio.sleep(0)
    held.set()
    said = [await task for task in holding]
    assert said == ["ok"] * (MOST + 1) + [Reason.OVERLOADED.value] * 4 + ["ok"]
    assert not turns._locks


async def test_who_comes_fast_enough_may_go_on(start: Start) -> None:
    """A body that takes longer than its time altogether is taken while it comes as fast as it should."""
    stage = await start(limits=Limits(body=100_000, body_seconds=2.0, body_rate=4000.0))
    whole = request(stage.path(), body=callback().ljust(60_000))
    pieces = [whole[at : at + 1000] for at in range(0, len(whole), 1000)]
    answer = await talk(stage.running.port, *pieces, pause=0.05, patience=60.0)
    assert status(answer) == 200


async def test_who_was_fast_may_not_rest_for_long(start: Start) -> None:
    """A body that came fast and then stops is given up as soon as one that never came:
    time is not saved up.
    """
    stage = await start(
        limits=Limits(body=100_000, body_seconds=0.3, body_rate=1000.0, lingering_seconds=0.1)
    )
    whole = request(stage.path(), body=callback().ljust(60_000))
    answer = await talk(stage.running.port, whole[:-1], patience=20.0)
    assert status(answer) == 408


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection without a farewell."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


HANG_UPS: dict[str, Callable[[asyncio.StreamWriter], None]] = {
    "fin": lambda writer: writer.close(),
    "rst": reset,
    "half-close": lambda writer: writer.write_eof(),
}


@pytest.mark.parametrize("how", HANG_UPS)
@pytest.mark.parametrize("chunked", [False, True])
async def test_who_hangs_up_is_counted(stage: Stage, how: str, chunked: bool) -> None:
    """A body that breaks off because its sender hangs up is counted as cut, however he does;
    the next one is taken.
    """
    _, writer = await asyncio.open_connection("127.0.0.1", stage.running.port)
    header = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100"
    writer.write(request(stage.path(), header, length=False) + b"50\r\n{")
    await until(lambda: held(stage))
    HANG_UPS[how](writer)
    await until(lambda: stage.running.counts.rejected[Reason.CUT] == 1)
    assert await stage.post(stage.address(), callback()) == OK
    assert stage.running.counts.rejected.total() == 1
    writer.close()


@pytest.mark.parametrize(
    "filling", [b"[" * 60 + b"]" * 60, b"{},", b"[],", b"0,", b'"",', b'{"a":[0]},'], ids=list("abcdef")
)
async def test_a_body_of_nothing_but_brackets(stage: Stage, filling: bytes) -> None:
    """A body that is within the limit of size, and more work to read than any callback, is refused unread."""
    filled = b",".join([filling.rstrip(b",")] * (7_000_000 // len(filling)))
    body = b'{"task_id":"t","response":[%s]}' % filled
    answer = await talk(stage.running.port, request(stage.path(), body=body), patience=30)
    assert (status(answer), stage.lines()) == (413, [])


async def test_the_fullest_body(stage: Stage) -> None:
    """The largest answer that an image can have is taken: no limit but that of its size stands in its way."""
    tag = b'{"id":"%08x","brand":"a, b","box":{"left":1,"top":2,"width":3,"height":4}},'
    tags = b"".join(tag % number for number in range((8 << 20) // (len(tag) + 4) - 2)).rstrip(b",")
    body = b'{"task_id":"t","response":{"tags":[%s]}}' % tags
    answer = await talk(stage.running.port, request(stage.path(), body=body), patience=30)
    assert (status(answer), len(stage.lines())) == (200, 1)
