"""The recorder: the state knows at once, the disk when flush returns."""

import asyncio
import errno

import pytest

from mwbatch.commands.recorder import GATHER, Recorder
from mwbatch.core.facts import Seen
from mwbatch.core.fold import Status
from mwbatch.errors import StoreError
from tests.commands.conftest import Stage
from tests.core.facts import show
from tests.journal.disks import Failing
from tests.virtual import virtual


def seen_on_disk(stage: Stage) -> list[int]:
    """The rows that are seen on disk, in order."""
    return [fact.row for fact in stage.on_disk() if isinstance(fact, Seen)]


@virtual
async def test_flush_makes_everything_durable_in_order(stage: Stage) -> None:
    """The state knows a fact when note returns; the disk has all of them, in order, when flush does."""
    batch = await stage.opened(50)
    recorder = Recorder(batch)
    for row in range(50):
        recorder.note(show(1, row=row))
        assert batch.state.rows[row].status is Status.PENDING
    await recorder.flush()
    assert seen_on_disk(stage) == list(range(50))


@virtual
async def test_nothing_waits_for_long(stage: Stage) -> None:
    """Outcomes gather for a moment, and are on disk soon without anybody asking."""
    recorder = Recorder(await stage.opened(2))
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
    recorder, loop = Recorder(await stage.opened(1)), asyncio.get_running_loop()
    recorder.note(show(1))
    began = loop.time()
    await recorder.flush()
    assert loop.time() - began < GATHER
    assert seen_on_disk(stage) == [0]


@pytest.mark.files
@virtual
async def test_a_failure_loses_nothing(stage: Stage) -> None:
    """What met a full disk is tried again by flush, before what came later."""
    recorder = Recorder(await stage.opened(3, Failing(write=[errno.ENOSPC])))
    for row in range(3):
        recorder.note(show(1, row=row))
    await recorder.flush()
    assert recorder.failure is None
    assert seen_on_disk(stage) == [0, 1, 2]


@pytest.mark.files
@virtual
async def test_a_dead_disk_is_told(stage: Stage) -> None:
    """Where facts cannot be written at all, flush raises."""
    recorder = Recorder(await stage.opened(1, Failing(write=[errno.EIO])))
    recorder.note(show(1))
    with pytest.raises(StoreError):
        await recorder.flush()
    assert seen_on_disk(stage) == []
