"""An answer belongs to its row: what the API shows of another task or another address is believed of none."""

import asyncio

import pytest

from mwbatch.commands.settling.fetching import fetch
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.core.state.row_status import Status
from mwbatch.core.sweeps.doubt import SECOND_SWEEP, WITHOUT_WITNESS
from mwbatch.core.words.values import SETTLE
from mwbatch.errors import Exit
from mwbatch.simulator.world.faults import Fault, Line
from mwbatch.simulator.world.forms import Draft
from mwbatch.simulator.world.tasks import nested
from tests.support.facts import show, start
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, answer, clock, silent
from tests.unit.commands.settling.test_settling import born


def truth(stage: Stage) -> dict[int, set[str]]:
    """The tasks that the world made for each row."""
    there: dict[int, set[str]] = {}
    for task in stage.world.tasks():
        row = int(task.draft.callback_url.split("/")[-2].split("-")[0])
        there.setdefault(row, set()).add(task.task_id)
    return there


def answered(stage: Stage) -> dict[int, set[str]]:
    """The tasks whose answers are on disk for each row."""
    there: dict[int, set[str]] = {}
    for fact in stage.on_disk():
        if isinstance(fact, Seen) and fact.answer:
            there.setdefault(fact.row, set()).add(fact.task_id)
    return there


@virtual
async def test_a_get_that_shows_another_task(stage: Stage) -> None:
    """Answers about other tasks than were asked for complete no row, are told of once with their number,
    and harm no other.
    """
    await submit(stage.home, stage.client, stage.manifest(*range(8)), silent(), stage.context)
    stage.world.complete_all(clock())
    batch = await stage.opened()
    stage.befall(Line(Fault.GET_OTHER, 1, 4))
    assert await fetch(stage.session(batch)) == 4
    assert stage.statuses() == {"completed": 4, "pending": 4}
    assert all(tasks <= truth(stage)[row] for row, tasks in answered(stage).items())
    notes = [note for note in stage.context.tally.notes if "another task" in note]
    assert [note.endswith("so it is with 3 more") for note in notes] == [True]
    assert await fetch(stage.session(batch)) == 4
    assert answered(stage) == truth(stage)


@virtual
async def test_a_get_that_shows_another_address(stage: Stage) -> None:
    """A task that is shown at another row's address is not believed,
    though its id is the one that was asked for.
    """
    await submit(stage.home, stage.client, stage.manifest(*"ab"), silent(), stage.context)
    stage.world.complete_all(clock())
    batch = await stage.opened()
    [first, second] = [nested(task) for task in stage.world.tasks()]
    stage.wire.reads = answer(200, first | {"callback_url": second["callback_url"]})
    await fetch(stage.session(batch))
    assert answered(stage) == {}
    assert stage.statuses() == {"pending": 2}


@virtual
async def test_a_cancel_that_is_answered_with_another_task(stage: Stage) -> None:
    """A cancel that is answered with another task records nothing of that,
    and a look tells what became of it.
    """
    await submit(stage.home, stage.client, stage.manifest(*"abc"), silent(), stage.context)
    stage.befall(Line(Fault.CANCEL_OTHER, 1, 12))
    result = await cancel(stage.home, stage.client, "logos", (), stage.context)
    assert (result.canceled, result.exit, stage.statuses()) == (3, Exit.DONE, {"canceled": 3})
    shown = {(f.row, f.task_id) for f in stage.on_disk() if isinstance(f, Seen) and f.status == "canceled"}
    assert shown == {(row, task) for row, tasks in truth(stage).items() for task in tasks}


@virtual
async def test_one_task_id_for_many_creates(stage: Stage) -> None:
    """A create that is answered with a task which another row has is no creation:
    its row is in doubt until it is settled.
    """
    stage.befall(Line(Fault.ONE_TASK_ID, 2, 4))
    context = stage.context
    await submit(stage.home, stage.client, stage.manifest(*range(4)), silent(concurrency=1), context)
    assert [note for note in context.tally.notes if "another row or attempt has already" in note]
    stage.world.complete_all(clock())
    result = await reconcile(stage.home, stage.client, "logos", stage.new_context(), ReconcileOptions())
    assert (stage.tasks, stage.statuses(), result.exit) == (4, {"completed": 4}, Exit.DONE)
    assert answered(stage) == truth(stage)


@virtual
async def test_a_create_that_is_answered_with_the_task_of_a_row_in_doubt(stage: Stage) -> None:
    """The listing says whose a task is: no row gets the answer of another one, none waits for ever,
    none is paid twice.
    """
    stage.befall(Line(Fault.CREATED_500, 1, 1), Line(Fault.ONE_TASK_ID, 2, 2))
    created = await submit(stage.home, stage.client, stage.manifest(*range(4)), silent(), stage.context)
    assert (created.exit, stage.tasks, stage.statuses()) == (Exit.DONE, 4, {"pending": 4})
    stage.world.complete_all(clock())
    result = await reconcile(stage.home, stage.client, "logos", stage.new_context(), ReconcileOptions())
    assert (stage.tasks, stage.statuses(), result.exit) == (4, {"completed": 4}, Exit.DONE)
    assert answered(stage) == truth(stage)


@pytest.mark.parametrize("rows", [2, 5])
@virtual
async def test_a_row_without_a_task_that_was_answered_with_anothers(stage: Stage, rows: int) -> None:
    """Such a row is settled as any other in doubt, its silence counted from its request,
    and no proof rests on that task.
    """
    stage.befall(Line(Fault.CREATED_500, 1, 1))

    def answer_with_the_first(_: Draft) -> None:
        if len(stage.wire.creates) == 2:
            [task] = stage.world.tasks()
            stage.wire.plays = [answer(200, {"task_id": task.task_id, "status": "pending"})]

    stage.wire.on_create = answer_with_the_first
    created = await submit(stage.home, stage.client, stage.manifest(*range(rows)), silent(), stage.context)
    assert (created.exit, stage.tasks, stage.statuses()) == (Exit.DONE, rows, {"pending": rows})
    again = [
        at for at, address in zip(stage.wire.left_at, stage.wire.creates, strict=True) if "/1-2/" in address
    ]
    waited = SETTLE * ((WITHOUT_WITNESS if rows == 2 else 1) + SECOND_SWEEP)
    assert again[0] - stage.wire.left_at[1] >= waited
    assert all(count == 1 for count in map(len, truth(stage).values()))


@virtual
async def test_the_task_of_another_row_is_not_canceled(stage: Stage) -> None:
    """Giving a row up cancels no task that its create was answered with
    and that the listing shows at another row.
    """
    batch = await stage.opened(2)
    task = born(stage, 0)
    listed = show(1, task=task.task_id)
    await batch.record([listed, listed._replace(row=RowNumber(1), via=Via.CREATE), start(1, ((0, 2),))])
    await batch.journal.close()
    stage.wire.gets[task.task_id] = answer(200, {"task_id": task.task_id, "status": "pending"})
    result = await cancel(stage.home, stage.client, "logos", ("id-1",), stage.context)
    assert (result.canceled, result.withdrawn, task.status) == (0, 1, "pending")
    assert stage.statuses() == {"pending": 1, "doubt": 1}


@virtual
async def test_the_task_of_an_earlier_attempt(stage: Stage) -> None:
    """A new attempt that is answered with the task of an earlier one of its row is no creation either."""
    await submit(stage.home, stage.client, stage.manifest("a"), silent(), stage.context)
    [task] = stage.world.tasks()
    await cancel(stage.home, stage.client, "logos", (), stage.new_context())
    stage.wire.plays = [answer(200, {"task_id": task.task_id, "status": "pending"})]
    context = stage.new_context()
    asyncio.get_running_loop().call_later(60, context.stopping.set)
    await retry(stage.home, stage.client, "logos", Choice(Status.CANCELED), silent(), context)
    assert stage.statuses() == {"doubt": 1}
