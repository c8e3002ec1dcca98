"""One request over HTTP: what is refused before its body is read, how the body is read and unpacked, and the
answer once it is on disk. What other frameworks hand in whole (`whole`) passes the same.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from codecs import BOM_UTF8
from email.utils import formatdate
from functools import lru_cache
from typing import Final, Self

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.refusal import Emptied, Reason, Rejected
from mwbatch.callbacks.intake.address_turns import AddressTurns
from mwbatch.callbacks.intake.coding import check_coding, decoded
from mwbatch.core.api.address import Address

ENCODING: Final = "Content-Encoding"
_MARK: Final = BOM_UTF8[:1]
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


class Body(ABC):
    """The body of one request; a context manager that holds its room until the answer is made.

    ``coding`` is what its head says of it. Room is claimed for what has come, whatever was promised: a
    promise costs nothing.
    """

    coding: str

    def __init__(self, room: Room, limits: Limits) -> None:
        self._room, self._limits = room, limits
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._room.give_back(self._taken)

    @property
    @abstractmethod
    def at_hand(self) -> bool:
        """Whether it can be read though it was refused: nobody has to be asked for it."""

    @abstractmethod
    def check_head(self) -> None:
        """Refuse what can be refused without the body; only for an address that is proved ours.

        Raises:
            Rejected: version, method, encoding, expectation or declared length will not do. The type of the
                body is not looked at: the address is proved, and the body will be.
        """

    @abstractmethod
    async def read(self, address: Address) -> bytes:
        """The whole body that was posted to ``address``, as it came.

        Raises:
            Rejected: too slow, too large (nothing is ever cut to fit), malformed, or no room for it.
        """

    async def text(self, address: Address) -> bytes:
        """The same, unpacked, without a mark before it; raises as `read` does,
        also where too much is in it.
        """
        raw, coding = await self.read(address), self.coding
        text = decoded(raw, coding, self._limits.body) if coding or raw[:1] == _MARK else raw
        if len(text) > len(raw):
            self._take(len(text))
        if len(text) > self._limits.containers:
            self._check_parts(text)
        return text

    def _check_parts(self, text: bytes) -> None:
        """Refuse what is more work to read than any callback, whose length alone does not tell;
        in a hundredth of that time.
        """
        containers = text.count(b"[") + text.count(b"{")
        if containers > self._limits.containers or text.count(b",") > self._limits.members:
            raise Rejected(Reason.TOO_LARGE)

    def _grow(self, size: int) -> None:
        if self._taken + size > self._limits.body:
            raise Rejected(Reason.TOO_LARGE)
        self._take(size)

    def _take(self, size: int) -> None:
        self._room.take(size)
        self._taken += size


class Posted(Body):
    """The body of a request that aiohttp hears."""

    def __init__(self, request: web.BaseRequest, room: Room, turns: AddressTurns, limits: Limits) -> None:
        super().__init__(room, limits)
        self._request, self._turns = request, turns
        self.coding = request.headers.get(ENCODING, "")

    @property
    def at_hand(self) -> bool:
        """Not where the sender holds it back, or announces too much of it."""
        return "Expect" not in self._request.headers and (
            (self._request.content_length or 0) <= self._limits.body
        )

    def check_head(self) -> None:
        """Refuse by version, method, encoding, expectation or declared length."""
        request = self._request
        if request.version not in _VERSIONS:
            raise Rejected(Reason.NOT_HTTP)
        check_method(request.method)
        if self.coding:
            check_coding(self.coding)
        if request.headers.get("Expect", _CONTINUE).lower() != _CONTINUE:
            raise Rejected(Reason.EXPECTATION)
        _check_length(request.content_length, "Transfer-Encoding" in request.headers, self._limits)

    async def read(self, address: Address) -> bytes:
        """Read it, or take what a middleware of the user's has read."""
        content = self._request.content
        if content.is_eof() and not content.exception():
            raw = content.read_nowait() or await self._read_by_others()
            self._grow(len(raw))
            return raw
        try:
            async with self._turns.of(address.tail, self._limits.body_seconds):
                return await self._chunks()
        except TimeoutError:
            raise Rejected(Reason.SLOW) from None
        except (web.RequestPayloadError, ConnectionError):
            raise Rejected(Reason.CUT) from None

    async def _read_by_others(self) -> bytes:
        """What aiohttp keeps of a body that was read as a whole; raises `Emptied` where nothing is kept."""
        raw = await self._request.read()
        if not raw and self._request.content.total_bytes:
            raise Emptied
        return raw

    async def _chunks(self) -> bytes:
        """Read on for as long as it comes fast enough; who was fast may be slow later,
        but for no longer than at first.
        """
        chunks: list[bytes] = []
        now, most = asyncio.get_running_loop().time, self._limits.body_seconds
        async with asyncio.timeout(most) as deadline:
            await _continue(self._request)
            while chunk := await self._request.content.readany():
                self._grow(len(chunk))
                chunks.append(chunk)
                left = (deadline.when() or 0.0) - now() + len(chunk) / self._limits.body_rate
                deadline.reschedule(now() + min(left, most))
        return b"".join(chunks)


def check_method(name: str) -> None:
    """Refuse what posts nothing; raises `Rejected`."""
    if name != "POST":
        raise Rejected(Reason.METHOD)


def _check_length(length: int | None, chunked: bool, limits: Limits) -> None:
    if length is None and not chunked:
        raise Rejected(Reason.NO_LENGTH)
    if length is not None and length > limits.body:
        raise Rejected(Reason.TOO_LARGE)


async def no_continue(_: web.BaseRequest) -> None:
    """Replace aiohttp's answer to ``Expect``: a stranger is never asked for his body."""


async def _continue(request: web.BaseRequest) -> None:
    """Ask for the body that the sender holds back (RFC 9110 section 10.1.1)."""
    if "Expect" in request.headers:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


class Accepted(web.Response):
    """200. Where nothing may add to it, it is not put together from headers,
    which would cost a tenth of the request.

    In an application of the user's own it is a plain response, so that his signals see it.
    """

    _written = False

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection stays open; None while nobody has decided."""
        return True if self._written else super().keep_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write it, or leave it to aiohttp where the connection is to
        be closed or an application has a say.
        """
        closing = self.keep_alive is False or not request.keep_alive or request.version != HttpVersion11
        if closing or isinstance(request, web.Request):
            return await super().prepare(request)
        await request.writer.write(_head(int(time.time())))
        self._written = True
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """End it."""
        if not self._written:
            await super().write_eof(data)


@lru_cache(maxsize=1)
def _head(now: int) -> bytes:
    """The same for a whole second; RFC 9110 section 6.6.1 wants a date."""
    return f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: {formatdate(now, usegmt=True)}\r\n\r\n".encode(
        "ascii"
    )
