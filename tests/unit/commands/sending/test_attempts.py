"""The attempts of a run on disk: rows are ready once their ``started`` is there; what came of each is known
at once and written soon, in order.
"""

import asyncio
import errno
import threading
from collections.abc import Iterator

import pytest

from mwbatch.commands.sending.attempts import GATHER, Recorder, StartedAhead
from mwbatch.core.api.create_request import Outcome
from mwbatch.core.facts.kinds import Planned, Seen, Started, Verdict
from mwbatch.core.pace.course import Course, Event
from mwbatch.core.spending.plan import Create, Runs, ranges
from mwbatch.core.state.row_status import Status
from mwbatch.errors import BatchBusy, StoreError
from mwbatch.journal.interface.open_batch import OpenBatch, look
from tests.support.disks import Failing
from tests.support.facts import show, start
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage


def begun(run: list[Create]) -> Started:
    """The fact of a run."""
    return start(1, ranges(create.planned.row for create in run))


def ready_of(batch: OpenBatch, size: int, course: Course | None = None) -> StartedAhead:
    """All rows, in runs of this size."""
    ready = StartedAhead(batch, course or Course(), begun, 2)
    ready.begin(batch.journal.rows(), Runs(batch.state, size))
    return ready


@virtual
async def test_taken_in_order_and_covered(stage: Stage) -> None:
    """Every row comes out once, in order, and is on disk as started when it does; then None."""
    ready = ready_of(await stage.opened(9), 4)
    preparing, taken = asyncio.create_task(ready.prepare()), list[Planned]()
    while tried := await ready.take():
        assert (tried.create.planned.row, 1) in stage.covered()
        taken.append(tried.create.planned)
    await preparing
    assert [planned.row for planned in taken] == list(range(9))


@virtual
async def test_one_run_ahead_and_no_more(stage: Stage) -> None:
    """Nothing is started that is more than a run ahead of need."""
    ready = ready_of(await stage.opened(12), 4)
    preparing = asyncio.create_task(ready.prepare())
    await asyncio.sleep(1)
    assert len(stage.covered()) == 4
    await ready.take()
    await asyncio.sleep(1)
    assert len(stage.covered()) == 8
    ready.end()
    await preparing
    assert [left.create.planned.row for left in ready.leftovers()] == [1, 2, 3, 4, 5, 6, 7]
    assert await ready.take() is None


@virtual
async def test_a_row_that_rests_holds_no_place(stage: Stage) -> None:
    """While a row rests the next is given out, until as many rest as may; each comes again after its rest."""
    ready = ready_of(await stage.opened(4), 4)
    preparing, loop = asyncio.create_task(ready.prepare()), asyncio.get_running_loop()
    first, second = await ready.take(), await ready.take()
    assert first is not None
    assert second is not None
    began = loop.time()
    ready.again(first, 5.0)
    ready.again(second, 3.0)
    assert [await ready.take(), loop.time()] == [second, pytest.approx(began + 3)]
    third = await ready.take()
    assert third is not None
    assert third.create.planned.row == 2
    assert loop.time() == pytest.approx(began + 3)
    ready.again(second, 1.0)
    assert await ready.take() is second
    ready.again(third, 9.0)
    assert await ready.take() is first
    assert loop.time() == pytest.approx(began + 5)
    ready.end()
    await preparing


@virtual
async def test_nothing_is_given_out_once_the_run_has_stopped(stage: Stage) -> None:
    """A stop wakes whoever waits, and what rests is left over with the outcome of its last request."""
    course = Course()
    ready = ready_of(await stage.opened(2), 2, course)
    preparing = asyncio.create_task(ready.prepare())
    first, second = await ready.take(), await ready.take()
    assert first is not None
    assert second is not None
    first.outcome = Outcome(Verdict.BUSY, message="slow down")
    ready.again(first, 5.0)
    waiting = asyncio.create_task(ready.take())
    await asyncio.sleep(1)
    course.take(Event.STOP)
    await preparing
    assert await waiting is None
    assert [(left.create.planned.row, left.outcome.verdict) for left in ready.leftovers()] == [(0, "busy")]


@virtual
async def test_what_is_left_over_does_not_come_again(stage: Stage) -> None:
    """A row that was taken out while it rested is given to nobody once its rest is over."""
    loop, wrong = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, said: wrong.append(said))
    ready = ready_of(await stage.opened(1), 1)
    preparing = asyncio.create_task(ready.prepare())
    only = await ready.take()
    assert only is not None
    ready.again(only, 5.0)
    assert list(ready.leftovers()) == [only]
    await preparing
    await asyncio.sleep(10)
    assert (await ready.take(), wrong) == (None, [])


@pytest.mark.files
@virtual
async def test_a_failing_disk_makes_nothing_ready(stage: Stage) -> None:
    """Where started cannot be written no row is made ready, and whoever waits is told there are none."""
    ready = ready_of(await stage.opened(4, Failing(write=[errno.EIO])), 4)
    waiting = asyncio.create_task(ready.take())
    with pytest.raises(StoreError):
        await ready.prepare()
    assert await waiting is None


@virtual
async def test_what_another_process_started_is_not_made_ready(stage: Stage) -> None:
    """Rows of which one was started meanwhile are not given out: whoever did that may have sent it."""
    batch = await stage.opened(8)
    other = await look(batch.store, batch.ref)
    assert await other.record([start(1, ((3, 4),))]) == [True]
    await other.journal.close()
    ready = ready_of(batch, 4)
    with pytest.raises(BatchBusy, match=r"started meanwhile by another process.*mwbatch resume"):
        await ready.prepare()
    assert await ready.take() is None
    assert stage.covered() == {(3, 1)}


@virtual
async def test_no_row_is_read_on_the_loop(stage: Stage) -> None:
    """Whatever the disk takes, nobody waits for it but who prepares: rows are read in a thread."""
    batch, loop, readers = await stage.opened(3), threading.get_ident(), set[int]()

    def reading() -> Iterator[Planned]:
        for planned in batch.journal.rows():
            readers.add(threading.get_ident())
            yield planned

    ready = StartedAhead(batch, Course(), begun, 2)
    ready.begin(reading(), Runs(batch.state, 2))
    preparing = asyncio.create_task(ready.prepare())
    assert [(await ready.take()) is not None for _ in range(4)] == [True] * 3 + [False]
    await preparing
    assert readers
    assert loop not in readers


def seen_on_disk(stage: Stage) -> list[int]:
    """The rows that are seen on disk, in order."""
    return [fact.row for fact in stage.on_disk() if isinstance(fact, Seen)]


@virtual
async def test_flush_makes_everything_durable_in_order(stage: Stage) -> None:
    """The state knows a fact when note returns; the disk has all of them, in order, when flush does."""
    batch = await stage.opened(50)
    recorder = Recorder(stage.session(batch))
    for row in range(50):
        recorder.note(show(1, row=row))
        assert batch.state.rows[row].status is Status.PENDING
    await recorder.flush()
    assert seen_on_disk(stage) == list(range(50))


@virtual
async def test_nothing_waits_for_long(stage: Stage) -> None:
    """Outcomes gather for a moment, and are on disk soon without anybody asking."""
    recorder = Recorder(stage.session(await stage.opened(2)))
    for row in range(2):
        recorder.note(show(1, row=row))
    await asyncio.sleep(GATHER / 2)
    assert seen_on_disk(stage) == []
    await asyncio.sleep(GATHER)
    await asyncio.to_thread(lambda: None)
    assert seen_on_disk(stage) == [0, 1]


@virtual
async def test_flush_does_not_wait_for_more(stage: Stage) -> None:
    """Whoever wants outcomes durable does not wait until more have gathered."""
    recorder, loop = Recorder(stage.session(await stage.opened(1))), asyncio.get_running_loop()
    recorder.note(show(1))
    began = loop.time()
    await recorder.flush()
    assert loop.time() - began < GATHER
    assert seen_on_disk(stage) == [0]


@virtual
async def test_each_gathering_has_its_whole_time(stage: Stage) -> None:
    """What comes after a flush that cut a gathering short gathers as long as any other."""
    recorder = Recorder(stage.session(await stage.opened(2)))
    recorder.note(show(1))
    await asyncio.sleep(GATHER / 2)
    await recorder.flush()
    recorder.note(show(1, row=1))
    await asyncio.sleep(0.75 * GATHER)
    assert seen_on_disk(stage) == [0]
    await recorder.flush()
    assert seen_on_disk(stage) == [0, 1]


@virtual
async def test_after_a_flush_outcomes_gather_again(stage: Stage) -> None:
    """What comes once somebody has waited is written together, as before."""
    recorder = Recorder(stage.session(await stage.opened(3)))
    recorder.note(show(1))
    await recorder.flush()
    for row in (1, 2):
        recorder.note(show(1, row=row))
        await asyncio.sleep(GATHER / 3)
        assert seen_on_disk(stage) == [0]
    await recorder.flush()
    assert seen_on_disk(stage) == [0, 1, 2]


@pytest.mark.files
@virtual
async def test_a_failure_loses_nothing(stage: Stage) -> None:
    """What met a full disk is tried again by flush, before what came later."""
    recorder = Recorder(stage.session(await stage.opened(3, Failing(write=[errno.ENOSPC]))))
    for row in range(3):
        recorder.note(show(1, row=row))
    await recorder.flush()
    assert recorder.failure is None
    assert seen_on_disk(stage) == [0, 1, 2]


@pytest.mark.files
@virtual
async def test_a_dead_disk_is_told(stage: Stage) -> None:
    """Where facts cannot be written at all, flush raises."""
    recorder = Recorder(stage.session(await stage.opened(1, Failing(write=[errno.EIO]))))
    recorder.note(show(1))
    with pytest.raises(StoreError):
        await recorder.flush()
    assert seen_on_disk(stage) == []
