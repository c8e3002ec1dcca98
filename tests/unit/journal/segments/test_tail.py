"""Reading on: whatever happens between two looks, the state is that of a whole reading."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.facts.kinds import Fact
from mwbatch.core.facts.lines import line, parse
from mwbatch.core.state.batch import Batch
from mwbatch.errors import StoreError
from mwbatch.journal.interface.health import DamageKind
from mwbatch.journal.segments.folders import FOLDERS, JOURNAL, place
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.tail import Tail
from tests.support.facts import answer, fail, histories, plan, show, start

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
        journal, state = Segments(Path(folder), "view"), Batch()
        for fact, step in zip(history, steps, strict=False):
            if step == "look":
                state = journal.refresh(state)
            write(Path(folder), fact, "b" if step == "b" else "a")
        assert dict(journal.refresh(state).rows) == dict(Segments(Path(folder), "whole").refresh().rows)


def tail_of(folder: Path) -> Tail[Fact]:
    """The facts of a batch's folder."""
    return Tail(folder, FOLDERS, parse)


def news(tail: Tail[Fact]) -> list[Fact]:
    """What the next look gives."""
    return [fact for _, _, fact in tail.look()]


def test_nothing_is_read_twice(tmp_path: Path) -> None:
    """Each look has the lines since the last one, with their places; one that is not whole yet waits."""
    path = write(tmp_path, WHOLE[3])
    tail = tail_of(tmp_path)
    assert list(tail.look()) == [(path, 0, WHOLE[3])]
    write(tmp_path, WHOLE[5], whole=False)
    assert list(tail.look()) == []
    with path.open("ab") as file:
        file.write(line(WHOLE[5])[-9:])
    assert list(tail.look()) == [(path, len(line(WHOLE[3])), WHOLE[5])]
    assert list(tail.look()) == []


def test_a_file_that_only_grew_is_not_cut(tmp_path: Path) -> None:
    """What was read stays read while more is written, whole or not.

    Once a byte of it is gone, the file is cut.
    """
    path = write(tmp_path, WHOLE[3])
    tail = tail_of(tmp_path)
    assert not tail.is_cut()
    news(tail)
    for whole in (True, False):
        assert not tail.is_cut()
        write(tmp_path, WHOLE[5], whole=whole)
    assert not tail.is_cut()
    path.write_bytes(path.read_bytes()[: len(line(WHOLE[3])) - 1])
    assert tail.is_cut()


def test_what_a_writer_takes_back_is_forgotten(tmp_path: Path) -> None:
    """Lines that a full disk did not take are cut off and others written there.

    The next look knows none of them.
    """
    journal = Segments(tmp_path, "view")
    for fact in WHOLE[:3]:
        write(tmp_path, fact)
    path = write(tmp_path, fail(1, row=0))
    state = journal.refresh()
    assert state.row(0).failed
    path.write_bytes(line(WHOLE[2]) + line(fail(1, row=1)))
    state = journal.refresh(state)
    assert not state.row(0).failed
    assert journal.refresh(state) is state
    assert state.row(1).failed
    path.unlink()
    assert not journal.refresh(state).row(1).failed


def test_lines_that_were_cut_off_again(tmp_path: Path) -> None:
    """After a full disk the writer cuts its last lines off and writes others.

    Those are read, none is missed.
    """
    path, tail = write(tmp_path, plan(0)), tail_of(tmp_path)
    path.write_bytes(line(plan(0)) + line(plan(1)))
    assert len(news(tail)) == 2
    path.write_bytes(line(plan(0)) + line(show(1, row=7)) + line(show(2, row=8)))
    assert show(1, row=7) in news(tail)
    path.write_bytes(line(plan(0)))
    assert news(tail) == [plan(0)]


def test_a_segment_that_vanishes_was_empty(tmp_path: Path) -> None:
    """A writer that had nothing to write removes its segment: that is no trouble."""
    path, tail = write(tmp_path, plan(0), whole=False), tail_of(tmp_path)
    assert news(tail) == []
    path.unlink()
    assert news(tail) == []
    assert not tail.is_cut()


def test_bytes_that_are_no_fact_are_passed_over(tmp_path: Path) -> None:
    """Damage hides no line behind it; a fact of a version to come is refused."""
    path = write(tmp_path, WHOLE[3])
    path.write_bytes(b"rubbish\n" + path.read_bytes())
    assert list(tail_of(tmp_path).look()) == [(path, 8, WHOLE[3])]
    path.write_bytes(b'{"v":2,"crc":"f3c5c2f2"}\n')
    with pytest.raises(StoreError, match=r"at byte 0.*version 2"):
        news(tail_of(tmp_path))


def test_damage_is_what_a_whole_reading_finds(tmp_path: Path) -> None:
    """Bad bytes are told once, as what they have become by the last look.

    An end that was torn, then written over by more.
    """
    path, journal = write(tmp_path, WHOLE[3]), Segments(tmp_path, "view")
    state = journal.refresh()
    for more in (b"half", b"", b"\n", line(WHOLE[5]), b"torn"):
        path.write_bytes(path.read_bytes() + more)
        for _ in range(2):
            state = journal.refresh(state)
            whole = Segments(tmp_path, "whole")
            assert state.rows == whole.refresh().rows
            assert journal.health() == whole.health()
    assert [damage.kind for damage in journal.health().damage] == [DamageKind.DAMAGED, DamageKind.TORN]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """An error of the system becomes a sentence, and the state that was stays as it was."""
    path, journal = write(tmp_path, WHOLE[3]), Segments(tmp_path, "view")
    state = journal.refresh()
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match=r"a\.jsonl"):
        journal.refresh(state)
    assert JOURNAL in str(path)
    assert state.row(0).tasks
