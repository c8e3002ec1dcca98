"""The command behind a proxy, as in many a company: by a name that only the proxy resolves."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import trustme

from tests.e2e.support.stage import KEY, Stage
from tests.support.small_proxy import SmallProxy, proxy, tls_front

USER = "Basic bWU6aHVzaA=="


@dataclass
class Company:
    """A stage whose API is `api.test`, by https or plain http, behind a proxy that wants a password.

    ``breaking``: once these words have gone through a tunnel to the API, every tunnel breaks off, once.
    """

    stage: Stage
    small: SmallProxy
    breaking: bytes = b""

    def handed_on(self, piece: bytes) -> None:
        """Break the tunnels off behind the words that were asked for."""
        if self.breaking and self.breaking in piece:
            self.breaking = b""
            self.small.drop()

    async def run(self, *words: str, scheme: str = "https", **env: str) -> tuple[int, str, str]:
        """Run a command in a process of its own: exit code, and what it said."""
        way = {f"{scheme}_proxy".upper(): f"http://me:hush@127.0.0.1:{self.small.port}"}
        started = self.stage.start(*words, "--base-url", f"{scheme}://api.test", **way | env)
        out, err = await asyncio.to_thread(started.communicate, timeout=60)
        return started.returncode, out.decode(), err.decode()


@pytest.fixture
async def company(patient: Stage) -> AsyncIterator[Company]:
    """Such a stage."""
    assert patient.api
    port, authority = int(patient.api.url.rpartition(":")[2]), trustme.CA()
    authority.cert_pem.write_to_path(str(patient.folder / "ca.pem"))
    patient.env["SSL_CERT_FILE"] = str(patient.folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.test").configure_cert(context)
    async with AsyncExitStack() as stack:
        places = {"plain.test": port}
        made = Company(patient, await stack.enter_async_context(proxy(places, wanted=USER)))
        places["api.test"] = await stack.enter_async_context(tls_front(port, context, made.handed_on))
        yield made


async def test_a_job_through_a_tunnel(company: Company) -> None:
    """A batch is created through the proxy, which is said once, without the password;
    the proxy never sees the key.
    """
    name = company.stage.manifest(5)
    code, out, err = await company.run("submit", name, "--callback-url", "none", "--json")
    assert (code, '"pending":5' in out.replace(" ", "")) == (0, True), err
    said = f"the API is reached through the proxy http://127.0.0.1:{company.small.port}"
    assert (err.count(said), "hush" in out + err) == (1, False)
    assert {*company.small.heads} == {"CONNECT api.test:443 HTTP/1.1"}
    assert KEY not in str(company.small.told)


@pytest.mark.parametrize("fate", ["407 Proxy Authentication Required", "502 Bad Gateway", ""])
async def test_tunnels_that_are_not_made(company: Company, fate: str) -> None:
    """Rows whose tunnel is refused, or broken off before anything was asked, are never in doubt:
    each goes out once.
    """
    company.small.fates = [fate] * 3
    name = company.stage.manifest(40)
    code, out, err = await company.run("submit", name, "--callback-url", "none", "--json")
    said = json.loads(out)
    assert (code, said["by_status"]["pending"], "doubt" in err) == (0, 40, False), err
    assert company.small.fates == []
    # it has one
    assert [*company.stage.api.creations(said["batch_id"]).values()] == [1] * 40  # type: ignore[union-attr]
    facts = "".join(path.read_text() for path in company.stage.home.glob("m/journal/*.jsonl"))
    assert "unknown" not in facts


async def test_a_tunnel_that_breaks_behind_a_request(company: Company) -> None:
    """The row whose request left is in doubt, and not sent again: the listing shows its task,
    and each row has one.
    """
    company.breaking = b"7.jpg"
    name = company.stage.manifest(8)
    code, out, err = await company.run("submit", name, "--callback-url", "none", "--json")
    said = json.loads(out)
    assert (code, said["by_status"]["pending"], company.breaking) == (0, 8, b""), err
    # it has one
    assert [*company.stage.api.creations(said["batch_id"]).values()] == [1] * 8  # type: ignore[union-attr]
    seen = [
        json.loads(line)
        for path in company.stage.home.glob("m/journal/*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert "list" in {fact["via"] for fact in seen if fact.get("row") == 7 and "via" in fact}


async def test_what_cannot_be_a_proxy(company: Company) -> None:
    """It is refused, without its password, before anything is sent."""
    code, _, err = await company.run("tasks", "list", HTTPS_PROXY="socks5://me:hush@127.0.0.1:1")
    assert (code, "check HTTPS_PROXY" in err, "hush" in err) == (2, True, False)


async def test_this_machine_is_reached_without(company: Company) -> None:
    """No proxy leads to this machine, whatever the variables say."""
    stage = company.stage
    stage.env["HTTP_PROXY"] = f"http://127.0.0.1:{company.small.port}"
    assert stage.run("tasks", "list", "--limit", "1").code == 0
    assert company.small.heads == []


async def test_what_a_proxy_says_of_plain_http(company: Company) -> None:
    """Where the API is plain http, people are warned that the proxy may answer in its place."""
    company.small.places = {"api.test": company.small.places["plain.test"]}
    name = company.stage.manifest(1)
    words = ("submit", name, "--callback-url", "none", "--json")
    code, _, err = await company.run(*words, scheme="http")
    assert (code, "no refusal is believed" in err, "hush" in err) == (0, True, False), err
    assert all(head.split()[1].startswith("http://api.test/") for head in company.small.heads)
