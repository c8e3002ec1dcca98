"""Image sizes over real HTTP: few bytes, no key, no cookie, and never an exception."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from zlib import crc32

import pytest
from aiohttp import web
from PIL import Image

from mwbatch.client import images
from mwbatch.client.images import RANGES, Images, size_in
from mwbatch.core.image_size import Size

SIZE = Size(400, 300)
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")


@cache
def noise(size: tuple[int, int]) -> Image.Image:
    """A picture that no format makes small."""
    return Image.effect_noise(size, 80).convert("RGB")


def picture(kind: str, size: tuple[int, int] = SIZE, **how: object) -> bytes:
    """The file of a noisy picture."""
    out = io.BytesIO()
    noise(size).save(out, kind, **how)
    return out.getvalue()


class Shelf:
    """A server of files that notes what it was asked and how much it sent."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[web.Request] = []
        self.sent = 0
        self.ranges = True
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file, or the part of it that is asked for."""
        self.asked.append(request)
        content = self.files.get(request.path)
        if content is None:
            raise web.HTTPNotFound
        wanted = request.http_range if self.ranges else slice(0, None)
        if self.ranges and wanted.start >= len(content):
            return web.Response(status=416)
        answer = web.StreamResponse(status=206 if self.ranges else 200, headers={"Set-Cookie": "who=you"})
        await answer.prepare(request)
        for start in range(wanted.start, min(wanted.stop or len(content), len(content)), 1 << 14):
            piece = content[start : min(start + (1 << 14), wanted.stop or len(content))]
            self.sent += len(piece)
            await answer.write(piece)
        return answer


def moved(place: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Answer that it is elsewhere."""

    async def answer(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(place)

    return answer


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    """A shelf on loopback."""
    there, app = Shelf(), web.Application()
    for path, place in (("/loop", "/loop"), ("/away", "ftp://images.example.com/a.png"), ("/moved", "/a")):
        app.router.add_get(path, moved(place))
    app.router.add_get("/{name:.*}", there.serve)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield there
    await runner.cleanup()


async def measured(shelf: Shelf, path: str = "/a") -> Size | str:
    """The size of the image there."""
    async with Images() as there:
        return await there.measure(shelf.url + path)


@pytest.mark.parametrize("kind", FORMATS)
async def test_a_header_is_enough(shelf: Shelf, kind: str) -> None:
    """Of an image of megabytes one range is asked for, and its size is that of the whole."""
    shelf.files["/a"] = picture(kind)
    assert len(shelf.files["/a"]) > RANGES[0][1]
    assert await measured(shelf) == SIZE
    assert (len(shelf.asked), shelf.sent) == (1, RANGES[0][1])


async def test_no_key_and_no_cookie(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a key nor a cookie is ever sent, not even one that the same server set before."""
    monkeypatch.setenv("MICROWORK_API_KEY", "sk_live")
    shelf.files["/a"] = picture("PNG", (3, 4))
    async with Images() as there:
        assert [await there.measure(f"{shelf.url}/a") for _ in range(2)] == [Size(3, 4)] * 2
    for asked in shelf.asked:
        assert not {"Authorization", "Cookie"} & set(asked.headers)
        assert "sk_live" not in str(asked.headers)


async def test_metadata_before_the_size(shelf: Shelf) -> None:
    """Where long metadata stand before the size, the second range is asked for."""
    shelf.files["/a"] = picture("JPEG", icc_profile=bytes(200_000))
    assert await measured(shelf) == SIZE
    assert len(shelf.asked) == 2


@pytest.mark.parametrize("kind", FORMATS)
async def test_a_server_without_ranges(shelf: Shelf, kind: str) -> None:
    """A server that sends everything is listened to until the size is known, and asked once."""
    shelf.ranges, shelf.files["/a"] = False, picture(kind) + bytes(16 << 20)
    assert await measured(shelf) == SIZE
    assert len(shelf.asked) == 1
    assert shelf.sent < len(shelf.files["/a"])


async def test_a_small_picture(shelf: Shelf) -> None:
    """A picture that is shorter than a range is one answer."""
    shelf.files["/a"] = picture("PNG", (3, 4))
    assert (await measured(shelf), len(shelf.asked)) == (Size(3, 4), 1)


def bomb(side: int) -> bytes:
    """A small file that says that it is a large square."""
    content = bytearray(picture("PNG", (3, 4)))
    content[16:24] = side.to_bytes(4, "big") * 2
    content[29:33] = crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


async def test_a_bomb(shelf: Shelf) -> None:
    """A picture of a thousand million pixels costs its header: a size, or words where Pillow refuses."""
    shelf.files["/a"] = bomb(12_000)
    assert await measured(shelf) == Size(12_000, 12_000)
    shelf.files["/a"] = bomb(40_000)
    assert isinstance(await measured(shelf), str)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nothing", "HTTP 404"),
        ("/loop", "redirects"),
        ("/away", "NonHttpUrlRedirectClientError"),
        ("/text", "no image"),
        ("/empty", "no image"),
    ],
)
async def test_what_is_no_image(shelf: Shelf, path: str, words: str) -> None:
    """Whatever is there instead is told in a few words, without the address."""
    shelf.files |= {"/text": b"<html>" * 40_000, "/empty": b""}
    told = await measured(shelf, path)
    assert isinstance(told, str)
    assert words in told
    assert shelf.url not in told


async def test_a_redirect_is_followed(shelf: Shelf) -> None:
    """An image that has moved is found."""
    shelf.files["/a"] = picture("PNG", (3, 4))
    assert await measured(shelf, "/moved") == Size(3, 4)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a", "http://[::1", "http://nowhere.invalid/a", "ftp://x/a"]
)
async def test_nobody_there(url: str) -> None:
    """An address where nobody is, or that is none, is told in a few words."""
    async with Images() as there:
        assert isinstance(await there.measure(url), str)


async def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never answers is given up."""
    monkeypatch.setattr(images, "TIMEOUT", 0.1)
    writers: list[asyncio.StreamWriter] = []

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server, Images() as there:
        told = await there.measure(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a")
        for writer in writers:
            writer.close()
            await writer.wait_closed()
    assert told == "no answer within 0.1 s"


def webp(**how: object) -> bytes:
    """A WebP picture."""
    return picture("WEBP", (321, 123), **how)


@pytest.mark.parametrize(
    "made",
    [webp, lambda: webp(lossless=True), lambda: webp(exif=b"Exif\0\0" + bytes(9))],
    ids=("VP8", "VP8L", "VP8X"),
)
def test_three_kinds_of_webp(made: Callable[[], bytes]) -> None:
    """The header of each kind of WebP tells the size that Pillow reads from the whole file; half of it tells none."""
    content = made()
    with Image.open(io.BytesIO(content)) as image:
        assert size_in(content[:40]) == image.size == (321, 123)
    assert size_in(content[:29]) is None


def test_orientation_is_not_applied() -> None:
    """A picture that is shown turned is measured as it is stored."""
    exif = Image.Exif()
    exif[0x0112] = 6
    assert size_in(picture("JPEG", (30, 20), exif=exif)) == Size(30, 20)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_beginning(kind: str) -> None:
    """However a picture is cut off: its size, or none, and no exception."""
    content = picture(kind, (16, 12))
    told = {size_in(content[:end]) for end in range(min(len(content), 400))} | {size_in(content)}
    assert told <= {None, Size(16, 12)}
    assert Size(16, 12) in told
