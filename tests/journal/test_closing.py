"""What began comes to its end, however often its caller is cancelled."""

import asyncio
from pathlib import Path

import pytest

from mwbatch.errors import StoreError
from mwbatch.journal.card import Card
from mwbatch.journal.closing import to_end
from mwbatch.journal.home import Home
from mwbatch.journal.lock import holder
from mwbatch.journal.scan import written_now
from mwbatch.journal.segments import Segments
from tests.core.facts import plan
from tests.journal.disks import Gated, commit_threads
from tests.records import record_of
from tests.virtual import virtual


async def insisted(running: "asyncio.Task[object]", times: int = 20) -> None:
    """Cancel a task in each of several turns of the loop."""
    for _ in range(times):
        running.cancel()
        await asyncio.sleep(0)


@virtual
async def test_a_cancel_waits_for_the_end() -> None:
    """Whoever is cancelled meanwhile ends cancelled, after the work has ended."""
    ended = list[float]()

    async def work() -> None:
        await asyncio.sleep(5)
        ended.append(asyncio.get_running_loop().time())

    running = asyncio.create_task(to_end(work()))
    await asyncio.sleep(1)
    await insisted(running)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == [5.0]


@virtual
async def test_its_result_and_its_error_come_through() -> None:
    """Uncancelled it is as if it were awaited; an error is worth more than a cancel."""

    async def fail() -> None:
        await asyncio.sleep(1)
        raise StoreError("full")

    assert await to_end(asyncio.sleep(1, "done")) == "done"
    running = asyncio.create_task(to_end(fail()))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(StoreError, match="full"):
        await running


@virtual
async def test_after_act_nothing_lives(tmp_path: Path) -> None:
    """Closing is cancelled again and again: the lock is held to its end, and then what was handed in is on disk.

    Its size stands on the card, no segment is live, and no thread remains.
    """
    disk, before = Gated(), commit_threads()
    ref = Home(tmp_path / "home").create(
        Card("logos", "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ())
    )
    folder, home = Path(ref.where), Home(tmp_path / "home", disk=disk)

    async def acting() -> None:
        async with home.act(ref, "submit") as batch:
            handed_in = asyncio.create_task(batch.journal.append([plan(0)]))
            await asyncio.to_thread(disk.waiting.wait)
            handed_in.cancel()

    running = asyncio.create_task(acting())
    await asyncio.to_thread(disk.waiting.wait)
    for _ in range(20):
        running.cancel()
        await asyncio.sleep(0)
    assert holder(folder)
    disk.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert holder(folder) is None
    assert commit_threads() <= before
    [segment] = (folder / "rows").iterdir()
    assert record_of(folder).segments == {f"rows/{segment.name}": segment.stat().st_size}
    assert not written_now(segment)
    assert [fact.row for fact in Segments(folder, "view").rows()] == [0]
