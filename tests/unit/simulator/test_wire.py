"""What a client meets when a create goes wrong."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from mwbatch.simulator import Fault, Faults, Line, Size
from tests.unit.simulator.conftest import IMAGE, SLOW, Start, always, tag

BODY = f"callback_url=http://127.0.0.1:9/a&image_url={IMAGE}".encode()


async def _raw(url: str, seconds: float = 0.3) -> bytes:
    """Send one create and give every byte that comes back within a while."""
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        "POST /v1/task/images/tagging HTTP/1.1\r\nHost: a\r\nAuthorization: Basic c2ltX2tleTo=\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    writer.write(head.encode() + BODY)
    received = b""
    try:
        async with asyncio.timeout(seconds):
            while block := await reader.read(65536):
                received += block
        received += b"<closed>"
    except TimeoutError:
        pass
    writer.close()
    return received


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.CREATED_500, 500),
        (Fault.CREATED_503, 503),
        (Fault.CREATED_307, 307),
        (Fault.CREATED_LATE, 504),
        (Fault.NOT_CREATED_500, 500),
        (Fault.NOT_CREATED_503, 503),
        (Fault.BUSY, 429),
        (Fault.ANSWER_RUBBISH, 200),
        (Fault.PROXIED_TWICE, 200),
        (Fault.ONE_TASK_ID, 200),
    ],
)
async def test_a_fault_has_its_status(
    start: Start, session: aiohttp.ClientSession, fault: Fault, status: int
) -> None:
    """A fault that still answers answers with its own status."""
    simulator = await start(always(SLOW, fault))
    url = f"{simulator.url}/v1/task/images/tagging"
    form = {"callback_url": "http://127.0.0.1:9/a", "image_url": IMAGE}
    async with session.post(url, data=form, allow_redirects=False) as answer:
        assert answer.status == status
        assert answer.headers.get("Retry-After") == ("1" if fault is Fault.BUSY else None)


async def test_an_api_may_name_no_wait(start: Start, session: aiohttp.ClientSession) -> None:
    """Where no size is given for it, as in the heavy profile, a 429 has no ``Retry-After``."""
    simulator = await start(always(SLOW, Fault.BUSY, size=Size(retry_after_s=None)))
    form = {"callback_url": "http://127.0.0.1:9/a", "image_url": IMAGE}
    async with session.post(f"{simulator.url}/v1/task/images/tagging", data=form) as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (429, None)


async def test_a_cut_connection_sends_nothing(start: Start) -> None:
    """A connection cut after the creation gives not a byte, and the task exists."""
    simulator = await start(always(SLOW, Fault.CREATED_CUT))
    assert await _raw(simulator.url) == b"<closed>"
    assert simulator.world.stats()["created"] == 1


async def test_silence_stays_open(start: Start) -> None:
    """An answer that never comes leaves the connection open, and the task exists."""
    simulator = await start(always(SLOW, Fault.CREATED_TIMEOUT))
    assert await _raw(simulator.url) == b""
    assert simulator.world.stats()["created"] == 1


async def test_silence_ends_some_day(start: Start) -> None:
    """A silent connection is closed after the given time."""
    simulator = await start(always(SLOW, Fault.CREATED_TIMEOUT, size=Size(silent_s=0.05)))
    assert await _raw(simulator.url, 2.0) == b"<closed>"


async def test_a_cut_answer_is_half_there(start: Start) -> None:
    """A cut answer promises more than it sends."""
    simulator = await start(always(SLOW, Fault.ANSWER_CUT))
    head, _, body = (await _raw(simulator.url)).removesuffix(b"<closed>").partition(b"\r\n\r\n")
    promised = int(head.rpartition(b"Content-Length: ")[2])
    assert 0 < len(body) < promised


async def test_rubbish_headers_follow_a_200(start: Start, session: aiohttp.ClientSession) -> None:
    """Two lengths after a 200 are an error to a client, which must not take it for a 400."""
    simulator = await start(always(SLOW, Fault.ANSWER_BAD_HEADERS))
    assert (await _raw(simulator.url)).count(b"Content-Length") == 2
    with pytest.raises(aiohttp.ClientError):
        await tag(session, simulator, "http://127.0.0.1:9/b")


async def test_a_stray_answer_follows_on_the_idle_connection(start: Start) -> None:
    """A second answer that nobody asked for arrives on the open connection."""
    simulator = await start(always(SLOW, Fault.STRAY_ANSWER))
    received = await _raw(simulator.url)
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.count(b'"task_id"') == 2
    assert not received.endswith(b"<closed>")


async def test_only_the_scripted_request_fails(start: Start, session: aiohttp.ClientSession) -> None:
    """A script's request fails and its neighbours do not."""
    faults = Faults(script=(Line(Fault.CREATED_500, 2, 2),))
    simulator = await start(replace(SLOW, faults=faults))
    answers = [await tag(session, simulator, f"http://127.0.0.1:9/{n}") for n in range(3)]
    assert [answer.get("status_code") for answer in answers] == [None, 500, None]
    assert simulator.world.stats()["created"] == 3
