"""The address is proved: what senders put around a body that can be understood costs no callback."""

import gzip
import tracemalloc
from codecs import BOM_UTF8
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.refusal import Reason, Rejected
from mwbatch.callbacks.intake.coding import decoded
from mwbatch.callbacks.ops.mounting import application
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import JSON, Reply, Stage, callback, request, status, talk

OK = Reply(200, b"", None)


@given(st.binary(max_size=3000), st.integers(0, 3000), st.booleans())
def test_unpacking(text: bytes, most: int, marked: bool) -> None:
    """Whatever was packed comes out as it was, without the mark before it,
    where it is no longer than may be.
    """
    whole = BOM_UTF8 * marked + text
    try:
        came: bytes | Reason = decoded(gzip.compress(whole), "gzip", most)
    except Rejected as rejected:
        came = rejected.reason
    assert came == (whole.removeprefix(BOM_UTF8) if len(whole) <= most else Reason.TOO_LARGE)


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"{}" * 40)[:-9],
        gzip.compress(b"{}")[:-1],
        gzip.compress(b"{}") * 2,
        gzip.compress(b"{}") + b"{}",
    ],
    ids=["cut", "cut in its checksum", "two", "more behind it"],
)
def test_what_is_packed_is_one_whole_stream(packed: bytes) -> None:
    """Of a body that was cut, or that has more behind it, no part is taken for what was sent."""
    with pytest.raises(Rejected) as told:
        decoded(packed, "gzip", 10_000)
    assert told.value.reason is Reason.NOT_JSON


@given(st.binary(max_size=300), st.integers(0, 300))
def test_unpacking_anything(raw: bytes, most: int) -> None:
    """Whatever bytes call themselves packed, they are refused or come to no more than may be."""
    with suppress(Rejected):
        assert len(decoded(b"\x1f\x8b\x08\0" + raw, "gzip", most)) <= most


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/task+json",
        "application/x-www-form-urlencoded",
        "json",
        "",
    ],
)
async def test_the_type_is_not_looked_at(stage: Stage, kind: str) -> None:
    """A body that is a callback is one under every type."""
    assert await stage.post(stage.address(), callback(), Content_Type=kind) == OK
    assert len(stage.lines()) == 1


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", " gzip "])
async def test_packed(stage: Stage, coding: str) -> None:
    """A packed body is unpacked, and stored as if it had come plain."""
    assert await stage.post(stage.address(), gzip.compress(callback()), Content_Encoding=coding) == OK
    assert await stage.post(stage.address(), callback()) == OK
    assert len(stage.lines()) == 1


@pytest.mark.parametrize("coding", ["identity", "", "Identity", "gzip"])
async def test_called_packed_and_not(stage: Stage, coding: str) -> None:
    """A body that is plain is taken, also where something on the way has unpacked it and left the header."""
    assert await stage.post(stage.address(), callback(), Content_Encoding=coding) == OK


@pytest.mark.parametrize(("size", "code"), [(1000, 200), (1001, 413)])
async def test_packed_within_limits(start: Start, size: int, code: int) -> None:
    """A packed body may be as long as a plain one, once it is unpacked, and holds room for all of it."""
    stage = await start(limits=Limits(body=1000))
    packed = gzip.compress(callback().ljust(size))
    assert (await stage.post(stage.address(), packed, Content_Encoding="gzip")).status == code
    assert len(stage.lines()) == (code == 200)


def test_a_bomb_is_not_unpacked() -> None:
    """However much a small body stands for, no more of it is unpacked than may be."""
    bomb, most = gzip.compress(bytes(50_000_000)), 100_000
    tracemalloc.start()
    try:
        with pytest.raises(Rejected):
            decoded(bomb, "gzip", most)
        assert tracemalloc.get_traced_memory()[1] < 10 * most
    finally:
        tracemalloc.stop()


def test_little_does_not_stand_for_much() -> None:
    """A few KiB never buy the reading of the largest body;
    what is packed as callbacks are is taken up to that.
    """
    most, tag = 8 << 20, b'{"id":"%032x","box":{"x":%d,"y":%d}},'
    with pytest.raises(Rejected):
        decoded(gzip.compress(b"{}," * 2_700_000), "gzip", most)
    real = b"".join(tag % (pow(7, n, 2**127), n, n * n) for n in range(90_000))
    assert decoded(gzip.compress(real), "gzip", most) == real
    same = tag % (1, 2, 3) * 15_000
    assert decoded(gzip.compress(same), "gzip", most) == same


async def test_packed_holds_its_room(start: Start) -> None:
    """What a packed body becomes must have room among all others."""
    stage = await start(limits=Limits(body=100_000, held=50_000))
    packed = gzip.compress(callback().ljust(60_000))
    assert (await stage.post(stage.address(), packed, Content_Encoding="gzip")).status == 503
    packed = gzip.compress(callback().ljust(40_000))
    assert await stage.post(stage.address(), packed, Content_Encoding="gzip") == OK


@pytest.mark.parametrize("packed", [False, True])
async def test_a_mark_before_the_text(stage: Stage, packed: bool) -> None:
    """A UTF-8 mark before the body is passed over: the same answer without it is the same."""
    body = BOM_UTF8 + callback()
    headers = {"Content_Encoding": "gzip"} if packed else {}
    assert await stage.post(stage.address(), gzip.compress(body) if packed else body, **headers) == OK
    assert await stage.post(stage.address(), callback()) == OK
    assert len(stage.lines()) == 1
    assert BOM_UTF8 not in stage.lines()[0]


async def test_a_slash_at_the_end(stage: Stage) -> None:
    """One slash behind the address is forgiven, as some frameworks put it there."""
    assert await stage.post(f"{stage.address()}/", callback()) == OK


async def test_a_great_header(stage: Stage) -> None:
    """A header of six kilobytes, as proxies add them, is borne."""
    raw = request(stage.path(), "X-Forwarded-Client-Cert: " + "a" * 6 * 1024, body=callback())
    assert status(await talk(stage.running.port, raw)) == 200


async def test_in_an_application_that_unpacks(stage: Stage) -> None:
    """Mounted where aiohttp unpacks bodies before anybody sees them,
    packed and plain ones are taken as well.
    """
    await stage.running.close()
    runner = web.AppRunner(application(stage.home))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession() as session:
            for row, body in enumerate((gzip.compress(callback()), callback())):
                url = f"http://127.0.0.1:{runner.addresses[0][1]}{stage.path(row)}"
                named = JSON | {"Content-Encoding": "gzip"} if row == 0 else JSON
                async with session.post(url, data=body, headers=named) as reply:
                    assert reply.status == 200
    finally:
        await runner.cleanup()
    assert len(stage.lines()) == 2
