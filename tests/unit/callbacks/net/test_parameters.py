"""RELIABILITY section 3, parameter by parameter: each as it is set, at the place where it takes effect."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pytest
import trustme
from aiohttp import web

from mwbatch.callbacks.common.limits import LIMITS, Limits
from mwbatch.callbacks.net import listener
from mwbatch.callbacks.ops.mounting import application
from mwbatch.callbacks.ops.server import serve
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import make_home, request, status, talk, turns

Made = dict[str, Any]

RUNNER: Final[Made] = {
    "access_log": None,
    "keepalive_timeout": 15.0,
    "lingering_time": 2.0,
    "max_line_size": 2048,
    "max_field_size": 8190,
    "max_headers": 64,
    "auto_decompress": False,
    "handler_cancellation": False,
    "shutdown_timeout": 0.1,  # requests in flight have had their ten seconds by then: see `drain`
}
BOUNDS: Final[Made] = {
    "body": 8 << 20,
    "held": 64 << 20,
    "body_seconds": 10.0,
    "connections": 1024,
    "handshake_seconds": 5.0,
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """What aiohttp's server, its runner and the event loop's server are made with;
    all are made all the same.
    """
    seen: Made = {}

    def noting(make: Callable[..., Any]) -> Callable[..., Any]:
        def note(*args: Any, **named: Any) -> Any:
            seen.update(named)
            return make(*args, **named)

        return note

    monkeypatch.setattr(listener, "_Server", noting(listener._Server))
    monkeypatch.setattr(web, "ServerRunner", noting(web.ServerRunner))
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_server", noting(asyncio.BaseEventLoop.create_server))
    return seen


async def test_the_runner(made: Made, tmp_path: Path) -> None:
    """The runner gets every figure of the document."""
    async with await serve(make_home(tmp_path / "home"), "127.0.0.1", 0):
        assert {name: made[name] for name in RUNNER} == RUNNER


async def test_tls(made: Made, tmp_path: Path) -> None:
    """TLS has its deadline for handshakes and speaks 1.2 at least; without TLS there is none."""
    pem = tmp_path / "cert.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    async with await serve(make_home(tmp_path / "home"), "127.0.0.1", 0, tls_cert=pem):
        assert made["ssl_handshake_timeout"] == 5.0
        assert made["ssl"].minimum_version == ssl.TLSVersion.TLSv1_2
    async with await serve(make_home(tmp_path / "home"), "127.0.0.1", 0):
        assert (made["ssl_handshake_timeout"], made["ssl"]) == (None, None)


def test_the_bounds() -> None:
    """Our own bounds are those of the document, and none is missing or off."""
    assert {name: getattr(LIMITS, name) for name in BOUNDS} == BOUNDS
    assert all(getattr(LIMITS, field.name) > 0 for field in fields(Limits))


def test_aiohttp_reads_no_more_either(tmp_path: Path) -> None:
    """The application's own bound for bodies, which 0 would switch off, is ours."""
    assert application(make_home(tmp_path / "home"))._client_max_size == LIMITS.body


async def test_the_order_of_steps(start: Start) -> None:
    """What is wrong in every way is refused for the first step's sake; mended there, for the second's,
    and so on.
    """
    stage = await start(limits=Limits(body=10, body_seconds=0.3, lingering_seconds=0.1))
    forged = stage.path().replace("/v1/", "/v2/")
    steps: list[tuple[int, str, str]] = [
        (404, forged, stage.path()),
        (405, "GET ", "POST "),
        (415, "Content-Encoding", "X-Encoding"),
        (417, "Expect: tea", "X-Expect: tea"),
        (413, "Content-Length: 11", "Content-Length: 3"),
        (408, "{}", "{} "),
    ]
    wrong = f"GET {forged} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Encoding: br\r\n"
    wrong += "Expect: tea\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{}"
    for code, bad, good in steps:
        assert status(await talk(stage.running.port, wrong.encode())) == code
        wrong = wrong.replace(bad, good)
    assert status(await talk(stage.running.port, wrong.encode())) == 400
    assert not stage.lines()


async def test_the_budget_is_the_first_step(start: Start) -> None:
    """While the room for bodies is full, nothing else is looked at: a forged address is 503 too."""
    stage = await start(limits=Limits(body=20, held=10, body_seconds=0.5, lingering_seconds=0.1))
    filling = asyncio.create_task(
        talk(stage.running.port, request(stage.path(), "Content-Length: 20", length=False) + b"{" * 10)
    )
    await turns()
    assert status(await talk(stage.running.port, request("/", method="GET"))) == 503
    assert status(await filling) == 408
    assert status(await talk(stage.running.port, request("/", method="GET"))) == 404
