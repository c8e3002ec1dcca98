"""``python -m tests.proof.old_homes.make FOLDER``: make a home with the code that is there,
and what the API lists of it.

``home-1`` was made by commit 39f0736, before part F. It is never made anew: a newer format gets a home of its
own.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson

from mwbatch.callbacks.intake.delivery import read
from mwbatch.callbacks.storing.routing import Routing
from mwbatch.callbacks.storing.signers import Signers
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.sending.creating import SendOptions
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.spending.budget import Limits
from mwbatch.simulator.world.forms import Draft
from mwbatch.simulator.world.tasks import nested
from mwbatch.simulator.world.world import World
from tests.support.virtual import run_virtual
from tests.unit.commands.conftest import Play, Stage, answer, clock

BASE: Final = "https://labels.example.com/hooks"
SIGNED: Final = (
    "https://bucket.s3.amazonaws.com/shelf.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA{n}%2F20231114"
    "&X-Amz-Date=20231114T221320Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature={n:064x}"
)
QUESTION: Final = (
    "Is it clear?",
    ["yes", "no"],
    [{"id": "t1", "left": 1, "top": 2, "width": 30, "height": 40}],
)


def write_manifests(folder: Path) -> None:
    """Two manifests: one with ids and two types of task,
    one without ids whose rows differ in signatures alone.
    """
    instruction, options, tags = QUESTION
    rows = [
        {"id": f"shot-{n}", "image_url": f"https://images.example.com/{n}.jpg", "shelf": n} for n in range(8)
    ]
    rows[4] |= {"instruction": instruction, "annotation_option": options, "tags": tags}
    (folder / "logos.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    urls = [SIGNED.format(n=n) for n in (1, 2)] + ["https://images.example.com/plain.jpg"]
    (folder / "signed.csv").write_text("\n".join(["image_url", *urls]) + "\n")


async def make(folder: Path) -> None:
    """Play it all; the last row of ``logos`` stays planned, as no more than seven tasks are allowed."""
    stage = Stage(folder)
    write_manifests(folder)
    stage.wire.always = _play
    send_options = SendOptions(BASE, settle=150.0, limits=Limits(max_tasks=6))
    context = stage.new_context()
    asyncio.get_running_loop().call_later(60.0, context.stopping.set)  # before the doubt is settled
    await submit(stage.home, stage.client, ManifestSource(str(folder / "logos.jsonl")), send_options, context)
    await submit(
        stage.home,
        stage.client,
        ManifestSource(str(folder / "signed.csv")),
        replace(send_options, limits=Limits()),
        stage.new_context(),
    )
    await cancel(stage.home, stage.client, "logos", ["shot-3"], stage.new_context())
    await call_back(stage, "/0.jpg", "/4.jpg", "A%7B1", "AKIA1%2F")
    lines = [orjson.dumps(nested(task)) + b"\n" for task in stage.world._tasks.values()]
    (folder / "listing.jsonl").write_bytes(b"".join(lines))


def _play(draft: Draft) -> Play:
    url = draft.params["image_url"]
    if url.endswith("/2.jpg"):
        return answer(422, {"error": "the picture cannot be read"})
    return answer(500) if url.endswith("/5.jpg") else None


async def call_back(stage: Stage, *marks: str) -> None:
    """Let people complete the tasks of some pictures, and the API call us back."""
    world: World = stage.world
    chosen = [
        task
        for task in world._tasks.values()
        if task.status == "pending" and any(mark in task.draft.params["image_url"] for mark in marks)
    ]
    keys, stores = Signers(stage.home), Routing(stage.home)
    keys.open()
    await stores.open()
    for task in chosen:
        callback = world.early(task, clock())
        assert callback is not None
        address = await keys.signed(urlsplit(callback.url).path)
        assert address is not None
        await stores.keep(address.batch, read(address, orjson.dumps(callback.body()), clock()).seen)
    assert await stores.close() is None


if __name__ == "__main__":
    run_virtual(make(Path(sys.argv[1])))
