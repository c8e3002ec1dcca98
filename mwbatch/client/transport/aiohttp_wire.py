"""The wire over aiohttp, made for one thing: thousands of small POSTs to one API.

Bodies are encoded by us, headers are made once, there are no cookies, no redirects, no proxy but the one that
is given and no timer per request. A create goes past aiohttp's session, over its connections and its parser.

To an API of https a proxy makes a tunnel (CONNECT): where it makes none, nothing left. Of plain http it hands
on each request, and what it answers may be its own word: a refusal proves nothing there.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from yarl import URL

from mwbatch import __version__
from mwbatch.client.api_key import basic
from mwbatch.client.transport.pool import Belonging, Connections, Job, Slots, Watchdog, connected, exchange
from mwbatch.client.transport.proxy_route import way
from mwbatch.client.transport.translate import translate
from mwbatch.client.transport.wire import KEPT, WireResponse
from mwbatch.core.urls.hosts import origin
from mwbatch.core.urls.proxies import Proxy
from mwbatch.core.words.values import CONCURRENCY, TIMEOUT
from mwbatch.errors import Unsent, Unsure, UsageError

LONGEST_BODY: Final = 64 << 20
"""The most bytes of an answer that are read."""

LONGEST_CONNECT: Final = 10.0
"""Seconds for making a connection."""

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_FRESH: Final = {"Cache-Control": "no-cache"}


class AiohttpWire:
    """A `Wire` over aiohttp, for one event loop.

    ``timeout`` (s) covers a whole exchange. At most ``limit`` are under way at a time; one more waits for its
    turn, for as long as it takes, and its time begins when its turn has come.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str,
        timeout: float = TIMEOUT,
        limit: int = CONCURRENCY,
        proxy: Proxy | None = None,
    ) -> None:
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": basic(api_key),
            "User-Agent": f"mwbatch/{__version__}",
        }
        self._base = base(base_url)
        self._way = way(proxy, self._base)
        self._headers |= self._way.headers
        self._timeout, self._turns = timeout, Slots(limit)
        self._belonging = Belonging("a Client")
        self._watchdog = Watchdog(timeout)
        self._heads: dict[str, bytes] = {}
        self._session: aiohttp.ClientSession | None = None
        self._pool: Connections
        self._route: ClientRequest
        # MUST be less than the watchdog's limit: it is what tells "not connected" from "no answer".
        self._limits = aiohttp.ClientTimeout(total=None, connect=min(LONGEST_CONNECT, timeout / 2))

    def __repr__(self) -> str:
        return f"AiohttpWire({self._base})"

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        fresh: bool = False,
    ) -> WireResponse:
        """Send one request; see `Wire.send`."""
        self._belonging.check()
        # MUST be outside of what is tried again: what cannot be written now never can.
        query = f"?{urlencode(params)}" if params else ""
        if not self._turns.take():
            await self._wait()
        # ``left``: from there on nobody can tell whether a byte left.
        task, left = self._watchdog.begin(), False
        try:
            if method == "POST" and body and not params and not fresh:
                if self._session is None:
                    self._open()
                connection = await connected(self._pool, self._route, self._limits)
                left = True
                answer = await self._post(connection, path, body)
            else:
                left = True
                answer = await self._ask(method, path + query, body, _FRESH if fresh else None)
        except (asyncio.CancelledError, Exception) as error:  # noqa: BLE001 (MUST be total, see `_failed`)
            trouble = self._failed(error, task, left)
        else:
            self._watchdog.end(task)
            if not self._way.handed_on or 200 <= answer.status < 300:
                return answer
            trouble = Unsure(f"HTTP {answer.status}, which may be the proxy's own word")
        finally:
            self._turns.end()
        # Raised out here, so that aiohttp's error, which holds the request's headers, does not hang on to it.
        raise trouble

    async def _wait(self) -> None:
        """Wait for a turn; this may be closed meanwhile."""
        try:
            await self._turns.wait()
        except asyncio.CancelledError:
            raise asyncio.CancelledError(KEPT) from None
        try:
            self._belonging.check()
        except UsageError:
            self._turns.end()
            raise

    async def close(self) -> None:
        """Close every connection; see `Wire.close`. It is used no more."""
        self._belonging.end()
        self._watchdog.stop()
        if self._session is not None:
            await self._session.close()

    def _failed(self, error: BaseException, task: Job, left: bool) -> BaseException:
        """What is to be raised for a request that failed; what we did not foresee proves nothing."""
        is_cut = self._watchdog.end(task)
        if not isinstance(error, asyncio.CancelledError):
            return translate(error, left=left)
        if not is_cut:
            return error if left else asyncio.CancelledError(KEPT)
        if left:
            return Unsure(f"no whole answer came within {self._timeout:g} s")
        return Unsent(f"no connection to the API within {self._timeout:g} s")

    async def _post(self, connection: Connection, path: str, body: bytes) -> WireResponse:
        """The straight way of every create: one write, one read, no object that is not needed."""
        try:
            head = self._heads.get(path) or self._head(path)
            message, content = await exchange(connection, b"%b%d\r\n\r\n%b" % (head, len(body), body))
            said = content.read_nowait() if content.is_eof() else await _whole(content)
            answer = WireResponse(message.code, message.headers, said)
        except BaseException:
            connection.close()
            raise
        connection.release()
        return answer

    async def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str] | None
    ) -> WireResponse:
        """The way of everything else."""
        session = self._session or self._open()
        url = URL(self._base + path, encoded=True)
        response = await session.request(
            method,
            url,
            data=body,
            headers=self._headers | ((headers or {}) if body is None else _FORM),
            allow_redirects=False,
            proxy=self._way.proxy,
            proxy_headers=self._way.to_proxy,
        )
        try:
            return WireResponse(response.status, response.headers, await _whole(response.content))
        except BaseException:
            response.close()
            raise

    def _head(self, path: str) -> bytes:
        """The head of a POST up to the value of its Content-Length, made once for each path."""
        url = URL(self._base + path, encoded=True)
        headers = {"Host": url.host_port_subcomponent, **self._headers, **_FORM}
        target = str(url) if self._way.handed_on else url.raw_path_qs
        lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        head = self._heads[path] = "\r\n".join([*lines, "Content-Length: "]).encode("ascii")
        return head

    def _open(self) -> aiohttp.ClientSession:
        self._pool = Connections(self._timeout)
        # MUST have no headers of its own: a session gives them to proxies, too, the API key among them.
        session = self._session = aiohttp.ClientSession(
            connector=self._pool,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._limits,
            skip_auto_headers=("Content-Type",),
        )
        self._route = ClientRequest(
            "POST",
            URL(self._base),
            loop=asyncio.get_running_loop(),
            session=session,
            proxy=self._way.proxy,
            proxy_headers=self._way.to_proxy,
        )
        return session


def base(url: str) -> str:
    """The base URL as paths are appended to it, no slash at the end; raises `UsageError` as `origin` does."""
    origin(url)
    try:
        return str(URL(url.strip())).rstrip("/")
    except ValueError:
        raise UsageError("the base URL cannot be read: check MICROWORK_BASE_URL") from None


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """The whole body; most come in one piece."""
    first = await content.readany()
    if content.at_eof():
        return first
    pieces, size = [first], len(first)
    while piece := await content.readany():
        pieces.append(piece)
        size += len(piece)
        if size > LONGEST_BODY:
            raise aiohttp.ClientPayloadError("the answer is too long")
    return b"".join(pieces)
