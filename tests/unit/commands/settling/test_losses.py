"""Whatever is deleted, cut or put back of a batch and of its home: no row is paid twice,
and the work goes on.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mwbatch.commands.verbs.reconcile import reconcile
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.api.page import Page
from mwbatch.core.report.command_outcomes import Created
from mwbatch.errors import Exit, StoreError, Unsure
from mwbatch.journal.home.begun import FOLDER
from mwbatch.simulator.world.forms import Draft
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, clock, silent
from tests.unit.commands.settling.test_settling import PICTURE, sweeps

pytestmark = pytest.mark.files  # parts of a folder are lost, and put back

ROWS = 90
LEFT = 50
"""Requests that left before the first run was killed."""


def put_back(target: Path, copy: Path) -> None:
    """Make a folder what it was when it was copied; the folders that are there, their inodes, stay."""
    for path in target.iterdir():
        twin = copy / path.name
        if not path.is_dir():
            path.unlink()
        elif twin.is_dir():
            put_back(path, twin)
        else:
            shutil.rmtree(path)
    for twin in copy.iterdir():
        if not twin.is_dir():
            shutil.copy2(twin, target / twin.name)
        elif not (target / twin.name).exists():
            shutil.copytree(twin, target / twin.name)


@dataclass(frozen=True)
class Scene:
    """A batch of which a run was killed, and copies of the home: just after planning, mid-run,
    and at its death.
    """

    home: Path
    copies: Path

    @property
    def folder(self) -> Path:
        """The batch."""
        return self.home / "logos"

    def copy(self, name: str) -> None:
        """Copy the home as it is at this moment."""
        shutil.copytree(self.home, self.copies / name)

    def segments(self, place: str) -> list[Path]:
        """The segments of one folder of the batch."""
        return sorted((self.folder / place).glob("*.jsonl"))


async def killed(stage: Stage) -> Scene:
    """Send, and die with requests in flight: what the home holds then is what it held at that moment."""
    scene = Scene(stage.path, stage.folder / "copies")
    real = stage.client.list_page

    async def listed(**asked: object) -> Page:
        if scene.segments("rows") and not (scene.copies / "planned").exists():
            scene.copy("planned")
        return await real(**asked)  # type: ignore[arg-type]

    stage.client.list_page = listed  # type: ignore[method-assign]

    def created(_: object) -> None:
        if len(stage.wire.creates) == LEFT // 5:
            scene.copy("half")
        if len(stage.wire.creates) == LEFT:
            scene.copy("dead")
            stage.wire.always = lambda _: Unsure("dead")
            stage.context.stopping.set()

    stage.wire.on_create = created
    with_limit = silent(concurrency=4)
    await submit(stage.home, stage.client, stage.manifest(*range(ROWS)), with_limit, stage.context)
    stage.client.list_page = real  # type: ignore[method-assign]
    stage.wire.always, stage.wire.on_create = lambda _: None, lambda _: None
    put_back(scene.home, scene.copies / "dead")
    stage.wire.listed.clear()
    return scene


def delete(*places: str) -> Callable[[Scene], None]:
    """Folders or files of the batch are gone."""

    def befall(scene: Scene) -> None:
        for place in places:
            path = scene.home / place
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    befall.__name__ = "delete " + " and ".join(places)
    return befall


def cut_to(lines: int) -> Callable[[Scene], None]:
    """The journal's last segment ends after so many lines."""

    def befall(scene: Scene) -> None:
        path = scene.segments("journal")[-1]
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:lines]))

    befall.__name__ = f"cut the journal to {lines} lines"
    return befall


def put(what: str, as_it_was: str) -> Callable[[Scene], None]:
    """The home, or something in it, is what it was at an earlier moment."""

    def befall(scene: Scene) -> None:
        there, copy = scene.home / what, scene.copies / as_it_was / what
        if copy.is_dir():
            put_back(there, copy)
        else:
            shutil.copy2(copy, there)

    befall.__name__ = f"put back {what or 'the home'} as {as_it_was}"
    return befall


def both(*acts: Callable[[Scene], None]) -> Callable[[Scene], None]:
    """One thing after the other."""

    def befall(scene: Scene) -> None:
        for act in acts:
            act(scene)

    befall.__name__ = ", ".join(act.__name__ for act in acts)
    return befall


WHOLE: list[Callable[[Scene], None]] = [
    put("logos/batch.json", "planned"),
    put("logos/batch.json", "half"),
    delete(FOLDER),
]
"""Acts after which the journal is whole: what it knows was sent is known."""

LOST: list[Callable[[Scene], None]] = [
    delete("logos/journal"),
    both(delete("logos/journal"), delete(FOLDER)),
    both(delete("logos/journal"), put("logos/batch.json", "planned")),
    cut_to(1),
    cut_to(0),
    put("logos", "half"),
    put("logos", "planned"),
    both(put("logos/journal", "half"), put("logos/batch.json", "planned")),
    put("logos/journal", "half"),
]
"""Acts after which nothing may be sent before two listings of the whole span."""

HOME: list[Callable[[Scene], None]] = [put("", "half"), put("", "planned")]
"""Acts that nothing on this machine can know of."""


async def gone_on(stage: Stage, *, resuming: bool = False) -> Created:
    """The next run: the same command once more, or resume."""
    stage.context = stage.new_context()
    options = silent(concurrency=4)
    if resuming:
        return await resume(stage.home, stage.client, "logos", options, stage.context)
    return await submit(stage.home, stage.client, stage.manifest(*range(ROWS)), options, stage.context)


def nothing(_: Scene) -> None:
    """Nothing befalls the home but the death of the run."""


def named(acts: list[Callable[[Scene], None]]) -> list[Any]:
    """Each with its name."""
    return [pytest.param(act, id=act.__name__) for act in acts]


@pytest.mark.parametrize("resuming", [True, False])
@pytest.mark.parametrize("befall", named([nothing, *WHOLE, *LOST, *HOME]))
@virtual
async def test_no_row_is_paid_twice(stage: Stage, befall: Callable[[Scene], None], resuming: bool) -> None:
    """The next run sends what has no task, and nothing else; the one after it has nothing to do,
    and nothing to ask.
    """
    befall(await killed(stage))
    created = await gone_on(stage, resuming=resuming)
    assert (created.exit, stage.statuses()) == (Exit.DONE, {"pending": ROWS})
    assert (stage.tasks, stage.world.stats()["doubles"]) == (ROWS, 0)
    before, ticks = len(stage.wire.creates), stage.context.ticks()
    assert (await gone_on(stage, resuming=resuming)).exit is Exit.DONE
    assert (len(stage.wire.creates), stage.context.ticks() - ticks < 5) == (before, True)


@pytest.mark.parametrize("befall", named(HOME))
@virtual
async def test_a_home_put_back_finds_its_tasks_behind_those_of_others(
    stage: Stage, befall: Callable[[Scene], None]
) -> None:
    """A whole home as it was before its first request looks for its tasks beyond the account's first page."""
    befall(await killed(stage))
    for n in range(120):
        stage.world.create(Draft("tagging", f"https://others.example/{n}", PICTURE), clock())
    await gone_on(stage, resuming=True)
    assert (stage.statuses(), stage.world.stats()["doubles"]) == ({"pending": ROWS}, 0)


@pytest.mark.parametrize("befall", named(LOST))
@virtual
async def test_after_a_loss_nothing_is_sent_unproved(stage: Stage, befall: Callable[[Scene], None]) -> None:
    """Two sweeps of the whole span come before the first request, and why is said."""
    befall(await killed(stage))
    swept = list[int]()
    stage.wire.on_create = lambda _: swept.append(len(sweeps(stage)))
    await gone_on(stage)
    assert min(swept) >= 2
    assert any("the folder is trusted again" in note for note in stage.context.tally.notes)


@pytest.mark.parametrize("befall", named([nothing, *WHOLE]))
@virtual
async def test_a_crash_alone_is_no_loss(stage: Stage, befall: Callable[[Scene], None]) -> None:
    """Where the journal is whole, rows that were never started are sent at once."""
    befall(await killed(stage))
    ticks, left_at = stage.context.ticks(), list[float]()
    stage.wire.on_create = lambda _: left_at.append(stage.context.ticks() - ticks)
    await gone_on(stage)
    assert not any("trusted" in note for note in stage.context.tally.notes)
    assert min(left_at) < 5


ROWLESS: list[Callable[[Scene], None]] = [
    delete("logos/rows"),
    both(delete("logos/rows"), delete("logos/journal")),
    both(delete("logos/rows", "logos/journal", FOLDER)),
]
"""Acts after which nobody can tell which row of the manifest had which number."""


@pytest.mark.parametrize("befall", named(ROWLESS))
@virtual
async def test_rows_that_are_gone_are_not_planned_anew(stage: Stage, befall: Callable[[Scene], None]) -> None:
    """A row planned now could get the number of another one, and its answers: it is refused,
    and the way on works.
    """
    scene = await killed(stage)
    befall(scene)
    before = len(stage.wire.creates)
    with pytest.raises(StoreError, match=r"put .*rows back from a copy"):
        await gone_on(stage)
    assert len(stage.wire.creates) == before
    put_back(scene.folder, scene.copies / "dead" / "logos")
    assert (await gone_on(stage)).exit is Exit.DONE
    assert (stage.statuses(), stage.tasks, stage.world.stats()["doubles"]) == ({"pending": ROWS}, ROWS, 0)


@virtual
async def test_a_results_segment_that_was_deleted_on_purpose(stage: Stage) -> None:
    """It is asked for once what the folder may have forgotten, and never again;
    its answers can be fetched.
    """
    scene = await killed(stage)
    await gone_on(stage)
    await asyncio.sleep(100_000)
    await reconcile(stage.home, stage.client, "logos", stage.new_context())
    [path] = scene.segments("results")
    path.unlink()
    assert (await gone_on(stage)).exit is Exit.DONE
    assert any(f"results/{path.name} is gone" in note for note in stage.context.tally.notes)
    ticks = stage.context.ticks()
    await gone_on(stage)
    assert (stage.context.ticks() - ticks < 5, stage.tasks) == (True, ROWS)
    await reconcile(stage.home, stage.client, "logos", stage.new_context())
    assert stage.statuses() == {"completed": ROWS}


@virtual
async def test_what_cannot_be_noted_outside_is_not_sent(stage: Stage) -> None:
    """A start that is in the journal alone lets no request leave: the run ends, exit 6,
    and can be run again.
    """
    stage.path.mkdir()
    (stage.path / FOLDER).write_bytes(b"")
    with pytest.raises(StoreError):  # the last note of the run fails as well
        await gone_on(stage)
    assert stage.wire.creates == []
    (stage.path / FOLDER).unlink()
    assert (await gone_on(stage)).exit is Exit.DONE
    assert (stage.tasks, stage.statuses()) == (ROWS, {"pending": ROWS})
