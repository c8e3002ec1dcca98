"""The answer 200, which goes past aiohttp's headers, on the wire."""

from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mwbatch.callbacks.ops.mounting import application
from mwbatch.core.api.address import write
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.keys.home_keys import keys_of
from tests.unit.callbacks.stage import BATCH, JSON, Stage, callback, make_home, talk

HEAD = "POST {} HTTP/{}\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n"


def posted(path: str, version: str = "1.1", header: str = "") -> bytes:
    """One callback on the wire, which says about the connection what ``header`` says."""
    return HEAD.format(path, version, len(callback()), header).encode() + callback()


async def test_a_connection_stays_open(stage: Stage) -> None:
    """Callbacks one behind another on one connection are each answered by 200, no body and a date."""
    raw = (
        posted(stage.path(0)) + posted(stage.path(1)) + posted(stage.path(2), header="Connection: close\r\n")
    )
    first, second, third = (await talk(stage.running.port, raw)).split(b"\r\n\r\n")[:3]
    for head in (first, second):
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        assert (status, headers["Content-Length"]) == ("HTTP/1.1 200 OK", "0")
        assert parsedate_to_datetime(headers["Date"]).tzinfo is not None
    assert b"200" in third
    assert len(stage.lines()) == 3


@pytest.mark.parametrize(
    ("version", "header", "said"),
    [
        ("1.1", "Connection: close\r\n", b"Connection: close"),
        ("1.0", "", b"HTTP/1.0 200"),
    ],
)
async def test_what_the_sender_wants_of_the_connection(
    version: str, header: str, said: bytes, stage: Stage
) -> None:
    """A sender that closes, or speaks HTTP/1.0, is answered in its own way."""
    assert said in await talk(stage.running.port, posted(stage.path(), version, header))


async def test_the_users_application_has_its_say(tmp_path: Path) -> None:
    """Mounted in an application, a stored callback's answer carries what its signals add."""

    async def marked(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Mark"] = "own"

    home = make_home(tmp_path / "home", BATCH)
    own = web.Application()
    own.on_response_prepare.append(marked)
    own.add_subapp("/hooks", application(home))
    async with TestServer(own) as server, aiohttp.ClientSession() as session:
        url = write(str(server.make_url("/hooks")), keys_of(home).newest, BATCH, RowNumber(0), Attempt(1))
        async with session.post(url, data=callback(), headers=JSON) as reply:
            assert (reply.status, reply.headers["X-Mark"]) == (200, "own")
