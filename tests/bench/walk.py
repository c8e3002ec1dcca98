"""``make walk``: the files that one create, one callback and one `submit` of a row enter,
and the calls in each.

A profile hook counts the calls of the package's functions, in all threads. What one create or one callback
costs is the difference between a run of `MORE` and one of `FEW`, a row: whatever happens once a run falls
out, and what happens once a group of rows shows as a part of a call. A file is on the way where it is entered
for at least every second row.

Of a create and a callback it is said besides which files are entered *under* the function that sees one
request from its beginning to its end (`UNDER`; marked ``*``): a reader who follows one request passes these.
The others plan and start rows, read what is planned, receive bytes, or make facts of many rows durable.
"""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Coroutine, Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, Final

import aiohttp
from aiohttp import web

import mwbatch
from mwbatch.callbacks.ops.mounting import application
from mwbatch.client import Client
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.sending.creating import SendOptions
from mwbatch.commands.verbs import submit as submitting
from mwbatch.core.api.address import write
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json, encode
from mwbatch.core.spending.budget import Limits
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.open_batch import look
from mwbatch.journal.interface.ref import usable
from mwbatch.journal.keys.home_keys import signing_key
from tests.bench.stand.children import server, tool

FEW, MORE = 40, 120
"""Rows of the two runs whose difference tells what one costs."""

ON_THE_WAY: Final = 0.5
"""Calls a row from which on a file belongs to the way of every row."""

PACKAGE: Final = Path(mwbatch.__file__).parent
GOALS: Final = {"one create": 12, "one callback": 13}
"""The files that each way should have at most."""

UNDER: Final = ("Sender._create", "Receiver.answer")
"""Who sees one request from its beginning to its end: from a row that is ready to its outcome's fact, and
from a request's head to the answer that it is stored."""

Calls = dict[str, float]
"""The calls in each file; those under a request's own function stand a second time, behind a ``*``."""


def counted(work: Coroutine[Any, Any, object]) -> Calls:
    """The calls of the package's functions in each of its files, while ``work`` runs in a loop of its own."""
    entered: Counter[str] = Counter()

    def hook(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(PACKAGE)):
            file = str(Path(frame.f_code.co_filename).relative_to(PACKAGE))
            entered[file] += 1
            entered["*" + file] += _is_under(frame)

    threading.setprofile(hook)
    sys.setprofile(hook)
    try:
        asyncio.run(work)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return {**entered}


def _is_under(frame: FrameType | None) -> bool:
    """Whether a call was made, by whatever ways, by a function that sees one request through."""
    while frame is not None:
        if frame.f_code.co_qualname in UNDER:
            return True
        frame = frame.f_back
    return False


def a_row(few: Calls, more: Calls) -> Calls:
    """What each row adds, of the files that are on the way of every row."""
    added = {file: (count - few.get(file, 0)) / (MORE - FEW) for file, count in more.items()}
    return {file: calls for file, calls in added.items() if calls >= ON_THE_WAY}


def submitted(place: Path, rows: int, creates: int) -> Calls:
    """The calls of a `submit` that stops at a limit,
    in a home of its own and at an API that knows of nothing.
    """
    place.mkdir()
    with server(partial(tool, "simulate", "--complete-after", "3600", "3600", "--port")) as (_, url):
        return counted(submit(place, url, rows, creates))


async def submit(place: Path, url: str, rows: int, creates: int) -> None:
    """`submit` as a program calls it, one request after the other."""
    source = place / "shelves.csv"
    lines = (f"{n},https://images.example.com/{n}.jpg\n" for n in range(rows))
    source.write_text("id,image_url\n" + "".join(lines), encoding="utf-8")
    async with Client("sim_key", url) as client:
        options = SendOptions(callback_url="none", concurrency=1, limits=Limits(max_tasks=creates))
        await submitting.submit(Home(place / "home"), client, ManifestSource(str(source)), options)


def hooked(place: Path, rows: int) -> tuple[Home, list[tuple[str, bytes]]]:
    """A home, and the first callbacks of its batch as the API would post them: path and body."""
    home = Home(place / "home")
    [ref] = usable(home.batches())
    there = asyncio.run(look(home, ref)).state.tasks()
    return home, [_callback(home, ref.info.batch_id, row, task.task_id) for row, task in islice(there, rows)]


def _callback(home: Home, batch_id: str, row: int, task_id: str) -> tuple[str, bytes]:
    path = write("", signing_key(home), batch_id, RowNumber(row), Attempt(1))
    response: Json = {"brands": []}
    task = {
        "task_id": task_id,
        "created_at": "2026-11-24T09:10:02.798Z",
        "callback_url": "https://hooks.example.com" + path,
        "type": "tagging",
        "status": "completed",
        "params": {"image_url": f"https://images.example.com/{row}.jpg"},
        "completed_at": "2026-11-24T09:12:04.000Z",
        "response": response,
    }
    return path, encode({"task": task, "response": response, "task_id": task_id})


async def received(home: Home, bodies: list[tuple[str, bytes]]) -> None:
    """A receiver that takes callbacks, one after the other."""
    runner = web.AppRunner(application(home))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        for path, body in bodies:
            async with session.post(base + path, data=body) as response:
                response.raise_for_status()
    await runner.cleanup()


def table(title: str, calls: Calls) -> Iterable[str]:
    """One way: its files, most calls first."""
    there = {file: n for file, n in calls.items() if not file.startswith("*")}
    under = {file: n for file, n in calls.items() if file.startswith("*") and title in GOALS}
    yield f"{title}: {_sum(there)}"
    if under:
        yield f"  * under the request itself: {_sum(under)} (goal: {GOALS[title]} files)"
    for file, n in sorted(there.items(), key=lambda one: -one[1]):
        yield f"  {'*' if '*' + file in under else ' '}{n:7.1f}  {file}"


def _sum(calls: Calls) -> str:
    return f"{len(calls)} files, {sum(calls.values()):.1f} calls"


def main() -> None:
    """Walk the three ways and print them."""
    with TemporaryDirectory(prefix="mwbatch-walk-") as folder:
        place = Path(folder)
        one = submitted(place / "one", 1, 1)
        few, more = (submitted(place / f"{creates}", MORE, creates) for creates in (FEW, MORE))
        ways = {"one create": a_row(few, more)}
        submitted(place / "again", MORE, MORE)  # MUST be as many rows: an opening reads each of them
        homes = {FEW: place / "again", MORE: place / f"{MORE}"}
        few, more = (counted(received(*hooked(homes[rows], rows))) for rows in (FEW, MORE))
    ways |= {"one callback": a_row(few, more), "submit of one row": one}
    for title, calls in ways.items():
        print("\n".join(table(title, calls)))


if __name__ == "__main__":
    main()
