"""The echo: whether the listing shows our addresses, found out within a minute, for each type of task."""

import asyncio

import pytest

from mwbatch.commands.sending.creating import create
from mwbatch.commands.settling import echo
from mwbatch.commands.settling.echo import PATIENCE, prove_echo
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.kinds import Planned, Request, Started
from mwbatch.core.report.command_outcomes import Created
from mwbatch.errors import ApiError
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.simulator.world.faults import Fault, Line, Size
from mwbatch.simulator.world.forms import Draft
from mwbatch.simulator.world.world import Mishap
from tests.support.virtual import virtual
from tests.unit.commands.conftest import EPOCH, Stage, clock, silent
from tests.unit.commands.settling.test_settling import PICTURE, born, seen

NO_ECHO = Mishap(marks=frozenset({Fault.NO_ECHO}))


async def created(stage: Stage) -> OpenBatch:
    """A batch whose first row has a task."""
    batch = await stage.opened(1)
    await batch.record([seen(born(stage, 0), 0)])
    return batch


@pytest.mark.parametrize("lag", [0.0, 30.0])
@virtual
async def test_an_echo_is_proved(stage: Stage, lag: float) -> None:
    """A listing that shows the task with its address proves the echo, also half a minute late;
    the batch info keeps it.
    """
    stage.befall(Line(Fault.LIST_LAG, 1, 999), size=Size(list_lag_s=lag))
    batch = await created(stage)
    batch.keep(echo={"annotating": False})
    assert await prove_echo(stage.session(batch), "tagging", RowNumber(0))
    assert stage.home.find("logos").info.echo == {"annotating": False, "tagging": True}
    assert lag <= stage.context.ticks() < lag + 6
    assert stage.context.tally.notes == []


@virtual
async def test_a_task_that_is_not_listed_in_time(stage: Stage) -> None:
    """After a minute the echo is not proved: a warning, and the batch info says no."""
    stage.befall(Line(Fault.LIST_LAG, 1, 999), size=Size(list_lag_s=90))
    batch = await created(stage)
    assert not await prove_echo(stage.session(batch), "tagging", RowNumber(0))
    assert PATIENCE - 6 < stage.context.ticks() <= PATIENCE + 1
    assert batch.info.echo == {"tagging": False}
    assert stage.context.tally.notes[0].startswith(
        "warning: the API's listing does not show the callback address"
    )


@pytest.mark.parametrize("other", [None, "https://elsewhere.test/hook"])
@virtual
async def test_a_task_without_our_address(stage: Stage, other: str | None) -> None:
    """A listed task whose address is missing or another disproves the echo at once."""
    batch = await stage.opened(1)
    mishap = NO_ECHO if other is None else Mishap()
    task = stage.world.create(Draft("tagging", other or "https://a.test/", PICTURE), clock(), mishap)
    await batch.record([seen(task, 0)])
    assert not await prove_echo(stage.session(batch), "tagging", RowNumber(0))
    assert (batch.info.echo, stage.context.ticks() < 1) == ({"tagging": False}, True)


@virtual
async def test_a_listing_that_cannot_be_read_yet(stage: Stage) -> None:
    """While the listing fails it is asked again, and people are told."""
    stage.wire.reads = ApiError("not today", status=404)
    batch = await created(stage)
    asyncio.get_running_loop().call_at(10.0, lambda: setattr(stage.wire, "reads", None))
    assert await prove_echo(stage.session(batch), "tagging", RowNumber(0))
    assert stage.context.tally.notes == ["the listing cannot be read yet: HTTP 404: not today"]


@virtual
async def test_an_interruption_disproves_nothing(stage: Stage) -> None:
    """Asked to stop while looking: the batch info says nothing, and the next run looks again."""
    stage.befall(Line(Fault.LIST_LAG, 1, 999), size=Size(list_lag_s=90))
    batch = await created(stage)
    asyncio.get_running_loop().call_at(10.0, stage.context.stopping.set)
    assert not await prove_echo(stage.session(batch), "tagging", RowNumber(0))
    assert (batch.info.echo, stage.context.ticks() < 11) == ({}, True)


async def mixed(stage: Stage, count: int) -> Created:
    """Create the tasks of a batch of both types."""
    batch = await stage.opened(count)
    request: Request = {"image_url": "https://a.example/1.jpg", "instruction": "Is it?",
    "annotation_option": ["yes", "no"],
               "tags": [{"id": "1", "left": 0, "top": 0, "width": 9, "height": 9}]}  # fmt: skip
    more = range(count, 2 * count)
    await batch.record(
        [Planned(EPOCH, RowNumber(n), f"id-{n}", n + 2, "annotating", request, {}) for n in more]
    )
    try:
        return await create(stage.session(batch), silent(concurrency=4))
    finally:
        await batch.journal.close()


@pytest.mark.parametrize(("blind", "longest"), [(False, 16), (True, 4)])
@virtual
async def test_runs_stay_small_where_doubt_could_not_be_settled(
    stage: Stage, blind: bool, longest: int
) -> None:
    """The first run is one row a type; where the echo of a type is missing,
    runs hold only what is sent at once.
    """
    if blind:
        stage.befall(Line(Fault.NO_ECHO, 2, 2))
    await mixed(stage, 30)
    sizes = [sum(b - a for a, b in fact.rows) for fact in stage.on_disk() if isinstance(fact, Started)]
    assert (sizes[:2], max(sizes), stage.statuses()) == ([1, 1], longest, {"pending": 60})
    assert stage.home.find("logos").info.echo == {"tagging": True, "annotating": not blind}
    assert (
        sum(
            "does not show the callback address of a annotating" in note for note in stage.context.tally.notes
        )
        == blind
    )


@virtual
async def test_it_is_looked_for_among_the_newest(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tasks an account makes meanwhile, the listing is read no further than the newest."""
    monkeypatch.setattr(echo, "NEWEST", 100)
    batch = await created(stage)
    await asyncio.sleep(1)
    for number in range(150):
        stage.world.create(Draft("tagging", f"https://others.test/{number}", PICTURE), clock())
    assert not await prove_echo(stage.session(batch), "tagging", RowNumber(0))
    assert {query["offset"] for query in stage.wire.listed} == {"0"}


@virtual
async def test_whenever_it_begins_it_has_its_time(stage: Stage) -> None:
    """An echo that comes half a minute late is proved however long the run has lasted."""
    await asyncio.sleep(100_000)
    stage.befall(Line(Fault.LIST_LAG, 1, 999), size=Size(list_lag_s=30.0))
    assert await prove_echo(stage.session(await created(stage)), "tagging", RowNumber(0))
