"""The home goes, and comes back: nothing is answered 200 that would be found by nobody then."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from mwbatch.callbacks.common.limits import Limits
from mwbatch.errors import StoreError
from mwbatch.journal.home.home_presence import check_writable
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import BATCH, Stage, callback, until

SOON = Limits(probe_seconds=0.05)
BATCHES = (BATCH, "unknown890")
NOBODY: Final = 65_534


def moved(home: Path) -> None:
    """The folder gets another name."""
    home.rename(home.with_name("away"))


def unmounted(home: Path) -> None:
    """The disk goes: in its place is the empty folder to which it was mounted."""
    moved(home)
    home.mkdir()


def moved_back(home: Path) -> None:
    """The same folder is back."""
    if home.exists():
        home.rmdir()  # MUST be empty
    home.with_name("away").rename(home)


def copied_back(home: Path) -> None:
    """A copy of it is back, such as rsync makes."""
    moved_back(home)
    home.rename(home.with_name("away"))
    shutil.copytree(home.with_name("away"), home)


async def codes(stage: Stage, row: int) -> set[int]:
    """The answers to callbacks for a batch that is there and for one that is not, each sent three times."""
    return {
        (await stage.post(stage.address(row, batch=batch), callback(f"t{row}"))).status
        for batch in BATCHES
        for _ in range(3)
    }


async def readiness(stage: Stage) -> str:
    """What the admin port says."""
    async with stage.session.get(f"{stage.running.admin_url}/readyz") as reply:
        return await reply.text()


@pytest.mark.parametrize("go", [moved, unmounted])
@pytest.mark.parametrize("come", [moved_back, copied_back])
async def test_a_home_that_goes(
    start: Start, go: Callable[[Path], None], come: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """While it is gone everything is 503, new and known, nothing is made in its place, and all is told;
    then it goes on.
    """
    stage = await start(limits=SOON, admin_port=0)
    home = stage.home.path
    assert await codes(stage, 0) == {200}
    go(home)
    assert await codes(stage, 1) == {503}
    assert await codes(stage, 0) == {503}
    assert not home.exists() or not list(home.iterdir())
    assert "home_gone" in await readiness(stage)
    come(home)
    await until(lambda: "looking for batches goes well again" in caplog.text)
    assert '"ready":true' in await readiness(stage)
    for row in (1, 0):
        assert await codes(stage, row) <= {200, 503}
        assert await codes(stage, row) == {200}
    assert caplog.text.count("cannot look for batches") == 1
    assert stage.running.failure is None


async def test_a_home_that_goes_before_anything_came(start: Start) -> None:
    """A journal that was never written makes no folder of a batch that is gone,
    nor do the bytes of what did not fit.
    """
    stage = await start()
    moved(stage.home.path)
    assert (await stage.post(stage.address(), b"{")).status == 400
    assert await codes(stage, 0) == {503}
    await until(lambda: stage.running.counts.unkept == 1)
    assert not stage.home.path.exists()


async def test_a_folder_that_goes_takes_no_rejects(start: Start) -> None:
    """What did not fit makes no folder in the place of a batch that was moved:
    moved back it would land inside.
    """
    stage = await start()
    folder = stage.home.path / f"named-{BATCH}"
    assert (await stage.post(stage.address(), callback())).status == 200
    folder.rename(stage.home.path.parent / "away")
    assert (await stage.post(stage.address(), b"{")).status == 400
    await until(lambda: stage.running.counts.kept + stage.running.counts.unkept == 1)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["results", "journal"])
async def test_a_batch_in_which_nothing_can_be_written(
    start: Start, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A batch that can be read and not be written is not here either:
    after one 503 at most its callbacks go to the inbox.
    """
    stage = await start(limits=SOON)
    folder = stage.home.path / f"named-{BATCH}" / name
    folder.symlink_to("nowhere")
    body = callback() if name == "results" else callback(response=None)
    replies = [(await stage.post(stage.address(), body)).status for _ in range(3)]
    assert (replies[1:], len(list((stage.home.path / "inbox" / BATCH).rglob("*.jsonl")))) == ([200, 200], 1)
    assert caplog.text.count("is set aside, ") == 1
    folder.unlink()
    await until(
        lambda: (
            list(folder.glob("*.jsonl")) and not list((stage.home.path / "inbox" / BATCH).rglob("*.jsonl"))
        )
    )
    assert caplog.text.count("is set aside no longer") == 1


def is_writable(folder: Path) -> bool:
    """Whether callbacks can be written to a batch, for somebody who is not root:
    a child asks where we are.
    """
    child = os.fork()
    if not child:
        if not os.geteuid():
            os.setuid(NOBODY)
        with suppress(StoreError):
            check_writable(folder)
            os._exit(0)
        os._exit(1)
    return not os.waitpid(child, 0)[1]


@pytest.mark.parametrize("mode", [0o700, 0o300, 0o500, 0o600, 0], ids=oct)
@pytest.mark.parametrize("name", ["", "journal", "results"])
def test_who_may_not(mode: int, name: str) -> None:
    """A batch is written to where its folders may be read, written and entered:
    without the first no name can be made durable.
    """
    with TemporaryDirectory() as top:
        folder = Path(top) / "batch"
        (folder / name).mkdir(parents=True)
        for path in (Path(top), folder, folder / name):
            if not os.geteuid():
                os.chown(path, NOBODY, NOBODY)
        (folder / name).chmod(mode)
        assert is_writable(folder) == (mode == 0o700)
        (folder / name).chmod(0o700)
