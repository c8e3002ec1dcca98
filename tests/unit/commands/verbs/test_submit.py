"""Submitting, again and again: each row is sent once, and only what is missing."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mwbatch.commands.asking.asked_before import Compared
from mwbatch.commands.manifest.manifest_survey import ManifestSurvey
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.verbs.rehearse import rehearse
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.api.address import find
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.spending.budget import Limits
from mwbatch.errors import BatchBusy, Exit, Halted, ManifestError, NameTaken, OtherApi, UsageError
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.interface.ref import Ref, usable
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.views.preview import rehearsed
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ELSEWHERE, ORIGIN, Stage, answer, silent


async def sent(stage: Stage, source: ManifestSource) -> Created:
    """Submit a manifest as a user whom nobody can call."""
    return await submit(stage.home, stage.client, source, silent(), stage.context)


def rows_sent(stage: Stage) -> Counter[int]:
    """How many create requests left for each row."""
    places = [find(address) for address in stage.wire.creates]
    return Counter(place.row for place in places if place)


def files(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder with what it holds."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@virtual
async def test_a_new_batch(stage: Stage) -> None:
    """A new manifest makes a batch of its name, says so, and every row gets one task."""
    created = await sent(stage, stage.manifest("a", "b", "c"))
    assert (created.exit, stage.statuses(), stage.tasks) == (Exit.DONE, {"pending": 3}, 3)
    assert f"batch logos is new, in {stage.home.find('logos').where}" in stage.context.tally.notes
    info = stage.home.find("logos").info
    assert (info.origin, info.id_column) == (ORIGIN, "id")
    assert info.kids == (keys_of(stage.home).newest.kid,)


@virtual
async def test_submitting_again_sends_nothing(stage: Stage) -> None:
    """The same manifest once more sends nothing; with rows added, moved and sorted only the new ones."""
    await sent(stage, stage.manifest("a", "b"))
    assert (await sent(stage, stage.manifest("a", "b"))).exit is Exit.DONE
    await sent(stage, stage.manifest("c", "b", "a", "d"))
    assert rows_sent(stage) == {0: 1, 1: 1, 2: 1, 3: 1}
    assert "2 rows known already, 2 rows new" in stage.context.tally.notes


@virtual
async def test_what_is_told_of_no_new_rows(stage: Stage) -> None:
    """Where nothing is new, nothing is said of what kind it is."""
    source = stage.manifest("a", "b")
    await submit(stage.home, stage.client, source, silent(), stage.context)
    again = stage.new_context()
    await submit(stage.home, stage.client, source, silent(), again)
    assert "2 rows known already, 0 rows new" in again.tally.notes
    assert not [note for note in again.tally.notes if "tagging" in note]


@virtual
async def test_the_same_rows_in_another_file(stage: Stage) -> None:
    """Another path with the same name is the same batch where it shares a row, else it is refused."""
    await sent(stage, stage.manifest("a", "b"))
    await sent(stage, stage.manifest("b", "c", name="moved/logos.csv"))
    with pytest.raises(UsageError, match="no row in common"):
        await sent(stage, stage.manifest("x", "y", name="other/logos.csv"))
    assert stage.statuses() == {"pending": 3}


@virtual
async def test_rows_of_another_file_are_added_on_request(stage: Stage) -> None:
    """With ``add`` the rows of a file that has nothing in common join the batch."""
    await sent(stage, stage.manifest("a"))
    there = stage.manifest("x", name="other/logos.csv")
    await sent(stage, replace(there, batch="logos", add=True))
    assert stage.statuses() == {"pending": 2}


@virtual
async def test_another_id_column_is_refused(stage: Stage) -> None:
    """A batch keeps the id column that it began with."""
    await sent(stage, stage.manifest("a"))
    with pytest.raises(UsageError, match=r"by column id, .* by column custom_id"):
        await sent(stage, stage.manifest("a", "b", column="custom_id"))


@virtual
async def test_a_changed_request_is_refused(stage: Stage) -> None:
    """A known id with another request is an error that shows both, and nothing is sent."""
    source = stage.manifest("a")
    await sent(stage, source)
    stage.write(source, "id,image_url", "a,https://images.example.com/other.jpg")
    with pytest.raises(ManifestError) as refused:
        await sent(stage, source)
    assert "images.example.com/a.jpg" in str(refused.value)
    assert "images.example.com/other.jpg" in str(refused.value)
    assert stage.tasks == 1


@virtual
async def test_copies_need_leave(stage: Stage) -> None:
    """A new id for a request that another id has is an error, unless duplicates are allowed."""
    source = stage.manifest("a")
    await sent(stage, source)
    stage.write(source, "id,image_url", *(f"{name},https://images.example.com/a.jpg" for name in "ab"))
    with pytest.raises(ManifestError, match="--only-new"):
        await sent(stage, source)
    await sent(stage, replace(source, allow_duplicates=True))
    assert stage.tasks == 2


@virtual
async def test_the_origin_is_pinned(stage: Stage) -> None:
    """A batch is never sent to another API, neither by submit nor by resume."""
    source = stage.manifest("a")
    await sent(stage, source)
    other = stage.client_at(ELSEWHERE)
    with pytest.raises(OtherApi, match=ORIGIN):
        await submit(stage.home, other, source, silent(), stage.context)
    with pytest.raises(OtherApi, match=ELSEWHERE):
        await resume(stage.home, other, "logos", silent(), stage.context)


@virtual
async def test_a_new_batch_needs_a_base(stage: Stage) -> None:
    """Without a callback base a new batch is not even made."""
    with pytest.raises(UsageError, match="--callback-url none"):
        await submit(stage.home, stage.client, stage.manifest("a"), silent(callback_url=None), stage.context)
    assert list(stage.home.batches()) == []


@virtual
async def test_resume_takes_the_base_used_last(stage: Stage) -> None:
    """A resume sends what is missing to the base of the last run, and says so."""
    stage.wire.plays = [None, answer(401)]
    await sent(stage, stage.manifest("a", "b", "c"))
    created = await resume(stage.home, stage.client, "logos", silent(callback_url=None), stage.context)
    assert (created.exit, stage.statuses(), stage.tasks) == (Exit.DONE, {"pending": 3}, 3)
    assert "callbacks go to https://no-callbacks.invalid, as before" in stage.context.tally.notes


@virtual
async def test_a_refusing_api_costs_nothing(stage: Stage) -> None:
    """Where the API refuses the key nothing is sent, and no batch is made."""
    stage.wire.reads = answer(401)
    with pytest.raises(Halted):
        await sent(stage, stage.manifest("a"))
    assert (stage.wire.creates, list(stage.home.batches())) == ([], [])


@virtual
async def test_one_process_at_a_time(stage: Stage) -> None:
    """While another process acts on the batch, a submit is turned away."""
    source = stage.manifest("a")
    await sent(stage, source)
    async with stage.home.act(stage.home.find("logos"), "cancel"):
        with pytest.raises(BatchBusy, match="mwbatch cancel"):
            await sent(stage, source)


@virtual
async def test_a_rehearsal_writes_nothing(stage: Stage) -> None:
    """A dry run tells what would be sent, and leaves every file and the API alone."""
    source = stage.manifest("a", "b", "b")
    new = await rehearse(stage.home, ORIGIN, source, silent(limits=Limits(price=0.5)), stage.context)
    assert (new.is_new, new.to_send, new.cost, stage.path.exists()) == (True, 2, 1.0, False)
    await sent(stage, source)
    before = files(stage.path)
    known = await rehearse(stage.home, ORIGIN, stage.manifest("a", "b", "c"), silent(), stage.context)
    assert (known.is_new, known.to_send, known.cost, known.exit) == (False, 1, None, Exit.DONE)
    assert (files(stage.path), stage.tasks) == (before, 2)
    assert rehearsed(known).value == {
        "dry_run": True, "batch": "logos", "new_batch": False, "new_rows": 1, "known_rows": 2,
        "repeated_rows": 0, "renewed_rows": 0,
        "problem_count": 0,
        "by_type": {"tagging": 1, "annotating": 0}, "own_columns": [], "expired_urls": 0, "expiring_urls": 0,
        "first_expiry": None, "has_key": True, "has_callback_url": True, "left_out": 0, "to_send": 1,
        "held_back": 0, "cost": None,
        "limits": {"max_tasks": None, "price": None, "max_cost": None},
        "spent": {"tasks": 2, "cost": None, "by_month": {"2023-11": {"tasks": 2, "cost": None}}},
    }  # fmt: skip
    assert "1 row to send, for about" not in rehearsed(known).words


@virtual
async def test_a_rehearsal_names_the_limit(stage: Stage) -> None:
    """A dry run says how many rows the limit would hold back;
    it would look as if there were nothing to send.
    """
    limits = Limits(price=0.5, max_cost=1)
    told = rehearsed(
        await rehearse(stage.home, ORIGIN, stage.manifest(*"abc"), silent(limits=limits), stage.context)
    ).words
    assert told.endswith(
        "  0 tasks so far, 0.00 of at most 1.00 (--max-cost)\n  2 of 3 rows to send, for about 1.00"
    )
    told = rehearsed(
        await rehearse(stage.home, ORIGIN, stage.manifest(*"ab"), silent(limits=limits), stage.context)
    ).words
    assert told.endswith("\n  2 rows to send, for about 1.00")


@virtual
async def test_two_at_once_make_one_batch(stage: Stage) -> None:
    """Of two submits of one new manifest one sends its rows; the other finds the batch,
    or that it is in use.
    """
    source = stage.manifest(*range(5))
    one, other = await asyncio.gather(sent(stage, source), sent(stage, source), return_exceptions=True)
    ended = [created for created in (one, other) if isinstance(created, Created)]
    turned_away = [error for error in (one, other) if isinstance(error, BatchBusy)]
    assert (len(ended) + len(turned_away), [created.exit for created in ended][:1]) == (2, [Exit.DONE])
    assert (stage.statuses(), stage.tasks) == ({"pending": 5}, 5)
    assert [ref.info.name for ref in usable(stage.home.batches())] == ["logos"]


@virtual
async def test_a_batch_that_another_one_has_filled_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who made a batch and comes second to its lock compares its rows with those that stand there by now.

    Only an older mwbatch does so, which knows of no lock of the home.
    """
    first = replace(stage.manifest("a", "b"), batch="logos")
    theirs = [
        Planned(
            0.0,
            RowNumber(row),
            one,
            row + 2,
            "tagging",
            {"image_url": f"https://images.example.com/{one}.jpg", "objects_to_tag": "brands"},
            {},
        )
        for row, one in enumerate("bc")
    ]

    def late(*args: Any) -> Any:
        monkeypatch.undo()
        return after(*args)

    @asynccontextmanager
    async def after(*args: Any) -> AsyncIterator[OpenBatch]:
        async with stage.home.act(*args) as batch:
            await batch.record(theirs)
        async with stage.home.act(*args) as batch:
            yield batch

    monkeypatch.setattr(stage.home, "act", late)
    await sent(stage, first)
    batch = await stage.opened()
    assert sorted((row.row, row.id) for row in batch.journal.rows()) == [(0, "b"), (1, "c"), (2, "a")]
    assert (stage.statuses(), stage.tasks) == ({"pending": 3}, 3)


@virtual
async def test_a_dry_run_refuses_what_no_batch_may_be_called(stage: Stage) -> None:
    """A name that a new batch may not have is refused before the money, by a dry run too."""
    await sent(stage, stage.manifest("a"))
    for name in ("CON", "LOGOS"):
        other = replace(stage.manifest("x", name="other.csv"), batch=name)
        with pytest.raises(UsageError):
            await rehearse(stage.home, ORIGIN, other, silent(), stage.new_context())


@virtual
async def test_a_name_that_stays_taken_ends_in_an_error(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may make the batch at this moment, and then it is found; that is tried once."""
    tries = []

    def taken(_: object, info: BatchInfo) -> Ref:
        tries.append(info.name)
        raise NameTaken("somebody has it")

    monkeypatch.setattr(type(stage.home), "create", taken)
    with pytest.raises(NameTaken):
        await sent(stage, stage.manifest("a"))
    assert tries == ["logos", "logos"]


@virtual
async def test_a_batch_without_rows_takes_the_id_column_of_its_first(stage: Stage) -> None:
    """A batch that was made and got no row yet has no id column to keep to."""
    ref = stage.home.create(BatchInfo("logos", "b234567890", ORIGIN, "/m.csv", "id", ()))
    await sent(stage, replace(stage.manifest("a", column="custom_id"), batch=ref.info.name))
    assert stage.home.find("logos").info.id_column == "custom_id"


@virtual
async def test_while_rows_are_sent_the_manifest_is_forgotten(stage: Stage) -> None:
    """Whatever is known of each row of a manifest is let go before the first request leaves."""
    held = list[int]()

    def look(_: object) -> None:
        held.append(sum(isinstance(one, ManifestSurvey | Compared) for one in gc.get_objects()))

    stage.wire.on_create = look
    await submit(stage.home, stage.client, stage.manifest("a", "b"), silent(), stage.context)
    assert held == [0, 0]


@virtual
async def test_a_new_batch_looks_back_at_nothing(stage: Stage) -> None:
    """Before the first request of a batch that was made this moment no listing reaches back to anything."""
    before = list[int]()
    stage.wire.on_create = lambda _: before.append(sum("start_time" in one for one in stage.wire.listed))
    await submit(stage.home, stage.client, stage.manifest("a"), silent(), stage.context)
    assert before == [0]
