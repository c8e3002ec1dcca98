"""Unusable segments: bounded, read with indulgence, and no part of the journal."""

from pathlib import Path

import pytest

from mwbatch.core.api.address import Address
from mwbatch.core.api.unusable import Unusable, line
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.errors import Poisoned, StoreError
from mwbatch.journal.segments.journal import Segments, segment_sizes
from mwbatch.journal.segments.unusable_folder import REJECTS, UnusableFolder, distinct, move, read
from tests.support.disks import Failing


def reject(row: int = 0, at: float = 1.0, raw: bytes = b"{") -> Unusable:
    """A reject of one row."""
    return Unusable.of(
        Address(Kid("k1"), "b1", RowNumber(row), Attempt(1), "0" * 32), "not_json", raw, at, 100
    )


def shelf(folder: Path, most: int = 10_000, disk: Failing | None = None) -> UnusableFolder:
    """A shelf below a folder."""
    return UnusableFolder(folder, "receiver", most, disk or Failing())


def test_written_then_read(tmp_path: Path) -> None:
    """What was appended is there at once, in a file that only its owner reads;
    a shelf without rejects leaves none.
    """
    there = shelf(tmp_path)
    there.close()
    assert not list(tmp_path.iterdir())
    assert there.append(reject())
    assert list(read(tmp_path)) == [reject()]
    [path] = (tmp_path / REJECTS).iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    there.close()


def test_a_folder_has_its_bound(tmp_path: Path) -> None:
    """Two writers share the bound of a folder; beyond it nothing is written,
    and once it is cleared it goes on.
    """
    size = len(line(reject()))
    one, two = shelf(tmp_path, 2 * size), shelf(tmp_path, 2 * size)
    assert [one.append(reject()), two.append(reject(1)), one.append(reject(2))] == [True, True, False]
    for path in (tmp_path / REJECTS).iterdir():
        path.unlink()
    assert one.append(reject(2))
    assert list(read(tmp_path)) == [reject(2)]
    one.close()
    two.close()


def test_a_failed_disk(tmp_path: Path) -> None:
    """What the disk refuses is told, and is not there."""
    there = shelf(tmp_path, disk=Failing(sync=[None, 5]))
    for _ in range(2):
        with pytest.raises(Poisoned):
            there.append(reject())
    assert not list(read(tmp_path))
    there.close()


def test_read_with_indulgence(tmp_path: Path) -> None:
    """A damaged line, a torn end and a file that cannot be read hide nothing else."""
    folder = tmp_path / REJECTS
    (folder / "0.jsonl").mkdir(parents=True)
    (folder / "1.jsonl").write_bytes(b"rubbish\n" + line(reject(1)) + line(reject(2))[:-5])
    (folder / "2.jsonl").write_bytes(line(reject(3)))
    assert [one.row for one in read(tmp_path)] == [1, 3]
    assert not list(read(tmp_path / "nowhere"))


def test_each_once_in_order(tmp_path: Path) -> None:
    """The same body at the same address counts once, wherever and however often it was kept."""
    for name, rows in (("a", (3, 1)), ("b", (1, 2))):
        (tmp_path / name / REJECTS).mkdir(parents=True)
        lines = [line(reject(row, at=float(row))) for row in rows]
        (tmp_path / name / REJECTS / "x.jsonl").write_bytes(b"".join(lines))
    assert [one.row for one in distinct(tmp_path / "a", tmp_path / "b")] == [1, 2, 3]


def test_moved_when_nobody_writes(tmp_path: Path) -> None:
    """The segments of another folder are moved once their writer is gone; until then they stay."""
    source, target = tmp_path / "inbox", tmp_path / "batch"
    there = shelf(source)
    there.append(reject())
    move(source, target)
    assert (list(read(source)), list(read(target))) == ([reject()], [])
    there.close()
    move(source, target)
    assert (list(read(source)), list(read(target))) == ([], [reject()])


def test_what_cannot_be_moved_stays(tmp_path: Path) -> None:
    """A segment that cannot be moved is told of, and is where it was."""
    there = shelf(tmp_path / "inbox")
    there.append(reject())
    there.close()
    (tmp_path / "batch").write_bytes(b"no folder")
    with pytest.raises(StoreError):
        move(tmp_path / "inbox", tmp_path / "batch")
    assert list(read(tmp_path / "inbox")) == [reject()]


def test_no_part_of_the_journal(tmp_path: Path) -> None:
    """Rejects, damaged ones too, are no facts, no damage, no segments whose loss would be missed."""
    there = shelf(tmp_path)
    there.append(reject())
    there.close()
    (tmp_path / REJECTS / "bad.jsonl").write_bytes(b"x\ny\n")
    journal = Segments(tmp_path, "view")
    assert (list(journal.read()), journal.health().damage, journal.dead_segments()) == ([], (), [])
    assert segment_sizes(tmp_path) == {}


def test_a_folder_that_cannot_be_looked_into(tmp_path: Path) -> None:
    """What fails there is this machine's, and no bug."""
    with pytest.raises(StoreError):
        UnusableFolder(tmp_path / ("x" * 300), "test", 1000).append(reject())
