"""Reading on: each completed row is given once, whatever is written, cut off or rewritten meanwhile."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.kinds import Fact, Seen
from mwbatch.core.facts.lines import line
from mwbatch.core.state.batch import Batch
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.journal import News
from mwbatch.journal.interface.labelled import results
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.segments.folders import place
from tests.support.facts import answer, histories, plan


def told(row: int, says: str = "yes", at: str = "2024-01-01") -> Fact:
    """An answer in a body that names its task, as every callback does."""
    body = encode({"task_id": "task-1", "response": says})
    return answer(1, says, at, row=row)._replace(body=body)


def batch(folder: Path) -> OpenBatch:
    """An empty batch of which nothing was read."""
    home = Home(folder / "home")
    home.create(BatchInfo("logos", "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ()))
    return home.open(home.find("logos"))


def write(opened: OpenBatch, *facts: Fact, writer: str = "one") -> None:
    """Append facts as another process would."""
    for fact in facts:
        path = Path(opened.where) / place(fact) / f"{writer}.jsonl"
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            file.write(line(fact))


def rows(news: News) -> list[int]:
    """The rows that the next look gives."""
    return [planned.row for planned, _ in news.look()]


def with_bodies(facts: list[Fact]) -> list[Fact]:
    """The same facts, with answers that name their task."""
    return [
        fact._replace(body=encode({"task_id": fact.task_id, "response": fact.answer}))
        if isinstance(fact, Seen) and fact.body
        else fact
        for fact in facts
    ]


@settings(max_examples=60, deadline=None)
@given(histories.map(with_bodies), st.lists(st.integers(0, 14), max_size=4))
def test_each_completed_row_once(
    tmp_path_factory: pytest.TempPathFactory, facts: list[Fact], looks: list[int]
) -> None:
    """However the looks fall between the writes: all the lines are those of `results`, each row once."""
    opened = batch(tmp_path_factory.mktemp("home"))
    news, given_rows = opened.journal.news(opened.state), list[int]()
    for number, fact in enumerate(facts):
        given_rows += rows(news) if number in looks else []
        write(opened, fact, writer=f"w{number % 3}")
    given_rows += rows(news) + rows(news)
    assert news.quiet
    assert len(given_rows) == len(set(given_rows))
    fresh = opened.store.open(opened.ref)
    fresh.state = fresh.journal.refresh()
    assert sorted(given_rows) == [found["row"] for found in results(fresh)]
    assert opened.state.by_status() == Batch(facts).by_status()


def test_in_the_order_of_the_answers(tmp_path: Path) -> None:
    """Rows are given as their answers came, and those that come later by the next look.

    From new segments too.
    """
    opened = batch(tmp_path)
    news = opened.journal.news(opened.state)
    write(opened, *map(plan, range(5)), told(3), told(1))
    assert rows(news) == [3, 1]
    write(opened, told(1, "no"), told(4), writer="another")
    write(opened, told(0))
    assert rows(news) == [4, 0]
    assert rows(news) == []


def test_an_answer_before_its_row(tmp_path: Path) -> None:
    """A row whose answer is read before the row itself is given once the row is there."""
    opened = batch(tmp_path)
    news = opened.journal.news(opened.state)
    write(opened, told(0))
    assert rows(news) == []
    write(opened, plan(0))
    assert rows(news) == [0]
