"""Reading on: whatever happens between two looks, the state is that of a whole reading, and nothing is read twice."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.facts import Fact
from mwbatch.core.lines import line, parse
from mwbatch.errors import StoreError
from mwbatch.journal.segments import Segments, place
from mwbatch.journal.tail import Tail, Watched
from tests.core.facts import answer, fail, histories, plan, show, start

WHOLE: list[Fact] = [plan(0), plan(1), start(1, ((0, 2),)), show(1), answer(1), fail(1, final=True, row=1)]


def write(folder: Path, fact: Fact, writer: str = "a", *, whole: bool = True) -> Path:
    """Add a fact to the segment of a writer."""
    path = folder / place(fact) / f"{writer}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(line(fact) if whole else line(fact)[:-9])
    return path


@given(histories, st.lists(st.sampled_from(["look", "a", "b"]), min_size=14, max_size=14))
def test_it_is_the_whole_reading(history: list[Fact], steps: list[str]) -> None:
    """However looks and writers take turns, the last look sees what a whole reading sees."""
    with TemporaryDirectory() as folder:
        watched = Watched(Path(folder))
        for fact, step in zip(history, steps, strict=False):
            if step == "look":
                watched.look()
            write(Path(folder), fact, "b" if step == "b" else "a")
        assert dict(watched.look().rows) == dict(Segments(Path(folder), "whole").fold().rows)


def test_nothing_is_read_twice(tmp_path: Path) -> None:
    """Each look has the lines since the last one, with their places; one that is not whole yet waits."""
    path = write(tmp_path, WHOLE[3])
    tail = Tail(path)
    assert [(offset, fact) for offset, fact in tail.read(parse)] == [(0, WHOLE[3])]
    write(tmp_path, WHOLE[5], whole=False)
    assert list(tail.read(parse)) == []
    with path.open("ab") as file:
        file.write(line(WHOLE[5])[-9:])
    assert list(tail.read(parse)) == [(len(line(WHOLE[3])), WHOLE[5])]
    assert list(tail.read(parse)) == []


def test_a_file_that_only_grew_is_not_cut(tmp_path: Path) -> None:
    """What was read stays read while more is written, whole or not; once a byte of it is gone, the file is cut."""
    path = write(tmp_path, WHOLE[3])
    tail = Tail(path)
    assert not tail.is_cut()
    list(tail.read(parse))
    for whole in (True, False):
        assert not tail.is_cut()
        write(tmp_path, WHOLE[5], whole=whole)
    assert not tail.is_cut()
    path.write_bytes(path.read_bytes()[: len(line(WHOLE[3])) - 1])
    assert tail.is_cut()


def test_what_a_writer_takes_back_is_forgotten(tmp_path: Path) -> None:
    """Lines that a full disk did not take are cut off and others written there: the next look knows none of them."""
    watched = Watched(tmp_path)
    for fact in WHOLE[:3]:
        write(tmp_path, fact)
    path = write(tmp_path, fail(1, row=0))
    assert watched.look().row(0).failed
    path.write_bytes(line(WHOLE[2]) + line(fail(1, row=1)))
    assert not watched.look().row(0).failed
    assert watched.look().row(1).failed
    path.unlink()
    assert not watched.look().row(1).failed


def test_lines_that_were_cut_off_again(tmp_path: Path) -> None:
    """After a full disk the writer cuts its last lines off and writes others: those are read, none is missed."""
    path, tail = tmp_path / "a.jsonl", Tail(tmp_path / "a.jsonl")
    path.write_bytes(line(plan(0)) + line(plan(1)))
    assert len(list(tail.read(parse))) == 2
    path.write_bytes(line(plan(0)) + line(show(1, row=7)) + line(show(2, row=8)))
    assert show(1, row=7) in [fact for _, fact in tail.read(parse)]
    path.write_bytes(line(plan(0)))
    assert [fact for _, fact in tail.read(parse)] == [plan(0)]


def test_a_segment_that_vanishes_was_empty(tmp_path: Path) -> None:
    """A writer that had nothing to write removes its segment: that is no trouble."""
    tail = Tail(tmp_path / "gone.jsonl")
    assert list(tail.read(parse)) == []
    assert not tail.is_cut()


def test_bytes_that_are_no_fact_are_passed_over(tmp_path: Path) -> None:
    """Damage hides no line behind it; a fact of a version to come is refused."""
    path = write(tmp_path, WHOLE[3])
    path.write_bytes(b"rubbish\n" + path.read_bytes())
    assert list(Tail(path).read(parse)) == [(8, WHOLE[3])]
    path.write_bytes(b'{"v":2,"crc":"f3c5c2f2"}\n')
    with pytest.raises(StoreError, match=r"at byte 0.*version 2"):
        list(Tail(path).read(parse))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """An error of the system becomes a sentence."""
    (tmp_path / "folder.jsonl").mkdir()
    tail = Tail(tmp_path / "folder.jsonl")
    with pytest.raises(StoreError, match=r"folder\.jsonl"):
        tail.is_cut()
    with pytest.raises(StoreError, match=r"folder\.jsonl"):
        list(tail.read(parse))
