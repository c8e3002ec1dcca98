"""What a reconciliation proves and what it does not: a table of listings that are not the truth,
and what they come to.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, NoReturn

import pytest

from mwbatch.commands.settling.fetching import FORGOTTEN, PATIENCE
from mwbatch.commands.verbs.reconcile import TRIES, ReconcileOptions, reconcile
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.api.address import NOBODY, Key, find, write
from mwbatch.core.api.task import parse_callback, seen
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import decode, encode
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.core.report.agreement import Differing
from mwbatch.core.report.command_outcomes import Proof, Reconciled
from mwbatch.core.state.batch import Batch
from mwbatch.errors import ApiError, Exit
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.simulator.http.listing import read_query
from mwbatch.simulator.world.answers import response
from mwbatch.simulator.world.faults import Fault, Line, Size
from mwbatch.simulator.world.forms import Draft, Refusal
from mwbatch.simulator.world.tasks import Task, nested
from mwbatch.simulator.world.world import World
from mwbatch.views.outcomes import proved
from tests.support.virtual import virtual
from tests.unit.commands.conftest import EPOCH, Stage, clock, silent
from tests.unit.commands.settling.test_settling import PICTURE, twist

ROWS: Final = 30
EVER: Final = 10**6


async def pending(stage: Stage, *lines: Line, rows: int = ROWS) -> None:
    """A batch whose rows all have a pending task."""
    stage.befall(*lines)
    await submit(stage.home, stage.client, stage.manifest(*range(rows)), silent(), stage.context)
    stage.context = stage.new_context()


async def reconciled(stage: Stage, **options: Any) -> Reconciled:
    """Reconcile the batch."""
    return await reconcile(stage.home, stage.client, "logos", stage.context, ReconcileOptions(**options))


def proof_of(found: Reconciled) -> Proof:
    """Its proof, which there is."""
    assert found.proof is not None
    return found.proof


def without(page: Any, count: int) -> Any:
    """The page without its last tasks, total and all."""
    return page | {"docs": page["docs"][:-count], "total": page["total"] - count}


def unaddressed(page: Any) -> Any:
    """The page without callback addresses."""
    return page | {"docs": [{k: v for k, v in doc.items() if k != "callback_url"} for doc in page["docs"]]}


LIES: Final[dict[str, tuple[Callable[[Any], Any], str, int]]] = {
    "nothing": (lambda page: page | {"docs": [], "total": 0}, "lacks 30 known tasks", 0),
    "one is missing": (lambda page: without(page, 1), "lacks 1 known task", ROWS - 1),
    "another total": (lambda page: page | {"total": 7}, "shows 30 tasks and says that there are 7", ROWS),
    "rubbish": (
        lambda page: page | {"docs": [*page["docs"], "?"]},
        "an entry of the listing is no task",
        ROWS,
    ),
    "no addresses": (unaddressed, "does not show the callback addresses", 0),
}


@pytest.mark.parametrize("lie", LIES)
@virtual
async def test_no_listing_is_believed(stage: Stage, monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    """A listing that is not the truth proves nothing, after so many tries: null, the reason,
    what it covers, exit 3.
    """
    await pending(stage)
    stage.world.complete_all(clock())
    change, said, covers = LIES[lie]
    twist(stage, monkeypatch, lambda page, _: change(page))
    found = await reconciled(stage)
    proof = proof_of(found)
    assert (found.exit, proof.paid_twice, proof.covers, proof.known) == (Exit.UNFINISHED, None, covers, ROWS)
    assert [said in reason for reason in proof.reasons] == [True]
    assert proved(proof).endswith(f"the listing covers {covers} of {ROWS} known tasks")
    assert stage.statuses() == {"completed": ROWS}, "what a listing does not show is asked for"
    walks = [asked for asked in stage.wire.listed if asked["limit"] != "1" and asked["offset"] == "0"]
    assert len(walks) >= TRIES


@virtual
async def test_a_listing_that_cannot_be_read_proves_nothing(stage: Stage) -> None:
    """Where the API answers no listing the reason is its own word, nothing is covered,
    and the command ends.
    """
    await pending(stage, rows=3)
    stage.wire.reads = ApiError("not today", status=404)
    proof = proof_of(await reconciled(stage))
    assert (proof.paid_twice, proof.covers, proof.known) == (None, 0, 3)
    assert proof.reasons == ("no listing could be believed: HTTP 404: not today",)


@virtual
async def test_an_api_that_never_echoes_is_done_without_a_proof_on_the_users_word(stage: Stage) -> None:
    """With ``unproved`` the exit code says what is left to do,
    and the proof says still that there is none.
    """
    await pending(stage, Line(Fault.NO_ECHO, 1, EVER), rows=3)
    stage.world.complete_all(clock())
    assert (await reconciled(stage)).exit is Exit.UNFINISHED
    found = await reconciled(stage, unproved=True)
    assert (found.exit, proof_of(found).paid_twice, proof_of(found).covers) == (Exit.DONE, None, 0)


@virtual
async def test_without_a_proof_what_is_pending_is_still_unfinished(stage: Stage) -> None:
    """``unproved`` forgives the missing proof alone."""
    await pending(stage, Line(Fault.NO_ECHO, 1, EVER), rows=1)
    assert (await reconciled(stage, unproved=True)).exit is Exit.UNFINISHED


@virtual
async def test_a_forged_address_proves_nothing(stage: Stage) -> None:
    """Where the listing shows tasks at addresses of ours that we did
    not sign nobody can say whose they are.
    """
    await pending(stage, rows=2)
    forged = Key(keys_of(stage.home).newest.kid, b"f" * 16)
    address = write(NOBODY, forged, stage.home.find("logos").info.batch_id, RowNumber(1), Attempt(2))
    stage.world.create(Draft("tagging", address, PICTURE), clock())
    proof = proof_of(await reconciled(stage))
    assert (proof.paid_twice, proof.covers, proof.known) == (None, 2, 2)
    assert "1 attempts have a task at an address that our keys did not sign" in proof.reasons[0]


@virtual
async def test_a_listing_that_is_believed_at_the_last_try(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was wrong with earlier tries is no reason any more: nothing stays open."""
    await pending(stage, rows=2)
    stage.world.complete_all(clock())
    twist(stage, monkeypatch, lambda page, number: page | {"total": 7} if number < TRIES else page)
    found = await reconciled(stage)
    assert (found.exit, found.reasons, proof_of(found).paid_twice) == (Exit.DONE, [], 0)


@virtual
async def test_what_a_second_listing_makes_up_for_is_no_reason(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing that could not be believed, before surplus was canceled,
    leaves no reason once one can be believed.
    """
    await pending(stage, Line(Fault.PROXIED_TWICE, 2, 2), rows=3)
    twist(stage, monkeypatch, lambda page, number: page | {"total": 7} if number <= TRIES else page)
    found = await reconciled(stage)
    assert (len(found.canceled), found.reasons, proof_of(found).paid_twice) == (1, [], 0)


@virtual
async def test_a_batch_that_sent_nothing_knows_nothing(stage: Stage) -> None:
    """A batch without a task has nothing that a listing had to show."""
    await (await stage.opened(3)).journal.close()
    proof = proof_of(await reconciled(stage))
    assert proved(proof).startswith("paid twice: 0, by a listing of 0 tasks")
    assert proved(proof).endswith("which covers 0 of 0 known tasks")


@virtual
async def test_waiting_ends_where_nothing_can_change(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the API knows none of the pending tasks any more, waiting without a limit ends,
    with the reason.
    """
    await pending(stage, rows=2)
    twist(stage, monkeypatch, lambda page, _: page | {"docs": [], "total": 0})

    def gone(world: World, task_id: str, now: float) -> NoReturn:
        raise Refusal(404, f"there is no task {task_id}")

    monkeypatch.setattr(World, "get", gone)
    began = stage.context.ticks()
    found = await reconciled(stage, every=30.0)
    assert (found.exit, stage.context.ticks() - began > PATIENCE) == (Exit.UNFINISHED, True)
    assert found.reasons[-1] == FORGOTTEN


@pytest.mark.parametrize("hidden", [True, False])
@virtual
async def test_waiting_goes_on_while_a_task_is_known_anywhere(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    """A GET may reach a server that does not know a new task yet, or not be served at all:
    the listing may know more.
    """
    await pending(stage, rows=2)
    if hidden:
        twist(stage, monkeypatch, lambda page, _: page | {"docs": [], "total": 0})
    honest, calls = World.get, 0

    def lagging(world: World, task_id: str, now: float) -> Task:
        nonlocal calls
        calls += 1
        if not hidden or (now - EPOCH < 2 * PATIENCE and calls % 2):
            raise Refusal(404, f"there is no task {task_id}")
        return honest(world, task_id, now)

    monkeypatch.setattr(World, "get", lagging)
    assert (await reconciled(stage, every=600.0)).fetched == 2


@virtual
async def test_waiting_fetches_what_a_listing_does_not_show(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pending task is passed over only where a believed listing showed it: an answer is fetched,
    and waiting ends.
    """
    await pending(stage, rows=3)
    twist(stage, monkeypatch, lambda page, _: page | {"docs": [], "total": 0})
    asyncio.get_running_loop().call_later(100.0, lambda: stage.world.complete_all(clock()))
    found = await reconciled(stage, every=30.0)
    assert (found.fetched, stage.statuses()) == (3, {"completed": 3})


@virtual
async def test_an_answer_that_the_listing_contradicts_is_told(stage: Stage) -> None:
    """A stored answer that is listed otherwise is a finding: exit 1, not complete, the row and its task."""
    await pending(stage, Line(Fault.LISTED_OTHERWISE, 5, 6))
    stage.world.complete_all(clock())
    await fetched_one_by_one(stage)
    found = await reconciled(stage)
    assert (found.exit, found.report.complete, found.report.differing) == (Exit.ROWS, False, 2)
    assert len({task_id for _, task_id in found.differing}) == 2
    assert not [note for note in stage.context.tally.notes if "leaves out parts" in note]
    assert proof_of(found).paid_twice == 0


async def fetched_one_by_one(stage: Stage) -> None:
    """The answers come by GET, while the listing fails."""
    honest = stage.wire.listings.answer
    stage.wire.listings.answer = lambda *_: {}  # type: ignore[method-assign]
    await reconciled(stage, unproved=True)
    stage.wire.listings.answer = honest  # type: ignore[method-assign]
    assert stage.statuses() == {"completed": ROWS}
    stage.context = stage.new_context()


async def called(stage: Stage, row: int) -> Task:
    """A callback about a row's own task, whoever sent it; returns the task."""
    batch = await stage.opened()
    (task,) = (task for number, task in batch.state.tasks() if number == row)
    body = encode({"task_id": task.task_id, "response": {"tags": [{"id": "forged"}]}})
    shown = parse_callback(decode(body))
    told = shown.task._replace(status="completed", response=shown.response)
    await batch.record([seen(told, RowNumber(row), Attempt(1), Via.CALLBACK, clock(), body)])
    await batch.journal.close()
    return stage.world.get(task.task_id, clock())


@pytest.mark.parametrize("end", ["pending", "canceled"])
@virtual
async def test_an_answer_of_which_the_api_knows_nothing_is_told(stage: Stage, end: str) -> None:
    """A callback that names the right task completes its row; the API, which has no answer of it,
    is heard: exit 3.
    """
    await pending(stage, rows=3)
    task = await called(stage, 1)
    if end == "canceled":
        stage.world.cancel(task.task_id, clock())
    found = await reconciled(stage)
    assert (found.exit, found.report.complete, found.unanswered, found.differing) == (
        Exit.UNFINISHED,
        False,
        (Differing(RowNumber(1), task.task_id),),
        (),
    )


@virtual
async def test_an_answer_that_the_api_has_after_all_is_compared(stage: Stage) -> None:
    """A listing that lags is no contradiction: the task is asked for,
    and its answer settles whether that was its own.
    """
    await pending(stage, rows=3)
    stale = stage.wire.listings.answer(read_query({"limit": "100"}), frozenset(), clock())
    task = await called(stage, 1)
    stage.world.complete_all(clock())
    stage.wire.listings.answer = lambda *_: stale  # type: ignore[method-assign]
    found = await reconciled(stage, unproved=True)
    assert (found.unanswered, found.report.conflicts) == ((), 1)
    assert stage.wire.got.count(task.task_id) == 1


@virtual
async def test_an_honest_answer_that_a_listing_does_not_show_yet(stage: Stage) -> None:
    """An answer that came by GET is none to doubt because a listing is older: nothing is told."""
    await pending(stage, rows=3)
    stale = stage.wire.listings.answer(read_query({"limit": "100"}), frozenset(), clock())
    stage.world.complete_all(clock())
    await reconciled(stage)
    stage.context = stage.new_context()
    stage.wire.listings.answer = lambda *_: stale  # type: ignore[method-assign]
    found = await reconciled(stage)
    assert (found.exit, found.unanswered, found.report.complete) == (Exit.DONE, (), True)


@virtual
async def test_a_listing_that_abridges_contradicts_nothing(stage: Stage) -> None:
    """Where nearly every answer is listed with less, that is said once, and nothing is in conflict."""
    await pending(stage)
    stage.world.complete_all(clock())
    await fetched_one_by_one(stage)
    stage.befall(Line(Fault.LIST_ABRIDGED, 1, EVER))
    found = await reconciled(stage)
    assert (found.exit, found.differing, found.report.complete) == (Exit.DONE, (), True)
    assert sum("the listing leaves out parts of answers" in note for note in stage.context.tally.notes) == 1


def told(task: Task) -> Seen:
    """The fact of a task's own callback."""
    body = encode({"task_id": task.task_id, "task": nested(task), "response": response(task.draft)})
    shown = parse_callback(decode(body))
    address = find(task.draft.callback_url)
    assert address is not None
    whole = shown.task._replace(response=shown.response)
    return seen(whole, address.row, address.attempt, Via.CALLBACK, clock(), body)


@virtual
async def test_what_a_listing_abridges_is_asked_for(stage: Stage) -> None:
    """An answer that only a listing shows in part is stored whole, so that its callback, should it come,
    contradicts nothing.
    """
    await pending(stage)
    stage.world.complete_all(clock())
    stage.befall(Line(Fault.LIST_ABRIDGED, 1, EVER))
    assert (await reconciled(stage)).exit is Exit.DONE
    batch = await stage.opened()
    assert not any(await batch.journal.append([told(task) for task in stage.world.tasks()]))
    await batch.journal.close()
    assert list(Batch(stage.on_disk()).conflicts()) == []


@virtual
async def test_a_callback_before_an_abridged_listing_is_no_conflict(stage: Stage) -> None:
    """Where a callback tells of a task first,
    a listing that shows less of its answer confirms the task and adds none.
    """
    await pending(stage, Line(Fault.CREATED_500, 2, 2), Line(Fault.LIST_ABRIDGED, 1, EVER), rows=1)
    stage.wire.on_create = lambda _: stage.context.stopping.set()
    await submit(stage.home, stage.client, stage.manifest(0, 3), silent(), stage.context)
    assert stage.statuses() == {"pending": 1, "doubt": 1}
    stage.world.complete_all(clock())
    batch = await stage.opened()
    await batch.record([told(task) for task in stage.world.tasks()])
    await batch.journal.close()
    stage.context = stage.new_context()
    found = await reconciled(stage)
    assert (found.report.conflicts, found.report.by_callback_only, found.report.complete) == (0, 0, True)


@pytest.mark.parametrize("more", [(), (Line(Fault.LIST_BARE, 1, EVER),), (Line(Fault.NO_ECHO, 1, EVER),)])
@virtual
async def test_a_listing_without_end_ends(stage: Stage, more: tuple[Line, ...]) -> None:
    """A listing that ignores the offset and always has more ends every walk, that for the echo too,
    and proves nothing.
    """
    stage.befall(Line(Fault.LIST_OFFSET_IGNORED, 1, EVER), *more)
    await submit(stage.home, stage.client, stage.manifest(*range(3)), silent(), stage.context)
    found = await reconciled(stage)
    assert (proof_of(found).paid_twice, stage.tasks) == (None, 3)
    assert "the listing repeats itself" in proof_of(found).reasons[0]


@virtual
async def test_a_walk_through_very_much_is_told_and_can_be_stopped(stage: Stage) -> None:
    """Where dates say nothing pages and time are said first, and a walk ends when the user asks."""
    for _ in range(1500):
        stage.world.create_stranger(clock())
    stage.befall(Line(Fault.CREATED_AT_FORM, 1, EVER), size=Size(created_at_form=None))
    await submit(stage.home, stage.client, stage.manifest(*range(12)), silent(), stage.context)
    stage.context = stage.new_context()
    seen = len(stage.wire.listed)

    def stop_in_the_middle() -> None:
        if stage.context.tally.listed > 500:
            stage.context.stopping.set()
        else:
            asyncio.get_running_loop().call_later(0.1, stop_in_the_middle)

    stop_in_the_middle()
    found = await reconciled(stage)
    assert proof_of(found).paid_twice is None
    assert any(
        note.startswith(
            "dates of tasks say nothing here, so the whole listing is walked, twice: 1,512 tasks on "
        )
        for note in stage.context.tally.notes
    )
    assert len(stage.wire.listed) - seen < 12
