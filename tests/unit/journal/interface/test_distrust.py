"""Harm: what speaks against the folder of a batch, in words that stay the same, until it is forgiven."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mwbatch.core.facts.kinds import Fact
from mwbatch.errors import StoreError
from mwbatch.journal.home.batch_folder import BatchFolder
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.distrust import forgive, least_listed, refuse_lost_rows, suspicions, too_few
from mwbatch.journal.interface.open_batch import OpenBatch, look
from mwbatch.journal.segments.folders import JOURNAL, RESULTS, ROWS
from tests.support.facts import answer, fail, plan, show, start, withdraw
from tests.support.records import record_of

FACTS: list[Fact] = [
    *(plan(row) for row in range(3)),
    start(1, ((0, 3),)),
    show(1, row=0),
    fail(1, row=1),
    answer(1, row=2),
    answer(1, "no", row=2),
]


async def written(home: Home, *facts: Fact) -> OpenBatch:
    """A batch of these facts, as a run leaves it and the next one opens it."""
    ref = home.create(BatchInfo("logos", "b234567890", "http://api.test", "/m.csv", None, ()))
    first = await look(home, ref)
    for fact in facts:
        await first.record([fact])
    await first.journal.close()
    first.keep_sizes()
    return await look(home, home.find("logos"))


def segment(batch: OpenBatch, place: str) -> Path:
    """The one segment of a folder."""
    [path] = (Path(batch.where) / place).glob("*.jsonl")
    return path


def again(batch: OpenBatch) -> list[str]:
    """What speaks against the folder as it is now."""
    batch.state = batch.journal.refresh()
    return suspicions(batch)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of its own."""
    return Home(tmp_path / "home")


async def test_a_folder_that_was_left_well(home: Home) -> None:
    """Nothing speaks against a folder that is as the last run left it, or has grown since."""
    batch = await written(home, *FACTS)
    assert suspicions(batch) == []
    other = await look(home, batch.ref, "receiver")
    await other.record([show(1, task="late", row=1)])
    await other.journal.close()
    assert again(batch) == []


async def test_a_copy_is_another_folder(home: Home) -> None:
    """A folder that was copied or restored has another inode than the batch info names."""
    batch = await written(home, *FACTS)
    shutil.copytree(Path(batch.where), home.path / "aside")
    shutil.rmtree(Path(batch.where))
    (home.path / "blocker").mkdir()
    shutil.copytree(home.path / "aside", Path(batch.where))
    moved = await look(home, home.find("logos"))
    (words,) = suspicions(moved)
    assert words.startswith("the folder was copied or restored")
    assert str(record_of(moved.where).place[1]) not in words  # an inode says nothing to people


async def test_each_move_is_told(home: Home) -> None:
    """A folder that was moved, forgiven, and moved once more is distrusted as it was the first time."""
    batch = await written(home, *FACTS)
    for _ in range(2):
        shutil.copytree(Path(batch.where), home.path / "aside")
        shutil.rmtree(Path(batch.where))
        (home.path / "aside").rename(batch.where)
        batch = await look(home, home.find("logos"))
        assert len(suspicions(batch)) == 1
        forgive(batch, suspicions(batch))
        assert again(batch) == []


@pytest.mark.parametrize("place", [ROWS, JOURNAL, RESULTS])
async def test_a_damaged_line(home: Home, place: str) -> None:
    """A bad line with good ones behind it was acknowledged once: whatever it said is lost."""
    batch = await written(home, *FACTS)
    path = segment(batch, place)
    text = bytearray(path.read_bytes())
    text[20] ^= 1
    path.write_bytes(text)
    words = again(batch)
    assert words[0].startswith(f"{place}/{path.name} is damaged at byte 0, ")
    assert again(batch) == words


@pytest.mark.parametrize(("place", "matters"), [(ROWS, True), (JOURNAL, True), (RESULTS, False)])
async def test_a_torn_end(home: Home, place: str, matters: bool) -> None:
    """A torn end may hide a start or a row; a torn answer is only fetched again."""
    batch = await written(home, *FACTS)
    path = segment(batch, place)
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"v":1,"fa')
    assert again(batch) == ([f"{place}/{path.name} is torn at byte {size}, 10 bytes"] if matters else [])


@pytest.mark.parametrize("place", [ROWS, JOURNAL, RESULTS])
async def test_a_segment_that_is_gone_or_shorter(home: Home, place: str) -> None:
    """A segment that the batch info names must be there, and no shorter than it was."""
    batch = await written(home, *FACTS)
    path = segment(batch, place)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert f"{place}/{path.name} has lost {len(lines[-1])} bytes" in again(batch)
    path.unlink()
    assert f"{place}/{path.name} is gone" in again(batch)


@pytest.mark.parametrize("place", [ROWS, JOURNAL, RESULTS])
async def test_acting_does_not_hide_a_loss(home: Home, place: str) -> None:
    """A command that acts on a batch with a shortened segment leaves its length as the batch info has it."""
    batch = await written(home, *FACTS)
    path = segment(batch, place)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    words = again(batch)
    async with home.act(batch.ref, "cancel") as acting:
        await acting.record([withdraw(2, row=1)])
    later = await look(home, home.find("logos"))
    assert [told for told in words if told not in suspicions(later)] == []
    assert any(told.startswith(f"{place}/{path.name} has lost") for told in words)


@pytest.mark.parametrize("place", [ROWS, JOURNAL, RESULTS])
async def test_what_is_known_outside_of_the_folder(home: Home, place: str) -> None:
    """A folder put back with its info knows nothing of what it lacks: what is kept outside does."""
    batch = await written(home, *FACTS)
    path = segment(batch, place)
    lines = path.read_bytes().splitlines(keepends=True)
    assert isinstance(batch.own, BatchFolder)
    batch.own.record = replace(batch.own.record, segments={})
    batch.own.write(batch.info)
    path.write_bytes(b"".join(lines[:-1]))
    assert f"{place}/{path.name} has lost {len(lines[-1])} bytes" in again(batch)
    path.unlink()
    assert f"{place}/{path.name} is gone" in again(batch)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"kids": ("k1", "k2")}, "requests were sent with callback key k1, k2, and no start is on disk"),
        (
            {"echo": {"tagging": True}},
            "requests were sent with callback key unknown, and no start is on disk",
        ),
        (
            {"kids": ("k1",), "clock": "yesterday"},
            "requests were sent with callback key k1, the last run at yesterday, and no start is on disk",
        ),
    ],
)
async def test_batch_info_that_knows_of_requests(home: Home, known: dict[str, Any], words: str) -> None:
    """The batch info has a key in use or an echo once a start is durable: where there is none it was lost."""
    batch = await written(home, plan(0))
    assert suspicions(batch) == []
    batch.keep(**known)
    assert suspicions(batch) == [words]
    forgive(batch, (words,))
    assert suspicions(batch) == []
    batch.keep(clock="today")
    assert len(suspicions(batch)) == 1, "the next loss of the kind has words of its own"
    await batch.record([start(1)])
    assert suspicions(batch) == []
    await batch.journal.close()


async def test_rows_that_are_lost_refuse_new_ones(home: Home) -> None:
    """As long as planned rows are missing, forgiven or not, none is added:
    it might get the number of a lost one.
    """
    batch = await written(home, *FACTS)
    refuse_lost_rows(batch)
    path = segment(batch, ROWS)
    whole = path.read_bytes()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    batch.state = batch.journal.refresh()
    forgive(batch, suspicions(batch))
    with pytest.raises(StoreError, match=r"1 planned rows are gone.*mwbatch resume logos"):
        refuse_lost_rows(batch)
    path.write_bytes(whole)
    batch.state = batch.journal.refresh()
    refuse_lost_rows(batch)


async def test_rows_that_nobody_had_started_are_missed_too(home: Home) -> None:
    """Rows that were planned last and never sent leave no hole in the numbers: their segment is shorter."""
    batch = await written(home, plan(0), plan(1))
    path = segment(batch, ROWS)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    batch.state = batch.journal.refresh()
    with pytest.raises(StoreError, match=r"rows/.* has lost \d+ bytes"):
        refuse_lost_rows(batch)


@pytest.mark.parametrize("left", [2, 1, 0, None])
async def test_a_batch_that_has_lost_rows_is_not_complete(home: Home, left: int | None) -> None:
    """Rows that are lost are damage like any other, forgiven or not,
    also where no row that is left knows of them.
    """
    batch = await written(home, *(plan(row) for row in range(2)))
    await batch.record([start(1, ((0, 2),)), answer(1, row=0), answer(1, row=1)])
    await batch.journal.close()
    path = segment(batch, ROWS)
    lines = path.read_bytes().splitlines(keepends=True)
    path.unlink() if left is None else path.write_bytes(b"".join(lines[:left]))
    forgive(batch, again(batch))
    report = batch.report()
    assert (report.complete, report.damaged_lines) == ((True, 0) if left == 2 else (False, 1))
    assert [damage.where for damage in batch.own.damage()] == ([] if left == 2 else [str(path)])


async def test_holes(home: Home) -> None:
    """A row must be there because a later one is,
    and an attempt must have started because something came of it.
    """
    batch = await written(home, plan(0), plan(4), show(1, row=0), fail(2, row=4), start(1, ((4, 5),)))
    assert suspicions(batch) == ["3 planned rows are gone", "2 rows have an outcome and no start"]


async def test_what_was_forgiven_stays_forgiven(home: Home) -> None:
    """Words in the batch info are not told again, by this run or the next; new harm is."""
    batch = await written(home, plan(0), plan(4))
    forgive(batch, suspicions(batch))
    assert again(batch) == []
    later = await look(home, home.find("logos"))
    await later.record([show(1, row=0)])
    await later.journal.close()
    assert suspicions(later) == ["1 rows have an outcome and no start"]


async def test_what_a_listing_has_to_show(home: Home) -> None:
    """As many tasks as were known once, or one where something was sent and the record of it is lost:
    until that is forgiven.
    """
    batch = await written(home, *FACTS, show(1, "other", row=2))
    assert least_listed(batch) == 2
    segment(batch, JOURNAL).unlink()
    segment(batch, RESULTS).unlink()
    batch.state = batch.journal.refresh()
    assert least_listed(batch) == 2
    assert (too_few(2, 2), "shows 1 task of the batch" in too_few(1, 2)) == ("", True)


@pytest.mark.parametrize(
    ("facts", "info", "least"),
    [
        ((plan(0), start(1)), {}, 1),
        ((plan(0), start(1), fail(1)), {}, 1),
        ((plan(0),), {"kids": ("k1",)}, 1),
        ((plan(0),), {"echo": {"tagging": True}}, 1),
        ((plan(0),), {}, 0),
    ],
)
async def test_where_something_was_sent_a_listing_shows_a_task(
    home: Home, facts: tuple[Fact, ...], info: dict[str, Any], least: int
) -> None:
    """Without its journal a batch that may have sent something believes no
    listing that shows nothing of it; one that never has does.
    """
    batch = await written(home, *facts)
    for path in (Path(batch.where) / JOURNAL).glob("*.jsonl"):
        path.unlink()
    batch.state = batch.journal.refresh()
    batch.keep(**info)
    assert least_listed(batch) == least
    forgive(batch, suspicions(batch))
    assert least_listed(batch) == 0


async def test_a_whole_record_needs_no_listing(home: Home) -> None:
    """Where nothing is lost, a batch whose only request made no task may be listed without any."""
    batch = await written(home, plan(0), start(1), fail(1))
    assert isinstance(batch.own, BatchFolder)
    batch.own.record = replace(batch.own.record, place=(1, 1))
    batch.keep(kids=("k1",))
    assert (len(suspicions(batch)), least_listed(batch)) == (1, 0)
