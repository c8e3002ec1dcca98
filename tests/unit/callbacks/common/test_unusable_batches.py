"""One bad folder stops nothing: its callbacks go to the inbox, the others go on,
and once it is mended it is taken up.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mwbatch.callbacks.common.limits import Limits
from mwbatch.core.facts.kinds import Seen
from mwbatch.core.facts.lines import sealed
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.journal.segments.journal import Segments
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import BATCH, Stage, add_batch, callback, until

BAD = "bad4567890"
SOON = Limits(probe_seconds=0.1)


def bad_folder(stage: Stage) -> Path:
    """The folder of the batch that something is wrong with."""
    return stage.home.path / f"named-{BAD}"


def copied(folder: Path) -> None:
    """Copy the folder inside the home."""
    shutil.copytree(folder, folder.with_name("bad.bak"))


def uncopied(folder: Path) -> None:
    """Take the copy away."""
    shutil.rmtree(folder.with_name("bad.bak"))


def half_info(folder: Path) -> None:
    """Cut the batch info, and keep it aside."""
    shutil.copy(folder / "batch.json", folder / "kept")
    os.truncate(folder / "batch.json", 20)


def whole_info(folder: Path) -> None:
    """Put the batch info back."""
    (folder / "kept").replace(folder / "batch.json")


def newer_line(folder: Path) -> None:
    """Let a newer version write one line of results."""
    (folder / "results").mkdir()
    (folder / "results" / "20990101T000000Z-newer-0.jsonl").write_bytes(NEWER)


def no_newer_line(folder: Path) -> None:
    """Take that line away."""
    for path in (folder / "results").glob("*newer*"):
        path.unlink()


def blocked(folder: Path) -> None:
    """Put something that is no file in the place of a segment."""
    (folder / "results").mkdir()
    (folder / "results" / "x.jsonl").mkdir()


def unblocked(folder: Path) -> None:
    """Take it away."""
    (folder / "results" / "x.jsonl").rmdir()


def piped(folder: Path) -> None:
    """Put a pipe among the segments; whoever opened it would wait for ever."""
    (folder / "results").mkdir()
    os.mkfifo(folder / "results" / "x.jsonl")


def unpiped(folder: Path) -> None:
    """Take it away."""
    (folder / "results" / "x.jsonl").unlink()


NEWER = sealed(
    {"v": 2, "fact": "seen", "at": 1, "row": 0, "attempt": 1, "task_id": "t", "status": "completed"}
)
WAYS = [
    (copied, uncopied),
    (half_info, whole_info),
    (newer_line, no_newer_line),
    (blocked, unblocked),
    (piped, unpiped),
]
Change = Callable[[Path], None]


async def sent(stage: Stage, batch: str, row: int) -> int:
    """Post one callback of a batch; the status of the answer."""
    return (await stage.post(stage.address(row, batch=batch), callback(f"{batch}-{row}"))).status


def rows(folder: Path) -> set[int]:
    """The rows that have an answer in a folder, by its good segments."""
    return {fact.row for fact in Segments(folder, "test").read() if isinstance(fact, Seen)}


@pytest.mark.parametrize(("harm", "mend"), WAYS)
async def test_a_bad_batch(
    start: Start, tmp_path: Path, harm: Change, mend: Change, caplog: pytest.LogCaptureFixture
) -> None:
    """The receiver starts, stores callbacks of the bad batch in the inbox, says so once,
    and takes it up again with its inbox.
    """
    home = Home(tmp_path / "home")
    keys_of(home)
    folder = add_batch(home, BAD)
    harm(folder)
    stage = await start(limits=SOON, admin_port=0)
    assert [await sent(stage, batch, row) for row in range(3) for batch in (BATCH, BAD)] == [200] * 6
    assert rows(stage.home.path / "inbox" / BAD) == {0, 1, 2}
    assert await metric(stage, "mwbatch_batches_aside") == (2 if harm is copied else 1)
    asides = [record for record in caplog.records if "is set aside, " in record.message]
    assert len(asides) == (2 if harm is copied else 1)
    mend(folder)
    await until(
        lambda: rows(folder) == {0, 1, 2} and not list((stage.home.path / "inbox" / BAD).glob("*/*.jsonl"))
    )
    assert await sent(stage, BAD, 3) == 200
    assert await sent(stage, BAD, 1) == 200
    assert rows(folder) == {0, 1, 2, 3}
    assert len([line for line in stage.lines() if b'"bad4567890-1"' in line]) == 1
    assert await metric(stage, "mwbatch_batches_aside") == 0
    assert sum("set aside no longer" in record.message for record in caplog.records) == len(asides)
    assert "looking" not in caplog.text
    assert not [record for record in caplog.records if "a look that repeats" in record.message]


async def metric(stage: Stage, name: str) -> float:
    """One number of the admin port."""
    async with stage.session.get(f"{stage.running.admin_url}/metrics") as reply:
        text = await reply.text()
    return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


async def test_a_copy_of_what_runs(start: Start) -> None:
    """A copy that is made beside a running batch changes nothing for it, and is told."""
    stage = await start(limits=SOON)
    assert await sent(stage, BATCH, 0) == 200
    folder = stage.home.path / f"named-{BATCH}"
    copied(folder)
    await asyncio.sleep(0.3)
    assert await sent(stage, BATCH, 1) == 200
    assert rows(folder) == {0, 1}


async def test_batch_info_that_goes_bad_under_an_open_journal(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """What is told of a batch that cannot be used any more is where its callbacks are: in it,
    and later in the inbox.
    """
    stage = await start(limits=SOON, admin_port=0)
    assert await sent(stage, BATCH, 0) == 200
    folder = stage.home.path / f"named-{BATCH}"
    (folder / "batch.json").write_bytes(b"{")
    await until(lambda: "is set aside, " in caplog.text)
    assert await sent(stage, BATCH, 1) == 200
    assert rows(folder) == {0, 1}
    assert ("stored in it until" in caplog.text, "not stored in it" in caplog.text) == (True, False)
    assert "inbox" not in caplog.text
    shutil.rmtree(folder / "results")
    await until(lambda: stored_in(stage, 2))
    await until(lambda: "not stored in it" in caplog.text)
    assert f"batch {BATCH} is not here: its callbacks go to the inbox" in caplog.text


async def stored_in(stage: Stage, row: int) -> bool:
    """Send a callback; whether the inbox has it."""
    await sent(stage, BATCH, row)
    return row in rows(stage.home.path / "inbox" / BATCH)


async def test_a_batch_that_appears_takes_its_inbox_in(start: Start) -> None:
    """Callbacks that came before their batch did are in it soon after it is there, without a restart."""
    stage = await start(limits=SOON)
    assert await sent(stage, BAD, 0) == 200
    folder = add_batch(stage.home, BAD)
    await until(lambda: rows(folder) == {0} and len(stage.lines()) == 1)
    assert await sent(stage, BAD, 0) == 200
    assert len(stage.lines()) == 1


async def test_a_batch_that_goes_away(stage: Stage) -> None:
    """Callbacks of a batch whose folder was moved out of the home go to the inbox,
    and make no folder in its place.
    """
    folder = stage.home.path / f"named-{BATCH}"
    folder.rename(stage.home.path.parent / "elsewhere")
    codes = [await sent(stage, BATCH, 0) for _ in range(3)]
    assert ({*codes} <= {200, 503}, codes[-1]) == (True, 200)
    assert rows(stage.home.path / "inbox" / BATCH) == {0}
    assert not folder.exists()


async def test_a_batch_that_goes_away_after_it_took_something(start: Start) -> None:
    """The same where it was being written: in the inbox it is, and moved back it is taken up again."""
    stage = await start(limits=SOON)
    folder = stage.home.path / f"named-{BATCH}"
    assert await sent(stage, BATCH, 0) == 200
    folder.rename(stage.home.path.parent / "elsewhere")
    codes = [await sent(stage, BATCH, 1) for _ in range(3)]
    assert codes[-1] == 200
    assert rows(stage.home.path / "inbox" / BATCH) == {1}
    (stage.home.path.parent / "elsewhere").rename(folder)
    await until(
        lambda: rows(folder) == {0, 1} and not list((stage.home.path / "inbox" / BATCH).glob("*/*.jsonl"))
    )


async def test_the_inbox_is_kept_until_its_batch_has_it(start: Start) -> None:
    """An answer in the inbox is never let go because the batch had it once:
    it is what the disk has now that counts.
    """
    stage = await start(limits=SOON)
    folder, inbox = stage.home.path / f"named-{BATCH}", (stage.home.path / "inbox" / BATCH)
    assert await sent(stage, BATCH, 0) == 200
    [segment] = (folder / "results").iterdir()
    (inbox / "results").mkdir(parents=True)
    text = segment.read_bytes()
    segment.unlink()
    (inbox / "results" / segment.name).write_bytes(text)
    await until(lambda: rows(folder) == {0} and not list(inbox.glob("*/*.jsonl")))
    assert await sent(stage, BATCH, 0) == 200
    assert rows(folder) == {0}


async def test_a_bad_inbox(start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be read of a batch's inbox stays there, is one line, and holds nothing up."""
    home = Home(tmp_path / "home")
    piped_inbox = home.path / "inbox" / BATCH
    piped_inbox.mkdir(parents=True)
    piped(piped_inbox)
    stage = await start(limits=SOON)
    assert await sent(stage, BATCH, 0) == 200
    await asyncio.sleep(0.5)
    assert caplog.text.count("its inbox stays as it is") == 1
    unpiped(piped_inbox)
    await until(lambda: "its inbox was taken in" in caplog.text)
