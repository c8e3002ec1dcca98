"""One request's head and body: what is refused before the body is read, and how the body is read."""

import asyncio
from typing import Final, Self

from aiohttp import HttpVersion10, HttpVersion11, web

from mwbatch.callbacks.limits import Limits
from mwbatch.callbacks.refusal import Reason, Rejected

_CONTINUE: Final = "100-continue"
_VERSIONS: Final = (HttpVersion10, HttpVersion11)


class Room:
    """Bodies in memory, bounded together: what does not fit is refused, and comes again later."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.used = 0

    def take(self, size: int) -> None:
        """Claim ``size`` bytes; raises `Rejected` when there is no room for them."""
        if self.used + size > self._size:
            raise Rejected(Reason.OVERLOADED)
        self.used += size

    def give_back(self, size: int) -> None:
        """Release what was taken."""
        self.used -= size

    @property
    def full(self) -> bool:
        """Whether nothing fits any more."""
        return self.used >= self._size


class Body:
    """The body of one request; a context manager that holds its room until the answer is made."""

    def __init__(self, request: web.BaseRequest, room: Room, limits: Limits) -> None:
        self._request, self._room, self._limits = request, room, limits
        self._taken = 0

    def __enter__(self) -> Self:
        self._take(self._request.content_length or 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._room.give_back(self._taken)

    async def read(self) -> bytes:
        """The whole body, as it came.

        Raises:
            Rejected: too slow, too large (nothing is ever cut to fit), malformed, or no room for it.
        """
        content = self._request.content
        if content.is_eof() and not content.exception():
            return self._within(content.read_nowait())
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                await _continue(self._request)
                return await self._chunks()
        except TimeoutError:
            raise Rejected(Reason.SLOW) from None
        except web.RequestPayloadError:
            raise Rejected(Reason.CUT) from None

    async def _chunks(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := await self._request.content.readany():
            size += len(chunk)
            self._grow(size)
            chunks.append(chunk)
        return b"".join(chunks)

    def _within(self, raw: bytes) -> bytes:
        self._grow(len(raw))
        return raw

    def _grow(self, size: int) -> None:
        if size > self._limits.body:
            raise Rejected(Reason.TOO_LARGE)
        if size > self._taken:
            self._take(size - self._taken)

    def _take(self, size: int) -> None:
        self._room.take(size)
        self._taken += size


def check_head(request: web.BaseRequest, limits: Limits) -> None:
    """Refuse what can be refused without the body; only for an address that is proved ours.

    Raises:
        Rejected: version, method, type, encoding, expectation or declared length will not do.
    """
    headers = request.headers
    if request.version not in _VERSIONS:
        raise Rejected(Reason.NOT_HTTP)
    if request.method != "POST":
        raise Rejected(Reason.METHOD)
    if not _is_json(request):
        raise Rejected(Reason.TYPE)
    if "Content-Encoding" in headers:
        raise Rejected(Reason.ENCODING)
    if headers.get("Expect", _CONTINUE).lower() != _CONTINUE:
        raise Rejected(Reason.EXPECTATION)
    _check_length(request.content_length, "Transfer-Encoding" in headers, limits)


def _check_length(length: int | None, chunked: bool, limits: Limits) -> None:
    if length is None and not chunked:
        raise Rejected(Reason.NO_LENGTH)
    if length is not None and length > limits.body:
        raise Rejected(Reason.TOO_LARGE)


def _is_json(request: web.BaseRequest) -> bool:
    """A missing type passes: the address is proved, and the body will be."""
    if request.headers.get("Content-Type") == "application/json":  # as nearly all are
        return True
    kind = request.content_type
    return kind == "application/json" or kind.endswith("+json") or "Content-Type" not in request.headers


async def no_continue(_: web.BaseRequest) -> None:
    """Replace aiohttp's answer to ``Expect``: a stranger is never asked for his body."""


async def _continue(request: web.BaseRequest) -> None:
    """Ask for the body that the sender holds back (RFC 9110 section 10.1.1)."""
    if "Expect" in request.headers:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
