"""Whoever learns an address can call it: what he invents costs no money, cancels nothing,
and holds nothing up.
"""

from dataclasses import replace

import pytest

from mwbatch.commands.settling.echo import prove_echo
from mwbatch.commands.settling.sweeping import sweep
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.api.address import NOBODY, Key, write
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.core.report.command_outcomes import Reconciled
from mwbatch.core.sweeps.span import Span
from mwbatch.core.sweeps.sweep import AttemptKey
from mwbatch.errors import Exit, Unsure
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.simulator.world.forms import Draft
from tests.support.facts import show
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, clock, silent
from tests.unit.commands.settling.test_settling import PICTURE, born
from tests.unit.commands.settling.test_settling import seen as shown


async def called(stage: Stage, task_id: str, row: int = 0, *, says: str | None = None) -> None:
    """A callback that anybody made comes to the address of a row, with an answer or without."""
    batch = await stage.opened()
    body = encode({"task_id": task_id, "response": says})
    told = Seen(clock(), RowNumber(row), Attempt(1), task_id, "completed", Via.CALLBACK)
    if says is not None:
        told = told._replace(answer=digest(says), sha256=f"sha-{says}", body=body, completed_at="")
    await batch.record([told])
    await batch.journal.close()


async def account(stage: Stage) -> Reconciled:
    """Reconcile the batch."""
    return await reconcile(stage.home, stage.client, "logos", stage.new_context(), ReconcileOptions())


async def sent(stage: Stage) -> None:
    """Two rows with a task each, of which the second is answered."""
    await submit(stage.home, stage.client, stage.manifest(*"ab"), silent(concurrency=1), stage.context)
    batch = await stage.opened()
    stage.world.early(stage.world.get(next(iter(batch.state.row(1).tasks)), clock()), clock())
    await batch.journal.close()


@pytest.mark.parametrize("says", [None, "forged"])
@virtual
async def test_the_pending_task_of_another_batch(stage: Stage, says: str | None) -> None:
    """A callback that names another batch's task makes no surplus of it: nobody cancels it,
    and nothing is paid twice.
    """
    await sent(stage)
    source = replace(stage.manifest("x", name="others.csv"), batch="others")
    await submit(stage.home, stage.client, source, silent(), stage.new_context())
    other = max(stage.world.tasks(), key=lambda task: task.created_at)
    for row in (0, 1):
        await called(stage, other.task_id, row, says=says)
    await resume(stage.home, stage.client, "logos", silent(), stage.new_context())
    result = await account(stage)
    assert (other.status, result.canceled) == ("pending", ())
    assert result.proof is not None
    assert (result.proof.paid_twice, result.report.surplus, result.report.conflicts) == (0, 0, 0)
    assert stage.world.stats()["by_status"] == {"pending": 2, "completed": 1, "canceled": 0}


@pytest.mark.parametrize("says", [None, "forged"])
@virtual
async def test_an_invented_task_at_a_row_that_is_done(stage: Stage, says: str | None) -> None:
    """An invented task changes neither what is shown of an answered
    row nor what a reconciliation comes to.
    """
    await sent(stage)
    stage.world.complete_all(clock())
    clean = await account(stage)
    before = {n: row.kept for n, row in (await stage.opened()).state.rows.items()}
    await called(stage, "invented", 1, says=says)
    result = await account(stage)
    assert (clean.exit, result.exit, result.report.by_callback_only) == (Exit.DONE, Exit.DONE, 0)
    assert (result.proof and result.proof.paid_twice, result.reasons) == (0, clean.reasons)
    assert {n: row.kept for n, row in (await stage.opened()).state.rows.items()} == before


@virtual
async def test_an_invented_answer_is_shown_until_the_true_one_comes(stage: Stage) -> None:
    """An answer that only a callback brought completes its row and is counted,
    until the API's own task is answered.
    """
    await sent(stage)
    await called(stage, "invented", 0, says="forged")
    result = await account(stage)
    assert (stage.statuses(), result.report.by_callback_only) == ({"completed": 2}, 1)
    assert (result.report.complete, result.report.surplus) == (True, 0)
    stage.world.complete_all(clock())
    result = await account(stage)
    batch = await stage.opened()
    kept = batch.state.row(0).kept
    assert (result.report.by_callback_only, result.exit) == (0, Exit.DONE)
    assert kept is not None
    assert (kept.confirmed, kept.task_id != "invented") == (True, True)


@virtual
async def test_an_invented_task_at_a_row_in_doubt(stage: Stage) -> None:
    """A row in doubt about which a callback invents a task is settled as any other, and sent again once."""
    await submit(stage.home, stage.client, stage.manifest("a"), silent(), stage.context)
    stage.wire.plays = [Unsure("cut")]
    stage.wire.on_create = lambda _: stage.context.stopping.set()
    stage.context = stage.new_context()
    await submit(stage.home, stage.client, stage.manifest(*"ab"), silent(), stage.context)
    assert stage.statuses() == {"pending": 1, "doubt": 1}
    stage.wire.on_create = lambda _: None
    await called(stage, "invented", 1)
    await resume(stage.home, stage.client, "logos", silent(), stage.new_context())
    stage.world.complete_all(clock())
    assert (stage.tasks, (await account(stage)).exit) == (2, Exit.DONE)
    assert stage.statuses() == {"completed": 2}


@virtual
async def test_a_callback_vouches_for_no_address(stage: Stage) -> None:
    """A task that only callbacks name is no row's because an address says so that our keys did not sign."""
    batch = await stage.opened(1)
    forged = Key(keys_of(stage.home).newest.kid, b"f" * 16)
    task = stage.world.create(
        Draft("tagging", write(NOBODY, forged, batch.info.batch_id, RowNumber(0), Attempt(1)), PICTURE),
        clock(),
    )
    await called(stage, task.task_id, says="forged")
    await batch.journal.close()
    batch = await stage.opened()
    found = await sweep(stage.session(batch), Span(()))
    assert found.forged == {AttemptKey(RowNumber(0), Attempt(1))}
    known = batch.state.task(0, task.task_id)
    assert known is not None
    assert not known.confirmed
    batch.state.add(show(1, task=task.task_id))
    assert not (await sweep(stage.session(batch), Span(()))).forged


@virtual
async def test_a_callback_hides_no_echo(stage: Stage) -> None:
    """The echo is looked for by the task that the API itself has shown,
    whatever else somebody has answered there.
    """
    batch = await stage.opened(1)
    await batch.record([shown(born(stage, 0), 0)])
    await batch.journal.close()
    await called(stage, "invented", says="forged")
    assert await prove_echo(stage.session(await stage.opened()), "tagging", RowNumber(0))
