"""A disk that was full: space is looked for, and found, without a fact being written."""

import errno
from pathlib import Path

import pytest

from mwbatch.errors import DiskFull, Poisoned
from mwbatch.journal.segments.journal import Segments
from tests.support.disks import Failing, Fillable
from tests.support.facts import answer, show


async def full(tmp_path: Path, disk: Fillable) -> Segments:
    """A journal with one fact, on a disk that has just become full."""
    journal = Segments(tmp_path, "test", disk)
    await journal.append([show(1)])
    disk.full = True
    with pytest.raises(DiskFull):
        await journal.append([show(2)])
    return journal


async def test_space_is_found(tmp_path: Path) -> None:
    """It is full from the failure on, until a probe finds space; no fact is needed for that,
    and none is made.
    """
    disk = Fillable()
    journal = await full(tmp_path, disk)
    assert [journal.health().full, await journal.probe()] == [True, False]
    disk.full = False
    assert [journal.health().full, await journal.probe(), journal.health().full] == [True, True, False]
    assert list(journal.read()) == [show(1)]
    await journal.close()


async def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    """Whether a probe finds space or not, the only file is the segment, and it was not touched."""
    disk = Fillable()
    journal = await full(tmp_path, disk)
    (segment,) = (tmp_path / "journal").iterdir()
    before = (segment.stat().st_mtime_ns, disk.written[segment.name])
    for disk.full in (True, False):
        await journal.probe()
        assert list((tmp_path / "journal").iterdir()) == [segment]
    assert (segment.stat().st_mtime_ns, disk.written[segment.name]) == before
    await journal.close()


async def test_a_commit_finds_space_too(tmp_path: Path) -> None:
    """A commit that succeeds ends the shortage as a probe does."""
    disk = Fillable()
    journal = await full(tmp_path, disk)
    disk.full = False
    await journal.append([show(2)])
    assert not journal.health().full
    await journal.close()


async def test_a_probe_asks_for_what_was_lacking(tmp_path: Path) -> None:
    """Space for less than what did not fit is not space."""
    disk = Failing(write=["short", errno.ENOSPC, "short", errno.ENOSPC])
    journal = Segments(tmp_path, "test", disk)
    with pytest.raises(DiskFull):
        await journal.append([answer(1)])
    assert not await journal.probe()
    assert await journal.probe()
    await journal.close()


async def test_no_folder_yet(tmp_path: Path) -> None:
    """A folder for which there was no space is looked for, too."""
    journal = Segments(tmp_path / "batch", "test", Failing(create=[errno.ENOSPC]))
    with pytest.raises(DiskFull):
        await journal.append([show(1)])
    assert await journal.probe()
    assert not list((tmp_path / "batch" / "journal").iterdir())
    await journal.close()


async def test_a_poisoned_segment_is_never_written_again(tmp_path: Path) -> None:
    """Space that a probe finds does not heal a segment whose sync failed."""
    disk = Failing(write=[errno.ENOSPC], sync=[None, errno.EIO])
    journal = Segments(tmp_path, "test", disk)
    with pytest.raises(DiskFull):
        await journal.append([show(1)])
    with pytest.raises(Poisoned):
        await journal.append([show(1)])
    assert await journal.probe()
    writes = disk.calls.count("write")
    with pytest.raises(Poisoned):
        await journal.append([show(1)])
    assert disk.calls.count("write") == writes
    await journal.close()


async def test_where_there_is_space_nothing_is_probed(tmp_path: Path) -> None:
    """A probe of a journal that lacks nothing does nothing."""
    disk = Failing()
    journal = Segments(tmp_path, "test", disk)
    assert await journal.probe()
    assert not disk.calls


async def test_a_file_that_can_grow_no_more(tmp_path: Path) -> None:
    """Where one file has come to its limit, and not the disk, the next lines go to another;
    what it holds is known on.
    """
    journal = Segments(tmp_path, "test", Failing(write=[None, errno.EFBIG]))
    await journal.append([answer(1)])
    with pytest.raises(DiskFull):
        await journal.append([answer(2)])
    await journal.append([answer(2)])
    assert (await journal.append([answer(1)]), journal.health().full) == ([False], False)
    first, second = [path for path in (tmp_path / "results").iterdir() if path.stat().st_size]
    assert (len(list(journal.answers())), journal.stands()) == (2, True)
    for path in (first, second):
        path.rename(path.with_suffix(".away"))
        assert not journal.stands()
        path.with_suffix(".away").rename(path)
    assert journal.stands()
    await journal.close()


async def test_a_line_that_is_longer_than_any_file(tmp_path: Path) -> None:
    """Where not even an empty file takes a line nothing is left behind, however often it is tried."""
    journal = Segments(tmp_path, "test", Failing(write=[errno.EFBIG] * 3))
    for _ in range(3):
        with pytest.raises(DiskFull):
            await journal.append([answer(1)])
    assert not list((tmp_path / "results").iterdir())
    await journal.close()
