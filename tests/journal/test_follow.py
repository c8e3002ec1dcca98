"""Following a journal: which task was seen of which attempt."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.facts import Fact, Seen
from mwbatch.core.lines import line
from mwbatch.core.text import encode
from mwbatch.journal.follow import CHUNK, Follower, Tasks, plain
from mwbatch.journal.segments import JOURNAL
from tests.core.facts import fail, show, start


def write(folder: Path, *facts: Fact, name: str = "a", torn: int = 0) -> None:
    """Append facts to a segment, less the last bytes."""
    (folder / JOURNAL).mkdir(exist_ok=True)
    with (folder / JOURNAL / f"{name}.jsonl").open("ab") as file:
        text = b"".join(map(line, facts))
        file.write(text[: len(text) - torn])


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 3), st.sampled_from("ab")), max_size=30))
def test_the_first_task_counts(named: list[tuple[int, int, str]]) -> None:
    """Of each attempt the first task that was named is remembered, and any other is strange."""
    tasks = Tasks()
    first: dict[tuple[int, int], str] = {}
    for row, attempt, task in named:
        known = first.setdefault((row, attempt), task)
        assert tasks.note(row, attempt, encode(task)) is (known != task)


@given(st.text(min_size=1), st.text())
def test_whatever_a_task_is_called(name: str, status: str) -> None:
    """A task is found again by its id, however that is spelled on disk."""
    with TemporaryDirectory() as text:
        folder = Path(text)
        write(folder, show(1, task=name, status=status + "\ud83d"))
        follower = Follower(folder)
        assert follower.follow() == []
        assert not follower.tasks.note(0, 1, plain(encode(name)))
        assert follower.tasks.note(0, 1, plain(encode(name + "x")))


def test_only_what_is_new(tmp_path: Path) -> None:
    """Each call reads on where the last one stopped, over torn ends, new segments and facts of other kinds."""
    follower = Follower(tmp_path)
    assert follower.follow() == []
    write(tmp_path, start(1), show(1, task="x", row=0), show(1, task="x", row=1), torn=3)
    assert follower.follow() == []
    write(tmp_path, fail(1, row=2), show(2, task="z", row=0), show(1, task="y", row=0), name="b")
    assert follower.follow() == [0]
    assert follower.follow() == []


def test_a_line_longer_than_a_chunk(tmp_path: Path) -> None:
    """A fact with a great body hides none behind it."""
    body = b'"' + b"x" * (2 * CHUNK) + b'"'
    write(tmp_path, Seen(0.0, 0, 1, "a", "canceled", "callback", body=body), show(1, task="b"))
    assert Follower(tmp_path).follow() == [0]


def test_told_to_stop(tmp_path: Path) -> None:
    """It stops between two chunks when it is told to, and goes on from there."""
    many = [show(1, task=f"{n}-{'x' * 1000}", row=n) for n in range(1000)]
    write(tmp_path, *many, *many[:1], show(1, task="other", row=999))
    follower = Follower(tmp_path)
    assert follower.follow(lambda: True) == []
    assert follower.follow() == [999]
