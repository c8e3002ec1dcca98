"""What tasks of the account ask for, in both shapes and dialects, and whose they are."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.api.address import Key, write
from mwbatch.core.api.create_request import encode_create
from mwbatch.core.api.task import Task, parse_task
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.codec.json_codec import Json, encode
from mwbatch.core.facts.digests import stable_digest
from mwbatch.core.facts.kinds import Request
from mwbatch.core.manifest.entry import Entry
from mwbatch.core.manifest.parsing import read_jsonl
from mwbatch.core.spending.account import Account, asked_by
from mwbatch.core.spending.overlaps import API, Ahead, Overlaps
from mwbatch.errors import AskedElsewhere
from mwbatch.simulator.world.forms import read_draft
from mwbatch.simulator.world.tasks import Task as Made
from mwbatch.simulator.world.tasks import flat, later, nested

KEY = Key(Kid("k1"), bytes(32))
URL = "https://images.example.com/{}.jpg"

words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
sides = st.integers(1, 900) | st.floats(0.5, 900).map(lambda side: round(side, 3))
tags = st.fixed_dictionaries(
    dict.fromkeys(("left", "top", "width", "height"), sides), optional={"id": words, "brand": words}
)
questions = st.fixed_dictionaries(
    {
        "image_url": st.just(URL.format(1)),
        "instruction": words,
        "annotation_option": st.lists(words, min_size=1, max_size=3, unique=True),
        "tags": st.lists(tags, min_size=1, max_size=3, unique_by=str),
    }
)
pictures = st.fixed_dictionaries({"image_url": st.integers(0, 9).map(URL.format)})


@given(
    questions | pictures,
    st.sampled_from([flat, nested, lambda task: later(nested(task)), lambda task: later(flat(task))]),
)
def test_a_task_asks_for_what_its_row_asks_for(row: dict[str, Json], show: Callable[[Made], Any]) -> None:
    """What was sent for a row of a manifest and is shown again has the row's digest,
    whatever the shape and the dialect.
    """
    (entry,) = read_jsonl([encode(row) + b"\n"])
    if not isinstance(entry, Entry):
        return
    body = encode_create(entry.type, entry.request, "https://calls.example.com/x")
    made = Made("t1", read_draft(entry.type, body, "application/x-www-form-urlencoded"), 0.0, 0.0, 0.0)
    asked = asked_by(parse_task(show(made)))
    assert asked is not None
    assert stable_digest(*asked) == stable_digest(entry.type, entry.request)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"image_url": 7},
        {"image_url": URL, "instruction": "Clear?"},
        {"image_url": URL, "instruction": "Clear?", "options": ["yes"], "tags": "none"},
        {"image_url": URL, "options": ["yes"], "tags": []},
        {"image_url": URL, "instruction": "Clear?", "options": ["yes"], "tags": [{"id": 1, "left": 2}]},
        {"image_url": URL, "instruction": "Clear?", "options": ["yes"], "tags": ["0"]},
        {
            "image_url": URL,
            "instruction": "Clear?",
            "options": ["yes"],
            "tags": [{"id": 1, "left": "wide", "top": 1, "width": 1, "height": 1}],
        },
    ],
)
def test_a_task_without_its_inputs_cannot_be_compared(params: dict[str, Json]) -> None:
    """What the API does not show, or shows otherwise, is counted and never guessed."""
    assert asked_by(Task("t1", params=params)) is None
    account = Account(Ahead(), "b1", frozenset())
    account.take([Task("t1", params=params)])
    assert (account.listed, account.bare, account.found) == (1, 1, frozenset())


def task(name: str, picture: int, batch: str = "", status: str = "pending") -> Task:
    """A task that asks for a picture, at an address of a batch, or at none of ours."""
    url = (
        write("https://calls.example.com", KEY, batch, RowNumber(0), Attempt(1))
        if batch
        else "https://hooks.example.com/mine"
    )
    return Task(name, status=status, callback_url=url, params={"image_url": URL.format(picture)})


class Told(AskedElsewhere):
    """What is told of one maker's tasks, for scripts and for people."""

    text: str
    again: str


def overlaps(*tasks: Task, again: tuple[str, ...] = (), known: tuple[str, ...] = ()) -> list[Told]:
    """What is told of tasks, where rows of the batch ``ours`` ask for pictures 0 to 3."""
    request: list[Request] = [{"image_url": URL.format(n), "objects_to_tag": "brands"} for n in range(4)]
    ahead = Ahead((n, stable_digest("tagging", one)) for n, one in enumerate(request))
    account, found = Account(ahead, "ours234567", frozenset()), Overlaps(len(ahead))
    account.take(tasks)
    account.add_to(found, {"here234567"}, lambda maker: lambda _: maker in again, known.__contains__)
    assert found.rows == len({n for n, mark in enumerate(found.marks) if mark})
    return [{**one.json(), "text": one.text(), "again": one.again} for one in found.there]


def test_whose_tasks_they_are() -> None:
    """Tasks of another home are told from those that no mwbatch made; each says what --again calls it."""
    other, strange = overlaps(
        task("t1", 0, "theirs2345"), task("t2", 1, "theirs2345", "completed"), task("t3", 1), task("t4", 9)
    )
    assert (other["batch"], other["batch_id"], other["rows"], other["again"]) == (
        None,
        "theirs2345",
        2,
        "theirs2345",
    )
    assert other["text"] == "batch theirs2345 of another home or machine: 2 rows, 1 completed, 1 pending"
    assert (strange["batch_id"], strange["rows"], strange["again"]) == (None, 1, API)
    assert strange["text"] == "tasks of the account at no address of mwbatch: 1 row, 1 pending"


def test_what_does_not_count() -> None:
    """Canceled tasks, tasks of our own batch, and those of batches that were compared by what is on disk."""
    assert (
        overlaps(
            task("t1", 0, "theirs2345", "canceled"), task("t2", 1, "ours234567"), task("t3", 2, "here234567")
        )
        == []
    )


def test_consent_and_our_own_tasks_without_an_address() -> None:
    """What the user wants paid again passes;
    so does a task of our own that the API shows without its address.
    """
    assert overlaps(task("t1", 0, "theirs2345"), again=("theirs2345",)) == []
    assert overlaps(task("t1", 0), again=(API,)) == []
    assert overlaps(task("t1", 0), known=("t1",)) == []
    (one,) = overlaps(task("t1", 0, status=""), task("t2", 1), known=("t2",))
    assert (one["rows"], one["by_status"]) == (1, {"unknown": 1})


def test_a_status_is_shown_as_printable_text() -> None:
    """Whatever the API says of a task, a terminal gets nothing that it would obey."""
    (one,) = overlaps(task("t1", 0, status="\x1b[2J"))
    assert one["by_status"] == {"'\\x1b[2J'": 1}
