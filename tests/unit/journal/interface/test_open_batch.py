"""An open batch: batch info, journal and state in step."""

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from mwbatch.core.codec.ids import Kid
from mwbatch.core.facts.kinds import Fact
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.errors import BatchBusy, StoreError
from mwbatch.journal.home.batch_lock import holder
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.open_batch import OpenBatch, look, looking
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.scan import written_now
from tests.support.disks import Failing, Gated, commit_threads
from tests.support.facts import answer, fail, plan, retry, show, start, withdraw
from tests.support.records import record_of, rewrite
from tests.support.virtual import virtual


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one batch, ``logos``."""
    home = Home(tmp_path / "home")
    home.create(BatchInfo("logos", "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ()))
    return home


async def opened(home: Home) -> OpenBatch:
    """The batch without its lock."""
    return await look(home, home.find("logos"))


@virtual
async def test_recorded_is_known_and_on_disk(home: Home) -> None:
    """What was recorded is in the state, and in that of whoever looks next;
    nothing recorded writes nothing.
    """
    batch = await opened(home)
    await batch.record([])
    assert not (Path(batch.where) / "rows").exists()
    await batch.record([plan(0), plan(1), start(1), show(1)])
    other = await opened(home)
    assert batch.state.rows == other.state.rows
    assert other.state.by_status()[Status.PENDING] == 1
    await batch.journal.close()


@virtual
async def test_refreshing_reads_what_others_wrote(home: Home) -> None:
    """A fact of another process is known after the next refreshing."""
    batch, other = await opened(home), await opened(home)
    await other.record([plan(0), answer(1)])
    assert batch.state.planned == 0
    await batch.refresh()
    assert batch.state.by_status()[Status.COMPLETED] == 1
    await other.journal.close()


@virtual
async def test_a_batch_that_cannot_be_read_again_keeps_its_state(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty state would say that no row was ever sent:
    where the reading fails there is the one that was.
    """

    def unreadable(*_: object) -> NoReturn:
        raise StoreError("the disk is gone")

    batch = await opened(home)
    await batch.record([plan(0), start(1)])
    await batch.journal.close()
    monkeypatch.setattr(type(batch.journal), "refresh", unreadable)
    with pytest.raises(StoreError):
        await batch.refresh()
    assert not batch.state.is_sendable(0)


@virtual
async def test_the_batch_info_is_kept_on_disk(home: Home) -> None:
    """A change of the batch info is on disk at once; the same once more writes nothing."""
    batch = await opened(home)
    batch.keep(kids=("k1",))
    assert home.find("logos").info.kids == ("k1",)
    written = os.stat(Path(batch.where) / "batch.json").st_ino  # noqa: PTH116 (one look)
    batch.keep(kids=("k1",))
    assert os.stat(Path(batch.where) / "batch.json").st_ino == written  # noqa: PTH116 (one look)


@virtual
async def test_failures_are_told_in_order(home: Home) -> None:
    """Each failed attempt with its message, by row, the last attempt of a row last."""
    batch = await opened(home)
    await batch.record([fail(2, row=1), fail(1, row=1), fail(1)])
    assert [row for row, _ in batch.failures()] == [0, 1, 1]
    await batch.journal.close()


@virtual
async def test_doubt_of_a_live_submitter_is_in_flight(home: Home) -> None:
    """While another process acts, unanswered rows are in flight to a view;
    to who acts itself they are in doubt.
    """
    async with home.act(home.find("logos"), "submit") as batch:
        await batch.record([plan(0), start(1)])
        assert (batch.report().in_flight, (await opened(home)).report().in_flight) == (0, 1)
    assert (await opened(home)).report().in_flight == 0


@virtual
async def test_one_acts_at_a_time(home: Home) -> None:
    """A second command that wants to act is turned away; when the first has ended it may."""
    async with home.act(home.find("logos"), "submit"):
        with pytest.raises(BatchBusy):
            async with home.act(home.find("logos"), "cancel"):
                pass
    async with home.act(home.find("logos"), "cancel") as batch:
        assert batch.acting
    assert not (await opened(home)).acting


@virtual
async def test_damage_is_counted(home: Home) -> None:
    """A line that was acknowledged and cannot be read counts; what a writer was cut off in does not."""
    batch = await opened(home)
    await batch.record([plan(0), plan(1), plan(2)])
    await batch.journal.close()
    [segment] = (Path(batch.where) / "rows").glob("*.jsonl")
    text = segment.read_bytes()
    segment.write_bytes(text.replace(b"id-1", b"id-9") + b'{"v":1,"torn')
    assert (await opened(home)).report().damaged_lines == 1


@pytest.mark.parametrize("times", [0, 1, 2, 3])
async def test_the_journal_is_closed_before_the_lock_goes(home: Home, times: int) -> None:
    """However it is left, by an error or canceled any number of times,
    what was handed in is finished under the lock.
    """
    ref = home.find("logos")
    folder = Path(ref.where)
    disk, begun, before = Gated(), asyncio.Event(), commit_threads()

    async def work() -> None:
        async with home.act(ref, "submit") as batch:
            batch.journal = Segments(folder, "submit", disk)
            handed_in = asyncio.ensure_future(batch.journal.append([plan(0), plan(1)]))
            await asyncio.sleep(0)
            begun.set()
            if not times:
                handed_in.cancel()
                raise ZeroDivisionError
            await handed_in

    run = asyncio.create_task(work())
    await begun.wait()
    await asyncio.to_thread(disk.waiting.wait)
    for _ in range(times):
        run.cancel()
        await asyncio.sleep(0.01)
    assert (run.done(), holder(folder) is not None) == (False, True)
    disk.gate.set()
    with pytest.raises(asyncio.CancelledError if times else ZeroDivisionError):
        await run
    assert holder(folder) is None
    assert [fact.row for fact in Segments(folder, "view").rows()] == [0, 1]
    assert not any(written_now(path) for path in folder.rglob("*.jsonl"))
    assert commit_threads() <= before
    assert record_of(folder).segments != {}


async def test_an_error_of_closing_is_told(home: Home) -> None:
    """Where the journal cannot be closed well that is raised, and the lock is free."""

    async def work() -> None:
        async with home.act(home.find("logos"), "submit") as batch:
            batch.journal = Segments(Path(batch.where), "submit", Failing(close=[errno.EIO]))
            await batch.record([plan(0)])

    with pytest.raises(StoreError, match="could not be closed"):
        await work()
    assert holder(Path(home.find("logos").where)) is None


@virtual
async def test_the_batch_info_is_read_again_under_the_lock(home: Home) -> None:
    """What another process wrote in the batch info, since it was read, is not lost."""
    ref = home.find("logos")
    folder, info = Path(ref.where), ref.info
    rewrite(folder, replace(info, kids=(Kid("k1"),)))
    async with home.act(ref, "cancel") as batch:
        batch.keep(echo={"tagging": True})
    assert (home.find("logos").info.kids, home.find("logos").info.echo) == (("k1",), {"tagging": True})


@virtual
async def test_another_batch_in_the_same_place_is_not_acted_on(home: Home) -> None:
    """Where another batch has taken the folder between the look and the lock, nothing is done to it."""
    ref = home.find("logos")
    folder, info = Path(ref.where), ref.info
    rewrite(folder, replace(info, batch_id="c234567890"))
    with pytest.raises(BatchBusy, match="run the same command again"):
        async with home.act(ref, "cancel"):
            pass


@virtual
async def test_nothing_is_written_under_a_lost_lock(home: Home) -> None:
    """Without its lock a run plans, starts, closes, opens and gives up nothing, and leaves the batch info;
    what it saw it keeps.
    """
    async with home.act(home.find("logos"), "submit") as batch:
        await batch.record([plan(0), start(1)])
        (Path(batch.where) / "lock").unlink()
        for fact in (plan(1), start(2), fail(1), retry(2), withdraw(2)):
            with pytest.raises(BatchBusy):
                await batch.record([fact])
        with pytest.raises(BatchBusy):
            batch.keep(kids=("k1",))
        await batch.record([show(1)])
    left = await opened(home)
    assert [type(fact).__name__ for fact in Segments(Path(left.where), "view").read()] == [
        "Planned",
        "Started",
        "Seen",
    ]
    assert (left.info.kids, record_of(left.where).segments) == ((), {})


@virtual
async def test_a_lock_lost_while_facts_became_durable(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who took the lock before a start was on disk has not read it: nothing may follow from it."""
    async with home.act(home.find("logos"), "submit") as batch:
        real = batch.journal.append

        async def slow(facts: Sequence[Fact]) -> list[bool]:
            (Path(batch.where) / "lock").unlink()
            return await real(facts)

        monkeypatch.setattr(batch.journal, "append", slow)
        with pytest.raises(BatchBusy):
            await batch.record([start(1)])


async def test_who_is_cancelled_leaves_nobody_reading(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refreshing that is cancelled ends when the reading does:
    nobody changes the state behind whoever closes.
    """
    batch, begun, go = await opened(home), threading.Event(), threading.Event()
    read, done = batch.journal.refresh, list[bool]()

    def slowly(state: Batch | None = None) -> Batch:
        begun.set()
        go.wait(10)
        done.append(True)
        return read(state)

    monkeypatch.setattr(batch.journal, "refresh", slowly)
    refreshing = asyncio.create_task(batch.refresh())
    await asyncio.to_thread(begun.wait, 10)
    refreshing.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await refreshing
    assert done


@virtual
async def test_a_start_that_is_not_new_is_not_known(home: Home) -> None:
    """Of a start that another process was faster with nothing is written,
    and the state does not say so either.
    """
    batch, other = await opened(home), await opened(home)
    await other.record([plan(0), plan(1), start(1, ((1, 2),))])
    assert await batch.record([start(1, ((0, 2),))]) == [False]
    assert batch.state.row(0).started == 0
    await batch.refresh()
    assert [batch.state.row(n).started for n in range(2)] == [0, 2]
    for one in (batch, other):
        await one.journal.close()


class Lost:
    """A right to act that is there for so many looks, and then another's."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def check(self) -> None:
        """Look."""
        self.looks -= 1
        if self.looks < 0:
            raise BatchBusy("another one has it")


@virtual
async def test_nothing_follows_from_what_was_written_as_the_lock_went(home: Home) -> None:
    """Whoever lost the lock before a fact is durable writes none; after it, nothing may follow from it."""
    for looks, there in ((0, False), (1, True)):
        batch = await opened(home)
        batch.term = Lost(looks)  # type: ignore[assignment]
        with pytest.raises(BatchBusy):
            await batch.record([plan(looks)])
        await batch.journal.close()
        assert (looks in (await opened(home)).state.rows) is there


@virtual
async def test_nothing_follows_from_an_end_as_the_lock_went(home: Home) -> None:
    """The same of attempts that are ended as absent: before, by the journal that ends them, and after it."""
    batch = await opened(home)
    await batch.record([*map(plan, range(4)), start(1, ((0, 4),))])
    await batch.journal.close()
    for looks in range(3):
        batch = await opened(home)
        batch.term = Lost(looks)  # type: ignore[assignment]
        with pytest.raises(BatchBusy):
            await batch.close_absent([fail(1, row=looks)])
        await batch.journal.close()
        ended = (await opened(home)).state.row(looks).failed != 0
        assert ended is (looks == 2)


@pytest.mark.parametrize("how", ["begin", "go_on"])
@virtual
async def test_no_request_leaves_by_a_start_as_the_lock_went(
    home: Home, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A start is no leave to send where the lock went while it was made known outside of the journal."""
    batch = await opened(home)
    await batch.record([plan(0), plan(1)])
    if how == "go_on":
        await batch.start(start(1, ((1, 2),)))
    trust, right = type(batch.own.trust), Lost(99)
    known = getattr(trust, how)

    def made_known(self: object, *tasks: int) -> None:
        known(self, *tasks)
        right.looks = 0

    monkeypatch.setattr(trust, how, made_known)
    batch.term = right  # type: ignore[assignment]
    with pytest.raises(BatchBusy, match="another one has it"):
        await batch.start(start(1))
    await batch.journal.close()
    assert (await opened(home)).state.row(0).doubtful == [1]


@virtual
async def test_what_lies_nowhere_is_not_durable(home: Home) -> None:
    """Where the segment alone was taken away what is written into it is lost, with the lock and without."""
    for acting in (True, False):
        term = (
            home.act(home.find("logos"), "submit") if acting else looking(home, home.find("logos"), "submit")
        )
        with suppress(StoreError, BatchBusy):
            async with term as batch:
                await batch.record([plan(0)])
                shutil.rmtree(Path(batch.where) / "rows")
                with pytest.raises(StoreError, match="was removed or moved"):
                    await batch.append([plan(1)])


@virtual
async def test_what_was_taken_away_with_its_folder_lies_there(home: Home, tmp_path: Path) -> None:
    """Where the whole folder was taken from whoever held its lock what is written meanwhile went with it."""
    with suppress(BatchBusy):
        async with home.act(home.find("logos"), "submit") as batch:
            await batch.record([plan(0)])
            shutil.move(batch.where, tmp_path / "away")
            assert await batch.append([plan(1)]) == [True]
    assert len(list(Segments(tmp_path / "away", "view").read())) == 2
