"""Pictures are asked for before money is spent: real requests on loopback."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from mwbatch.commands.context.context import Context
from mwbatch.commands.verbs.validate import validate
from mwbatch.core.report.preview import Validation
from mwbatch.errors import Exit
from mwbatch.views.preview import validated


class Pictures:
    """A server of pictures that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.headers: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as the path says."""
        self.asked[request.method, request.path] += 1
        self.headers += [*request.headers]
        name = request.path.strip("/")
        if name == "moved":
            raise web.HTTPFound("/good")
        if name == "round":
            raise web.HTTPFound("/round")
        if name == "no-head" and request.method == "HEAD":
            raise web.HTTPMethodNotAllowed("HEAD", ["GET"])
        return web.Response(status=404 if name == "gone" else 200, body=b"GIF89a")


@pytest.fixture
async def pictures() -> AsyncIterator[Pictures]:
    """A server on loopback."""
    there, app = Pictures(), web.Application()
    app.router.add_route("*", "/{path:.*}", there.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield there
    await runner.cleanup()


async def checked(folder: Path, *urls: str, context: Context | None = None) -> Validation:
    """Validate a manifest of these pictures, and ask for each."""
    path = folder / "m.csv"
    path.write_text("\n".join(["id,image_url", *(f"{n},{url}" for n, url in enumerate(urls)), ""]))
    return await validate(path, check_images=True, allow_duplicates=True, context=context)


async def test_pictures_that_cannot_be_fetched(tmp_path: Path, pictures: Pictures) -> None:
    """Each picture that fails is a problem with its line; one that moved, or knows no HEAD, is none."""
    names = ["good", "gone", "moved", "no-head", "round"]
    found = await checked(tmp_path, *(f"{pictures.url}/{name}" for name in names), "http://127.0.0.1:1/x")
    assert [(p.line, p.column, p.message.split(" (")[0]) for p in found.problems] == [
        (3, "image_url", "cannot be fetched: HTTP 404"),
        (6, "image_url", "cannot be fetched: more than 5 redirects"),
        (7, "image_url", "cannot be fetched: no connection"),
    ]
    assert (found.unreachable, found.exit) == (3, Exit.USAGE)
    assert "3 pictures cannot be fetched" in validated(found).words


async def test_each_picture_is_asked_for_once(tmp_path: Path, pictures: Pictures) -> None:
    """However many rows show a picture, it is asked for once, by HEAD alone, and never with a key."""
    context = Context()
    found = await checked(tmp_path, *[f"{pictures.url}/good"] * 5, f"{pictures.url}/other", context=context)
    assert pictures.asked == {("HEAD", "/good"): 1, ("HEAD", "/other"): 1}
    assert (found.unreachable, context.tally.done, context.tally.total) == (0, 6, 6)
    assert "every picture that was asked for can be fetched" in validated(found).words
    assert "Authorization" not in pictures.headers


def open_files() -> list[Path]:
    """The files that this process holds open."""
    return [file.resolve() for file in Path("/proc/self/fd").iterdir()]


async def test_stopping_ends_the_asking(tmp_path: Path, pictures: Pictures) -> None:
    """Asked to stop, no further picture is asked for, and the manifest is closed at once."""
    context = Context()
    context.stopping.set()
    await checked(tmp_path, f"{pictures.url}/good", context=context)
    assert pictures.asked == {}
    assert tmp_path / "m.csv" not in open_files()


LONG = ["good"] * 6_000
"""Rows that fill several blocks of a file."""


async def test_every_picture_of_a_long_manifest_is_asked_for(tmp_path: Path, pictures: Pictures) -> None:
    """Those at the end of a file of many blocks, too."""
    await checked(tmp_path, *(f"{pictures.url}/{name}" for name in [*LONG, "last"]))
    assert pictures.asked == {("HEAD", "/good"): 1, ("HEAD", "/last"): 1}


async def test_who_stops_does_not_wait_for_the_rest_of_the_file(tmp_path: Path, pictures: Pictures) -> None:
    """Asked to stop, it reads no further block."""
    context = Context()
    context.stopping.set()
    await checked(tmp_path, *(f"{pictures.url}/{name}" for name in LONG), context=context)
    assert context.tally.done < len(LONG) / 2
