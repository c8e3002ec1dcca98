"""Surplus: looked at once more, then cancelled, once, while that saves money."""

import asyncio
from typing import Any

import pytest

from mwbatch.commands.settling.fetching import fetch
from mwbatch.commands.settling.surplus import SurplusCanceled, cancel_surplus
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.errors import ApiError
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.simulator.world.faults import Fault, Line
from mwbatch.simulator.world.tasks import Task, nested
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, answer, clock, silent
from tests.unit.commands.settling.test_settling import born, seen


async def doubled(stage: Stage, attempts: int = 2) -> tuple[OpenBatch, list[Task]]:
    """A batch whose first row has a task of each attempt, a second apart, and whose second row has one."""
    batch, tasks = await stage.opened(2), list[Task]()
    for attempt in range(1, attempts + 1):
        tasks.append(born(stage, 0, attempt))
        await asyncio.sleep(1)
    await batch.record([seen(task, 0, n) for n, task in enumerate(tasks, 1)])
    await batch.record([seen(born(stage, 1), 1)])
    return batch, tasks


async def cancelled(stage: Stage, batch: OpenBatch) -> SurplusCanceled:
    """Cancel what is double."""
    try:
        return await cancel_surplus(stage.session(batch))
    finally:
        await batch.journal.close()


def complete(stage: Stage, task: Task) -> None:
    """Let the workers be done with one task."""
    stage.world.early(task, clock())


def racing(stage: Stage, patch: pytest.MonkeyPatch) -> list[str]:
    """Each task is completed just before its cancel arrives;
    returns the ids of those that were to be cancelled.
    """
    asked, honest = list[str](), stage.world.cancel

    def cancel(task_id: str, now: float) -> Task:
        asked.append(task_id)
        complete(stage, stage.world.get(task_id, now))
        return honest(task_id, now)

    patch.setattr(stage.world, "cancel", cancel)
    return asked


@virtual
async def test_the_earliest_is_kept(stage: Stage) -> None:
    """Without an answer all tasks but the earliest are cancelled; other rows are left alone."""
    batch, tasks = await doubled(stage, 3)
    result = await cancelled(stage, batch)
    assert [task.status for task in tasks] == ["pending", "canceled", "canceled"]
    assert result.done == [
        f"extra task {task.task_id} of row 0 was canceled; {tasks[0].task_id} is kept" for task in tasks[1:]
    ]
    assert (result.failed, stage.context.tally.notes, stage.statuses()) == ([], result.done, {"pending": 2})
    assert list(batch.state.surplus()) == []


@virtual
async def test_the_answered_is_kept(stage: Stage) -> None:
    """A later task that was answered meanwhile is found out first and kept; the earliest is cancelled."""
    batch, tasks = await doubled(stage)
    complete(stage, tasks[1])
    result = await cancelled(stage, batch)
    assert [task.status for task in tasks] == ["canceled", "completed"]
    assert ([tasks[1].task_id in text for text in result.done], result.failed) == ([True], [])
    assert stage.statuses() == {"pending": 1, "completed": 1}


@virtual
async def test_what_was_cancelled_is_not_cancelled_again(stage: Stage) -> None:
    """A second pass, and one over a task that somebody else cancelled, cancels nothing."""
    batch, tasks = await doubled(stage)
    stage.world.cancel(tasks[1].task_id, clock())
    assert await cancelled(stage, batch) == SurplusCanceled()
    stage.wire.got.clear()
    assert (await cancelled(stage, batch), stage.wire.got) == (SurplusCanceled(), [])


@virtual
async def test_a_cancel_that_comes_too_late(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 500 is followed by one look at the task, never by another cancel; a completed surplus is reported."""
    batch, tasks = await doubled(stage)
    asked = racing(stage, monkeypatch)
    result = await cancelled(stage, batch)
    assert (asked, result.done, len(result.failed)) == ([tasks[1].task_id], [], 1)
    assert result.failed[0].startswith(
        f"extra task {tasks[1].task_id} of row 0 could not be canceled: HTTP 500"
    )
    assert stage.wire.got == [tasks[0].task_id, tasks[1].task_id, tasks[1].task_id]
    assert stage.statuses() == {"pending": 1, "completed": 1}


@virtual
async def test_an_answer_of_the_late_one_counts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cancel came too late the answered task is the one kept,
    and the next pass cancels the other.
    """
    batch, tasks = await doubled(stage)
    racing(stage, monkeypatch)
    await cancel_surplus(stage.session(batch))
    monkeypatch.undo()
    await cancelled(stage, batch)
    assert [task.status for task in tasks] == ["canceled", "completed"]


@virtual
async def test_a_cancel_whose_answer_is_lost(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel that worked although it was answered 500 is seen to have worked."""
    batch, tasks = await doubled(stage)
    honest = stage.client.cancel

    async def cancel(task_id: str) -> Any:
        await honest(task_id)
        raise ApiError("lost", status=500)

    monkeypatch.setattr(stage.client, "cancel", cancel)
    result = await cancelled(stage, batch)
    assert (len(result.done), result.failed, tasks[1].status) == (1, [], "canceled")


@virtual
async def test_a_run_cancels_what_is_double(stage: Stage) -> None:
    """A run that ends while the batch has a pending surplus task has cancelled it,
    whether it had rows to send or not.
    """
    batch, tasks = await doubled(stage, 3)
    await batch.journal.close()
    for _ in range(2):
        await resume(stage.home, stage.client, "logos", silent(), stage.new_context())
        assert [task.status for task in tasks] == ["pending", "canceled", "canceled"]
    assert (list((await stage.opened()).state.surplus()), stage.statuses()) == ([], {"pending": 2})


@virtual
async def test_what_a_proxy_posts_twice(stage: Stage) -> None:
    """Tasks that nobody asked for twice are found by the next run, cancelled while pending,
    and never paid.
    """
    stage.befall(Line(Fault.PROXIED_TWICE, 1, 4))
    await submit(stage.home, stage.client, stage.manifest(*range(4)), silent(), stage.context)
    await reconcile(stage.home, stage.client, "logos", stage.new_context(), ReconcileOptions())
    assert (stage.tasks, stage.world.stats()["by_status"]["canceled"]) == (8, 4)
    assert stage.statuses() == {"pending": 4}


@virtual
async def test_answered_surplus_is_never_cancelled(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of tasks that are all answered none is cancelled: the work is done, and only reported."""
    batch, tasks = await doubled(stage, 3)
    asked = racing(stage, monkeypatch)
    for task in tasks:
        complete(stage, task)
    assert (await cancelled(stage, batch), asked) == (SurplusCanceled(), [])
    assert (await cancelled(stage, batch), asked) == (SurplusCanceled(), [])
    assert len(list(batch.state.surplus())) == 2


@pytest.mark.parametrize("which", [0, 1])
@virtual
async def test_nothing_is_cancelled_that_is_not_shown(stage: Stage, which: int) -> None:
    """Where the API shows the surplus task, or the one that would be kept, at no address of its row,
    none is cancelled.
    """
    batch, tasks = await doubled(stage)
    shown = nested(tasks[which])
    stage.wire.gets[tasks[which].task_id] = answer(200, shown | {"callback_url": "https://a.example/hook"})
    result = await cancelled(stage, batch)
    assert [task.status for task in tasks] == ["pending", "pending"]
    assert (result.done, len(result.failed)) == ([], 1)
    assert "at another address" in result.failed[0]


@virtual
async def test_what_callbacks_alone_name_is_no_surplus(stage: Stage) -> None:
    """A task that only callbacks name is looked at with the others,
    and never cancelled unless the API shows it there.
    """
    batch, tasks = await doubled(stage)
    stranger = born(stage, 1)
    await batch.record([Seen(clock(), RowNumber(0), Attempt(1), stranger.task_id, "pending", Via.CALLBACK)])
    await cancelled(stage, batch)
    assert (stranger.status, [task.status for task in tasks]) == ("pending", ["pending", "canceled"])


@virtual
async def test_interrupted_before_a_row(stage: Stage) -> None:
    """Asked to stop, no further row is touched."""
    batch, tasks = await doubled(stage)
    stage.context.stopping.set()
    assert (await cancelled(stage, batch), tasks[1].status) == (SurplusCanceled(), "pending")


@virtual
async def test_what_is_known_for_good_is_not_looked_at(stage: Stage) -> None:
    """Neither a task that is canceled nor one whose answer the API has shown is asked for again."""
    batch, (first, second) = await doubled(stage)
    complete(stage, first)
    assert await fetch(stage.session(batch)) == 1
    stage.wire.got.clear()
    await cancel_surplus(stage.session(batch))
    assert {*stage.wire.got} == {second.task_id}
    stage.wire.got.clear()
    third = born(stage, 0, 3)
    await batch.record([seen(third, 0, 3)])
    await cancelled(stage, batch)
    assert {*stage.wire.got} == {third.task_id}
