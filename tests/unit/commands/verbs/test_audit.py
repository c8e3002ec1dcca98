"""Asking what was asked: several tasks for one request, wherever they are."""

import asyncio
import shutil
from typing import Any

import pytest

from mwbatch.client import Client
from mwbatch.client.transport.wire import WireResponse
from mwbatch.commands.verbs.audit import audit
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.api.address import write
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.core.spending.overlaps import Repeats
from mwbatch.errors import Exit, UsageError
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.simulator.world.faults import Fault, Line
from mwbatch.views.audit import audited as shown
from mwbatch.views.plain import Result
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ELSEWHERE, ORIGIN, ScriptedWire, Stage, answer, silent


async def sent(stage: Stage, name: str, *ids: str, again: tuple[str, ...] = ()) -> None:
    """Submit a manifest, knowingly again where the user said so."""
    options = silent(repeats=Repeats(again=again))
    await submit(
        stage.home, stage.client, stage.manifest(*ids, name=f"{name}.csv"), options, stage.new_context()
    )


async def audited(
    stage: Stage, price: float | None = None, *, api: bool = False, since: str = "30d"
) -> Result:
    """What the audit of the home comes to."""
    client = stage.client if api else None
    return shown(tuple(await audit(stage.home, stage.context, client, since)), price)


def told(found: Result) -> list[tuple[int, list[str], int]]:
    """Of each request how many tasks it has, the batches of its rows, and how many are not in this home."""
    json: Any = found.value
    return [
        (one["tasks"], [row["batch"] for row in one["rows"]], len(one["account"])) for one in json["requests"]
    ]


def counts(found: Result) -> tuple[int, int, float | None]:
    """How many requests have more than one task, how many tasks are beyond one each, what these cost."""
    json: Any = found.value
    return json["asked_again"], json["tasks_beyond"], json["cost"]


@virtual
async def test_nothing_twice(stage: Stage) -> None:
    """An empty home, and one in which each request has one task, are done with exit code 0."""
    assert (await audited(stage)).words == "nothing was asked for more than once, in 0 batches"
    await sent(stage, "week1", "a", "b")
    await sent(stage, "week2", "c")
    found = await audited(stage, 0.5)
    assert (found.exit, found.words) == (Exit.DONE, "nothing was asked for more than once, in 2 batches")
    assert counts(found) == (0, 0, 0)


@virtual
async def test_what_was_paid_again_and_where(stage: Stage) -> None:
    """A request with tasks in two batches is told with its rows and tasks,
    and with what was paid beyond one.
    """
    await sent(stage, "week1", "a", "b")
    await sent(stage, "week2", "a", again=("week1",))
    await sent(stage, "week3", "a", "c", again=("week1", "week2"))
    found = await audited(stage, 0.08)
    assert (found.exit, counts(found)) == (Exit.ROWS, (1, 2, 0.16))
    assert told(found) == [(3, ["week1", "week2", "week3"], 0)]
    said = found.words
    assert said.startswith("tagging https://images.example.com/a.jpg: 3 tasks\n  batch week1 (")
    assert "line 2 ('a'): " in said
    assert said.endswith("1 request was asked for more than once: 2 tasks beyond one each, 0.16 at 0.08 each")


@virtual
async def test_what_was_not_paid_does_not_count(stage: Stage) -> None:
    """Rows elsewhere that were rejected have no task, and canceled tasks cost nothing."""
    stage.wire.plays = [answer(400)]
    await sent(stage, "week1", "a")
    await sent(stage, "week2", "a")
    assert (await audited(stage)).exit is Exit.DONE


@virtual
async def test_two_tasks_of_one_row(stage: Stage) -> None:
    """A double of one row is a request that was paid twice, too."""
    batch = await stage.opened(2)
    shown = [
        Seen(0.0, RowNumber(1), Attempt(1), f"t{n}", "pending", Via.LIST, f"2026-01-0{n}T00:00:00.000Z")
        for n in (1, 2)
    ]
    await batch.record(shown)
    found = await audited(stage)
    assert (told(found), counts(found)) == ([(2, ["logos"], 0)], (1, 1, None))


@virtual
async def test_the_account(stage: Stage) -> None:
    """With the account's listing, tasks that no batch of the home knows
    are told beside the rows that ask for the same.
    """
    await sent(stage, "week1", *(f"p{n}" for n in range(150)))
    for one in ("p3", "p3", "p149", "other"):
        await stage.client.create_tagging_task(
            f"https://images.example.com/{one}.jpg", "https://hooks.example.com/x"
        )
    assert (await audited(stage)).exit is Exit.DONE
    found = await audited(stage, api=True)
    assert sorted(told(found)) == [(2, ["week1"], 1), (3, ["week1"], 2)]
    assert (counts(found)[1], found.exit) == (3, Exit.ROWS)
    assert "at no address of mwbatch: " in found.words
    assert [
        note
        for note in stage.context.tally.notes
        if "154 tasks of the account since" in note and "2 pages" in note
    ]


@virtual
async def test_tasks_of_a_batch_elsewhere_are_told_with_it(stage: Stage) -> None:
    """A task at an address of mwbatch that is no batch's of this home is told with the batch's id."""
    await sent(stage, "week1", "a")
    there = write("https://a.test", keys_of(stage.home).newest, "b999999999", RowNumber(0), Attempt(1))
    await stage.client.create_tagging_task("https://images.example.com/a.jpg", there)
    found = await audited(stage, api=True)
    assert told(found) == [(2, ["week1"], 1)]
    assert "  batch b999999999, not in this home: " in found.words
    assert "at no address of mwbatch" not in found.words


@virtual
async def test_the_account_of_another_api(stage: Stage) -> None:
    """The account is compared with the batches at its own origin alone."""
    await sent(stage, "week1", "a")
    await stage.client.create_tagging_task("https://images.example.com/a.jpg", "https://hooks.example.com/x")
    stage.client = stage.client_at(ELSEWHERE)
    assert (await audited(stage, api=True)).exit is Exit.DONE


@virtual
async def test_an_account_without_a_batch_is_looked_at(stage: Stage) -> None:
    """Where no batch of the home is at the API that was asked, its account is counted all the same."""
    await stage.client.create_tagging_task("https://images.example.com/a.jpg", "https://hooks.example.com/x")
    json: Any = (await audited(stage, api=True)).value
    assert (json["listed"], json["asked_again"]) == (1, 0)


@virtual
async def test_people_see_how_far_it_is(stage: Stage) -> None:
    """Each batch is read twice, and in the end all was read."""
    await sent(stage, "week1", "a")
    await sent(stage, "week2", "b")
    await audited(stage)
    assert stage.context.tally.done == stage.context.tally.total == 4


@virtual
async def test_our_own_tasks_without_their_address(stage: Stage) -> None:
    """Where the API shows no addresses, the batch's own tasks are not taken for those of others."""
    stage.befall(Line(Fault.NO_ECHO, 1, 100))
    await sent(stage, "week1", "a", "b")
    assert (await audited(stage, api=True)).exit is Exit.DONE


@virtual
async def test_a_listing_that_never_ends(stage: Stage) -> None:
    """A page that brings nothing new ends the walk, which is said,
    and the exit code says that it is not finished.
    """
    await sent(stage, "week1", *(f"p{n}" for n in range(120)))
    stage.befall(Line(Fault.LIST_OFFSET_IGNORED, 1, 1000))
    found = await audited(stage, api=True)
    assert (found.exit, "the listing repeats itself" in found.words) == (Exit.UNFINISHED, True)


@virtual
async def test_a_listing_that_goes_on_inventing_tasks(stage: Stage) -> None:
    """Where every page brings new tasks, for ever, the walk is given up at its deadline,
    and says how far it came.
    """
    await sent(stage, "week1", "a")

    class Endless(ScriptedWire):
        async def _list(self, params: dict[str, str], *, fresh: bool) -> WireResponse:  # noqa: ARG002 (the wire's)
            await asyncio.sleep(600.0)
            docs = [{"task_id": f"t{params['offset']}-{n}", "type": "tagging"} for n in range(100)]
            return answer(200, {"docs": docs, "has_more": True})

    stage.client = Client("sim_key", ORIGIN, wire=Endless(stage.world))
    found = await audited(stage, api=True)
    assert found.exit is Exit.UNFINISHED
    assert "stopped after" in found.words, found.words


@virtual
async def test_it_ends_when_asked(stage: Stage) -> None:
    """Whoever asks to stop hears of how many tasks were looked at."""
    await sent(stage, "week1", *(f"p{n}" for n in range(120)))
    stage.context.stopping.set()
    found = await audited(stage, api=True)
    assert (found.exit, "stopped after 100 tasks" in found.words) == (Exit.UNFINISHED, True)


@virtual
async def test_since_when(stage: Stage) -> None:
    """What was created before is not looked at; a word that means no time is refused."""
    await sent(stage, "week1", "a")
    json: Any = (await audited(stage, api=True, since="2099-01-01")).value
    assert json["listed"] == 0
    with pytest.raises(UsageError, match="--since 'monday'"):
        await audited(stage, api=True, since="monday")


@pytest.mark.files
@virtual
async def test_a_batch_that_cannot_be_read(stage: Stage) -> None:
    """One bad folder is named, and the others are looked at all the same;
    the exit code is that of this machine.
    """
    await sent(stage, "week1", "a")
    await sent(stage, "week2", "a", again=("week1",))
    await sent(stage, "week3", "c")
    (stage.path / "week3" / "batch.json").write_text("{")
    found = await audited(stage)
    assert (found.exit, counts(found)[0]) == (Exit.MACHINE, 1)
    assert "not looked into: cannot read" in found.words


@pytest.mark.files
@virtual
async def test_a_copy_of_a_batch_is_named(stage: Stage) -> None:
    """Two folders that are one batch are named, and neither is counted."""
    await sent(stage, "week1", "a")
    shutil.copytree(stage.path / "week1", stage.path / "copy")
    found = await audited(stage)
    assert (found.exit, counts(found)[0]) == (Exit.MACHINE, 0)
    assert "copy is the same batch as " in found.words


@pytest.mark.files
@pytest.mark.parametrize("place", ["rows", "journal", "results"])
@virtual
async def test_a_batch_that_cannot_be_read_any_more(stage: Stage, place: str) -> None:
    """A folder that goes bad in whatever is read of it, and first or last, is named once,
    and the others are counted.
    """
    await sent(stage, "week0", "a", "z")
    await sent(stage, "week1", "a", again=("week0",))
    await sent(stage, "week2", "a", again=("week0", "week1"))
    (stage.path / "week0" / place / "20260101T000000Z-x-00000000.jsonl").mkdir(parents=True)
    found = await audited(stage)
    assert (found.exit, [request[0] for request in told(found)]) == (Exit.MACHINE, [2])
    json: Any = found.value
    [reason] = json["unreadable"]
    assert f"week0/{place}/" in reason


@virtual
async def test_many_are_counted_and_some_are_shown(stage: Stage) -> None:
    """People are shown twenty requests and told how many more there are; scripts get all."""
    ids = [f"p{n}" for n in range(30)]
    await sent(stage, "week1", *ids)
    await sent(stage, "week2", *ids, again=("week1",))
    found = await audited(stage)
    json: Any = found.value
    assert (len(json["requests"]), json["asked_again"], json["tasks_beyond"]) == (30, 30, 30)
    assert "and 10 more requests (--json lists them)" in found.words
