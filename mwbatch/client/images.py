"""Image sizes from as few bytes as tell them. These requests go to anybody: they never carry the API key or a cookie.

The addresses are those of the user's own manifest, fetched with the rights of whoever runs the command. Guarded: only
http and https, also after a redirect, of which there are few; bounded time, bytes and connections; nothing of an answer
is kept but two numbers. Not guarded: a private address is asked like any other, because image stores are often private.
"""

import io
import struct
import warnings
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from mwbatch import __version__
from mwbatch.client.belonging import Belonging
from mwbatch.core.image_size import Size
from mwbatch.core.values import MOST_CONCURRENT, whole
from mwbatch.errors import UsageError

RANGES: Final = ((0, 1 << 15), (1 << 15, 1 << 20))
"""The bytes that are asked for, from and up to: nearly every image tells its size in the first range."""

TIMEOUT: Final = 20.0
"""Seconds for one request."""

REDIRECTS: Final = 5
FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF")
"""The formats that Pillow may try on bytes from the network: the fewer, the smaller the door."""


class Images:
    """Measures images, at most ``at_once`` at a time; an async context manager, in the event loop that entered it."""

    def __init__(self, at_once: int = 32) -> None:
        whole("at_once", at_once, 1, MOST_CONCURRENT)
        self._at_once = at_once
        self._belonging = Belonging("an Images")
        self._entered: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._belonging.check()
        self._entered = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._at_once),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            trust_env=False,  # neither a proxy's password nor ~/.netrc
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

    async def measure(self, url: str) -> Size | str:
        """The size of the image there as it is stored, EXIF orientation not applied; or in a few words why there is none."""
        try:
            return await self._size(url) or "no image whose header tells its size"
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            return _reason(error)

    async def unreachable(self, url: str) -> str:
        """Why a picture cannot be fetched, in a few words; empty where it can. Not even its header is read.

        Asked by HEAD, and by GET for its first byte where a server answers that with an error: some know no HEAD.
        """
        try:
            status = await self._status(url)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            return _reason(error)
        return f"HTTP {status}" if status >= 400 else ""

    async def _status(self, url: str) -> int:
        status = 0
        for method, headers in (("HEAD", {}), ("GET", {"Range": "bytes=0-0"})):
            async with self._session.request(
                method, URL(url), headers=headers, allow_redirects=True, max_redirects=REDIRECTS
            ) as answer:
                status = answer.status
            if status < 400:
                break
        return status

    async def _size(self, url: str) -> Size | None:
        head = bytearray()
        for first, end in RANGES:
            whole = await self._extend(head, url, first, end)
            size = size_in(bytes(head))
            if size or whole:
                return size
        return None

    async def _extend(self, head: bytearray, url: str, first: int, end: int) -> bool:
        """Add a range of the image to ``head``; says whether there is no more to come.

        A server that knows no ranges sends everything: it is listened to until the size is known, or the last range ends.
        """
        wanted = {"Range": f"bytes={first}-{end - 1}"}
        async with self._session.get(URL(url), headers=wanted, max_redirects=REDIRECTS) as answer:
            if answer.status not in (200, 206, 416):
                raise _NoImage(f"HTTP {answer.status}")
            if answer.status == 416:
                return True
            if answer.status == 200:
                head.clear()
                end = RANGES[-1][1]
            while len(head) < end and (piece := await answer.content.readany()):
                head += piece[: end - len(head)]
                if answer.status == 200 and size_in(bytes(head)):
                    return True
            return answer.status == 200 or len(head) < end


class _NoImage(aiohttp.ClientError):
    """The answer is no image."""


def _reason(error: Exception) -> str:
    """What went wrong, without the address: it may be a signed one."""
    match error:
        case _NoImage():
            return str(error)
        case aiohttp.TooManyRedirects():
            return f"more than {REDIRECTS} redirects"
        case aiohttp.ClientConnectorError():
            return "no connection"
        case TimeoutError():
            return f"no answer within {TIMEOUT:g} s"
    return type(error).__name__


def size_in(head: bytes) -> Size | None:
    """The size that the first bytes of an image tell; None where they do not yet, or are of no image.

    Opening reads the header alone and allocates no pixels, so that a decompression bomb costs nothing;
    ``ImageFile.Parser`` would allocate them.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    from PIL import Image  # noqa: PLC0415 (slow to import)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large images, and of metadata that is cut off
        try:
            with Image.open(io.BytesIO(head), formats=FORMATS) as image:
                return Size(*image.size) if all(image.size) else None
        except Exception:  # noqa: BLE001 (what Pillow's plugins raise for half a header is not documented)
            return None


def _webp(head: bytes) -> Size | None:
    """The size in a WebP header, which Pillow reads from whole files alone (RFC 9649 sections 2.5 to 2.7)."""
    if len(head) < 30:
        return None
    kind, body = head[12:16], head[20:30]
    if kind == b"VP8X":
        return Size(int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return Size(width & 0x3FFF, height & 0x3FFF)
    return None
