"""Image sizes over real HTTP: few bytes, no key, no cookie, and never an exception."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from zlib import crc32

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image, ImageOps

from mwbatch.client import images
from mwbatch.client.image_header import beside, size_in
from mwbatch.client.images import RANGES, Images
from mwbatch.core.manifest.image_size import Measured

SIZE = Measured(400, 300)
SIDES = SIZE.stored
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")


@cache
def noise(size: tuple[int, int]) -> Image.Image:
    """A picture that no format makes small."""
    return Image.effect_noise(size, 80).convert("RGB")


def picture(kind: str, size: tuple[int, int] = SIDES, **how: object) -> bytes:
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


async def measured(shelf: Shelf, path: str = "/a") -> Measured | str:
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
        assert [await there.measure(f"{shelf.url}/a") for _ in range(2)] == [Measured(3, 4)] * 2
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
    assert (await measured(shelf), len(shelf.asked)) == (Measured(3, 4), 1)


def bomb(side: int) -> bytes:
    """A small file that says that it is a large square."""
    content = bytearray(picture("PNG", (3, 4)))
    content[16:24] = side.to_bytes(4, "big") * 2
    content[29:33] = crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


async def test_a_bomb(shelf: Shelf) -> None:
    """A picture of a thousand million pixels costs its header: a size, or words where Pillow refuses."""
    shelf.files["/a"] = bomb(12_000)
    assert await measured(shelf) == Measured(12_000, 12_000)
    shelf.files["/a"] = bomb(40_000)
    assert isinstance(await measured(shelf), str)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nothing", "HTTP 404"),
        ("/loop", "redirects"),
        ("/away", "no http address"),
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
    assert await measured(shelf, "/moved") == Measured(3, 4)


STRICT = [
    "/a%2Fb/c%20d",
    "/it's",
    "/it%27s",
    "/a~b",
    "/a%7Eb?X-Sig=a%2Fb%2B%7e&x='1'",
    "/a+b?q=%3D%26;,@:!$()*",
    "/%E2%82%AC",
    "/a//b/./c/../d",
    "/%zz",
]


@pytest.mark.parametrize("path", STRICT)
@pytest.mark.parametrize("redirected", [False, True])
async def test_what_stands_there_is_asked_for(path: str, redirected: bool) -> None:
    """Signatures cover the very letters of a URL: they go out as they stand, behind a redirect too."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            asked.append(line.decode().split(" ")[1])
            moved = f"302 Found\r\nLocation: {path}" if asked[-1] == "/go" else "404 Not Found"
            writer.write(f"HTTP/1.1 {moved}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, Images() as there:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await there.measure(url + ("/go" if redirected else path))
        await there.unreachable(url + ("/go" if redirected else path))
    # A path that is relative is made absolute, which takes its dots out.
    stands = path.replace("/./c/../d", "/d") if redirected else path
    assert {*asked} - {"/go"} == {stands}


def test_what_cannot_stand_in_a_request() -> None:
    """Blanks and letters of other scripts are quoted, and names of hosts written as DNS has them."""
    assert str(images.as_it_stands("http://m\u00fcnchen.test/\u20ac a%20b?\u20ac#x")) == (
        "http://xn--mnchen-3ya.test/%E2%82%AC%20a%20b?%E2%82%AC"
    )
    assert images.as_it_stands("http://h.test?a=b").raw_path_qs == "/?a=b"


class Moody:
    """A server that gives one answer after the other, the last one for ever."""

    def __init__(self, *answers: web.Response) -> None:
        self.answers, self.asked = list(answers), list[str]()

    async def serve(self, request: web.BaseRequest) -> web.Response:
        """Give the next one."""
        self.asked.append(request.method)
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=said.status, body=said.body, headers=said.headers)


async def both(moody: Moody) -> tuple[str, Measured | str]:
    """What is said of a picture that is checked, and of one that is measured, each at a server of its own."""
    told = list[Measured | str]()
    for measures in (False, True):
        server = TestServer(web.Application())
        one = Moody(*moody.answers)
        server.app.router.add_route("*", "/a", one.serve)
        await server.start_server()
        async with Images() as there:
            told.append(await (there.measure if measures else there.unreachable)(str(server.make_url("/a"))))
        await server.close()
        moody.asked += one.asked
    return str(told[0]), told[1]


PAGE = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    ("body", "headers", "told"),
    [
        (b" <!DOCTYPE html><p>log in", {}, "HTML"),
        (b"<p>log in", PAGE, "HTML"),
        (b"\xef\xbb\xbf<HTML>", {"Content-Type": "image/png"}, ""),
        (b"", {"Content-Type": "image/png"}, "empty"),
    ],
)
async def test_a_page_is_no_picture(body: bytes, headers: dict[str, str], told: str) -> None:
    """A 200 with a page, or with nothing, is told aloud: people would see no picture there."""
    checked, measured = await both(Moody(web.Response(body=body, headers=PAGE | headers)))
    assert (told in checked, bool(checked)) == (True, bool(told))
    assert (told or "HTML") in str(measured)


async def test_every_error_is_one() -> None:
    """From 400 on it is an error, whatever else the answer looks like."""
    moody = Moody(web.Response(status=400, body=b"x" * 600, headers={"Content-Type": "image/png"}))
    assert await both(moody) == ("HTTP 400", "HTTP 400")


async def test_only_a_redirect_leads_elsewhere() -> None:
    """A place that is named beside the picture itself is not asked for."""
    moody = Moody(
        web.Response(
            body=picture("PNG"), headers={"Content-Type": "image/png", "Location": "http://127.0.0.1:1/"}
        )
    )
    assert await both(moody) == ("", SIZE)


async def test_a_picture_that_says_that_it_is_a_page() -> None:
    """What a server calls its pictures is no proof: the bytes are looked at."""
    assert await both(Moody(web.Response(body=picture("PNG", (3, 4)), headers=PAGE))) == ("", Measured(3, 4))


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_asked_again(status: int) -> None:
    """One 429 or 503 is no verdict: after the wait that it names it is asked once more; two are,
    and a long wait is one.
    """
    good = web.Response(body=picture("PNG", (3, 4)), headers={"Content-Type": "image/png"})
    busy = web.Response(status=status, headers={"Retry-After": "0"})
    assert await both(Moody(busy, good)) == ("", Measured(3, 4))
    assert await both(twice := Moody(busy)) == (f"HTTP {status}", f"HTTP {status}")
    assert twice.asked == ["HEAD", "HEAD", "GET", "GET", "GET", "GET"]
    later = Moody(web.Response(status=status, headers={"Retry-After": "3600"}))
    assert await both(later) == (f"HTTP {status}", f"HTTP {status}")
    assert later.asked == ["HEAD", "GET", "GET"]


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
    [webp, lambda: webp(lossless=True), lambda: webp(icc_profile=bytes(9))],
    ids=("VP8", "VP8L", "VP8X"),
)
def test_three_kinds_of_webp(made: Callable[[], bytes]) -> None:
    """The header of each kind of WebP tells the size that Pillow reads from the whole file;
    half of it tells none.
    """
    content = made()
    with Image.open(io.BytesIO(content)) as image:
        assert size_in(content[:40]) == Measured(*image.size) == Measured(321, 123)
    assert size_in(content[:29]) is None


TURNED = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
"""The formats that say how they are turned."""


def turned(kind: str, orientation: object, size: tuple[int, int] = (30, 20), **how: object) -> bytes:
    """A picture as a camera writes it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return picture(kind, size, exif=exif, **how)


def displayed(content: bytes) -> tuple[int, int]:
    """The size of what people see."""
    with Image.open(io.BytesIO(content)) as image:
        return ImageOps.exif_transpose(image).size


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("kind", TURNED)
def test_every_orientation(kind: str, orientation: int) -> None:
    """However a picture is turned, its displayed size is that which Pillow gives it, and the stored one
    stays; an orientation that is none of the eight is none.
    """
    content = turned(kind, orientation)
    found = size_in(content)
    assert found is not None
    assert found.displayed == displayed(content) == ((20, 30) if orientation in (5, 6, 7, 8) else (30, 20))
    assert found.stored == (30, 20)
    assert found.orientation == (orientation if 0 < orientation < 9 else 1)


def test_what_xmp_alone_says() -> None:
    """An orientation that XMP tells and EXIF does not is none: browsers show the picture as it is stored."""
    said = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    assert size_in(picture("JPEG", (30, 20), xmp=said)) == Measured(30, 20, 1)


def test_a_server_that_forgets_ranges_makes_no_picture_upright() -> None:
    """Asked for what stands behind the pixels, it sends the file from its beginning: what has no EXIF in it
    yet tells no size, and never one that is not turned.
    """
    content = turned("WEBP", 6, (300, 200), quality=90)
    head, half = content[:64], content[: len(content) // 2]
    assert size_in(beside(head, half)) is None
    assert size_in(beside(head, content)) == Measured(300, 200, 6)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0" + bytes(9), b"Exif\0\0", b"rubbish", b"Exif\0\0MM\0*\0\0\0\x08\0\x09"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_spoiled_exif(kind: str, exif: bytes) -> None:
    """EXIF that cannot be read turns nothing, and hides no size."""
    assert size_in(picture(kind, (30, 20), exif=exif)) == Measured(30, 20)


@pytest.mark.parametrize("side", [100, 1200, 3000], ids=("one range", "two ranges", "behind both"))
async def test_the_exif_of_a_webp_stands_behind_its_pixels(shelf: Shelf, side: int) -> None:
    """It is fetched from there, and not what is between."""
    shelf.files["/a"] = content = turned("WEBP", 6, (side, side // 2), quality=90)
    assert await measured(shelf) == Measured(side, side // 2, 6)
    assert shelf.sent <= min(len(content), RANGES[-1][1] + (1 << 17))


async def test_a_server_that_sends_more_than_was_asked_for(shelf: Shelf) -> None:
    """What is sent from the beginning, whatever was asked for, is no EXIF, and no more of it is read."""
    shelf.ranges = False
    shelf.files["/a"] = turned("WEBP", 6, (3000, 1500), quality=90)
    assert await measured(shelf) == images.NO_SIZE


@pytest.mark.parametrize("kind", FORMATS)
def test_every_beginning(kind: str) -> None:
    """However a picture is cut off: its size, or none, and no exception."""
    content = picture(kind, (16, 12))
    told = {size_in(content[:end]) for end in range(min(len(content), 400))} | {size_in(content)}
    assert told <= {None, Measured(16, 12)}
    assert Measured(16, 12) in told


@pytest.mark.parametrize("kind", TURNED)
def test_every_beginning_of_a_turned_one(kind: str) -> None:
    """However a turned picture is cut off: all that it says, or nothing; never a size without its turn."""
    content = turned(kind, 6, (16, 12))
    assert {size_in(content[:end]) for end in range(len(content) + 1)} == {None, Measured(16, 12, 6)}
