"""How far back a run looks at its beginning, in homes that forgot what was paid."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mwbatch.commands.settling.beginning import catch_up
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.codec.times import http_time, iso
from mwbatch.core.facts.kinds import Started
from mwbatch.core.facts.lines import line
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.spending.budget import Limits
from mwbatch.core.sweeps.span import PADDING
from mwbatch.journal.home.begun import FOLDER as BEGUN
from mwbatch.journal.home.folder_record import NAME as INFO
from mwbatch.journal.interface.store import Store
from mwbatch.simulator.settings import Settings
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, clock, silent
from tests.unit.commands.settling.test_settling import born, doubtful, twist

ROWS, RUN, STRANGERS, PAGE = 40, 8, 12, 5
HOURS = 7200.0
PAGES = 6
"""So many hold a run, and what strangers made after it: each shows the last task of the one before again."""


@pytest.fixture
def stage(tmp_path: Path, store: Store | None) -> Stage:
    """A stage whose listings come in small pages."""
    return Stage(tmp_path, Settings(complete_after=(86_400.0, 86_400.0), max_page=PAGE), store)


async def grow(stage: Stage, runs: int) -> None:
    """So many runs of a few rows each, hours apart, with tasks of strangers after each;
    what was listed is forgotten.
    """
    source = stage.manifest(*range(ROWS))
    for number in range(1, runs + 1):
        options = silent(limits=Limits(max_tasks=number * RUN))
        if number == 1:
            await submit(stage.home, stage.client, source, options, stage.new_context())
        else:
            await resume(stage.home, stage.client, "logos", options, stage.new_context())
        await passed(stage)


async def passed(stage: Stage) -> None:
    """Hours pass, and strangers make tasks."""
    await asyncio.sleep(HOURS)
    for _ in range(STRANGERS):
        stage.world.create_stranger(clock())
    await asyncio.sleep(HOURS)
    stage.wire.listed.clear()
    stage.context = stage.new_context()


async def go_on(stage: Stage, tasks: int = ROWS) -> Created:
    """Resume, with so many tasks in all."""
    limits = Limits(max_tasks=tasks)
    return await resume(stage.home, stage.client, "logos", silent(limits=limits), stage.context)


def photograph(stage: Stage) -> dict[Path, bytes]:
    """The home as a snapshot has it."""
    there = (path for path in stage.path.rglob("*") if path.is_file() and path.suffix in (".json", ".jsonl"))
    return {path: path.read_bytes() for path in there}


def put_back(stage: Stage, photo: dict[Path, bytes]) -> None:
    """The whole home is as it was, in its place."""
    for path in {*photograph(stage)} - {*photo}:
        path.unlink()
    for path, content in photo.items():
        path.write_bytes(content)


async def forgetful(stage: Stage) -> None:
    """Three runs have sent rows, and the home is put back as it was after the first."""
    await grow(stage, 1)
    photo = photograph(stage)
    await go_on(stage, 3 * RUN)
    await passed(stage)
    put_back(stage, photo)


def starts(stage: Stage) -> list[Started]:
    """The starts on disk, in the order of their numbers."""
    there = [fact for fact in stage.on_disk() if isinstance(fact, Started)]
    return sorted(there, key=lambda fact: fact.number)


def is_safe(stage: Stage) -> bool:
    """Whether every row has one task."""
    return (stage.tasks, stage.world.stats()["doubles"]) == (ROWS, 0)


def begins(stage: Stage) -> list[str]:
    """Where the walks by dates began, each once."""
    return list(dict.fromkeys(asked["start_time"] for asked in walked(stage)))


def walked(stage: Stage) -> list[dict[str, str]]:
    """The pages that were asked for by dates."""
    return [asked for asked in stage.wire.listed if "start_time" in asked]


def beginning(stage: Stage) -> str:
    """Where a listing begins that reaches back to where the batch began."""
    began = http_time(stage.home.find("logos").info.began)
    assert began is not None
    return iso(began - PADDING)


def ten_before(fact: Started) -> str:
    """Where a listing begins that reaches back to a start."""
    then = http_time(fact.clock)
    assert then is not None
    return iso(then - PADDING)


@pytest.mark.parametrize("runs", [2, 4])
@virtual
async def test_a_run_lists_what_came_since_the_last_one(stage: Stage, runs: int) -> None:
    """However long the batch has been at work, the first listing goes back to
    ten minutes before its last start, and no further.
    """
    await grow(stage, runs)
    assert [fact.number for fact in starts(stage)] == list(range(1, len(starts(stage)) + 1))
    await go_on(stage, runs * RUN)
    assert begins(stage) == [ten_before(starts(stage)[-1])]
    assert len(walked(stage)) == PAGES


@pytest.mark.parametrize("kept", [1, 2, 3])
@virtual
async def test_a_home_put_back_pays_nothing_twice(stage: Stage, kept: int) -> None:
    """The whole home as it was after an earlier run: what later runs paid is found,
    however many tasks of others lie between.
    """
    await grow(stage, kept)
    photo = photograph(stage)
    for runs in range(kept + 1, 5):
        await go_on(stage, runs * RUN)
        await passed(stage)
    put_back(stage, photo)
    await go_on(stage)
    assert (is_safe(stage), stage.statuses()) == (True, {"pending": ROWS})


@pytest.mark.parametrize("page", [1, 2, 5, 9])
@virtual
async def test_a_listing_that_was_cut_short_is_made_good(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """The run that is the first to look into a home put back is stopped at any page:
    the next one finds all the same.
    """
    await forgetful(stage)

    def stop(shown: Any, number: int) -> Any:
        if number == page:
            stage.context.stopping.set()
        return shown

    with monkeypatch.context() as patch:
        twist(stage, patch, stop)
        await go_on(stage)
    stage.context = stage.new_context()
    await go_on(stage)
    assert (is_safe(stage), stage.statuses()) == (True, {"pending": ROWS})


def change_info(stage: Stage, **changes: Any) -> None:
    """Something else stands in the batch info."""
    info = stage.path / "logos" / INFO
    info.write_text(json.dumps(json.loads(info.read_text()) | changes))


def forget_sizes(stage: Stage) -> None:
    """Nobody knows how large the segments were."""
    for path in (stage.path / BEGUN).iterdir():
        path.unlink()
    change_info(stage, segments={})


def rewrite(stage: Stage, change: Callable[[Started], Started]) -> None:
    """The starts on disk are others."""
    for path in (stage.path / "logos" / "journal").glob("*.jsonl"):
        text = path.read_bytes()
        for fact in starts(stage):
            text = text.replace(line(fact), line(change(fact)))
        path.write_bytes(text)
    forget_sizes(stage)


@pytest.mark.files
@virtual
async def test_a_run_missing_from_the_middle_is_found(stage: Stage) -> None:
    """The segments of a run are gone, and with them all that knows of their sizes:
    the numbers of the starts tell.
    """
    await grow(stage, 1)
    before = {*photograph(stage)}
    await go_on(stage, 2 * RUN)
    middle = {*photograph(stage)} - before
    await passed(stage)
    await go_on(stage, 3 * RUN)
    await passed(stage)
    for path in middle:
        path.unlink()
    forget_sizes(stage)
    await go_on(stage)
    assert (len(middle), is_safe(stage)) == (1, True)


@pytest.mark.files
@virtual
async def test_a_batch_of_an_older_version_is_listed_from_its_beginning(stage: Stage) -> None:
    """Starts without numbers do not tell what is missing; once all was listed,
    those that follow are counted after them.
    """
    await grow(stage, 2)
    old = len(starts(stage))
    rewrite(stage, lambda fact: replace(fact, number=0))
    await go_on(stage, 3 * RUN)
    assert begins(stage)[0] == beginning(stage)
    assert [fact.number for fact in starts(stage)] == [0] * old + list(range(old + 1, len(starts(stage)) + 1))
    await passed(stage)
    await go_on(stage, 3 * RUN)
    assert begins(stage) == [ten_before(starts(stage)[-1])]


@virtual
async def test_a_listing_that_cannot_be_believed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on to where the batch began; and until one can be believed,
    no later run looks less far back.
    """
    await grow(stage, 2)
    mark = starts(stage)[-1]
    for runs in (3, 4):
        with monkeypatch.context() as patch:
            twist(stage, patch, lambda page, _: page | {"total": page["total"] + 1})
            await go_on(stage, runs * RUN)
        assert begins(stage)[:2] == [ten_before(mark), beginning(stage)]
        assert stage.home.find("logos").info.behind == mark.number
        await passed(stage)
    await go_on(stage, 4 * RUN)
    assert (begins(stage), stage.home.find("logos").info.behind) == ([ten_before(mark)], None)


@virtual
async def test_a_listing_in_another_order_is_walked_by_offset(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that do not go down by date lead nowhere by dates:
    what a home put back forgot is found there all the same.
    """
    await forgetful(stage)
    twist(stage, monkeypatch, lambda page, _: page | {"docs": page["docs"][::-1]})
    await cancel(stage.home, stage.client, "logos", context=stage.context)
    assert stage.world.stats()["by_status"]["canceled"] == 3 * RUN


def wandering(stage: Stage) -> None:
    """Dates were seen to lie here and there."""
    change_info(stage, drift=[0, int(PADDING.total_seconds()) + 1])


def moved(stage: Stage) -> None:
    """The folder may be a copy."""
    change_info(stage, place=[1, 1])


@pytest.mark.files
@pytest.mark.parametrize("befall", [wandering, moved])
@virtual
async def test_everything_is_listed_where_something_is_wrong(
    stage: Stage, befall: Callable[[Stage], None]
) -> None:
    """Where dates wander or the folder is harmed the first listing goes back to where the batch began."""
    await grow(stage, 2)
    befall(stage)
    await go_on(stage, 2 * RUN)
    assert begins(stage)[0] == beginning(stage)


@pytest.mark.files
@virtual
async def test_a_clock_that_was_set_back(stage: Stage) -> None:
    """Where the last start lies ahead of the API's clock it goes on to where the batch began."""
    await grow(stage, 2)
    rewrite(stage, lambda fact: replace(fact, clock="Tue, 14 Nov 2028 22:13:20 GMT"))
    await go_on(stage, 2 * RUN)
    assert begins(stage)[1] == beginning(stage)


@virtual
async def test_a_listing_that_had_to_show_nothing(stage: Stage) -> None:
    """Where no task is known nobody can tell whether the listing shows any:
    the next run reaches back as far.
    """
    batch = await doubtful(stage)
    batch.keep(began=stage.client.clock)
    await catch_up(stage.session(batch))
    assert batch.info.behind == 0
    born(stage, 1)
    await asyncio.sleep(1)
    await catch_up(stage.session(batch))
    await batch.journal.close()
    assert batch.info.behind is None


@virtual
async def test_cancelling_in_a_home_put_back_leaves_nothing_to_pay(stage: Stage) -> None:
    """Tasks that the home forgot are canceled with those that it knows."""
    await forgetful(stage)
    await cancel(stage.home, stage.client, "logos", context=stage.context)
    assert stage.statuses() == {"canceled": ROWS}
    assert stage.world.stats()["by_status"]["canceled"] == 3 * RUN
