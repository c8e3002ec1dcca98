"""What a create costs, counted and not timed, so that a loss shows on a busy machine too."""

import sys
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

import mwbatch
from mwbatch.client import Client
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.sending.creating import SendOptions
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.spending.budget import Limits
from mwbatch.journal.home.home import Home
from tests.bench.stand.children import module, server

MOST: Final = 107
"""Calls and resumptions of our functions for a row, from its plan on disk to the line that tells of its task.

There were 104 when this was written, and 135 before four layers, a semaphore and second looks were taken out.
"""

MOST_TO_PLAN: Final = 12
"""The same for a row from its line in a manifest to the end of its plan;
there were 11 when this was written, and 49 before.
"""

FEW, MANY = 300, 1_300
HOUSE: Final = str(Path(mwbatch.__file__).parent)


async def calls(url: str, home: Path, manifest: Path, tasks: int) -> int:
    """How often a function of ours is called or resumed in this thread while so many tasks are created."""
    count = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(HOUSE)

    options = SendOptions(
        callback_url="https://labels.example.com", concurrency=64, limits=Limits(max_tasks=tasks)
    )
    async with Client("live_0123456789", url, limit=64) as client:
        sys.setprofile(note)
        try:
            await submit(Home(home), client, ManifestSource(str(manifest)), options)
        finally:
            sys.setprofile(None)
    return count


def shelves(path: Path, rows: int) -> Path:
    """A manifest of so many rows."""
    lines = (f"shelf-{n},https://images.example.com/{n}.jpg\n" for n in range(rows))
    path.write_text("id,image_url\n" + "".join(lines), encoding="utf-8")
    return path


async def test_a_create_costs_few_calls(tmp_path: Path) -> None:
    """A create is bought with so many calls of ours and no more:
    beside them is what aiohttp and the kernel do.
    """
    manifest = shelves(tmp_path / "shelves.csv", MANY)
    with server(partial(module, "stand.null")) as (_, url):
        few = await calls(url, tmp_path / "few", manifest, FEW)
        many = await calls(url, tmp_path / "many", manifest, MANY)
    assert (many - few) / (MANY - FEW) <= MOST


async def test_a_plan_costs_few_calls(tmp_path: Path) -> None:
    """A row of a plain manifest is read twice, compared and planned with few calls of ours:
    lines are read many at a time.
    """
    few, many = (shelves(tmp_path / f"{rows}.csv", rows) for rows in (10 * FEW, 10 * MANY))
    with server(partial(module, "stand.null")) as (_, url):
        # Another task stands in the listing:
        # of rows that ask for something else nothing more has to be known.
        await calls(url, tmp_path / "before", few, 1)
        costs = [await calls(url, tmp_path / path.stem, path, 1) for path in (few, many)]
    assert (costs[1] - costs[0]) / (10 * (MANY - FEW)) <= MOST_TO_PLAN, costs
