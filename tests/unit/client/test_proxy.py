"""Through a proxy: what it says in the API's place proves nothing,
and where it made no tunnel nothing left.
"""

import ssl

import pytest
import trustme

from mwbatch.client import Client
from mwbatch.client.transport.aiohttp_wire import AiohttpWire
from mwbatch.client.transport.proxy_route import way
from mwbatch.core.facts.kinds import Verdict
from mwbatch.core.urls.proxies import Proxy
from mwbatch.errors import Unsent, Unsure
from tests.support.small_proxy import SmallProxy, proxy, tls_front
from tests.unit.client.conftest import ADDRESS, KEY, Start, always, http

MADE = {"task_id": "t1", "type": "tagging", "status": "pending", "callback_url": ADDRESS}
REQUEST = {"image_url": "https://images.example.com/1.jpg", "objects_to_tag": "logos"}
USER = "Basic bWU6aHVzaA=="
REFUSALS = [
    "400 Bad Request",
    "403 Forbidden",
    "404 Not Found",
    "407 Proxy",
    "429 Too Many",
    "502 Bad",
    "302 Found",
]


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def through(small: SmallProxy, scheme: str = "http") -> Client:
    """A client of an API whose name only the proxy knows."""
    return Client(KEY, f"{scheme}://api.test", proxy=f"http://me:hush@127.0.0.1:{small.port}", tries=1)


async def test_a_plain_request_is_handed_on(start: Start) -> None:
    """To an API of plain http the proxy gets the whole URL, and who we are, of which the API sees nothing."""
    server = await start(always(http(MADE)))
    async with proxy({"api.test": port_of(server.url)}, wanted=USER) as small:
        async with through(small) as client:
            assert (await client.attempt("tagging", REQUEST, ADDRESS)).verdict is Verdict.CREATED
            await client.retrieve("t1")
        assert [head.split(" ")[:2] for head in small.heads] == [
            ["POST", "http://api.test/v1/task/images/tagging"],
            ["GET", "http://api.test/v1/task/t1"],
        ]
    assert all(b"host: api.test" in request.lower() for request in server.requests)
    form = b"content-type: application/x-www-form-urlencoded\r\n"
    assert [form in request.lower() for request in server.requests] == [True, False]


def test_a_tunnel_hands_nothing_on() -> None:
    """What comes through a tunnel is the API's own word; only a proxy that hands requests on may be meant."""
    there = Proxy("http://127.0.0.1:1")
    assert [way(there, f"{scheme}://api.test").handed_on for scheme in ("http", "https")] == [True, False]
    assert not way(None, "http://api.test").handed_on


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("says", REFUSALS)
async def test_a_refusal_may_be_the_proxys_own(start: Start, says: str, after: bool) -> None:
    """Where the proxy hands on requests no refusal is the API's for certain: a task may be there,
    so the row is in doubt.
    """
    server = await start(always(http(MADE)))
    async with (
        proxy({"api.test": port_of(server.url)}, says, after=after, wanted=USER) as small,
        through(small) as client,
    ):
        assert (await client.attempt("tagging", REQUEST, ADDRESS)).verdict is Verdict.UNKNOWN
        with pytest.raises(Unsure, match=says[:3]):
            await client.retrieve("t1")
    assert len(server.requests) == 2 * after


@pytest.mark.parametrize("says", REFUSALS)
async def test_where_no_tunnel_was_made_nothing_left(says: str) -> None:
    """Whatever a proxy answers to CONNECT but 200, no request left: it may be sent again;
    no password is shown.
    """
    async with proxy({}, says, wanted=USER) as small:
        async with through(small, "https") as client:
            outcome = await client.attempt("tagging", REQUEST, ADDRESS)
            assert (outcome.verdict, f"the proxy answered {says[:3]}" in outcome.message) == (
                Verdict.UNSENT,
                True,
            )
            with pytest.raises(Unsent, match=f"the proxy answered {says[:3]}") as raised:
                await client.retrieve("t1")
        assert {*small.heads} == {"CONNECT api.test:443 HTTP/1.1"}
        assert not any("authorization" in told for told in small.told)  # the API key is not for the proxy
    assert "hush" not in outcome.message + str(raised.value)


async def test_a_proxy_that_hangs_up_or_is_not_there() -> None:
    """A proxy that ends the connection before it made a tunnel, and one that nobody is at,
    let nothing through.
    """
    async with proxy({}) as small:
        port = small.port
        async with through(small, "https") as client:
            assert (await client.attempt("tagging", REQUEST, ADDRESS)).verdict is Verdict.UNSENT
    for scheme in ("http", "https"):
        async with Client(KEY, f"{scheme}://api.test", proxy=f"me:hush@127.0.0.1:{port}", tries=1) as client:
            outcome = await client.attempt("tagging", REQUEST, ADDRESS)
            assert (outcome.verdict, "hush" in outcome.message) == (Verdict.UNSENT, False)


@pytest.fixture
def secure() -> ssl.SSLContext:
    """What speaks TLS as `api.test`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("api.test").configure_cert(context)
    return context


@pytest.mark.parametrize("most", [0, 1, 200])
async def test_a_tunnel_that_breaks_before_anything_was_asked(
    start: Start, secure: ssl.SSLContext, most: int
) -> None:
    """A tunnel that the proxy makes and breaks off, before both ends have agreed on a cipher,
    lets no request through.
    """
    server = await start(always(http(MADE)))
    async with (
        tls_front(port_of(server.url), secure) as front,
        proxy({"api.test": front}, most=most, wanted=USER) as small,
        through(small, "https") as client,
    ):
        assert (await client.attempt("tagging", REQUEST, ADDRESS)).verdict is Verdict.UNSENT
        assert small.heads == ["CONNECT api.test:443 HTTP/1.1"]
    assert server.requests == []


async def test_no_repr_shows_the_password() -> None:
    """Neither a client nor its wire shows who we are at the proxy."""
    there = Proxy.read("http://me:hush@127.0.0.1:9")
    assert "hush" not in repr(there) + repr(Client(KEY, proxy=there)) + repr(
        AiohttpWire(KEY, "http://x", proxy=there)
    )


async def test_nobody_is_told_more_than_needed() -> None:
    """A proxy that wants no password gets none, and no API key in its place."""
    async with (
        proxy({}, "502 Bad") as small,
        Client(KEY, "https://api.test", proxy=f"127.0.0.1:{small.port}", tries=1) as client,
    ):
        await client.attempt("tagging", REQUEST, ADDRESS)
        with pytest.raises(Unsent):
            await client.retrieve("t1")
    assert [{*told} & {"authorization", "proxy-authorization"} for told in small.told] == [set(), set()]
