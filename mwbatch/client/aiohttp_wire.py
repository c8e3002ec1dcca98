"""The wire over aiohttp, made for one thing: thousands of small POSTs to one API.

Bodies are encoded by us, headers are made once, there are no cookies, no redirects, no proxies from the environment
and no timer per request.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from mwbatch import __version__
from mwbatch.client.connections import Connections
from mwbatch.client.keys import basic
from mwbatch.client.translate import translate
from mwbatch.client.watchdog import Watchdog
from mwbatch.client.wire import Answer
from mwbatch.errors import ApiError, Unsure, UsageError

LONGEST_BODY: Final = 64 << 20
"""The most bytes of an answer that are read."""

LONGEST_CONNECT: Final = 10.0
"""Seconds for making a connection, or waiting for a free one."""

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_FRESH: Final = {"Cache-Control": "no-cache"}


class AiohttpWire:
    """A `Wire` over aiohttp; ``timeout`` (s) covers a whole exchange, ``limit`` is the most connections at a time."""

    def __init__(self, api_key: str, base_url: str, timeout: float = 30.0, limit: int = 64) -> None:
        self._authorization = basic(api_key)
        self._base = base(base_url)
        self._timeout, self._limit = timeout, limit
        self._watchdog = Watchdog(timeout)
        self._session: aiohttp.ClientSession | None = None

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
    ) -> Answer:
        """Send one request; see `Wire.send`."""
        url = URL(f"{self._base}{path}?{urlencode(params)}" if params else self._base + path, encoded=True)
        task = self._watchdog.begin()
        trouble: ApiError
        try:
            answer = await self._exchange(method, url, body, _FRESH if fresh else None)
        except asyncio.CancelledError:
            if not self._watchdog.end(task):
                raise
            trouble = Unsure(f"no whole answer came within {self._timeout:g} s")
        except Exception as error:  # noqa: BLE001 - MUST be total: what we did not foresee proves nothing
            self._watchdog.end(task)
            trouble = translate(error)
        else:
            self._watchdog.end(task)
            return answer
        # Raised out here, so that aiohttp's error, which holds the request's headers, does not hang on to it.
        raise trouble

    async def close(self) -> None:
        """Close every connection; see `Wire.close`."""
        self._watchdog.stop()
        if self._session is not None:
            await self._session.close()

    async def _exchange(
        self, method: str, url: URL, body: bytes | None, headers: dict[str, str] | None
    ) -> Answer:
        session = self._session or self._open()
        response = await session.request(
            method, url, data=body, headers=headers if body is None else _FORM, allow_redirects=False
        )
        try:
            return Answer(response.status, response.headers, await _whole(response.content))
        except BaseException:
            response.close()
            raise

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=Connections(self._limit, self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            # MUST be less than the watchdog's limit: it is what tells "not connected" from "no answer".
            timeout=aiohttp.ClientTimeout(total=None, connect=min(LONGEST_CONNECT, self._timeout / 2)),
            skip_auto_headers=("Content-Type",),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Authorization": self._authorization,
                "User-Agent": f"mwbatch/{__version__}",
            },
        )
        return self._session


def base(url: str) -> str:
    """The base URL as paths are appended to it: no slash at the end, the host in lower case.

    Raises:
        UsageError: not an absolute http or https URL, or one with a user, a query or a fragment.
    """
    try:
        parsed = URL(url)
    except ValueError:
        raise UsageError("the base URL cannot be read: check MICROWORK_BASE_URL") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.user or parsed.password:
        raise UsageError("the base URL must be http(s)://host[:port][/path]: check MICROWORK_BASE_URL")
    if parsed.raw_query_string or parsed.raw_fragment:
        raise UsageError("the base URL has a query or a fragment: check MICROWORK_BASE_URL")
    return str(parsed).rstrip("/")


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
