"""The socket: ports, caps, TLS, silence."""

import asyncio
import logging
import os
import ssl
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from yarl import URL

from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.ops.mounting import RECEIVER, application
from mwbatch.callbacks.ops.server import serve
from mwbatch.core.api import address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import BATCH, JSON, Stage, callback, make_home, request, status, talk


async def test_the_port_is_taken(stage: Stage) -> None:
    """Where somebody listens already, one sentence says so and what to do."""
    port = stage.running.port
    with pytest.raises(UsageError, match=f"listens on 127.0.0.1:{port}; choose another --port"):
        await serve(stage.home, "127.0.0.1", port)


async def test_a_host_that_is_not_ours(tmp_path: Path) -> None:
    """A host of somebody else is an error that names the flag."""
    with pytest.raises(UsageError, match="--host"):
        await serve(make_home(tmp_path), "192.0.2.1", 0)


async def test_no_keys_no_start(tmp_path: Path) -> None:
    """A key file that cannot be used refuses to start, and leaves the port free."""
    home = make_home(tmp_path / "home", BATCH)
    Path(home.keys.where).write_bytes(b"{}")
    with pytest.raises(UsageError):
        await serve(home, "127.0.0.1", 0)


async def test_an_unreadable_batch_is_no_start(tmp_path: Path) -> None:
    """A batch that cannot be understood refuses to start."""
    home = make_home(tmp_path / "home", BATCH)
    (home.path / f"named-{BATCH}" / "batch.json").write_bytes(b"{")
    with pytest.raises(StoreError):
        await serve(home, "127.0.0.1", 0)


@pytest.mark.parametrize("sent", [b"", b"POST /", b"POST / HTTP/1.1\r\nHost: x\r\nX-A: b"])
async def test_a_slow_head(start: Start, sent: bytes) -> None:
    """A head that does not arrive in time ends the connection."""
    stage = await start(limits=Limits(keepalive_seconds=0.2))
    assert await talk(stage.running.port, sent, patience=2.0) == b""


async def test_idle_connections_end(start: Start) -> None:
    """A connection that was answered and idles is closed."""
    stage = await start(limits=Limits(keepalive_seconds=0.2))
    kept = request("/").replace(b"Connection: close\r\n", b"")
    assert status(await talk(stage.running.port, kept, patience=2.0)) == 404


async def test_tls(tmp_path: Path) -> None:
    """With a certificate it speaks TLS, and nothing below 1.2."""
    ca = trustme.CA()
    pem = tmp_path / "cert.pem"
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    home = make_home(tmp_path / "home", BATCH)
    async with await serve(home, "127.0.0.1", 0, tls_cert=pem) as running, aiohttp.ClientSession() as session:
        url = address.write(running.url, keys_of(home).newest, BATCH, RowNumber(0), Attempt(1))
        assert url.startswith("https://")
        async with session.post(url, data=callback(), headers=JSON, ssl=trust) as reply:
            assert reply.status == 200


async def test_no_cipher_block_chaining(tmp_path: Path) -> None:
    """A client of TLS 1.2 that knows nothing better than CBC is refused, one that knows GCM is not."""
    ca = trustme.CA()
    pem = tmp_path / "cert.pem"
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    trust = ssl.create_default_context()
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    ca.configure_trust(trust)
    async with await serve(make_home(tmp_path / "home"), "127.0.0.1", 0, tls_cert=pem) as running:
        trust.set_ciphers("ECDHE+AES:!AESGCM:!AESCCM")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", running.port, ssl=trust)
        trust.set_ciphers("ECDHE+AESGCM")
        _, writer = await asyncio.open_connection("127.0.0.1", running.port, ssl=trust)
        writer.close()
        await writer.wait_closed()


async def test_a_handshake_has_a_deadline(tmp_path: Path) -> None:
    """A connection on which no TLS handshake begins is ended."""
    pem = tmp_path / "cert.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    limits = Limits(handshake_seconds=0.2)
    async with await serve(
        make_home(tmp_path / "home"), "127.0.0.1", 0, tls_cert=pem, limits=limits
    ) as running:
        assert await talk(running.port, patience=2.0) == b""


@pytest.mark.parametrize("text", [None, b"no certificate"])
async def test_a_bad_certificate(tmp_path: Path, text: bytes | None) -> None:
    """A certificate that is missing or is none is an error that names the flags."""
    pem = tmp_path / "cert.pem"
    if text is not None:
        pem.write_bytes(text)
    with pytest.raises(UsageError, match="--tls-cert"):
        await serve(make_home(tmp_path / "home"), "127.0.0.1", 0, tls_cert=pem)


@pytest.mark.parametrize("which", ["tls_cert", "tls_key"])
@pytest.mark.parametrize("there", ["/dev/zero", "pipe"])
async def test_tls_from_what_is_read_once(tmp_path: Path, which: str, there: str) -> None:
    """A certificate or a key that can be read only once, or has no end,
    is refused without a look at what it brings.
    """
    os.mkfifo(tmp_path / "pipe")
    pem = {name: tmp_path / f"{name}.pem" for name in ("tls_cert", "tls_key")}
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(pem["tls_cert"])
    issued.private_key_pem.write_to_path(pem["tls_key"])
    pem[which] = tmp_path / there
    with pytest.raises(UsageError, match="keep it in a file"):
        await serve(make_home(tmp_path / "home"), "127.0.0.1", 0, **pem)  # type: ignore[arg-type]


async def test_a_key_alone(tmp_path: Path) -> None:
    """A TLS key without a certificate is an error: it MUST NOT end in plain HTTP."""
    with pytest.raises(UsageError, match="--tls-cert"):
        await serve(make_home(tmp_path / "home"), "127.0.0.1", 0, tls_key=tmp_path / "key.pem")


@pytest.mark.parametrize("prefix", ["", "/hooks", "/a/b"])
async def test_mounted(tmp_path: Path, prefix: str) -> None:
    """Mounted below a prefix of the user's own application it takes callbacks,
    and the rest stays the user's.
    """
    home = make_home(tmp_path / "home", BATCH)
    receiver, own = application(home), web.Application()
    own.add_subapp(prefix or "/callbacks", receiver)
    runner = web.AppRunner(own)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    url = address.write(
        f"http://127.0.0.1:{port}{prefix}", keys_of(home).newest, BATCH, RowNumber(0), Attempt(1)
    )
    async with aiohttp.ClientSession() as session, session.post(url, data=callback(), headers=JSON) as reply:
        assert reply.status == 200
    assert receiver[RECEIVER].counts.stored == 1
    await runner.cleanup()


async def test_a_path_before_the_address(stage: Stage) -> None:
    """A callback base may carry a path."""
    assert (await stage.post(stage.address(prefix="/team/a"), callback())).status == 200


async def test_no_mac_in_any_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is sent, nothing that is logged holds a mac."""
    caplog.set_level(logging.DEBUG)
    path, port = stage.path(), stage.running.port
    for raw in (
        request(path, body=callback()),
        request(path, body=b"{"),
        request(path, method="GET"),
        request(path + "/x"),
        b"rubbish " + path.encode() + b"\r\n\r\n",
        request(path, "Bad Header: " + path),
        request(path, "Transfer-Encoding: chunked", length=False) + b"zz\r\n",
        request(path.replace(BATCH, "elsewhere")),
    ):
        await talk(port, raw)
    await stage.post(stage.address(batch="elsewhere"), callback())
    assert "inbox" in caplog.text
    assert URL(stage.address()).name not in caplog.text


async def test_closing_twice(tmp_path: Path) -> None:
    """Closing what is closed does nothing."""
    running = await serve(Home(tmp_path / "home"), "127.0.0.1", 0)
    await running.close()
    await running.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", running.port)
