"""Image sizes from as few bytes as tell them. These requests go to anybody:
they never carry the API key or a cookie.

The addresses are those of the user's own manifest, fetched with the rights of whoever runs the command.
Guarded: only http and https, also after a redirect, of which there are few; bounded time, bytes and
connections; nothing of an answer is kept but two numbers. Not guarded: a private address is asked like any
other, because image stores are often private.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import aiohttp
from yarl import URL

from mwbatch import __version__
from mwbatch.client.image_header import beside, exif_at, size_in
from mwbatch.client.transport.pool import Belonging
from mwbatch.client.transport.proxy_route import way
from mwbatch.core.codec.times import asked_wait
from mwbatch.core.manifest.image_size import Measured
from mwbatch.core.urls.proxies import Proxies, on_the_way
from mwbatch.core.words.values import MOST_CONCURRENT, whole
from mwbatch.errors import UsageError

RANGES: Final = ((0, 1 << 15), (1 << 15, 1 << 20))
"""The bytes that are asked for, from and up to: nearly every image tells its size in the first range."""

EXIF: Final = 1 << 17
"""The bytes that are asked for where it stands behind the pixels: it has 65,536 at the most, mostly."""

TIMEOUT: Final = 20.0
"""Seconds for one request."""

REDIRECTS: Final = 5
REDIRECTING: Final = (301, 302, 303, 307, 308)
NO_RANGE: Final = 416
"""The answer to a range of nothing."""

BUSY: Final = (429, 503)
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 10.0
"""Seconds before a busy server is asked once more: where it names none, and the most."""

HTML: Final = "text/html"
NO_SIZE: Final = "no image whose header tells its size"
_PAGE: Final = (b"<!doctype html", b"<html")
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))


class Images:
    """Measures images, at most ``at_once`` at a time; an async context manager,
    in the event loop that entered it.
    """

    def __init__(self, at_once: int = 32, proxies: Proxies | None = None) -> None:
        whole("at_once", at_once, 1, MOST_CONCURRENT)
        self._at_once, self._proxies = at_once, proxies or {}
        self._belonging = Belonging("an Images")
        self._entered: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._belonging.check()
        self._entered = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._at_once),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            trust_env=False,  # which would read ~/.netrc, too
            headers={
                "Accept": "image/*",
                "Accept-Encoding": "identity",
                "User-Agent": f"mwbatch/{__version__}",
            },
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._belonging.end()
        if self._entered is not None:
            await self._entered.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        """Raises `UsageError` where it is not entered, in this loop."""
        if self._entered is None:
            raise UsageError("an Images measures inside: async with Images() as images")
        self._belonging.check()
        return self._entered

    async def measure(self, url: str) -> Measured | str:
        """The size and the orientation of the image there; or in a few words why there is none."""
        try:
            return await self._size(url)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            return _reason(error)

    async def unreachable(self, url: str) -> str:
        """Why a picture cannot be fetched, in a few words; empty where it can.

        Asked by HEAD, and by GET for its beginning where that is answered with an error, a page or nothing:
        some servers know no HEAD, or do not mean it.
        """
        try:
            async with self._asked("HEAD", url) as answer:
                if answer.status < 400 and answer.content_type != HTML and answer.content_length:
                    return ""
            async with self._asked("GET", url, Range="bytes=0-511") as answer:
                if answer.status >= 400 and answer.status != NO_RANGE:
                    return f"HTTP {answer.status}"
                return _no_picture(answer, await answer.content.read(512))
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            return _reason(error)

    async def _size(self, url: str) -> Measured | str:
        head = bytearray()
        for first, end in RANGES:
            whole = await self._extend(head, url, first, end)
            if size := size_in(bytes(head)):
                return size
            if whole:
                return whole
        if (at := exif_at(bytes(head))) is not None:
            tail = bytearray()
            await self._extend(tail, url, at, at + EXIF)
            return size_in(beside(bytes(head), bytes(tail))) or NO_SIZE
        return NO_SIZE

    async def _extend(self, head: bytearray, url: str, first: int, end: int) -> str:
        """Add a range of the image to ``head``; where there is no more to come,
        what it is if no size is found in it.

        A server that knows no ranges sends everything: it is listened to until the size is known, or the last
        range ends.
        """
        async with self._asked("GET", url, Range=f"bytes={first}-{end - 1}") as answer:
            if answer.status not in (200, 206, NO_RANGE):
                raise _NoImage(f"HTTP {answer.status}")
            if answer.status == NO_RANGE:
                return NO_SIZE if first else _no_picture(answer, b"")
            most = len(head) + end - first
            if answer.status == 200:
                head.clear()
                most = RANGES[-1][1]
            while len(head) < most and (piece := await answer.content.readany()):
                head += piece[: most - len(head)]
                if answer.status == 200 and size_in(bytes(head)):
                    break
            if answer.status == 200 or len(head) < most:
                return _no_picture(answer, bytes(head[:512])) or NO_SIZE
            return ""

    @asynccontextmanager
    async def _asked(self, method: str, url: str, **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer of whoever has the picture;
        asked once more where that is busy and names no long wait.
        """
        for tried in (False, True):
            async with self._followed(method, url, headers) as answer:
                wait = asked_wait(answer.headers.get("Retry-After"), answer.headers.get("Date"))
                wait = FIRST_WAIT if wait is None else wait
                if tried or answer.status not in BUSY or wait > LONGEST_WAIT:
                    yield answer
                    return
            await asyncio.sleep(wait)

    @asynccontextmanager
    async def _followed(
        self, method: str, url: str, headers: dict[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer at the end of all redirects; each address is asked for as it stands there."""
        for _ in range(REDIRECTS + 1):
            try:
                through = way(on_the_way(self._proxies, url), url)
            except UsageError as error:  # of a proxy that cannot be used: every other misuse is raised
                raise _NoImage(str(error)) from error
            async with self._session.request(
                method,
                as_it_stands(url),
                headers={**headers, **through.headers},
                allow_redirects=False,
                proxy=through.proxy,
                proxy_headers=through.to_proxy,
            ) as answer:
                place = answer.headers.get("Location") if answer.status in REDIRECTING else None
                if place is None:
                    yield answer
                    return
            url = urljoin(url, place)
            if urlsplit(url).scheme not in ("http", "https"):
                raise _NoImage("it redirects to what is no http address")
        raise _NoImage(f"more than {REDIRECTS} redirects")


def as_it_stands(url: str) -> URL:
    """A URL that goes out as it is written, ``%2F`` and ``'`` and all: signatures cover the very letters.

    Only what cannot stand in a request is quoted: blanks, and what is not ASCII, as browsers do.
    """
    parts = urlsplit(url)
    where = URL(f"{parts.scheme}://{parts.netloc}")  # a name in letters of another script
    rest = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return URL(f"{where.scheme}://{where.raw_authority}{quote(rest, safe=_ASCII)}", encoded=True)


def _no_picture(answer: aiohttp.ClientResponse, start: bytes) -> str:
    """What is there that cannot be a picture: a page, or nothing; empty where it may be one."""
    if not start:
        return "no image, the answer is empty"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_PAGE) or (answer.content_type == HTML and text.startswith(b"<")):
        return "no image, but an HTML page"
    return ""


class _NoImage(aiohttp.ClientError):
    """The answer is no image."""


def _reason(error: Exception) -> str:
    """What went wrong, without the address: it may be a signed one."""
    match error:
        case _NoImage():
            return str(error)
        case aiohttp.ClientConnectorError():
            return "no connection"
        case TimeoutError():
            return f"no answer within {TIMEOUT:g} s"
    return type(error).__name__
