"""Callback keys as commands see them: what waits for a key,
and what its end means for the batch that used it.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from mwbatch.commands.context.context import Context
from mwbatch.commands.verbs.keys import listed, retired, rotated
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.api.address import NOBODY, Key, write
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.facts.kinds import Fact, Failed, Verdict
from mwbatch.core.report.command_outcomes import Reconciled
from mwbatch.core.report.key_use import KeyLine
from mwbatch.core.spending.budget import Limits
from mwbatch.errors import Exit, StoreError, UsageError
from mwbatch.journal.interface.store import Store
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.simulator.world.forms import Draft, Params
from mwbatch.views import keys
from mwbatch.views.outcomes import proved
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, clock, silent
from tests.unit.commands.settling.test_settling import born, doubtful

PICTURE: Final[Params] = {"objects_to_tag": "brands", "image_url": "https://images.example.com/0.jpg"}


async def submitted(stage: Stage, count: int, name: str = "logos.csv", **options: object) -> str:
    """A batch whose rows were sent; the kid that signed their addresses."""
    source = stage.manifest(*(f"{name[:-4]}-{n}" for n in range(count)), name=name)
    await submit(stage.home, stage.client, source, silent(**options), stage.new_context())
    return keys_of(stage.home).newest.kid


async def lines(home: Store) -> dict[str, KeyLine]:
    """What `keys list` shows, by kid."""
    return {line.kid: line for line in await listed(home, Context())}


async def reconciled(stage: Stage) -> Reconciled:
    """Reconcile the batch."""
    return await reconcile(
        stage.home, stage.client, "logos", stage.new_context(), ReconcileOptions(settle=150.0)
    )


async def forced(stage: Stage, kid: str) -> None:
    """Rotate, and retire the old key whatever waits."""
    rotated(stage.home, stage.context)
    await retired(stage.home, Kid(kid), stage.context, force=True)


@virtual
async def test_what_waits_is_listed(stage: Stage) -> None:
    """Each key shows its use, its batches and their rows that may still be answered at its addresses."""
    assert await listed(stage.home, stage.context) == []
    old = await submitted(stage, 3)
    await submitted(stage, 2, "more.csv")
    new = rotated(stage.home, stage.context).kid
    await submitted(stage, 4, "newer.csv")
    found = await lines(stage.home)
    assert [(line.kid, line.use, line.batches, line.waiting) for line in found.values()] == [
        (old, "verifies", 2, 5),
        (new, "signs", 1, 4),
    ]
    stage.world.complete_all(clock())
    await reconciled(stage)
    assert (await lines(stage.home))[old].waiting == 2


@virtual
async def test_a_key_that_is_needed_stays(stage: Stage) -> None:
    """While a row waits at its addresses a key is not retired, and the sentence says how to get there;
    then it is.
    """
    old = await submitted(stage, 3)
    rotated(stage.home, stage.context)
    with pytest.raises(
        UsageError, match=r"3 rows of batch logos .* mwbatch reconcile logos --wait.* --force"
    ):
        await retired(stage.home, Kid(old), stage.context, force=False)
    stage.world.complete_all(clock())
    await reconciled(stage)
    gone = await retired(stage.home, Kid(old), stage.context, force=False)
    assert (gone.kid, gone.uses) == (old, ())
    line = (await lines(stage.home))[old]
    assert (line.use, line.batches, line.retired_at) == ("retired", 1, gone.retired_at)
    assert await retired(stage.home, Kid(old), stage.context, force=False) == gone


@virtual
async def test_a_row_that_was_never_sent_does_not_wait(stage: Stage) -> None:
    """Rows whose attempt never left keep no key."""
    old = await submitted(stage, 6, limits=Limits(max_tasks=2))
    rotated(stage.home, stage.context)
    assert (stage.statuses(), (await lines(stage.home))[old].waiting) == ({"planned": 4, "pending": 2}, 2)


@virtual
async def test_a_run_under_way_keeps_every_key(stage: Stage) -> None:
    """While anybody acts on a batch no key is retired: nobody can tell with which one that run began."""
    old = keys_of(stage.home).newest.kid
    rotated(stage.home, stage.context)
    batch = await stage.opened(1)
    async with stage.home.act(batch.ref, "submit"):
        with pytest.raises(UsageError, match=rf"logos is in use by mwbatch submit, .* {old}"):
            await retired(stage.home, old, stage.context, force=False)
    await retired(stage.home, old, stage.context, force=False)


@virtual
async def test_a_forced_end_under_a_run_warns(stage: Stage) -> None:
    """A key that is retired by force while a batch is in use warns of the
    addresses that the run may sign with it still.
    """
    old = await submitted(stage, 1)
    rotated(stage.home, stage.context)
    async with stage.home.act(stage.home.find("logos"), "submit"):
        shown = keys.retired(await retired(stage.home, Kid(old), stage.context, force=True))
    assert "warning: batch logos is in use by mwbatch submit, process " in shown.words
    assert "mwbatch resume logos" in shown.words
    value: Any = shown.value
    assert [one["batch"] for one in value["running"]] == ["logos"]
    again = keys.retired(await retired(stage.home, Kid(old), stage.context, force=True))
    assert "warning" not in again.words


@pytest.mark.files
@virtual
async def test_a_batch_that_cannot_be_read_holds_no_key_up(stage: Stage) -> None:
    """A leaked key can be retired by force, and the keys listed, whatever is wrong with a batch;
    without force it is refused.
    """
    old = await submitted(stage, 2)
    rotated(stage.home, stage.context)
    (
        Path(stage.home.create(replace(stage.home.find("logos").info, name="bad", batch_id="bad")).where)
        / "batch.json"
    ).write_bytes(b"")
    with pytest.raises(StoreError, match="bad"):
        await retired(stage.home, Kid(old), stage.context, force=False)
    assert {line.waiting for line in await listed(stage.home, stage.context)} == {2, 0}
    gone = await retired(stage.home, Kid(old), stage.context, force=True)
    assert [use.waiting for use in gone.uses] == [2]
    assert "a batch that cannot be read" in stage.context.tally.notes[-1]


@pytest.mark.files
@virtual
async def test_keys_that_are_gone_are_not_made_anew(stage: Stage) -> None:
    """Neither listing nor rotating nor retiring makes keys while a batch names others that are gone."""
    old = await submitted(stage, 1)
    Path(stage.home.keys.where).unlink()
    with pytest.raises(UsageError, match="restore it from a copy"):
        await listed(stage.home, stage.context)
    with pytest.raises(UsageError, match="restore it from a copy"):
        rotated(stage.home, stage.context)
    with pytest.raises(UsageError, match="restore it from a copy"):
        await retired(stage.home, Kid(old), stage.context, force=True)
    assert not Path(stage.home.keys.where).exists()


@virtual
async def test_a_new_key_signs_the_next_run(stage: Stage) -> None:
    """After a rotation new rows get addresses of the new key, and the batch names both."""
    old = await submitted(stage, 2)
    new = rotated(stage.home, stage.context).kid
    await submitted(stage, 5)
    assert [address.split("/")[-4] for address in stage.wire.creates] == [old] * 2 + [new] * 3
    assert stage.home.find("logos").info.kids == (old, new)


@virtual
async def test_answers_after_a_forced_end(stage: Stage) -> None:
    """Rows that waited at a retired key's addresses are fetched: tasks that the journal knows,
    and the proof stands.
    """
    await forced(stage, await submitted(stage, 3))
    stage.world.complete_all(clock())
    await asyncio.sleep(5)
    result = await reconciled(stage)
    assert (result.exit, stage.statuses()) == (Exit.DONE, {"completed": 3})
    assert result.proof
    assert (result.proof.paid_twice, result.proof.listed) == (0, 3)


async def started(stage: Stage, *more: Fact, rows: int) -> str:
    """A batch whose rows all started with today's key, of which nothing is known but ``more``;
    the key's kid.
    """
    kid = keys_of(stage.home).newest.kid
    batch = await doubtful(stage, *more, rows=rows, kid=kid)
    batch.keep(kids=(kid,), began=stage.client.clock)
    await batch.journal.close()
    return kid


@virtual
async def test_a_task_of_a_retired_key_is_no_absence(stage: Stage) -> None:
    """A task in doubt at an address of a retired key is found, and its row not sent again; the others are."""
    old = await started(stage, rows=3)
    born(stage, 1)
    await forced(stage, old)
    await resume(stage.home, stage.client, "logos", silent(), stage.new_context())
    assert sorted(address.split("/")[-2] for address in stage.wire.creates) == ["0-2", "2-2"]
    assert (stage.statuses(), stage.tasks) == ({"pending": 3}, 3)


@virtual
async def test_a_late_task_of_a_retired_key_is_seen(stage: Stage) -> None:
    """A task that shows up after its attempt was closed, at an address of a retired key,
    is not paid a second time.
    """
    old = await started(stage, Failed(clock(), RowNumber(0), Attempt(1), Verdict.ABSENT, final=False), rows=1)
    assert (await lines(stage.home))[old].waiting == 1
    born(stage, 0)
    await forced(stage, old)
    created = await resume(stage.home, stage.client, "logos", silent(), stage.new_context())
    assert (stage.wire.creates, stage.statuses(), created.exit) == ([], {"pending": 1}, Exit.UNFINISHED)


@virtual
async def test_a_retired_key_of_another_batch_is_none_of_ours(stage: Stage) -> None:
    """The name of a retired key counts only in a batch that used it;
    elsewhere its address is a forged one.
    """
    await started(stage, rows=2)
    rotated(stage.home, stage.context)
    stranger = rotated(stage.home, stage.context).verifying[-1]
    born(stage, 1, key=Key(Kid(stranger), b"f" * 16))
    await forced(stage, stranger)
    created = await resume(stage.home, stage.client, "logos", silent(), stage.new_context())
    assert (stage.statuses(), created.exit) == ({"pending": 1, "doubt": 1}, Exit.UNFINISHED)
    assert any("not signed by our keys" in reason for reason in created.reasons)


@pytest.mark.parametrize("known", [True, False])
@virtual
async def test_the_proof_needs_our_signature(stage: Stage, known: bool) -> None:
    """A task at an address of the batch that no key of ours made, and that we do not know,
    leaves nothing proved.
    """
    await submitted(stage, 1)
    if not known:
        batch_id = stage.home.find("logos").info.batch_id
        foreign = write(NOBODY, Key(Kid("zzzz"), b"f" * 16), batch_id, RowNumber(0), Attempt(2))
        stage.world.create(Draft("tagging", foreign, PICTURE), clock())
    stage.world.complete_all(clock())
    await asyncio.sleep(1)
    result = await reconciled(stage)
    assert result.proof
    assert result.proof.paid_twice == (0 if known else None)
    assert result.exit is (Exit.DONE if known else Exit.UNFINISHED)
    assert known or "did not sign" in proved(result.proof)
