"""What is refused, with which status; nothing of it is ever stored."""

import asyncio
import gzip

import pytest
from yarl import URL

from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.refusal import ANSWERS, Reason
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import Stage, callback, request, status, talk, turns

SMALL = Limits(body=1000, body_seconds=0.3, lingering_seconds=0.1)


def headless(answer: bytes) -> list[bytes]:
    """An answer without what changes from second to second."""
    return [line for line in answer.split(b"\r\n") if not line.startswith(b"Date:")]


def test_every_reason_has_an_answer() -> None:
    """Each reason has one answer; trouble of our own is 503 with a time to call again,
    and nothing is 410 or 500.
    """
    assert set(ANSWERS) == set(Reason)
    assert all((answer.retry_after is not None) == (answer.status == 503) for answer in ANSWERS.values())
    assert not {answer.status for answer in ANSWERS.values()} & {410, 500}


async def test_a_wrong_address_is_an_unknown_route(stage: Stage) -> None:
    """Wrong mac, key, row, batch or version, or nothing at all: one answer, the same byte for byte."""
    right = stage.path()
    kid = right.split("/")[3]
    wrong = [
        right[:-1] + ("0" if right[-1] != "0" else "1"),
        right.replace(kid, "nokey"),
        right.replace("/0-1/", "/1-1/"),
        right.replace("/0-1/", "/0-2/"),
        right.replace("/v1/", "/v2/"),
        right.replace("/b2", "/c2"),
        right + "//",
        right + "/x",
        right + "%2F",
        right + "%00",
        right.replace("/v1/", "%2Fv1/"),
        "/callbacks%0A",
        "/callbacks",
        "/",
    ]
    answers = [await talk(stage.running.port, request(path, body=callback())) for path in wrong]
    assert {status(answer) for answer in answers} == {404}
    assert [headless(answer) for answer in answers] == [headless(answers[-1])] * len(wrong)
    assert not stage.lines()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_the_method_reveals_nothing(stage: Stage, method: str) -> None:
    """A wrong method is 405 at a right address, 404 at a wrong one."""
    right = await talk(stage.running.port, request(stage.path(), method=method))
    wrong = await talk(stage.running.port, request(stage.path()[:-1], method=method))
    assert (status(right), status(wrong)) == (405, 404)
    assert b"Allow: POST" in right
    assert b"Allow" not in wrong


@pytest.mark.parametrize("encoding", ["deflate", "br", "gzip, gzip", "zstd"])
async def test_other_encodings(stage: Stage, encoding: str) -> None:
    """A Content-Encoding that nobody unpacks here is 415."""
    body = gzip.compress(callback())
    assert (await stage.post(stage.address(), body, Content_Encoding=encoding)).status == 415


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"task_id":NaN}', b"\xff\xfe", callback() + b"}"])
async def test_bad_bodies(stage: Stage, body: bytes) -> None:
    """A body that is no callback is 400, and what comes next on the connection is served."""
    assert (await stage.post(stage.address(), body)).status == 400
    assert not stage.lines()
    assert (await stage.post(stage.address(), callback())).status == 200


async def test_a_body_needs_a_length(stage: Stage) -> None:
    """Neither Content-Length nor chunks is 411."""
    assert status(await talk(stage.running.port, request(stage.path(), length=False))) == 411


async def test_declared_too_large(start: Start) -> None:
    """A Content-Length above the limit is 413 before a byte of the body was read."""
    stage = await start(limits=SMALL)
    head = request(stage.path(), "Content-Length: 1001", length=False)
    assert status(await talk(stage.running.port, head)) == 413


@pytest.mark.parametrize(("size", "code"), [(1000, 200), (1001, 413)])
async def test_chunked_too_large(start: Start, size: int, code: int) -> None:
    """A chunked body is taken up to the limit, and never cut to fit."""
    stage = await start(limits=Limits(body=1000, lingering_seconds=0.1))
    text = callback().ljust(size)
    pieces = [f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (text[:400], text[400:], b"")]
    head = request(stage.path(), "Transfer-Encoding: chunked", length=False)
    assert status(await talk(stage.running.port, head, *pieces, pause=0.02)) == code
    assert len(stage.lines()) == (code == 200)


async def test_a_slow_body(start: Start) -> None:
    """A body that does not arrive in time is 408, and the connection ends."""
    stage = await start(limits=SMALL)
    whole = request(stage.path(), body=callback())
    answer = await talk(stage.running.port, whole[:-1], patience=2.0)
    assert status(answer) == 408
    assert stage.running.counts.rejected == {Reason.SLOW: 1}


async def test_a_sender_that_drips(start: Start) -> None:
    """The deadline is for the whole body: bytes that keep coming do not move it."""
    stage = await start(limits=SMALL)
    whole = request(stage.path(), body=callback())
    drops = [whole[i : i + 1] for i in range(len(whole) - 30, len(whole))]
    answer = await talk(stage.running.port, whole[:-30], *drops, pause=0.05)
    assert status(answer) in (0, 408)
    assert not stage.lines()


async def test_a_connection_that_breaks(stage: Stage) -> None:
    """Half a body is never stored, and the receiver goes on."""
    _, writer = await asyncio.open_connection("127.0.0.1", stage.running.port)
    writer.write(request(stage.path(), body=callback())[:-5])
    await writer.drain()
    writer.transport.abort()
    await turns()
    assert not stage.lines()
    assert (await stage.post(stage.address(), callback())).status == 200


async def test_a_stranger_is_not_asked_for_his_body(stage: Stage) -> None:
    """100 Continue is sent for a right address only."""
    port, expect = stage.running.port, "Expect: 100-continue"
    right = await talk(port, request(stage.path(), expect, body=callback()), patience=2)
    head = request(stage.path()[:-1], expect, "Content-Length: 5", length=False)
    wrong = await talk(port, head, patience=5)
    assert right.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200") or status(right) == 200
    assert status(wrong) == 404


async def test_a_sender_that_waits_for_100(stage: Stage) -> None:
    """A sender that holds its body back until it is asked is served."""
    whole = request(stage.path(), "Expect: 100-continue", body=callback())
    at = whole.index(b"\r\n\r\n") + 4
    answer = await talk(stage.running.port, whole[:at], whole[at:], pause=0.1)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    assert len(stage.lines()) == 1


async def test_another_expectation(stage: Stage) -> None:
    """An expectation other than 100-continue is 417."""
    answer = await talk(stage.running.port, request(stage.path(), "Expect: tea", body=callback()))
    assert status(answer) == 417


async def test_bodies_have_a_common_bound(start: Start) -> None:
    """While slow bodies fill the room for bodies, others are 503 with a time to call again;
    then they are served.
    """
    stage = await start(limits=Limits(body=1000, held=1000, body_seconds=0.4, lingering_seconds=0.1))
    head = request(stage.path(), "Content-Length: 1000", length=False) + b"{" * 990
    slow = asyncio.create_task(talk(stage.running.port, head))
    await turns()
    reply = await stage.post(stage.address(1), callback())
    assert (reply.status, reply.retry_after) == (503, "60")
    assert status(await slow) == 408
    assert (await stage.post(stage.address(1), callback())).status == 200


async def test_a_query_does_not_matter(stage: Stage) -> None:
    """What stands behind a question mark is no part of an address."""
    assert (await stage.post(f"{stage.address()}?a=/b", callback())).status == 200
    assert URL(stage.address()).path == stage.path()
