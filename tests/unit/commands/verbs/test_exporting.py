"""`export` as a command: images are measured once, few at a time, and an export can be stopped."""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
from aiohttp import web

from mwbatch.commands.context.context import Context
from mwbatch.commands.pictures.measuring import AT_ONCE, measure
from mwbatch.commands.verbs.export import export
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.image_size import Measured
from mwbatch.core.report.progress import Tally
from mwbatch.errors import UsageError
from mwbatch.export.choices import FormatName
from mwbatch.export.writing import Order
from mwbatch.journal.home.image_sizes import NAME
from mwbatch.journal.memory.batch import MemorySizes
from mwbatch.simulator.world.pictures import png, size
from tests.proof.cuts.cut import open_below
from tests.support.facts import plan
from tests.unit.commands.sending.test_cancelled import reached
from tests.unit.export.batches import Drawn, batch, sized, tag


class Pictures:
    """A server of the simulator's pictures that counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = self.most = 0
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        """Draw one; number 13 is missing."""
        number = int(request.match_info["number"])
        self.asked.append(request.path)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        if number == 13:
            raise web.HTTPNotFound
        return web.Response(body=png(number), content_type="image/png")


@pytest.fixture
async def pictures() -> AsyncIterator[Pictures]:
    """Pictures on loopback."""
    there, app = Pictures(), web.Application()
    app.router.add_get("/{number}.png", there.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield there
    await runner.cleanup()


def ordered(path: Path, name: FormatName = FormatName.COCO, **order: bool) -> Order:
    """An export to a path."""
    return Order(name, path, **order)  # type: ignore[arg-type]  # flags alone


async def test_images_are_measured_once(pictures: Pictures, tmp_path: Path) -> None:
    """Only completed rows whose size nobody told are measured, at most `AT_ONCE` together,
    and never again.
    """
    rows = [Drawn(f"r{n}", [tag()], url=f"{pictures.url}/{n}.png") for n in range(14, 94)]
    rows += [
        Drawn("told", [], sized(), f"{pictures.url}/1.png"),
        Drawn("open", None, url=f"{pictures.url}/2.png"),
    ]
    opened = batch(tmp_path, rows)
    found = await export(opened, Context(), ordered(tmp_path / "one.json"), measuring=True)
    assert (found.images, found.without_size) == (81, 0)
    assert sorted(pictures.asked) == sorted(f"/{n}.png" for n in range(14, 94))
    assert pictures.most <= AT_ONCE
    lines = (Path(opened.where) / NAME).read_text().split()
    assert f'{{"row":3,"width":{size(17)[0]},"height":{size(17)[1]},"orientation":1}}' in lines
    for measuring in (True, False):
        await export(opened, Context(), ordered(tmp_path / f"{measuring}.json"), measuring=measuring)
    assert len(pictures.asked) == 80


async def test_an_image_that_is_gone(pictures: Pictures, tmp_path: Path) -> None:
    """An image that cannot be measured is named, counts as without size, and is asked for again next time."""
    rows = [Drawn(f"r{n}", [tag()], url=f"{pictures.url}/{n}.png") for n in (12, 13)]
    opened, context = batch(tmp_path, rows), Context()
    with pytest.raises(UsageError, match="1 of 2 have none, first row 1 "):
        await export(opened, context, ordered(tmp_path / "out"), measuring=True)
    assert any("row 1 (r13) cannot be measured: HTTP 404" in note for note in context.tally.notes)
    found = await export(opened, Context(), ordered(tmp_path / "out", leave_out_unsized=True), measuring=True)
    assert (found.images, found.left_out) == (1, 1)
    assert pictures.asked.count("/13.png") == 2
    assert pictures.asked.count("/12.png") == 1


async def test_many_that_are_gone(pictures: Pictures, tmp_path: Path) -> None:
    """Of many images that cannot be measured the first are named, and all counted."""
    opened, context = (
        batch(tmp_path, [Drawn(f"r{n}", [], url=f"{pictures.url}/13.png") for n in range(9)]),
        Context(),
    )
    found = await export(opened, context, ordered(tmp_path / "out", FormatName.CSV), measuring=True)
    assert (found.images, found.without_size) == (9, 9)
    assert len([note for note in context.tally.notes if "HTTP 404" in note]) == 5
    assert context.tally.notes[-1].startswith("9 images")


async def test_nothing_is_asked_for_in_vain(pictures: Pictures, tmp_path: Path) -> None:
    """Where the export cannot be written at all, no image is asked for."""
    opened = batch(tmp_path, [Drawn("a", [], url=f"{pictures.url}/1.png")])
    (tmp_path / "out").touch()
    with pytest.raises(UsageError):
        await export(opened, Context(), ordered(tmp_path / "out"), measuring=True)
    assert pictures.asked == []


async def test_stopped(pictures: Pictures, tmp_path: Path) -> None:
    """Who asks to stop gets nothing written, but what was measured is kept."""
    rows = [Drawn(f"r{n}", [], url=f"{pictures.url}/{n}.png") for n in range(20, 90)]
    opened, context = batch(tmp_path, rows), Context()
    asyncio.get_running_loop().call_later(0.005, context.stopping.set)
    found = await export(opened, context, ordered(tmp_path / "out", FormatName.CSV), measuring=True)
    assert (found.stopped, (tmp_path / "out").exists()) == (True, False)
    assert len(pictures.asked) < 70


async def test_cancelled(pictures: Pictures, tmp_path: Path) -> None:
    """Cancelled while pictures are measured, it leaves no file of the batch open."""
    rows = [Drawn(f"r{n}", [], url=f"{pictures.url}/{n}.png") for n in range(200)]
    opened = batch(tmp_path, rows)
    running = asyncio.create_task(export(opened, Context(), ordered(tmp_path / "out"), measuring=True))
    await reached(lambda: bool(pictures.asked))
    running.cancel()
    await asyncio.wait([running])
    assert (running.cancelled(), open_below(tmp_path)) == (True, [])


async def test_rows_are_read_beside_the_loop(pictures: Pictures) -> None:
    """The rows of which a size is missing are read in a thread, each once,
    and never while another one is read.
    """
    readers = set[int]()

    def rows() -> Generator[Planned, None, None]:
        for number in range(300):
            readers.add(threading.get_ident())
            yield plan(number)._replace(request={"image_url": f"{pictures.url}/{number + 20}.png"})

    context, sizes = Context(), MemorySizes({})
    assert await measure(rows(), 300, sizes, context) == 0
    assert (threading.get_ident() in readers, len(pictures.asked), context.tally.done) == (False, 300, 300)
    assert sizes.get(299) == Measured(*size(319))


async def test_progress_and_completeness(tmp_path: Path) -> None:
    """The tally names what is done; completeness, where it is demanded, is that of the whole batch."""
    told = list[tuple[str, int]]()

    class Told(Tally):
        def begin(self, phase: str, total: int = 0, *, done: int = 0, of_bytes: bool = False) -> None:
            told.append((phase, total))
            super().begin(phase, total, done=done, of_bytes=of_bytes)

    opened, context = batch(tmp_path, [Drawn("a", []), Drawn("b", None)]), Context(tally=Told())
    found = await export(opened, context, ordered(tmp_path / "o", FormatName.CSV), demanded=True)
    assert (told, found.unfinished, int(found.exit)) == ([("reading", 0), ("exporting", 1), ("", 0)], True, 3)
    whole = batch(tmp_path / "b", [Drawn("a", [])])
    found = await export(whole, context, ordered(tmp_path / "p", FormatName.CSV), demanded=True)
    assert (found.unfinished, int(found.exit)) == (False, 0)
