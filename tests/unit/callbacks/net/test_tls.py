"""TLS in the server itself: what it speaks, how long it waits,
and a certificate that is renewed while it runs.
"""

import asyncio
import logging
import os
import ssl
import time
import warnings
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import trustme
import uvloop
from cryptography.hazmat.primitives import serialization

from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.net.tls import Certificate
from mwbatch.callbacks.ops.server import Running, serve
from mwbatch.core.api import address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.errors import UsageError
from mwbatch.journal.keys.home_keys import keys_of
from tests.unit.callbacks.stage import BATCH, JSON, callback, make_home, talk, until

LIMITS: Final = Limits(reload_seconds=0.02, handshake_seconds=0.3)
PROTOCOL_VERSION: Final = 70
"""The alert of RFC 8446 section 6.2 for a version that is not spoken."""
LOOPS: Final = (asyncio.run, uvloop.run)


class Party:
    """Certificate authorities, the files that the server reads, and clients that trust one authority only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chain, self.key = folder / "chain.pem", folder / "key.pem"
        self.authorities = [trustme.CA(), trustme.CA()]
        self.pairs = [ca.issue_cert("127.0.0.1") for ca in self.authorities]
        self.install(0)

    def install(self, which: int) -> None:
        """Put a pair in place, each file aside first, as renewing tools do."""
        self.put(self.chain, self.pairs[which].cert_chain_pems[0].bytes())
        self.put(self.key, self.pairs[which].private_key_pem.bytes())

    def put(self, path: Path, content: bytes) -> None:
        """Replace one file."""
        aside = path.with_suffix(".new")
        aside.write_bytes(content)
        aside.replace(path)

    def trusting(self, which: int) -> ssl.SSLContext:
        """What a client needs to trust one authority and no other."""
        context = ssl.create_default_context()
        self.authorities[which].configure_trust(context)
        return context

    async def serve(self, limits: Limits = LIMITS) -> Running:
        """Start a receiver with this certificate."""
        home = make_home(self.folder / "home", BATCH)
        return await serve(
            home, "127.0.0.1", 0, tls_cert=self.chain, tls_key=self.key, limits=limits, admin_port=0
        )

    async def is_trusted(self, running: Running, which: int) -> bool:
        """Whether a new client that trusts this authority only gets through."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", running.port, ssl=self.trusting(which))
        except ssl.SSLCertVerificationError:
            return False
        writer.close()
        return True


@pytest.fixture(scope="module")
def party(tmp_path_factory: pytest.TempPathFactory) -> Party:
    """Made once: keys are costly."""
    return Party(tmp_path_factory.mktemp("party"))


@pytest.fixture(autouse=True)
def fresh(party: Party, tmp_path: Path) -> None:
    """Every test begins with the first pair, in a folder of its own."""
    party.folder = tmp_path
    party.chain, party.key = tmp_path / "chain.pem", tmp_path / "key.pem"
    party.install(0)


@pytest.mark.parametrize("run", LOOPS, ids=["asyncio", "uvloop"])
def test_a_renewed_certificate(party: Party, run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """Once the files are replaced a client that trusts only the new authority connects,
    one of the old no more.
    """

    async def story() -> None:
        async with await party.serve() as running:
            assert [await party.is_trusted(running, n) for n in (0, 1)] == [True, False]
            party.install(1)
            await until(partial(party.is_trusted, running, 1))
            assert not await party.is_trusted(running, 0)

    run(story())


async def test_an_open_connection_goes_on(party: Party) -> None:
    """A connection made before the certificate was renewed serves on."""
    async with await party.serve() as running:
        url = address.write(
            running.url, keys_of(make_home(party.folder / "home")).newest, BATCH, RowNumber(0), Attempt(1)
        )
        connector = aiohttp.TCPConnector(ssl=party.trusting(0))
        async with aiohttp.ClientSession(connector=connector) as session:
            for which in (0, 1):
                party.install(which)
                await until(partial(party.is_trusted, running, which))
                async with session.post(url, data=callback(f"t{which}"), headers=JSON) as reply:
                    assert reply.status == 200
        assert running.counts.stored == 2


BROKEN: Final[dict[str, Callable[[Party], None]]] = {
    "a chain without its key": lambda party: party.put(
        party.chain, party.pairs[1].cert_chain_pems[0].bytes()
    ),
    "half a chain": lambda party: party.put(party.chain, party.pairs[1].cert_chain_pems[0].bytes()[:200]),
    "an empty key": lambda party: party.put(party.key, b""),
    "no chain": lambda party: party.chain.unlink(),
    "no key": lambda party: party.key.unlink(),
    "a pipe for a chain": lambda party: piped(party.chain),
    "a pipe for a key": lambda party: piped(party.key),
    "an encrypted key": lambda party: party.put(party.key, encrypted(party.pairs[0])),
}


def piped(path: Path) -> None:
    """Put a pipe, into which nobody writes, in the place of a file."""
    path.unlink()
    os.mkfifo(path)


def encrypted(pair: trustme.LeafCert) -> bytes:
    """The key of a pair below a password."""
    key = serialization.load_pem_private_key(pair.private_key_pem.bytes(), None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_pair(party: Party, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be used is logged once, the pair in use stays whole,
    and a good pair is taken when it comes.
    """
    async with await party.serve() as running:
        BROKEN[name](party)
        await until(lambda: caplog.text)
        await asyncio.sleep(0.2)
        assert caplog.text.count("the certificate in use stays") == 1
        assert [await party.is_trusted(running, n) for n in (0, 1)] == [True, False]
        party.install(1)
        await until(partial(party.is_trusted, running, 1))


async def test_files_that_do_not_change(party: Party, caplog: pytest.LogCaptureFixture) -> None:
    """As long as the files stay as they are they are not read again."""
    caplog.set_level(logging.INFO)
    async with await party.serve():
        await asyncio.sleep(0.2)
    assert not caplog.text


@pytest.mark.parametrize(("make", "what"), [(os.mkfifo, "a pipe"), (os.mkdir, "no file")])
def test_what_is_no_file_is_called_what_it_is(party: Party, make: Callable[[Path], None], what: str) -> None:
    """A pipe, which many make for a secret, is told from what can be no certificate at all."""
    party.chain.unlink()
    make(party.chain)
    with pytest.raises(UsageError, match=f"is {what}, and is read more than once"):
        Certificate(party.chain, party.key)


async def test_an_encrypted_key_is_no_start(party: Party) -> None:
    """A key below a password is an error: nobody may be there to type it."""
    party.put(party.key, encrypted(party.pairs[0]))
    with pytest.raises(UsageError, match="decrypt it first"):
        await party.serve()


def hello(version: ssl.TLSVersion) -> bytes:
    """The first bytes of a client that speaks this version of TLS only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    sent = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost").do_handshake()
    return sent.read()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=str)
async def test_nothing_below_tls_1_2(party: Party, version: ssl.TLSVersion) -> None:
    """A client of an older TLS is ended, because of its version and not of its ciphers."""
    async with await party.serve() as running:
        assert await talk(running.port, hello(version), patience=2.0) == b""
    came, alert = ssl.MemoryBIO(), ssl.MemoryBIO()
    came.write(hello(version))
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        Certificate(party.chain, party.key).context.wrap_bio(came, alert, server_side=True).do_handshake()
    assert alert.read()[-1] == PROTOCOL_VERSION


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
async def test_tls_1_2_and_1_3(party: Party, version: ssl.TLSVersion) -> None:
    """Both versions of today are spoken."""
    trust = party.trusting(0)
    trust.minimum_version = trust.maximum_version = version
    async with await party.serve() as running:
        _, writer = await asyncio.open_connection("127.0.0.1", running.port, ssl=trust)
        assert writer.get_extra_info("ssl_object").version() == version.name.replace("_", ".")
        writer.close()


@pytest.mark.parametrize("run", LOOPS, ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("size", [0, 50, None])
def test_a_handshake_that_is_never_finished(
    party: Party, run: Callable[[Coroutine[Any, Any, float]], float], size: int | None
) -> None:
    """A client that is silent, stops in its first message or after it
    is ended when the time for it is over.
    """

    async def seconds() -> float:
        async with await party.serve() as running:
            began = time.monotonic()
            await talk(running.port, hello(ssl.TLSVersion.TLSv1_3)[:size], patience=3.0)
            return time.monotonic() - began

    assert LIMITS.handshake_seconds * 0.9 < run(seconds()) < 2.0


async def test_the_admin_port_speaks_plainly(party: Party) -> None:
    """The admin port needs no certificate: it is for this machine."""
    async with await party.serve() as running, aiohttp.ClientSession() as session:
        assert (running.admin_url or "").startswith("http://")
        async with session.get(f"{running.admin_url}/healthz") as reply:
            assert reply.status == 200


async def scraped(running: Running, name: str) -> float | None:
    """One number of the admin port; None where it is not told."""
    async with aiohttp.ClientSession() as session, session.get(f"{running.admin_url}/metrics") as reply:
        lines = (await reply.text()).splitlines()
    found = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")]
    return float(found[0]) if found else None


@pytest.mark.parametrize("run", LOOPS, ids=["asyncio", "uvloop"])
def test_failed_handshakes_are_counted(
    party: Party, run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    """Who does not trust the certificate, speaks no TLS, or says nothing, is counted as `tls`;
    who is served is not.
    """

    async def story() -> None:
        # Long enough for whoever is served on a machine that is busy,
        # and waited for by one that says nothing.
        async with await party.serve(Limits(handshake_seconds=3.0)) as running:
            assert await party.is_trusted(running, 0)
            assert not await party.is_trusted(running, 1)
            await talk(running.port, b"GET / HTTP/1.1\r\n\r\n")
            _, silent = await asyncio.open_connection("127.0.0.1", running.port)
            name = 'mwbatch_callbacks_total{outcome="tls"}'

            async def counted() -> bool:
                return await scraped(running, name) == 3

            await until(counted)
            silent.close()
            await asyncio.sleep(0.6)
            assert await counted()

    run(story())


def dated(party: Party, days: float) -> None:
    """Put a certificate in place that ends in so many days."""
    now = datetime.now(UTC)
    pair = party.authorities[0].issue_cert(
        "127.0.0.1", not_before=now - timedelta(days=400), not_after=now + timedelta(days=days)
    )
    party.put(party.chain, pair.cert_chain_pems[0].bytes())
    party.put(party.key, pair.private_key_pem.bytes())


def test_a_certificate_that_has_ended_is_told_at_once(party: Party, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever begins with a certificate that nobody takes any more hears of it before the first look."""
    dated(party, -3.0)
    assert Certificate(party.chain, party.key).seconds_left < 0
    assert caplog.text.count("has expired") == 1


@pytest.mark.parametrize("days", [-3.0, 0.5, 13.9, 14.1, 300.0])
async def test_when_the_certificate_ends(party: Party, caplog: pytest.LogCaptureFixture, days: float) -> None:
    """The metrics tell how long the certificate is good for, the log from a fortnight before its end on,
    once, until it is renewed.
    """
    dated(party, days)
    async with await party.serve() as running:
        left = await scraped(running, "mwbatch_certificate_seconds")
        assert left is not None
        assert abs(left - days * 86_400) < 120
        await asyncio.sleep(0.1)
        assert caplog.text.count("has expired") == (days < 0)
        assert caplog.text.count("ends in") == (0 <= days < 14)
        dated(party, 90)
        await until(lambda: "certificate and key have changed" in caplog.text)
        await until(lambda: ("is good for" in caplog.text) is (days < 14))
        left = await scraped(running, "mwbatch_certificate_seconds")
        assert left is not None
        assert left > 89 * 86_400


async def test_no_certificate_no_gauge(party: Party) -> None:
    """Without TLS nothing is told of a certificate."""
    async with await serve(make_home(party.folder / "home"), "127.0.0.1", 0, admin_port=0) as running:
        assert await scraped(running, "mwbatch_certificate_seconds") is None
