"""Rows that other batches asked for: refused, and the ways on."""

import asyncio
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from mwbatch.commands.asking.planning_turn import PlanningTurn, turn_in
from mwbatch.commands.asking.refusing import unreadable
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.rehearse import rehearse
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.facts.kinds import Planned, Withdrawn
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.spending.overlaps import Repeats
from mwbatch.core.state.row_status import Status
from mwbatch.errors import AskedBefore, BatchBusy, Exit, ManifestError, StoreError, UsageError
from mwbatch.journal.home import row_digests as asked
from mwbatch.journal.home.home_lock import HomeLock
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.naming import LOCK
from mwbatch.journal.interface.open_batch import looking
from mwbatch.journal.interface.ref import usable
from mwbatch.simulator.world.faults import Fault, Line
from mwbatch.simulator.world.shelf import View
from mwbatch.views.preview import rehearsed
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ELSEWHERE, ORIGIN, Stage, answer, silent
from tests.unit.commands.settling.test_settling import twist

COMMAND = ("mwbatch", "submit", "week1-v2.csv", "--callback-url", "none")


async def sent(stage: Stage, source: ManifestSource, *again: str, only_new: bool = False) -> Created:
    """Submit a manifest as a user whom nobody can call."""
    stage.context = stage.new_context()
    stage.context.command = COMMAND
    options = silent(repeats=Repeats(only_new, again))
    return await submit(stage.home, stage.client, source, options, stage.context)


async def resumed(stage: Stage, name: str, *again: str, only_new: bool = False) -> Created:
    """Resume a batch."""
    options = silent(repeats=Repeats(only_new, again))
    return await resume(stage.home, stage.client, name, options, stage.new_context())


def asks_again(stage: Stage) -> dict[str, int]:
    """The pictures that tasks of the world ask for, each with how many there are beyond one."""
    shown: dict[str, int] = {}
    for task in stage.world.shelf.page(View(), 1_000, 0)[0]:
        if task.status != "canceled":
            url = str(task.draft.params["image_url"])
            shown[url] = shown.get(url, -1) + 1
    return {url: more for url, more in shown.items() if more}


@virtual
async def test_a_copy_is_refused_with_numbers_and_ways_on(stage: Stage) -> None:
    """The rows of another batch under a new name are not paid again; who asked, how much,
    and how to go on is said.
    """
    await sent(stage, stage.manifest("a", "b", name="week1.csv"))
    stage.world.complete_all(stage.context.now())
    with pytest.raises(AskedBefore) as refused:
        await sent(stage, stage.manifest("a", "b", "c", name="week1-v2.csv"))
    said = str(refused.value)
    info = stage.home.find("week1").info
    assert "2 of 3 rows to be sent were asked for before; nothing was sent" in said
    assert (
        f"batch week1 ({info.batch_id}): 2 rows, 2 pending; for example line 2 ('a') asks for what its "
        "line 2 ('a')" in said
    )
    ways = [
        "mwbatch submit week1-v2.csv --callback-url none --batch week1",
        "mwbatch submit week1-v2.csv --callback-url none --only-new",
        "mwbatch submit week1-v2.csv --callback-url none --again week1",
    ]
    assert all(way in said for way in ways)
    (told,) = refused.value.asked["batches"]
    assert (told["batch"], told["rows"], told["by_status"]) == ("week1", 2, {"pending": 2})
    assert refused.value.asked["ways"] == ways
    assert (stage.tasks, [ref.info.name for ref in usable(stage.home.batches())]) == (2, ["week1"])


@virtual
async def test_each_way_on_works(stage: Stage) -> None:
    """Added to its batch, without the rows that are there, or knowingly again: each does what it says."""
    week1 = stage.manifest("a", "b", name="week1.csv")
    await sent(stage, week1)
    copy = stage.manifest("a", "b", "c", name="week1-v2.csv")
    await sent(stage, replace(copy, batch="week1"))
    assert (stage.statuses("week1"), stage.tasks) == ({"pending": 3}, 3)
    more = stage.manifest("b", "d", name="more.csv")
    created = await sent(stage, more, only_new=True)
    assert (created.left_out, created.exit, stage.statuses("more"), stage.tasks) == (
        1,
        Exit.DONE,
        {"pending": 1},
        4,
    )
    assert "1 row left out: asked for before" in stage.context.tally.notes
    again = stage.manifest("a", name="again.csv")
    await sent(stage, again, "week1")
    assert (stage.tasks, asks_again(stage)) == (5, {"https://images.example.com/a.jpg": 1})
    kept = stage.home.find("again").info.again[stage.home.find("week1").info.batch_id]
    assert kept["rows"] == 1


@virtual
async def test_rows_left_out_leave_no_hole(stage: Stage) -> None:
    """The rows behind those that are left out move up: nobody takes them for rows that are gone."""
    await sent(stage, stage.manifest("a", "c", name="week1.csv"))
    source = stage.manifest("a", "b", "c", "d", name="other.csv")
    await sent(stage, source, only_new=True)
    assert _rows(stage, "other") == [(0, "b"), (1, "d")]
    again = await sent(stage, source, only_new=True)
    assert (again.left_out, stage.tasks, again.exit) == (2, 4, Exit.DONE)


def _rows(stage: Stage, name: str) -> list[tuple[int, str]]:
    """Number and id of each row, as they were planned."""
    return [(fact.row, fact.id) for fact in stage.on_disk(name) if isinstance(fact, Planned)]


@virtual
async def test_a_manifest_of_which_nothing_is_new(stage: Stage) -> None:
    """Where all rows are left out nothing is sent, and that is no failure."""
    await sent(stage, stage.manifest("a", name="week1.csv"))
    created = await sent(stage, stage.manifest("a", name="copy.csv"), only_new=True)
    assert (created.left_out, created.exit, stage.tasks) == (1, Exit.DONE, 1)


@virtual
async def test_a_file_that_overlaps_two_batches(stage: Stage) -> None:
    """Both are named, and each way on that is printed leads on."""
    await sent(stage, stage.manifest("a", "b", name="week1.csv"))
    await sent(stage, stage.manifest("c", name="week2.csv"))
    both = stage.manifest("a", "b", "c", "d", name="both.csv")
    with pytest.raises(AskedBefore) as refused:
        await sent(stage, both)
    assert [one["batch"] for one in refused.value.asked["batches"]] == ["week1", "week2"]
    ways = refused.value.asked["ways"]
    assert [way.removeprefix("mwbatch submit week1-v2.csv --callback-url none ") for way in ways] == [
        "--batch week1 --only-new",
        "--only-new",
        "--again week1 --again week2",
    ]
    await sent(stage, replace(both, batch="week1"), only_new=True)
    assert (stage.statuses("week1"), stage.tasks) == ({"pending": 3}, 4)


@virtual
async def test_other_ids_for_the_same(stage: Stage) -> None:
    """Under new ids a batch would refuse the rows: the way on that is printed leaves them out."""
    await sent(stage, stage.manifest("a", "b", name="week1.csv"))
    source = stage.manifest("x", name="new-ids.csv")
    stage.write(
        source, "id,image_url", *(f"{n},https://images.example.com/{one}.jpg" for n, one in enumerate("abc"))
    )
    with pytest.raises(AskedBefore) as refused:
        await sent(stage, source)
    ways = refused.value.asked["ways"]
    assert ways[0].endswith("--batch week1 --only-new")
    with pytest.raises(ManifestError, match="--only-new"):
        await sent(stage, replace(source, batch="week1"))
    created = await sent(stage, replace(source, batch="week1"), only_new=True)
    assert (created.left_out, stage.statuses("week1"), stage.tasks) == (2, {"pending": 3}, 3)
    assert sorted(row for row, _ in _rows(stage, "week1")) == [0, 1, 2]


@virtual
async def test_a_batch_that_knows_its_rows_otherwise(stage: Stage) -> None:
    """A way that would be refused is not printed: rows without ids are added to no batch with them."""
    await sent(stage, stage.manifest("a", name="week1.csv"))
    source = stage.manifest("a", name="bare.csv")
    stage.write(source, "image_url", "https://images.example.com/a.jpg")
    with pytest.raises(AskedBefore) as refused:
        await sent(stage, source)
    assert not any("--batch" in way for way in refused.value.asked["ways"])


@virtual
async def test_what_does_not_count(stage: Stage) -> None:
    """Rows that are rejected, canceled or withdrawn elsewhere are asked for anew without a word."""
    stage.wire.plays = [answer(400)]
    await sent(stage, stage.manifest("rejected", "canceled", name="week1.csv"))
    await cancel(stage.home, stage.client, "week1", ["canceled"], stage.new_context())
    await sent(stage, stage.manifest("withdrawn", name="week2.csv"))
    batch = await _opened(stage, "week2")
    assert stage.statuses("week1") == {"canceled": 1, "rejected": 1}
    await cancel(stage.home, stage.client, "week2", [], stage.new_context())
    await sent(stage, stage.manifest("rejected", "canceled", "withdrawn", name="new.csv"))
    assert (batch, stage.statuses("new")) == ("week2", {"pending": 3})
    assert asks_again(stage) == {}


async def _opened(stage: Stage, name: str) -> str:
    return stage.home.find(name).info.name


@virtual
async def test_retry_after_another_batch_asked(stage: Stage) -> None:
    """A canceled row that another batch has asked for since is not opened again, unless the user says so."""
    await sent(stage, stage.manifest("a", "b", name="week1.csv"))
    await cancel(stage.home, stage.client, "week1", [], stage.new_context())
    await sent(stage, stage.manifest("a", name="week2.csv"))
    choice = Choice(Status.CANCELED)

    async def tried(repeats: Repeats) -> Created:
        return await retry(
            stage.home, stage.client, "week1", choice, silent(repeats=repeats), stage.new_context()
        )

    with pytest.raises(AskedBefore, match="1 of 2 rows"):
        await tried(Repeats())
    assert (stage.statuses("week1"), stage.tasks) == ({"canceled": 2}, 3)
    created = await tried(Repeats(only_new=True))
    assert (created.left_out, stage.statuses("week1"), stage.tasks) == (1, {"canceled": 1, "pending": 1}, 4)
    assert asks_again(stage) == {}
    await tried(Repeats(again=("week2",)))
    assert (stage.statuses("week1"), stage.tasks) == ({"pending": 2}, 5)


@virtual
async def test_another_home_asked(stage: Stage) -> None:
    """The first page of the listing tells what another home or machine asked for,
    and what nobody knows who asked for.
    """
    theirs = Stage(stage.folder / "theirs")
    theirs.client, theirs.wire.world = stage.client, stage.world
    await sent(theirs, theirs.manifest("a", "b", name="week1.csv"))
    batch_id = theirs.home.find("week1").info.batch_id
    script = silent(callback_url=None)
    assert script.callback_url is None
    await stage.client.create_tagging_task(
        "https://images.example.com/c.jpg", "https://hooks.example.com/mine"
    )
    source = stage.manifest("a", "b", "c", "d", name="copy.csv")
    with pytest.raises(AskedBefore) as refused:
        await sent(stage, source)
    assert list(stage.home.batches()) == []
    told = refused.value.asked
    assert [(one["batch"], one["batch_id"], one["rows"]) for one in told["batches"]] == [
        (None, None, 1),
        (None, batch_id, 2),
    ]
    assert [way.partition(" none ")[2] for way in told["ways"]] == [
        "--only-new",
        f"--again api --again {batch_id}",
    ]
    stage.wire.plays = [None, None, None, answer(401)]
    await sent(stage, source, "api", batch_id)
    assert (await resumed(stage, "copy")).exit is Exit.DONE
    assert (stage.statuses("copy"), stage.tasks) == ({"pending": 4}, 7)
    third = Stage(stage.folder / "third")
    third.client = stage.client
    created = await sent(third, third.manifest("a", "c", "e", name="third.csv"), only_new=True)
    assert (created.left_out, third.statuses("third")) == (2, {"pending": 1})


@pytest.mark.parametrize(("since", "tasks"), [(None, 152), ("1d", 151)])
@virtual
async def test_the_account_is_looked_through_as_far_back_as_was_said(
    stage: Stage, since: str | None, tasks: int
) -> None:
    """With a time to look back to, a task on a later page of the listing is found, too, and nothing is sent;
    without one the first page is looked at.
    """
    for one in ("a", *range(150)):
        await stage.client.create_tagging_task(f"https://images.example.com/{one}.jpg", "https://a.test/hook")
    options = silent(repeats=Repeats(since=since))
    with pytest.raises(AskedBefore, match="1 row") if since else nullcontext():
        await submit(stage.home, stage.client, stage.manifest("a"), options, stage.context)
    assert stage.tasks == tasks


@virtual
async def test_what_is_left_out_was_looked_for_on_every_page(stage: Stage) -> None:
    """Where the first page shows that somebody outside of the home asked for the same, more may have been
    asked for than it shows: the refusal says so, and the way that leaves rows out pays for none of them.
    """
    theirs = Stage(stage.folder / "theirs")
    theirs.client, theirs.wire.world = stage.client, stage.world
    pictures = [f"p{number}" for number in range(150)]
    await sent(theirs, theirs.manifest(*pictures, name="theirs.csv"))
    paid, source = stage.tasks, stage.manifest(*pictures, "fresh", name="ours.csv")
    with pytest.raises(AskedBefore, match="only the newest 100 tasks of the account were looked at"):
        await sent(stage, source)
    assert list(stage.home.batches()) == []
    assert (await sent(stage, source, only_new=True)).left_out == 150
    assert (stage.statuses("ours"), stage.tasks) == ({"pending": 1}, paid + 1)


@virtual
async def test_who_asked_in_this_home_is_known_without_the_account(stage: Stage) -> None:
    """Rows that another batch of the home asked for are left out by what is on disk: one page is enough."""
    pictures = [f"p{number}" for number in range(150)]
    await sent(stage, stage.manifest(*pictures, name="week1.csv"))
    stage.wire.listed.clear()
    created = await sent(stage, stage.manifest(*pictures, "fresh", name="week2.csv"), only_new=True)
    assert created.left_out == 150
    assert not [note for note in stage.context.tally.notes if "looking through" in note]


@virtual
async def test_nobody_looks_through_an_account_for_no_row(stage: Stage) -> None:
    """Where every row has its task the first page of the account is enough, however far back was said."""
    await sent(stage, stage.manifest("a", name="week1.csv"))
    asked = list[int]()
    for since in (None, "1d"):
        stage.wire.listed.clear()
        options = silent(repeats=Repeats(since=since))
        await resume(stage.home, stage.client, "week1", options, stage.new_context())
        asked.append(len(stage.wire.listed))
    assert asked[0] == asked[1]


@virtual
async def test_canceled_tasks_and_bare_ones_do_not_count(stage: Stage) -> None:
    """What was canceled on another machine is asked for anew;
    a task that shows no inputs is no reason to refuse.
    """
    made = await stage.client.create_tagging_task(
        "https://images.example.com/a.jpg", "https://hooks.example.com/mine"
    )
    await stage.client.cancel(made.task_id)
    assert (await sent(stage, stage.manifest("a", name="week1.csv"))).exit is Exit.DONE


@virtual
async def test_a_rehearsal_looks_at_the_account_where_it_may(stage: Stage) -> None:
    """With a key a rehearsal finds what the account was asked for; without one it tells what is known."""
    await stage.client.create_tagging_task("https://images.example.com/a.jpg", "https://others.test/hook")
    source, context = stage.manifest("a", name="week1.csv"), stage.new_context()
    found = await rehearse(stage.home, ORIGIN, source, silent(), context, no_key="there is none")
    assert found.to_send == 1
    with pytest.raises(AskedBefore, match="at no address of mwbatch"):
        await rehearse(stage.home, ORIGIN, source, silent(), context, client=stage.client)


@virtual
async def test_tasks_that_cannot_be_compared_are_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rows would be sent people read how many tasks of the account show no inputs; where none would,
    nothing is said of them.
    """
    await stage.client.create_tagging_task("https://images.example.com/z.jpg", "https://others.test/hook")

    def bare(page: Any, _: int) -> Any:
        return page | {"docs": [{**doc, "params": {}} for doc in page["docs"]]}

    twist(stage, monkeypatch, bare)
    told = "1 of 1 task show no inputs and cannot be compared"
    await sent(stage, stage.manifest("a", name="week1.csv"))
    assert told in stage.context.tally.notes
    again = stage.new_context()
    await resume(stage.home, stage.client, "week1", silent(), again)
    assert not any("show no inputs" in note for note in again.tally.notes)


@virtual
async def test_a_retry_of_doubt_whose_task_shows_without_its_address(stage: Stage) -> None:
    """Where the listing shows no addresses, the task of a row in doubt is still seen by what it asks for."""
    stage.wire.plays = [None]
    stage.befall(Line(Fault.NO_ECHO, 1, 10), Line(Fault.CREATED_500, 2, 2))
    await sent(stage, stage.manifest("a", "b", name="week1.csv"))
    assert stage.statuses("week1")["doubt"] == 1
    with pytest.raises(AskedBefore, match="at no address of mwbatch: 1 row"):
        await retry(stage.home, stage.client, "week1", Choice(Status.DOUBT), silent(), stage.new_context())


@virtual
async def test_two_old_batches_that_have_not_sent(stage: Stage) -> None:
    """Where two batches hold a row that neither has sent, as an older mwbatch left them,
    the first word decides.
    """
    first, second = await stage.opened(2), await _twin(stage)
    with pytest.raises(AskedBefore):
        await resumed(stage, "logos")
    with pytest.raises(AskedBefore):
        await resumed(stage, "twin")
    created = await resumed(stage, "twin", only_new=True)
    assert (created.left_out, stage.statuses("twin"), stage.tasks) == (2, {"canceled": 2}, 0)
    assert any(isinstance(fact, Withdrawn) for fact in stage.on_disk("twin"))
    assert (await resumed(stage, "logos")).exit is Exit.DONE
    assert (stage.statuses("logos"), stage.tasks) == ({"pending": 2}, 2)
    assert first.info.batch_id != second


async def _twin(stage: Stage) -> str:
    """A batch with the rows of ``logos``."""
    return await copied(stage, "logos", None)


async def copied(stage: Stage, name: str, id_column: str | None) -> str:
    """A batch ``twin`` with the rows of another one, as an older mwbatch would make it; its id."""
    ref = stage.home.create(BatchInfo("twin", "twin567890", ORIGIN, "/t.csv", id_column, ()))
    async with looking(stage.home, ref, "submit") as batch:
        await batch.record([fact for fact in stage.on_disk(name) if isinstance(fact, Planned)])
    return ref.info.batch_id


@virtual
async def test_consent_is_kept(stage: Stage) -> None:
    """What the user wanted paid again is sent by a later resume without asking; for rows of today,
    not for new ones.
    """
    await sent(stage, stage.manifest("a", "b", "c", name="week1.csv"))
    stage.wire.plays = [None, answer(401)]
    source = stage.manifest("a", "b", name="again.csv")
    assert (await sent(stage, source, "week1")).exit is Exit.API
    assert (await resumed(stage, "again")).exit is Exit.DONE
    assert stage.statuses("again") == {"pending": 2}
    with pytest.raises(AskedBefore, match="1 of 1 row "):
        await sent(stage, stage.manifest("a", "b", "c", name="again.csv"))


@virtual
async def test_a_second_submit_never_fails(stage: Stage) -> None:
    """What was accepted and sent is never compared again:
    a batch that was copied by an older mwbatch goes on.
    """
    source = stage.manifest("a", "b", name="week1.csv")
    await sent(stage, source)
    await copied(stage, "week1", "id")
    assert (await sent(stage, source)).exit is Exit.DONE
    await sent(stage, stage.manifest("a", "b", "c", name="week1.csv"))
    assert stage.statuses("week1") == {"pending": 3}


@virtual
async def test_honest_work_goes_on(stage: Stage) -> None:
    """Another API, another question about the same picture, a grown file: none of them asked before."""
    source = stage.manifest("a", name="week1.csv")
    there = Stage(stage.folder / "there")
    await submit(
        stage.home, there.client_at(ELSEWHERE), replace(source, batch="rehearsal"), silent(), stage.context
    )
    await sent(stage, replace(source, batch="live"))
    question = stage.manifest("a", name="question.csv")
    box = '"[{""left"":1,""top"":1,""width"":2,""height"":2}]"'
    url = "https://images.example.com/a.jpg"
    stage.write(question, "image_url,instruction,annotation_option,tags", f"{url},Clear?,yes|no,{box}")
    await sent(stage, question)
    stage.write(question, "image_url,instruction,annotation_option,tags", f"{url},Sharp?,yes|no,{box}")
    await sent(stage, replace(question, batch="sharp"))
    await sent(stage, replace(stage.manifest("a", "b", name="week1.csv"), batch="live"))
    assert (stage.tasks, there.tasks) == (4, 1)


@virtual
async def test_a_fresh_signature_is_the_same_request(stage: Stage) -> None:
    """A copy whose URLs are signed anew is still a copy; so is one whose batch calls more names volatile."""
    source = stage.manifest("a", name="week1.csv")
    url = "https://images.example.com/a.jpg?X-Amz-Signature={}&X-Amz-Credential=c&v={}"
    stage.write(source, "id,image_url", f"a,{url.format(1, 1)}")
    await sent(stage, source)
    copy = stage.manifest("a", name="copy.csv")
    stage.write(copy, "id,image_url", f"a,{url.format(2, 1)}")
    with pytest.raises(AskedBefore):
        await sent(stage, copy)
    stage.write(copy, "id,image_url", f"a,{url.format(3, 2)}")
    with pytest.raises(AskedBefore):
        await sent(stage, replace(copy, volatile=("v",)))
    created = await sent(stage, replace(copy, batch="other"))
    assert (created.exit, stage.tasks) == (Exit.DONE, 2)
    await sent(stage, replace(stage.manifest("z", name="named.csv"), volatile=("v",)))
    there = stage.manifest("z", name="unnamed.csv")
    stage.write(there, "id,image_url", "z,https://images.example.com/z.jpg?v=7")
    with pytest.raises(AskedBefore, match="batch named "):
        await sent(stage, there)


@pytest.mark.files
@virtual
async def test_a_batch_that_cannot_be_read(stage: Stage) -> None:
    """One folder that cannot be read stops what may have been asked for there,
    until the user says to go on without it.
    """
    await sent(stage, stage.manifest("a", name="week1.csv"))
    folder = Path(stage.home.find("week1").where)
    (segment,) = (folder / "rows").iterdir()
    segment.write_bytes(segment.read_bytes().replace(b'{"v":1', b'{"v":2'))
    (folder / asked.NAME).unlink(missing_ok=True)
    newer = segment.read_bytes()
    segment.write_bytes(_sealed(newer))
    source = stage.manifest("b", name="week2.csv")
    with pytest.raises(StoreError, match=r"--again week1$") as refused:
        await sent(stage, source)
    assert "format version 2" in str(refused.value)
    assert (stage.tasks, [ref.info.name for ref in usable(stage.home.batches())]) == (1, ["week1"])
    await sent(stage, source, "week1")
    assert stage.tasks == 2


@virtual
async def test_a_batch_that_another_user_keeps_to_himself(stage: Stage) -> None:
    """Of a batch that may not be read its owner is named, and no copy, which nobody needs."""
    await sent(stage, stage.manifest("a", name="week1.csv"))
    (ref,) = usable(stage.home.batches())
    error = StoreError("cannot read it")
    for cause, advised in ((PermissionError(), "yours to read"), (FileNotFoundError(), "back from a copy")):
        error.__cause__ = cause
        said = str(unreadable(ref, error, stage.context))
        assert [way for way in ("yours to read", "back from a copy") if way in said] == [advised]
        assert said.endswith("--again week1")


def _gone(segment: Path) -> None:
    segment.unlink()


def _elsewhere(segment: Path) -> None:
    segment.rename(segment.parent.parent / "journal" / segment.name)


def _cut(segment: Path) -> None:
    os.truncate(segment, segment.read_bytes().index(b"\n") + 1)


def _rotten(segment: Path) -> None:
    segment.write_bytes(segment.read_bytes().replace(b"/b.jpg", b"/x.jpg"))


@pytest.mark.files
@pytest.mark.parametrize("harm", [_gone, _elsewhere, _cut, _rotten])
@virtual
async def test_lost_rows_of_another_batch_are_not_paid_again(
    stage: Stage, harm: Callable[[Path], None]
) -> None:
    """A batch of which rows are lost may have asked for anything: nothing is sent, however often,
    until the user says so.
    """
    await sent(stage, stage.manifest("a", "b", "c", name="week1.csv"))
    folder = Path(stage.home.find("week1").where)
    (segment,) = (folder / "rows").iterdir()
    (folder / asked.NAME).unlink(missing_ok=True)
    harm(segment)
    source = stage.manifest("b", name="week2.csv")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"lost rows.*nothing was sent.*--again week1$"):
            await sent(stage, source)
    assert stage.tasks == 3
    await sent(stage, source, "week1")
    assert stage.tasks == 4


def _sealed(lines: bytes) -> bytes:
    heads = [line[: -len(b',"crc":"89abcdef"}')] for line in lines.splitlines()]
    return b"".join(b'%b,"crc":"%08x"}\n' % (head, crc32(head)) for head in heads)


@pytest.mark.files
@virtual
async def test_facts_without_batch_info(stage: Stage) -> None:
    """A folder whose batch info is gone may have asked for anything: it is no empty one."""
    await sent(stage, stage.manifest("a", name="week1.csv"))
    (stage.path / "week1" / "batch.json").unlink()
    with pytest.raises(StoreError, match=r"batch\.json is gone.*--again week1$"):
        await sent(stage, stage.manifest("a", name="week2.csv"))
    await sent(stage, stage.manifest("b", name="week2.csv"), "week1")
    assert (await resumed(stage, "week2")).exit is Exit.DONE
    assert stage.tasks == 2


@virtual
async def test_a_wrong_name_is_no_consent(stage: Stage) -> None:
    """--again with a name that is not there is an error, not a consent to nothing."""
    await sent(stage, stage.manifest("a", name="week1.csv"))
    with pytest.raises(UsageError, match="--again weak1: no batch of this name"):
        await sent(stage, stage.manifest("a", name="copy.csv"), "weak1")
    assert stage.tasks == 1


@virtual
async def test_a_rehearsal_says_the_same_and_writes_nothing(stage: Stage) -> None:
    """A dry run is refused as the run would be, and counts what would be left out; no file changes."""
    await sent(stage, stage.manifest("a", name="week1.csv"))
    copy = stage.manifest("a", "b", name="copy.csv")
    stage.wire.plays = [answer(401)]
    unsent = stage.manifest("u", name="unsent.csv")
    await sent(stage, unsent)
    for kept in stage.path.rglob(asked.NAME):
        kept.unlink()
    before = {path: path.read_bytes() for path in stage.path.rglob("*") if path.is_file()}
    whole = await rehearse(stage.home, ORIGIN, unsent, silent(), stage.new_context())
    assert (whole.to_send, "left out" in rehearsed(whole).words) == (1, False)
    with pytest.raises(AskedBefore, match="1 of 2 rows"):
        await rehearse(stage.home, ORIGIN, copy, silent(), stage.new_context())
    found = await rehearse(
        stage.home, ORIGIN, copy, silent(repeats=Repeats(only_new=True)), stage.new_context()
    )
    assert (found.to_send, found.left_out) == (1, 1)
    assert "1 row would be left out, asked for before" in rehearsed(found).words
    assert {path: path.read_bytes() for path in stage.path.rglob("*") if path.is_file()} == before


@virtual
async def test_two_at_once_under_two_names(stage: Stage) -> None:
    """Of two copies that are submitted at once one plans first, and the other one sees it."""
    one, other = stage.manifest("a", "b", name="one.csv"), stage.manifest("a", "b", name="two.csv")
    came = await asyncio.gather(sent(stage, one), sent(stage, other), return_exceptions=True)
    assert sorted(type(each).__name__ for each in came) == ["AskedBefore", "Created"]
    assert (stage.tasks, asks_again(stage)) == (2, {})


@contextmanager
def held(stage: Stage) -> Iterator[None]:
    """Somebody else plans rows in the home."""
    lock = stage.home.planning()
    assert lock.take()
    assert lock.take()
    yield
    lock.release()


@virtual
async def test_whoever_waits_can_be_stopped(stage: Stage) -> None:
    """Waiting for another one that plans ends when the user asks, and nothing was sent."""
    with held(stage):
        waiting = asyncio.create_task(sent(stage, stage.manifest("a")))
        await asyncio.sleep(5)
        assert "waiting: another mwbatch is planning rows in this home" in stage.context.tally.notes
        stage.context.stopping.set()
        with pytest.raises(BatchBusy, match="run the same command again"):
            await waiting
    assert stage.tasks == 0


@virtual
async def test_the_lock_is_not_held_while_rows_are_sent(stage: Stage) -> None:
    """Once the rows are durable others may plan, long before the last is sent."""
    free: list[bool] = []

    def look(_: object) -> None:
        lock = HomeLock(stage.path)
        free.append(lock.take())
        lock.release()

    stage.wire.on_create = look
    await sent(stage, stage.manifest("a", "b"))
    assert free == [True, True]


def test_a_lock_is_held_although_its_file_was_removed(stage: Stage) -> None:
    """Whoever removes the file of the lock, as ``rsync --delete`` does,
    lets nobody plan beside the one who holds it.
    """
    one, other = HomeLock(stage.path), HomeLock(stage.path)
    assert one.take()
    assert not other.take()
    one.release()
    assert other.take()
    (stage.path / LOCK).unlink()
    assert not one.take()
    other.release()
    assert one.take()


def test_where_folders_cannot_be_locked_the_file_serves(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On NFS a folder has no lock: that of the file is held, and known to hold."""
    one, other, real = HomeLock(stage.path), HomeLock(stage.path), fcntl.flock

    def files_only(file: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(file, how)

    monkeypatch.setattr("mwbatch.journal.home.home_lock.fcntl.flock", files_only)
    assert one.take()
    assert not one.blind
    assert not other.take()
    one.release()


def test_a_lock_that_is_removed_while_it_is_taken(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening the file and locking it somebody may remove it:
    what is held then nobody else would find.
    """
    lock, real = HomeLock(stage.path), fcntl.flock

    def removing(file: int, how: int) -> None:
        (stage.path / LOCK).unlink(missing_ok=True)
        real(file, how)

    with monkeypatch.context() as patched:
        patched.setattr("mwbatch.journal.home.home_lock.fcntl.flock", removing)
        assert not lock.take()
    assert lock.take()
    lock.release()


@pytest.mark.files
@virtual
async def test_a_home_that_locks_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file system locks no files that is said once, and the work goes on."""

    def refuses(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("mwbatch.journal.home.home_lock.fcntl.flock", refuses)
    turn = PlanningTurn(stage.home, stage.context)
    await turn.take()
    assert [note for note in stage.context.tally.notes if "run one mwbatch at a time" in note]
    turn.release()


@pytest.mark.files
async def test_a_turn_of_who_is_cancelled(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The turn is taken in a thread; who is cancelled meanwhile keeps nobody waiting once it is left."""
    begun, go_on, take = threading.Event(), threading.Event(), HomeLock.take

    def slow(lock: HomeLock) -> bool:
        taken = take(lock)
        begun.set()
        assert go_on.wait(60)
        return taken

    async def plan() -> None:
        async with turn_in(stage.home, stage.context):
            raise AssertionError("it was cancelled before")

    monkeypatch.setattr(HomeLock, "take", slow)
    planning = asyncio.create_task(plan())
    assert await asyncio.to_thread(begun.wait, 60)
    planning.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await planning
    lock = HomeLock(Path(stage.home.where))
    assert take(lock)
    lock.release()


@virtual
async def test_rows_under_new_ids_are_rows_in_common(stage: Stage) -> None:
    """Whoever numbers all rows anew is told to leave them out, and that leads on: nothing is sent,
    nothing is refused.
    """
    source = stage.manifest("a", "b")
    await sent(stage, source)
    lines = [f"{n},https://images.example.com/{one}.jpg" for n, one in enumerate(("a", "b", "c"))]
    stage.write(source, "id,image_url", *lines)
    with pytest.raises(ManifestError, match="leave these rows out: --only-new"):
        await sent(stage, source)
    created = await sent(stage, source, only_new=True)
    assert (created.exit, created.left_out, stage.tasks) == (Exit.DONE, 2, 3)
    stage.write(source, "id,image_url", *lines[:2])
    assert (await sent(stage, source, only_new=True)).left_out == 2
