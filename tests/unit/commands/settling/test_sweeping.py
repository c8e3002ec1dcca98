"""Sweeps over the wire: what they record, what they judge, what they ask for."""

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from mwbatch.commands.settling.sights import learned
from mwbatch.commands.settling.sweeping import Swept, _Walks, sweep
from mwbatch.commands.verbs.reconcile import reconcile
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.api.task import Task
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Seen
from mwbatch.core.state.batch import Batch
from mwbatch.core.sweeps.span import Span
from mwbatch.core.sweeps.sweep import AttemptKey, Sight
from mwbatch.errors import Exit
from mwbatch.journal.interface.open_batch import OpenBatch, look
from mwbatch.simulator.world.faults import Fault, Line, Size
from tests.support.facts import answer as answered
from tests.support.facts import plan, show
from tests.support.virtual import virtual
from tests.unit.commands.conftest import EPOCH, Stage, answer, silent
from tests.unit.commands.settling.test_settling import born, twist


class Bare(list[Any]):
    """An empty page of the bare dialect, which the stage's wire would take for no document."""

    def __bool__(self) -> bool:
        return True


async def swept(
    stage: Stage, batch: OpenBatch, start: float | None = None, must: tuple[str, ...] = ()
) -> Swept:
    """Sweep what was begun so many seconds after the epoch."""
    begun = (
        None if start is None else format_datetime(datetime.fromtimestamp(EPOCH + start, UTC), usegmt=True)
    )
    try:
        return await sweep(stage.session(batch), Span((begun,)), must)
    finally:
        await batch.journal.close()


@virtual
async def test_a_sweep_records_what_is_ours(stage: Stage) -> None:
    """Every task of ours becomes seen, once; those of others are counted only."""
    batch = await stage.opened(3)
    for row in range(3):
        born(stage, row)
    stage.world.create_stranger(EPOCH)
    await asyncio.sleep(1)
    first, second = await swept(stage, batch), await swept(stage, batch)
    assert (first.tasks, first.ours, first.new, first.flaws) == (4, 3, 3, ())
    assert (second.new, second.end, stage.statuses()) == (0, "2023-11-14T22:13:21.000Z", {"pending": 3})
    assert sum(isinstance(fact, Seen) for fact in stage.on_disk()) == 3
    assert stage.context.tally.listed == 4


@virtual
async def test_answers_come_with_a_sweep(stage: Stage) -> None:
    """A listed task that is completed is recorded with its answer, and completes its row."""
    batch = await stage.opened(1)
    born(stage, 0)
    stage.world.complete_all(EPOCH)
    await asyncio.sleep(1)
    assert ((await swept(stage, batch)).new, (await swept(stage, batch)).new) == (1, 0)
    assert stage.statuses() == {"completed": 1}


@pytest.mark.parametrize(
    "faults", [(), (Fault.LIST_LIMIT_CLAMPED,), (Fault.LIST_BARE, Fault.LIST_LIMIT_CLAMPED)]
)
@virtual
async def test_pages_ties_and_strangers(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, faults: tuple[Fault, ...]
) -> None:
    """Many tasks of one instant, small pages and tasks that others create between two pages hide nothing."""
    batch = await stage.opened(60)
    for row in range(60):
        born(stage, row)
    await asyncio.sleep(1)
    every = (*faults, Fault.LIST_STRANGERS)
    stage.befall(*(Line(fault, 1, 999) for fault in every), size=Size(list_limit=7, strangers_per_listing=9))
    if Fault.LIST_BARE in faults:
        twist(stage, monkeypatch, lambda page, _: Bare(page))
    result = await swept(stage, batch)
    assert (result.ours, result.new, result.flaws, stage.statuses()) == (60, 60, (), {"pending": 60})


@pytest.mark.parametrize(
    ("fault", "size", "flaw"),
    [
        (
            Fault.LIST_TOTAL_CAPPED,
            Size(list_total=10),
            "the listing shows 30 tasks and says that there are 10",
        ),
        (Fault.LIST_LAG, Size(list_lag_s=60), "the listing lacks 30 known tasks"),
    ],
)
@virtual
async def test_a_listing_that_is_not_the_truth(stage: Stage, fault: Fault, size: Size, flaw: str) -> None:
    """A capped total and a listing that lags behind what we know are flaws."""
    batch = await stage.opened(30)
    for row in range(30):
        born(stage, row)
    await asyncio.sleep(1)
    await swept(stage, batch)
    stage.befall(Line(fault, 1, 999), size=size)
    assert [text.startswith(flaw) for text in (await swept(stage, batch)).flaws] == [True]


@virtual
async def test_without_a_total_two_walks_must_agree(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare listing is walked twice: where the walks differ nothing is proved,
    and what either shows is recorded.
    """
    batch = await stage.opened(2)
    born(stage, 0)
    born(stage, 1)
    await asyncio.sleep(1)
    stage.befall(Line(Fault.LIST_BARE, 1, 999))
    twist(stage, monkeypatch, lambda page, number: Bare([] if number == 1 else page))
    first, second = await swept(stage, batch), await swept(stage, batch)
    assert (first.flaws, first.new) == (("two walks through the listing differ",), 2)
    assert (second.flaws, second.new) == ((), 0)


@virtual
async def test_the_interval_is_asked_for(stage: Stage) -> None:
    """One small page tells the server's clock; the walk goes from before what was begun to beyond it,
    without filters.
    """
    await swept(stage, await stage.opened(1), start=0.0)
    probe, *walk = stage.wire.listed
    assert probe == {"limit": "1", "offset": "0"}
    assert walk == [
        {
            "start_time": "2023-11-14T22:03:20.000Z",
            "end_time": "2023-11-16T00:13:20.000Z",
            "limit": "100",
            "offset": "0",
        }
    ]


@virtual
async def test_where_dates_say_nothing_all_is_walked_twice(stage: Stage) -> None:
    """Differences wider than all time zones: by offset at once, without dates,
    and no two walks ask for the same page.
    """
    batch = await stage.opened(3)
    for row in range(3):
        born(stage, row)
    batch.drift.created([("2023-11-16T00:00:00.000Z", "Tue, 14 Nov 2023 22:13:20 GMT")])
    batch.drift.created([("2023-11-14T00:00:00.000Z", "Tue, 14 Nov 2023 22:13:20 GMT")])
    result = await swept(stage, batch, start=0.0)
    _, first, second = stage.wire.listed
    assert (result.ours, result.flaws) == (3, ())
    assert first.keys() == second.keys() == {"limit", "offset"}
    assert first["limit"] != second["limit"]
    assert [note.partition(":")[2] for note in stage.context.tally.notes] == [" 3 tasks on 1 page, about 0 s"]


@virtual
async def test_an_api_that_goes_by_other_dates_than_it_shows(stage: Stage) -> None:
    """Where paging by dates leads nowhere the same sweep goes on by offset, and need not be repeated."""
    local = Line(Fault.CREATED_AT_LOCAL, 1, 999), Line(Fault.LIST_LIMIT_CLAMPED, 1, 999)
    stage.befall(*local, size=Size(list_limit=7))
    await submit(
        stage.home, stage.client, stage.manifest(*range(20), name="other.csv"), silent(), stage.context
    )
    batch = await look(stage.home, stage.home.find("other"), "view")
    result = await swept(stage, batch, start=0.0)
    assert (result.flaws, result.covers, result.known) == ((), 20, 20)
    assert sum("dates of tasks say nothing here" in note for note in stage.context.tally.notes) == 1


@virtual
async def test_an_api_that_takes_no_dates(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the filters are refused, doubt is settled and everything proved by listings without them."""
    honest = stage.wire.send

    async def send(method: str, path: str, *, params: Any = (), **rest: Any) -> Any:
        if {"start_time", "end_time"} & dict(params).keys():
            return answer(400, {"error": "no such filter"})
        return await honest(method, path, params=params, **rest)

    monkeypatch.setattr(stage.wire, "send", send)
    stage.befall(
        Line(Fault.CREATED_500, 3, 4),
        Line(Fault.NOT_CREATED_500, 5, 6),
        Line(Fault.LIST_LIMIT_CLAMPED, 1, 999),
        size=Size(list_limit=7),
    )
    created = await submit(stage.home, stage.client, stage.manifest(*range(20)), silent(), stage.context)
    assert (created.exit, stage.tasks) == (Exit.DONE, 20)
    again = await submit(stage.home, stage.client, stage.manifest(*range(22)), silent(), stage.new_context())
    assert (again.exit, stage.tasks) == (Exit.DONE, 22)
    proof = (await reconcile(stage.home, stage.client, "logos", stage.new_context())).proof
    assert proof is not None
    assert (proof.paid_twice, proof.covers, proof.known) == (0, 22, 22)


@pytest.mark.parametrize(
    ("known", "status", "response", "new"),
    [
        ([], "pending", None, True),
        ([show(1)], "pending", None, False),
        ([show(1)], "canceled", None, True),
        ([show(1)], "completed", [], True),
        ([show(1, "completed")], "completed", [], True),
        ([show(1), answered(1)], "completed", [], False),
        ([show(1), answered(1)], "pending", None, False),
        ([answered(1)], "pending", None, True),
        ([answered(1)], "completed", [], True),
    ],
)
def test_what_is_worth_a_fact(known: list[Any], status: str, response: Any, new: bool) -> None:
    """A new task, another status or an answer is a fact; what is known already is none."""
    task = Task("task-1", "tagging", status, response=response)
    facts = learned(
        Batch([plan(0), *known]), Sight(task, {}, AttemptKey(RowNumber(0), Attempt(1)), genuine=True), 1.0
    )
    assert bool(facts) is new
    assert learned(Batch(), Sight(task, {}, AttemptKey(RowNumber(0), Attempt(1)), genuine=False), 1.0) == []


@virtual
async def test_a_long_walk_is_told_of_once(stage: Stage) -> None:
    """However often everything is walked through, and however it grows, people read of it once."""
    batch = await stage.opened()
    walks = _Walks(stage.session(batch), Span(()), frozenset(), None, lambda _: None)
    for total in (150, 250):
        walks._tell(total, 100, 1.0)
    assert [note.rpartition(": ")[2] for note in stage.context.tally.notes] == [
        "150 tasks on 2 pages, about 4 s"
    ]
    await batch.journal.close()
