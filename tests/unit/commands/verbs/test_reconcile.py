"""Reconciling: the inbox, the answers that stayed away, the waiting."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from mwbatch.client import Client
from mwbatch.commands.settling.fetching import FORGOTTEN, PATIENCE
from mwbatch.commands.settling.inbox import take_in
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.api.address import Key
from mwbatch.core.report.command_outcomes import Reconciled
from mwbatch.core.report.progress import Tally
from mwbatch.core.state.row_status import Status
from mwbatch.errors import Exit, OtherApi
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.journal.segments.journal import Segments
from tests.support.facts import answer as answered
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ELSEWHERE, Stage, clock, silent
from tests.unit.commands.conftest import answer as response
from tests.unit.commands.settling.test_settling import born, twist


async def pending(stage: Stage, count: int) -> None:
    """A batch whose rows all have a pending task."""
    await submit(stage.home, stage.client, stage.manifest(*range(count)), silent(), stage.context)


async def reconciled(stage: Stage, **options: Any) -> Reconciled:
    """Reconcile the batch."""
    return await reconcile(
        stage.home, stage.client, "logos", stage.new_context(), ReconcileOptions(**options)
    )


async def inbox_of(stage: Stage, batch: OpenBatch) -> Segments:
    """The inbox with one answer, still open."""
    inbox = Segments((stage.path / "inbox" / batch.info.batch_id), "receiver")
    await inbox.append([answered(1)])
    return inbox


@virtual
async def test_missing_answers_are_brought_home(stage: Stage) -> None:
    """Answers that are there are brought home, and the proof says that nothing was paid twice."""
    await pending(stage, 30)
    stage.world.complete_all(clock())
    await asyncio.sleep(5)
    result = await reconciled(stage)
    assert (result.exit, result.fetched, result.reasons) == (Exit.DONE, 30, [])
    assert stage.statuses() == {"completed": 30}
    assert result.proof is not None
    assert (result.proof.paid_twice, result.proof.listed) == (0, 30)


@virtual
async def test_what_others_store_meanwhile_is_reported(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report that a reconciliation ends with counts what its receiver has stored while it asked."""
    await pending(stage, 2)
    honest = Client.list_page

    async def listed(client: Client, **query: Any) -> Any:
        page = await honest(client, **query)
        if not stage.statuses().get("completed"):
            receiver = await stage.opened()
            await receiver.record([answered(1)])
            await receiver.journal.close()
        return page

    monkeypatch.setattr(Client, "list_page", listed)
    found = await reconcile(stage.home, stage.client, "logos", stage.context, ReconcileOptions())
    assert found.report.by_status[Status.COMPLETED] == stage.statuses()["completed"] == 1
    assert stage.context.tally.phase == ""


@virtual
async def test_waiting_has_its_limit(stage: Stage) -> None:
    """Waiting looks again until the time is up, and then ends unfinished."""
    await pending(stage, 1)
    began = stage.context.ticks()
    assert (await reconciled(stage, every=30, most=100)).exit is Exit.UNFINISHED
    assert 90 <= stage.context.ticks() - began <= 110


@virtual
async def test_people_see_that_it_waits(stage: Stage) -> None:
    """Between two looks people see what is waited for."""
    await pending(stage, 1)
    seen = list[str]()
    asyncio.get_running_loop().call_later(45, lambda: seen.append(stage.context.tally.phase))
    options = ReconcileOptions(every=30, most=100)
    await reconcile(stage.home, stage.client, "logos", stage.context, options)
    assert seen == ["waiting for answers"]


@virtual
async def test_people_see_that_answers_are_compared(stage: Stage) -> None:
    """Where the API lists another answer than is stored, people see that all of them are compared."""

    class Told(Tally):
        def begin(self, phase: str, total: int = 0, *, done: int = 0, of_bytes: bool = False) -> None:
            told.append(phase)
            super().begin(phase, total, done=done, of_bytes=of_bytes)

    told, batch = list[str](), await stage.opened(1)
    task = born(stage, 0)
    stage.world.early(task, clock())
    said = {"task_id": task.task_id, "response": {"tags": [{"id": "another", "left": 1}]}}
    await batch.record([answered(1, task=task.task_id)._replace(body=json.dumps(said).encode())])
    await batch.journal.close()
    context = replace(stage.new_context(), tally=Told())
    await reconcile(stage.home, stage.client, "logos", context, ReconcileOptions())
    assert "comparing answers" in told


@virtual
async def test_who_asks_to_stop_while_it_waits_is_heard(stage: Stage) -> None:
    """Asked to stop between two looks it ends after one request more, at most."""
    await pending(stage, 1)
    context, loop, asked = stage.new_context(), asyncio.get_running_loop(), list[int]()
    began = context.ticks()

    def stop() -> None:
        asked.append(stage.wire.left)
        context.stopping.set()

    loop.call_later(45, stop)
    await reconcile(stage.home, stage.client, "logos", context, ReconcileOptions(every=30))
    assert context.ticks() - began < 46
    assert stage.wire.left - asked[0] <= 1


@virtual
async def test_one_listing_is_enough_where_nothing_comes_of_it(stage: Stage) -> None:
    """Where a listing showed all there is, it is not asked for once more."""
    await pending(stage, 2)
    stage.world.complete_all(clock())
    await asyncio.sleep(5)
    for _ in range(2):
        stage.wire.listed.clear()
        assert (await reconciled(stage)).exit is Exit.DONE
        assert len([query for query in stage.wire.listed if "start_time" in query]) == 1


NONE: dict[str, Any] = {"docs": [], "total": 0}
FLAWED: dict[str, Any] = {"total": 7}


@pytest.mark.parametrize(
    ("early", "late", "forgotten"),
    [
        (NONE, NONE, True),
        (NONE | FLAWED, NONE | FLAWED, True),
        (NONE | FLAWED, {}, False),
        (FLAWED, FLAWED, False),
        ({}, {}, False),
    ],
)
@virtual
async def test_waiting_ends_where_the_api_knows_nothing_any_more(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    early: dict[str, Any],
    late: dict[str, Any],
    forgotten: bool,
) -> None:
    """Tasks that neither a GET nor the latest listing shows for long are waited for no longer, and why is
    said; while a listing shows one of them, be it no proof, its answer may come.
    """
    await pending(stage, 2)
    for _, task in (await stage.opened()).state.open():
        stage.wire.gets[task.task_id] = response(404)
    twist(stage, monkeypatch, lambda page, _: page | (early if stage.context.ticks() < 600 else late))
    result = await reconciled(stage, every=60, most=3600)
    assert (result.exit, FORGOTTEN in result.reasons) == (Exit.UNFINISHED, forgotten)
    assert (PATIENCE < stage.context.ticks() < PATIENCE + 300) is forgotten
    assert (3500 < stage.context.ticks() < 3900) is not forgotten


@virtual
async def test_an_answer_that_the_api_does_not_have_is_told_whoever_signed(stage: Stage) -> None:
    """A task that has an answer by a callback alone is told, also where our keys did not sign its address."""
    batch = await stage.opened(2)
    forged = born(stage, 1, key=Key(keys_of(stage.home).newest.kid, b"f" * 16))
    await batch.record([answered(1, row=1, task=forged.task_id)])
    await batch.journal.close()
    result = await reconciled(stage)
    assert [(one.row, one.task_id) for one in result.unanswered] == [(1, forged.task_id)]
    assert result.report.differing == 1


@virtual
async def test_waiting_ends_with_the_last_answer(stage: Stage) -> None:
    """Without a limit it waits as long as it takes: here a day."""
    await pending(stage, 3)
    assert (await reconciled(stage, every=3600)).exit is Exit.DONE
    assert stage.statuses() == {"completed": 3}


@virtual
async def test_offline_makes_no_request(stage: Stage) -> None:
    """Without a client the facts on disk are counted and nobody is asked."""
    await pending(stage, 2)
    before = len(stage.wire.listed)
    result = await reconcile(stage.home, None, "logos", stage.context, ReconcileOptions())
    assert (result.exit, len(stage.wire.listed)) == (Exit.UNFINISHED, before)


@virtual
async def test_another_api_is_not_asked(stage: Stage) -> None:
    """The API that the batch does not belong to is not asked about it."""
    await pending(stage, 1)
    with pytest.raises(OtherApi):
        await reconcile(stage.home, stage.client_at(ELSEWHERE), "logos", stage.context, ReconcileOptions())


@pytest.mark.files
@virtual
async def test_the_inbox_is_taken_in_once(stage: Stage) -> None:
    """What lies in the inbox joins the journal once; a segment goes only when its writer is gone."""
    batch = await stage.opened(1)
    inbox = await inbox_of(stage, batch)
    assert [await take_in(batch), await take_in(batch)] == [1, 0]
    assert list(inbox.folder.rglob("*.jsonl"))
    await inbox.close()
    assert await take_in(batch) == 0
    assert not list(inbox.folder.rglob("*.jsonl"))
    assert stage.statuses() == {"completed": 1}
    await batch.journal.close()


@pytest.mark.files
@virtual
async def test_a_damaged_inbox_is_kept(stage: Stage) -> None:
    """A segment of the inbox with a damaged line is never removed."""
    batch = await stage.opened(1)
    inbox = await inbox_of(stage, batch)
    await inbox.close()
    [segment] = inbox.folder.rglob("*.jsonl")
    segment.write_bytes(b"rubbish\n" + segment.read_bytes())
    assert await take_in(batch) == 1
    assert segment.exists()
    await batch.journal.close()
