"""What began comes to its end, however often its caller is cancelled."""

import asyncio
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from mwbatch.errors import StoreError
from mwbatch.journal.files.closing import closed_whole, ended, in_thread, to_end
from mwbatch.journal.files.disk import read_own
from mwbatch.journal.home.batch_lock import holder
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.scan import written_now
from tests.support.disks import Gated, commit_threads
from tests.support.facts import plan
from tests.support.records import record_of
from tests.support.virtual import run_virtual, virtual


async def insisted(running: "asyncio.Task[object]", times: int = 20) -> None:
    """Cancel a task in each of several turns of the loop."""
    for _ in range(times):
        running.cancel()
        await asyncio.sleep(0)


@virtual
async def test_a_cancel_waits_for_the_end() -> None:
    """Whoever is cancelled meanwhile ends cancelled, after the work has ended."""
    over = list[float]()

    async def work() -> None:
        await asyncio.sleep(5)
        over.append(asyncio.get_running_loop().time())

    running = asyncio.create_task(to_end(work()))
    await asyncio.sleep(1)
    await insisted(running)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert over == [5.0]


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
    """Closing is cancelled again and again: the lock is held to its end,
    and then what was handed in is on disk.

    Its size stands in the batch info, no segment is live, and no thread remains.
    """
    disk, before = Gated(), commit_threads()
    ref = Home(tmp_path / "home").create(
        BatchInfo("logos", "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ())
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


def test_who_ends_the_loop_waits_for_it() -> None:
    """Whoever ends a loop cancels all of its tasks, the work itself too: it comes to its end all the same."""
    over = list[str]()

    async def work() -> None:
        await asyncio.sleep(5)
        over.append("work")

    async def main() -> None:
        waiting = asyncio.create_task(to_end(work()))
        await asyncio.sleep(1)
        assert not waiting.done()

    run_virtual(main())
    assert over == ["work"]


async def test_nobody_goes_on_without_his_thread() -> None:
    """Who is cancelled while something is done in a thread ends when that has ended,
    however often he is told.
    """
    began, go, done = threading.Event(), threading.Event(), list[str]()

    def job() -> None:
        began.set()
        go.wait()
        done.append("job")

    running = asyncio.create_task(in_thread(job))
    await asyncio.to_thread(began.wait)
    await insisted(running)
    assert not running.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert done == ["job"]


async def test_what_nobody_waits_for_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A thread that reads a file ends at the next block once its caller was cancelled,
    and closes the file.
    """
    path, began, go = tmp_path / "large", threading.Event(), threading.Event()
    path.write_bytes(b"x" * 4_000_000)
    blocks = list[int]()

    def job() -> None:
        with read_own(path, 1 << 16) as file:
            while block := file.read(1 << 16):
                blocks.append(len(block))
                began.set()
                go.wait()

    running = asyncio.create_task(in_thread(job))
    await asyncio.to_thread(began.wait)
    await insisted(running)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert blocks == [1 << 16]


@virtual
async def test_a_task_is_ended_before_one_goes_on() -> None:
    """A task that is told to end has ended when `ended` returns, also where its own end takes a while."""
    over = list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(3)
            over.append("work")

    task = asyncio.create_task(work())
    await asyncio.sleep(1)
    ending = asyncio.create_task(ended(task))
    await asyncio.sleep(0)
    await insisted(ending)
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert over == ["work"]


@pytest.mark.parametrize("turns", [1, 2, 4])
def test_what_has_time_outs_has_begun_to_close(turns: int) -> None:
    """Whoever ends the loop as closing is asked for may cut its waiting short,
    and never leaves out what comes after.
    """
    over = list[str]()

    async def work() -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await asyncio.sleep(100)
        finally:
            over.append("closed")

    async def main() -> None:
        closing = asyncio.create_task(closed_whole(work()))
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await closing

    run_virtual(main())
    assert over == ["closed"]
