"""Following a journal: which task was recorded of which attempt."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.kinds import Fact, Seen, Via
from mwbatch.core.facts.lines import line
from mwbatch.journal.segments.folders import JOURNAL
from mwbatch.journal.segments.journal import Segments
from tests.support.facts import fail, show, start


def write(folder: Path, *facts: Fact, name: str = "a", torn: int = 0) -> None:
    """Append facts to a segment, less the last bytes."""
    (folder / JOURNAL).mkdir(exist_ok=True)
    with (folder / JOURNAL / f"{name}.jsonl").open("ab") as file:
        text = b"".join(map(line, facts))
        file.write(text[: len(text) - torn])


@given(st.text(min_size=1), st.text())
def test_whatever_a_task_is_called(name: str, status: str) -> None:
    """A task is found again by its id, however that is spelled on disk."""
    with TemporaryDirectory() as text:
        folder = Path(text)
        write(folder, show(1, task=name, status=status + "\ud83d"))
        assert list(Segments(folder, "view").tasks().look()) == [(0, 1, encode(name))]


def test_only_what_is_new(tmp_path: Path) -> None:
    """Each look reads on where the last one stopped, over torn ends.

    New segments and facts of other kinds.
    """
    tasks = Segments(tmp_path, "view").tasks()
    assert list(tasks.look()) == []
    write(tmp_path, start(1), show(1, task="x", row=0), show(1, task="x", row=1), torn=3)
    assert list(tasks.look()) == [(0, 1, b'"x"')]
    write(tmp_path, fail(1, row=2), show(2, task="z", row=0), show(1, task="y", row=0), name="b")
    assert list(tasks.look()) == [(0, 2, b'"z"'), (0, 1, b'"y"')]
    assert list(tasks.look()) == []


def test_a_long_line(tmp_path: Path) -> None:
    """A fact with a great body hides none behind it."""
    body = b'"' + b"x" * (1 << 20) + b'"'
    write(
        tmp_path,
        Seen(0.0, RowNumber(0), Attempt(1), "a", "canceled", Via.CALLBACK, body=body),
        show(1, task="b"),
    )
    assert [task for *_, task in Segments(tmp_path, "view").tasks().look()] == [b'"a"', b'"b"']


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A segment that cannot be read is no trouble of its own, and takes nothing from the others."""
    write(tmp_path, show(1, task="a"), show(1, task="b"))
    tasks = Segments(tmp_path, "view").tasks()
    assert len(list(tasks.look())) == 2
    (tmp_path / JOURNAL / "z.jsonl").mkdir()
    assert list(tasks.look()) == []
