"""Giving rows up: what was not sent never is, what is pending is canceled, and the user's last word holds."""

from typing import Any

import pytest

from mwbatch.client import Client
from mwbatch.commands.sending.creating import ASK_ABOVE
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.api.task import Task
from mwbatch.core.facts.kinds import Withdrawn
from mwbatch.core.report.command_outcomes import Canceled
from mwbatch.core.state.row_status import Status
from mwbatch.errors import Exit, Halted, OtherApi, Unsure, UsageError
from mwbatch.simulator.world.creation import create
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ELSEWHERE, Stage, answer, clock, silent


async def given_up(stage: Stage, *ids: str, says: bool = True) -> Canceled:
    """Cancel rows of the batch."""
    return await cancel(stage.home, stage.client, "logos", ids, stage.context, lambda _: says)


async def sent(stage: Stage, count: int, *plays: Any, most: int | None = None) -> None:
    """Submit rows a, b, c …, no more than ``most`` of them, and let each meet its play."""
    stage.wire.plays = list(plays)
    limits = silent(concurrency=1).limits if most is None else silent().limits.__class__(max_tasks=most)
    options = silent(concurrency=1, limits=limits)
    manifest = stage.manifest(*"abcdefgh"[:count])
    stage.wire.on_create = lambda _: stage.context.stopping.set() if len(stage.wire.creates) == most else None
    await submit(stage.home, stage.client, manifest, options, stage.context)
    stage.wire.on_create, stage.context = lambda _: None, stage.new_context()


def withdrawn(stage: Stage) -> list[tuple[int, int]]:
    """Which attempts were forbidden."""
    return sorted((fact.row, fact.attempt) for fact in stage.on_disk() if isinstance(fact, Withdrawn))


def live(stage: Stage) -> int:
    """How many tasks people still work at."""
    return int(stage.world.stats()["by_status"].get("pending", 0))


@virtual
async def test_everything_that_is_not_final(stage: Stage) -> None:
    """Planned rows are withdrawn and pending tasks canceled; the batch has nothing left to do."""
    await sent(stage, 5, most=3)
    assert stage.statuses() == {"pending": 3, "planned": 2}
    result = await given_up(stage)
    assert (result.withdrawn, result.canceled, result.exit) == (2, 3, Exit.DONE)
    assert (stage.statuses(), live(stage), withdrawn(stage)) == ({"canceled": 5}, 0, [(3, 1), (4, 1)])
    assert stage.context.tally.phase == ""  # nothing is under way any more


@virtual
async def test_what_was_withdrawn_is_never_sent(stage: Stage) -> None:
    """A resume after the cancellation sends nothing."""
    await sent(stage, 4, most=2)
    await given_up(stage)
    await resume(stage.home, stage.client, "logos", silent(), stage.new_context())
    assert (stage.tasks, stage.statuses()) == (2, {"canceled": 4})


@virtual
async def test_only_the_ids_that_are_named(stage: Stage) -> None:
    """Rows that are not named keep their tasks and are sent later;
    a named row that is canceled already is no error.
    """
    await sent(stage, 4, most=2)
    for _ in range(2):
        result = await given_up(stage, "b", "c")
    assert (result.exit, stage.statuses()) == (Exit.DONE, {"pending": 1, "planned": 1, "canceled": 2})
    assert withdrawn(stage) == [(2, 1)]


@virtual
async def test_an_id_that_is_not_there(stage: Stage) -> None:
    """An id that the batch lacks is refused, and nothing is done."""
    await sent(stage, 2)
    with pytest.raises(UsageError, match="has no row z"):
        await given_up(stage, "a", "z")
    assert (stage.statuses(), live(stage)) == ({"pending": 2}, 2)


@virtual
async def test_a_completed_row_keeps_its_answer(stage: Stage) -> None:
    """A row that is completed is told of, and stays completed."""
    await sent(stage, 2)
    batch = await stage.opened()
    stage.world.early(stage.world.get(next(iter(batch.state.row(0).tasks)), clock()), clock())
    await reconcile(stage.home, stage.client, "logos", stage.context, ReconcileOptions())
    result = await given_up(stage, "a")
    assert (result.kept, result.exit) == (("row a is completed already and stays so",), Exit.ROWS)
    assert stage.statuses() == {"completed": 1, "pending": 1}


@virtual
async def test_a_cancel_that_comes_too_late(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task completed just before is answered 500: it is looked at again, its answer kept,
    and never canceled twice.
    """
    await sent(stage, 1)
    asked, honest = list[str](), stage.world.cancel

    def late(task_id: str, now: float) -> Any:
        asked.append(task_id)
        stage.world.early(stage.world.get(task_id, now), now)
        return honest(task_id, now)

    monkeypatch.setattr(stage.world, "cancel", late)
    result = await given_up(stage)
    assert (len(asked), stage.wire.got, stage.statuses()) == (1, asked * 2, {"completed": 1})
    assert (result.canceled, result.exit) == (0, Exit.ROWS)
    assert result.kept[0].startswith(
        f"task {asked[0]} of row 0 is completed and could not be canceled: HTTP 500"
    )


@virtual
async def test_a_task_that_is_gone(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that the API does not know any more is not canceled; the row stays pending,
    and the user is told.
    """
    await sent(stage, 1)
    monkeypatch.setattr(stage.world, "_tasks", {})
    result = await given_up(stage)
    assert (result.canceled, result.exit, stage.statuses()) == (0, Exit.ROWS, {"pending": 1})
    assert "the API does not know task" in result.kept[0]


@virtual
async def test_doubt_is_withdrawn_and_said(stage: Stage) -> None:
    """A row in doubt gets no further attempt; it stays in doubt until it is settled, and is canceled then."""
    await sent(stage, 2, None, Unsure("cut"), most=2)
    result = await given_up(stage)
    assert (result.doubtful, result.exit) == (1, Exit.UNFINISHED)
    assert (stage.statuses(), withdrawn(stage)) == ({"canceled": 1, "doubt": 1}, [(1, 2)])
    await reconcile(stage.home, stage.client, "logos", stage.new_context(), ReconcileOptions())
    assert (stage.statuses(), stage.tasks) == ({"canceled": 2}, 1)


@virtual
async def test_a_task_that_the_listing_shows_is_canceled_too(stage: Stage) -> None:
    """A task of a row in doubt that the first listing shows is canceled with the others."""
    await sent(stage, 1)
    stage.wire.always = lambda draft: _created_and_lost(stage, draft)
    stage.wire.on_create = lambda _: stage.context.stopping.set() if len(stage.wire.creates) == 2 else None
    await submit(stage.home, stage.client, stage.manifest(*"ab"), silent(concurrency=1), stage.context)
    stage.context = stage.new_context()
    assert stage.statuses() == {"pending": 1, "doubt": 1}
    result = await given_up(stage)
    assert (result.canceled, result.doubtful, live(stage), stage.statuses()) == (2, 0, 0, {"canceled": 2})


def _created_and_lost(stage: Stage, draft: Any) -> Unsure:
    create(stage.world, draft, clock())
    return Unsure("cut")


@virtual
async def test_the_last_word_holds(stage: Stage) -> None:
    """Withdrawn, retried, withdrawn, retried: each time the row is what the user wanted last."""
    await sent(stage, 2, most=1)
    for n in range(3):
        await given_up(stage, "b")
        assert stage.statuses() == {"pending": 1, "canceled": 1}
        choice = Choice(Status.CANCELED, ("b",))
        stage.context = stage.new_context()
        limits = silent(limits=silent().limits.__class__(max_tasks=9))
        await retry(stage.home, stage.client, "logos", choice, limits, stage.context)
        assert (stage.statuses(), stage.tasks) == ({"pending": 2}, 2 + n)


@virtual
async def test_interrupted_and_run_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted cancellation says so, and run again cancels the rest, each task once."""
    await sent(stage, 8)
    cancels, honest = list[str](), stage.client.cancel

    async def cancel_one(task_id: str) -> Any:
        cancels.append(task_id)
        if len(cancels) == 3:
            stage.context.stopping.set()
        return await honest(task_id)

    monkeypatch.setattr(stage.client, "cancel", cancel_one)
    monkeypatch.setattr("mwbatch.commands.verbs.cancel.AT_ONCE", 1)
    first = await given_up(stage)
    stage.context = stage.new_context()
    second = await given_up(stage)
    assert (first.canceled, first.interrupted, first.exit) == (3, True, Exit.UNFINISHED)
    assert (second.canceled, second.exit, len(cancels), len(set(cancels))) == (5, Exit.DONE, 8, 8)


@virtual
async def test_many_only_after_a_yes(stage: Stage) -> None:
    """More than a hundred rows are given up only if the user says so."""
    batch = await stage.opened(101)
    await batch.journal.close()
    with pytest.raises(UsageError, match="nothing was canceled"):
        await given_up(stage, says=False)
    assert (withdrawn(stage), stage.statuses()) == ([], {"planned": 101})
    assert (await given_up(stage)).withdrawn == 101


@virtual
async def test_an_api_that_refuses_us(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong key in mid-way ends the command;
    another API than the batch's is refused before anything is done.
    """
    await sent(stage, 2)
    with pytest.raises(OtherApi):
        await cancel(stage.home, stage.client_at(ELSEWHERE), "logos", (), stage.context)

    async def halted(task_id: str) -> Any:
        raise Halted(f"the API key is wrong for {task_id}", status=401)

    monkeypatch.setattr(stage.client, "cancel", halted)
    stage.wire.reads = answer(401)
    with pytest.raises(Halted):
        await given_up(stage)


@virtual
async def test_an_answer_about_another_address_cancels_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the answer to a cancel names another address than the row's, what became of the task is what a
    look at it shows; nothing is recorded by that answer.
    """
    await sent(stage, 1)
    elsewhere = Task("t-other", "tagging", "canceled", "https://others.test/hook")

    async def told(_: Client, task_id: str) -> Task:
        return elsewhere._replace(task_id=task_id)

    monkeypatch.setattr(Client, "cancel", told)
    result = await given_up(stage)
    assert (result.canceled, stage.statuses(), live(stage)) == (0, {"pending": 1}, 1)


@virtual
async def test_nobody_is_asked_where_nobody_is_named(stage: Stage) -> None:
    """However many rows are given up, whoever calls without a question asks none."""
    await (await stage.opened(ASK_ABOVE + 1)).journal.close()
    result = await cancel(stage.home, stage.client, "logos", (), stage.context)
    assert (result.withdrawn, stage.statuses()) == (ASK_ABOVE + 1, {"canceled": ASK_ABOVE + 1})
