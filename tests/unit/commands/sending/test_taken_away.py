"""The lock or the folder is taken away under a run: it stops, and nobody sends a row a second time."""

import asyncio
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mwbatch.commands.sending.sending import LOOK
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.report.command_outcomes import Created
from mwbatch.errors import BatchBusy, Exit
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, answer, clock, silent

ROWS = 60
"""More than two runs of rows at a concurrency of 4."""


def remove_lock(folder: Path) -> None:
    """A cleaner, or rsync --delete, removes the file."""
    (folder / "lock").unlink()


def move(folder: Path) -> None:
    """The folder gets another name."""
    folder.rename(folder.with_name("aside"))


def replace_by_copy(folder: Path) -> None:
    """A copy stands in the folder's place."""
    move(folder)
    shutil.copytree(folder.with_name("aside"), folder)


def put_back(folder: Path) -> None:
    """The folder that the run worked on is in its place again."""
    if (aside := folder.with_name("aside")).exists():
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)


def at_create(stage: Stage, number: int, act: Callable[[], object]) -> None:
    """Do something when this create request leaves, counted from 1."""

    def created(_: object) -> None:
        if len(stage.wire.creates) == number:
            act()

    stage.wire.on_create = created


async def sent(stage: Stage) -> Created:
    """Submit the manifest, four requests at a time."""
    stage.context = stage.new_context()
    source = stage.manifest(*range(ROWS))
    return await submit(stage.home, stage.client, source, silent(concurrency=4), stage.context)


async def gone_on(stage: Stage) -> Created:
    """Resume until all is done."""
    return await resume(stage.home, stage.client, "logos", silent(concurrency=4), stage.new_context())


@pytest.mark.files
@pytest.mark.parametrize("befall", [remove_lock, move, replace_by_copy])
@virtual
async def test_a_run_whose_folder_is_taken_away_stops(stage: Stage, befall: Callable[[Path], None]) -> None:
    """What is in flight is finished and recorded, nothing more is sent, and the message says how to go on."""
    folder = stage.path / "logos"
    at_create(stage, 10, lambda: befall(folder))
    created = await sent(stage)
    assert (created.exit, stage.tasks < ROWS) == (Exit.IN_USE, True)
    assert created.ending.reason.endswith("then: mwbatch resume logos")
    put_back(folder)
    assert stage.statuses() == {"pending": stage.tasks, "planned": ROWS - stage.tasks}
    assert (await gone_on(stage)).exit is Exit.DONE
    assert (stage.statuses(), stage.tasks, stage.world.stats()["doubles"]) == ({"pending": ROWS}, ROWS, 0)


@pytest.mark.files
@virtual
async def test_who_comes_by_a_removed_lock_is_turned_away(stage: Stage) -> None:
    """While the run lives that began under a lock since removed, a second one finds the batch in use."""
    folder, others = stage.path / "logos", list["asyncio.Task[Created]"]()

    def befall() -> None:
        remove_lock(folder)
        others.append(asyncio.create_task(sent(stage)))

    at_create(stage, 10, befall)
    created = await sent(stage)
    with pytest.raises(BatchBusy, match="mwbatch submit, process"):
        await others[0]
    assert created.exit is Exit.IN_USE
    assert (await gone_on(stage)).exit is Exit.DONE
    assert (stage.tasks, stage.world.stats()["doubles"]) == (ROWS, 0)


@pytest.fixture
def unlockable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system whose folders cannot be locked, as NFS."""
    real = fcntl.flock

    def flock(file: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.files
@pytest.mark.usefixtures("unlockable")
@virtual
async def test_where_folders_cannot_be_locked_the_first_run_stops(stage: Stage) -> None:
    """There the second run may begin, and the first one sends nothing more: no row is sent by both.

    It is said once.
    """
    folder, others = stage.path / "logos", list["asyncio.Task[Created]"]()

    def befall() -> None:
        remove_lock(folder)
        others.append(asyncio.create_task(sent(stage)))

    at_create(stage, 10, befall)
    created = await sent(stage)
    assert created.exit is Exit.IN_USE
    assert sum("cannot be locked as a folder" in note for note in stage.context.tally.notes) == 1
    assert (await others[0]).exit in (
        Exit.DONE,
        Exit.UNFINISHED,
    )  # a row that the first one gave back may be left
    assert (await gone_on(stage)).exit is Exit.DONE
    assert (stage.statuses(), stage.tasks, stage.world.stats()["doubles"]) == ({"pending": ROWS}, ROWS, 0)


@pytest.mark.files
@virtual
async def test_a_row_that_waited_long_is_not_sent_under_a_lost_lock(stage: Stage) -> None:
    """A row that is refused as busy for minutes is not sent once more after the lock was lost:
    the look is before the request.
    """
    folder, loop, lost = stage.path / "logos", asyncio.get_running_loop(), list[float]()

    def lose() -> None:
        remove_lock(folder)
        lost.append(clock())

    stage.wire.always = lambda _: answer(429)
    loop.call_at(60.0, lose)
    created = await sent(stage)
    assert created.exit is Exit.IN_USE
    assert max(stage.wire.left_at) <= lost[0] + LOOK
    assert stage.statuses() == {"planned": ROWS}


@pytest.mark.files
@virtual
async def test_nothing_is_canceled_under_a_lost_lock(stage: Stage) -> None:
    """A cancel whose lock was removed asks for nothing more to be canceled."""
    await sent(stage)
    real = stage.client.cancel

    async def cancelled(task_id: str) -> object:
        (stage.path / "logos" / "lock").unlink(missing_ok=True)
        return await real(task_id)

    stage.client.cancel = cancelled  # type: ignore[method-assign, assignment]
    with pytest.raises(BatchBusy, match="was removed"):
        await cancel(stage.home, stage.client, "logos", context=stage.new_context())
    stage.client.cancel = real  # type: ignore[method-assign]
    assert 0 < stage.statuses()["canceled"] <= 32
