"""Fetching answers whose callback never came."""

import asyncio

import pytest

from mwbatch.commands.settling.fetching import Open, fetch, look
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.core.state.row_status import Status
from mwbatch.errors import Halted, Unsure
from mwbatch.journal.interface.open_batch import OpenBatch
from tests.support.facts import show
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, answer, clock, ids, silent


async def pending(stage: Stage, count: int) -> OpenBatch:
    """A batch whose rows all have a pending task."""
    await submit(stage.home, stage.client, stage.manifest(*range(count)), silent(), stage.context)
    return await stage.opened()


def answers_on_disk(stage: Stage) -> list[int]:
    """The rows of the answers on disk."""
    return sorted(fact.row for fact in stage.on_disk() if isinstance(fact, Seen) and fact.answer)


@virtual
async def test_missing_answers_are_recorded_once(stage: Stage) -> None:
    """Each answer that is there is fetched and stored once; looking again asks for nothing."""
    batch = await pending(stage, 40)
    stage.world.complete_all(clock())
    stage.wire.got.clear()
    assert [await fetch(stage.session(batch)) for _ in range(2)] == [40, 0]
    assert (answers_on_disk(stage), len(stage.wire.got)) == (list(range(40)), 40)
    assert stage.statuses() == {"completed": 40}
    assert {fact.via for fact in stage.on_disk() if isinstance(fact, Seen) and fact.answer} == {Via.GET}


@virtual
async def test_what_is_pending_writes_nothing(stage: Stage) -> None:
    """Looking at a task that nobody has answered yet leaves no line."""
    batch = await pending(stage, 3)
    before = stage.on_disk()
    assert await fetch(stage.session(batch)) == 0
    assert stage.on_disk() == before


@virtual
async def test_a_cancelled_task_is_seen_once(stage: Stage) -> None:
    """A task that was canceled elsewhere makes its row canceled, and is not looked at again."""
    batch = await pending(stage, 2)
    task = next(batch.state.open())[1].task_id
    stage.world.cancel(task, clock())
    stage.wire.got.clear()
    await fetch(stage.session(batch))
    await fetch(stage.session(batch))
    assert (ids(batch, Status.CANCELED), stage.wire.got.count(task)) == ([0], 1)


@virtual
async def test_an_unknown_status_is_written_once(stage: Stage) -> None:
    """A status of which we know nothing is kept once, however often it is shown."""
    batch = await pending(stage, 1)
    task = next(batch.state.open())[1].task_id
    stage.wire.reads = answer(200, {"task_id": task, "status": "in review"})
    for _ in range(3):
        await fetch(stage.session(batch))
    assert [fact.status for fact in stage.on_disk() if isinstance(fact, Seen)].count("in review") == 1


@virtual
async def test_a_task_that_is_gone_is_told(stage: Stage) -> None:
    """A task that the API does not know, or that cannot be read, stays pending, and people are told."""
    batch = await pending(stage, 1)
    stage.wire.reads = answer(404)
    await fetch(stage.session(batch))
    stage.wire.reads = Unsure("cut")
    await fetch(stage.session(batch))
    notes = [note for note in stage.context.tally.notes if "stays as it is" in note]
    assert ("does not know" in notes[0], "could not be looked at" in notes[1]) == (True, True)
    assert stage.statuses() == {"pending": 1}


@virtual
async def test_many_that_are_gone_are_told_in_one_sentence(stage: Stage) -> None:
    """Of tasks that the API does not know the first is named, and the others are counted."""
    batch = await pending(stage, 3)
    stage.wire.reads = answer(404)
    await fetch(stage.session(batch))
    (note,) = (note for note in stage.context.tally.notes if "does not know" in note)
    assert note.endswith("; so it is with 2 more")
    assert stage.context.tally.done == 3


@virtual
async def test_a_refusing_api_is_raised(stage: Stage) -> None:
    """Where the API refuses the key, fetching ends with that error."""
    batch = await pending(stage, 5)
    stage.wire.reads = answer(401)
    with pytest.raises(Halted):
        await fetch(stage.session(batch))


@virtual
async def test_stopping_ends_the_fetching(stage: Stage) -> None:
    """When the user asks to stop, what is in flight is recorded and nothing more is asked."""
    batch = await pending(stage, 100)
    stage.world.complete_all(clock())
    stage.wire.got.clear()
    asyncio.get_running_loop().call_later(0.01, stage.context.stopping.set)
    assert await fetch(stage.session(batch), at_once=4) == len(stage.wire.got) == 4


@pytest.mark.parametrize("known", [None, Via.CALLBACK, Via.LIST])
@virtual
async def test_whom_a_task_is_known_by_is_told(stage: Stage, known: Via | None) -> None:
    """Of a task that the API does not know people read whether callbacks alone have named it."""
    batch = await stage.opened(1)
    if known:
        await batch.record([show(1, task="t1")._replace(via=known)])
    stage.wire.reads = answer(404)
    seen = await look(stage.session(batch), Open(RowNumber(0), Attempt(1), "t1"))
    assert (", which only callbacks name," in seen.why) is (known is not Via.LIST)
    await batch.journal.close()
