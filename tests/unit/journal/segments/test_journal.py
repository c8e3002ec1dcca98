"""The journal in segments: the laws, the folders, the index, and a disk that fails."""

import asyncio
import errno
import fcntl
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mwbatch.core.facts.kinds import Failed, Retried, Seen, Started, Withdrawn
from mwbatch.core.facts.lines import line, parse
from mwbatch.errors import DiskFull, Poisoned, StoreError
from mwbatch.journal.interface.health import DamageKind
from mwbatch.journal.segments import writer
from mwbatch.journal.segments.folders import FOLDERS, RESULTS, Folder
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.scan import Again
from tests.support.disks import Failing, Fate, Gated, unprivileged
from tests.support.facts import answer, plan, show, start
from tests.unit.journal.laws.journal_laws import EVERY, Open, WritingLaws, told
from tests.unit.journal.laws.laws_of_reading import ReadingLaws


class TestSegments(WritingLaws, ReadingLaws):
    """It keeps every law of a journal."""

    def anew(self, folder: Path) -> Open:
        """A batch folder that is not there yet."""
        return lambda: Segments(folder / "batch", "test")


def files(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder with what it holds."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def modes(folder: Path) -> set[tuple[bool, int]]:
    """What is below a folder: whether it is a file, and who may do what with it."""
    return {(path.is_file(), stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}


async def write(folder: Path) -> Segments:
    """A closed journal in which one fact of each kind stands."""
    journal = Segments(folder, "test")
    await journal.append(EVERY)
    await journal.close()
    return journal


def test_what_stands_is_what_was_read_last(tmp_path: Path) -> None:
    """A segment that is gone shows until the folder is read again: then it is no part of what was read."""
    folder = Folder(tmp_path / RESULTS)
    for name in ("1", "2"):
        segment = tmp_path / RESULTS / f"2024010{name}T000000Z-receiver-0000000{name}.jsonl"
        segment.parent.mkdir(exist_ok=True)
        segment.write_bytes(line(answer(1)))
    assert (len(list(folder.durable(parse))), folder.stands()) == (2, True)
    segment.unlink()
    assert not folder.stands()
    assert (len(list(folder.durable(parse))), folder.stands()) == (1, True)


async def test_the_rows_of_a_type(tmp_path: Path) -> None:
    """Rows of one type are read alone, whatever stands in the cells of the others."""
    journal = Segments(tmp_path, "test")
    other = plan(1)._replace(type="annotating")
    decoy = plan(2)._replace(columns={"note": '"type":"annotating"', "meta": {"type": "annotating"}})
    await journal.append([plan(0), other, decoy])
    await journal.close()
    assert list(journal.rows(None, "annotating")) == [other]
    assert list(journal.rows({0, 1, 2}.__contains__, "annotating")) == [other]
    assert list(journal.rows({0, 2}.__contains__)) == [plan(0), decoy]


async def test_each_fact_has_its_folder(tmp_path: Path) -> None:
    """Plans are in rows/, answers in results/, all else in journal/; each can be read alone."""
    journal = await write(tmp_path)
    lines = {path.parent.name: text for path, text in files(tmp_path).items()}
    assert list(lines) and set(lines) == set(FOLDERS)  # noqa: PT018 (one law)
    assert lines["rows"] == line(plan(0))
    assert lines["results"] == line(answer(1))
    assert list(journal.rows()) == [plan(0)]
    assert list(journal.answers()) == [answer(1)]
    kinds = (Started, Seen, Failed, Retried, Withdrawn)
    others = [fact for kind in kinds for fact in journal.facts(kind)]
    assert set(map(line, others)) == set(lines["journal"].splitlines(keepends=True))
    ((path, offset, row),) = journal.answered_rows()
    assert (Again(path).fact(offset), row) == (answer(1), answer(1).row)


async def test_only_the_owner_can_read(tmp_path: Path) -> None:
    """All files are 0600 and all folders 0700."""
    await write(tmp_path / "batch")
    assert modes(tmp_path) == {(True, 0o600), (False, 0o700)}


async def test_opening_changes_nothing(tmp_path: Path) -> None:
    """Opening, reading, indexing and closing twice leaves every byte, torn ones too, as it was."""
    await write(tmp_path)
    torn = next((tmp_path / "results").iterdir())
    torn.write_bytes(torn.read_bytes() + b"half")
    before = files(tmp_path)
    for _ in range(2):
        journal = Segments(tmp_path, "test")
        assert journal.index() == 1
        assert told(journal) == sorted(map(line, EVERY))
        journal.refresh()
        assert [damage.kind for damage in journal.health().damage] == [DamageKind.TORN]
        assert await journal.append([answer(1)]) == [False]
        await journal.close()
    assert files(tmp_path) == before


@pytest.mark.parametrize("folder", ["journal", "results"])
async def test_cut_at_every_byte(tmp_path: Path, folder: str) -> None:
    """Whatever part of its last batch a killed writer left, all earlier facts are read and nothing else."""
    journal = Segments(tmp_path, "test")
    await journal.append([start(1), answer(1)])
    path = next((tmp_path / folder).iterdir())
    size = path.stat().st_size
    await journal.append([show(2), show(3), answer(2), answer(3)])
    await journal.close()
    whole, early, late = path.read_bytes(), {line(start(1)), line(answer(1))}, {*told(journal)}
    for end in range(size, len(whole)):
        path.write_bytes(whole[:end])
        assert early < {*told(journal)} <= late
        journal.refresh()
        assert len(told(journal)) == 4 + whole[size:end].count(b"\n")
        assert [damage.kind for damage in journal.health().damage] == [DamageKind.TORN] * (
            whole[end - 1 : end] != b"\n"
        )


async def test_a_torn_answer_is_written_again(tmp_path: Path) -> None:
    """An answer of which only a part is on disk is new when it comes again."""
    await write(tmp_path)
    path = next((tmp_path / "results").iterdir())
    path.write_bytes(path.read_bytes()[:-1])
    journal = Segments(tmp_path, "test")
    assert await journal.append([answer(1)]) == [True]
    await journal.close()
    assert list(journal.answers()) == [answer(1)]


async def test_a_duplicate_in_flight_waits_for_the_same_commit(tmp_path: Path) -> None:
    """A second copy is acknowledged when the first is durable, not before."""
    disk = Gated()
    journal = Segments(tmp_path, "test", disk)
    first = asyncio.create_task(journal.append([answer(1)]))
    await asyncio.to_thread(disk.waiting.wait, 10)
    second = asyncio.create_task(journal.append([answer(1), answer(1)]))
    await asyncio.sleep(0.02)
    assert not first.done()
    assert not second.done()
    assert journal.backlog == len(line(answer(1)))
    disk.gate.set()
    assert [await first, await second] == [[True], [False, False]]
    assert journal.backlog == 0
    await journal.close()
    assert len(told(journal)) == 1


async def test_a_start_in_flight_is_waited_for(tmp_path: Path) -> None:
    """Who starts rows that another append is starting hears that they are when they are, not before."""
    disk = Gated()
    journal = Segments(tmp_path, "test", disk)
    first = asyncio.create_task(journal.append([start(1, ((0, 9),))]))
    await asyncio.to_thread(disk.waiting.wait, 10)
    second = asyncio.create_task(journal.append([start(1, ((8, 12),))]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not second.done()
    disk.gate.set()
    assert [await first, await second] == [[True], [False]]
    await journal.close()


async def test_a_failed_commit_fails_its_duplicates_too(tmp_path: Path) -> None:
    """Whoever waited for a commit that failed is told; the next copy is written itself."""
    disk = Gated(write=[errno.ENOSPC])
    journal = Segments(tmp_path, "test", disk)
    appends = [asyncio.create_task(journal.append([answer(1)])) for _ in range(3)]
    await asyncio.to_thread(disk.waiting.wait, 10)
    await asyncio.sleep(0.02)
    disk.gate.set()
    assert [type(error) for error in await asyncio.gather(*appends, return_exceptions=True)] == [DiskFull] * 3
    assert told(journal) == []
    assert await journal.append([answer(1)]) == [True]
    await journal.close()
    assert len(told(journal)) == 1


async def test_the_index_learns_after_the_sync(tmp_path: Path) -> None:
    """An answer whose sync failed is never taken for stored, here or by the next to open the folder."""
    journal = Segments(tmp_path, "test", Failing(sync=[None, errno.EIO]))
    for _ in range(2):
        with pytest.raises(Poisoned):
            await journal.append([answer(1)])
    await journal.close()
    after = Segments(tmp_path, "test")
    assert await after.append([answer(1)]) == [True]
    await after.close()


async def test_the_index_trusts_only_what_it_synced(tmp_path: Path) -> None:
    """What a killed writer may never have synced is synced before an answer counts as stored."""
    await write(tmp_path)
    disk = Failing(settle=[errno.EIO, None, errno.EIO, None, None, errno.EIO])
    journal = Segments(tmp_path, "test", disk)
    for calls in (["settle"], ["settle"] * 2, ["settle"] * 3):
        with pytest.raises(StoreError, match="cannot"):
            await journal.append([answer(1)])
        assert disk.calls == calls
        disk.calls.clear()
    assert await journal.append([answer(1)]) == [False]
    assert disk.calls == ["settle"] * 3


@pytest.mark.parametrize("fates", [{"create": [errno.EIO]}, {"settle": [None, errno.EIO]}])
async def test_a_poisoned_shelf_makes_no_other_segment(tmp_path: Path, fates: dict[str, list[Fate]]) -> None:
    """Once a segment could not be made durable, no other one is made in its place.

    Its folder may be lost, too.
    """
    disk = Failing(**fates)
    journal = Segments(tmp_path, "test", disk)
    with pytest.raises(Poisoned):
        await journal.append([show(1)])
    disk.calls.clear()
    with pytest.raises(Poisoned):
        await journal.append([show(1)])
    assert disk.calls == []
    await journal.close()


async def test_a_cancelled_close_closes_everything(tmp_path: Path) -> None:
    """Closing is cancelled again and again while a commit runs.

    It ends when every folder is closed, with all on disk.
    """
    disk = Gated()
    journal = Segments(tmp_path, "test", disk)
    handed_in = asyncio.create_task(journal.append(EVERY))
    await asyncio.to_thread(disk.waiting.wait, 10)
    closing = asyncio.create_task(journal.close())
    for _ in range(10):
        await asyncio.sleep(0)
        closing.cancel()
    disk.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await handed_in
    assert len(journal.dead_segments()) == len(FOLDERS)
    assert told(Segments(tmp_path, "view")) == sorted(map(line, EVERY))


async def test_an_error_at_close_leaves_nothing_open(tmp_path: Path) -> None:
    """A close that fails is told after every other file was closed."""
    disk = Failing(close=[errno.EIO])
    journal = Segments(tmp_path, "test", disk)
    await journal.append(EVERY)
    with pytest.raises(Poisoned, match="could not be closed"):
        await journal.close()
    assert disk.calls.count("close") == len(FOLDERS)
    assert len(journal.dead_segments()) == len(FOLDERS)


async def test_the_index_reads_but_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Appends that begin together share one reading, so that none forgets what another stored."""
    await write(tmp_path)
    journal, begun, go = Segments(tmp_path, "test"), [0], threading.Event()
    results = journal._folders["results"]
    read = results.durable

    def slowly(take: Callable[[bytes], bytes | None]) -> Iterator[bytes]:
        begun[0] += 1
        go.wait(10)
        return read(take)

    monkeypatch.setattr(results, "durable", slowly)
    appends = [asyncio.create_task(journal.append([answer(n)])) for n in (1, 2, 2)]
    await asyncio.sleep(0.02)
    go.set()
    assert [await append for append in appends] == [[False], [True], [False]]
    assert begun == [1]
    assert journal.index() == 2
    assert await journal.append([answer(1), answer(2)]) == [False, False]
    await journal.close()


async def test_what_is_stored_is_known_whatever_failed_beside_it(tmp_path: Path) -> None:
    """Where one append fails in one folder, the answer that another folder took is not stored again."""
    journal = Segments(tmp_path, "test", Failing(write=[errno.ENOSPC]))
    with pytest.raises(DiskFull):
        await journal.append([answer(1), show(1)])
    assert await journal.append([answer(1), show(1)]) == [False, True]
    await journal.close()
    assert len(told(journal)) == 2


@pytest.mark.parametrize("fate", [[errno.ENOSPC], ["short", errno.ENOSPC]])
async def test_a_full_disk_may_be_tried_again(tmp_path: Path, fate: list[Fate]) -> None:
    """After DiskFull nothing is there, and the same call succeeds once there is space."""
    journal = Segments(tmp_path, "test", Failing(write=fate))
    with pytest.raises(DiskFull):
        await journal.append([start(1), start(2)])
    assert told(journal) == []
    assert await journal.append([start(1), start(2)]) == [True, True]
    await journal.close()
    assert list(journal.read()) == [start(1), start(2)]
    assert journal.health().damage == ()


async def test_a_segment_that_cannot_be_made_may_be_tried_again(tmp_path: Path) -> None:
    """Without space for a new segment the append fails, and a later one makes it."""
    journal = Segments(tmp_path, "test", Failing(create=[errno.ENOSPC]))
    with pytest.raises(DiskFull):
        await journal.append([show(1)])
    assert await journal.append([show(1)]) == [True]
    await journal.close()
    assert len(list((tmp_path / "journal").iterdir())) == 1


async def test_a_segment_that_vanishes_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment that its writer removes, empty, while another lists the folder is no error."""
    await write(tmp_path)
    there = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda self: [*there(self), self / "gone.jsonl"])
    journal = Segments(tmp_path, "test")
    assert journal.index() == 1
    assert told(journal) == sorted(map(line, EVERY))


def test_a_folder_that_cannot_be_read_is_not_empty(tmp_path: Path) -> None:
    """Nobody takes answers for missing because the folder that holds them is closed to him."""
    with unprivileged(tmp_path) as place:
        folder = place / "results"
        folder.mkdir()
        (folder / "a.jsonl").write_bytes(line(answer(1)))
        folder.chmod(0o300)
        with pytest.raises(StoreError, match="Permission denied"):
            list(Segments(place, "view").read())


def test_there_is_one_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that ask for it at the same moment get the same: two would not know of each other's answers."""

    class Slow(writer.Writer):
        def __init__(self, *words: Any) -> None:
            time.sleep(0.05)
            super().__init__(*words)

    monkeypatch.setattr(writer, "Writer", Slow)
    journal = Segments(tmp_path, "test")
    with ThreadPoolExecutor(4) as pool:
        made = {id(one) for one in pool.map(lambda _: journal._writer, range(4))}
    assert len(made) == 1


SYNC = (fcntl, "fcntl") if sys.platform == "darwin" else (os, "fdatasync")
"""macOS syncs the disk itself by F_FULLFSYNC alone."""


async def test_an_append_reaches_the_disk_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before an append returns, the operating system was told to sync the file, after its last write."""
    calls: list[str] = []

    def watch(module: ModuleType, name: str) -> None:
        real = getattr(module, name)

        def watched(*words: object) -> object:
            calls.append(name)
            return real(*words)

        monkeypatch.setattr(module, name, watched)

    watch(os, "write")
    watch(*SYNC)
    journal = Segments(tmp_path, "test")
    await journal.append([show(1)])
    assert calls[-2:] == ["write", SYNC[1]]
    await journal.close()


@pytest.mark.parametrize("lies", FOLDERS)
async def test_what_lies_in_another_folder_is_read_as_what_it_is(tmp_path: Path, lies: str) -> None:
    """Rows and answers are shown wherever in the batch a restore has put their segments,
    and known to be there.
    """
    await write(tmp_path)
    before = Segments(tmp_path, "view")
    told = [*before.answered()]
    for path in [path for name in FOLDERS for path in (tmp_path / name).iterdir()]:
        path.rename(tmp_path / lies / f"{path.parent.name}-{path.name}")
    journal = Segments(tmp_path, "test")
    assert [*journal.answered()] == told
    assert [*journal.rows()] == [plan(0)]
    assert [*journal.answers()] == [answer(1)]
    assert [*journal.facts(Failed)] == [fact for fact in EVERY if isinstance(fact, Failed)]
    assert (journal.index(), await journal.append([answer(1)]), journal.stands()) == (1, [False], True)
    assert len(journal.dead_segments()) == len(FOLDERS)
    await journal.close()
