"""What is stored and what is listed: the same answer, another one, or less of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.api.task import Task, seen
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.core.report.agreement import FEW, FIRST, Agreement, Differing, gist_of
from mwbatch.core.state.task_state import TaskState

TAG = {"id": "a", "left": 1, "top": 2, "width": 3, "height": 4, "brand": "Pepsi"}
OTHER = TAG | {"id": "b", "left": 9}


def said(*tags: Any, **more: Any) -> dict[str, Any]:
    """An answer with these tags."""
    return {"tags": list(tags), **more}


def stored(row: int, response: Any) -> tuple[TaskState, Seen]:
    """An answer as the batch knows it, and as it is on disk."""
    task = Task(f"t{row}", status="completed", response=response)
    body = encode({"task_id": task.task_id, "response": response})
    fact = seen(task, RowNumber(row), Attempt(1), Via.CALLBACK, 0.0, body)
    known = TaskState(task.task_id, Attempt(1))
    known.join(fact)
    return known, fact


def compared(*pairs: tuple[Any, Any]) -> tuple[list[Differing], bool]:
    """What comes of rows whose first answer is stored and whose second is listed."""
    agreement, facts = Agreement(), []
    for row, (kept, listed) in enumerate(pairs):
        known, fact = stored(row, kept)
        facts.append(fact)
        agreement.compare(RowNumber(row), known, Task(known.task_id, response=listed))
    return agreement.differing(facts)


SAME = [
    (said(TAG), said(TAG)),
    (said(TAG, OTHER), said(OTHER, TAG)),
    (said(TAG), said(TAG | {"brand_id": "x", "template_url": None}, seconds=7)),
    (said(TAG), said(TAG | {"left": 1.0})),
    (said({"id": "1", "brand": None}), said({"id": "1"})),
    (said(), said()),
]


@pytest.mark.parametrize("pair", SAME)
def test_the_same_answer_written_otherwise(pair: tuple[Any, Any]) -> None:
    """The order of tags, what else stands beside them, and how a number is written, make no difference."""
    assert compared(pair) == ([], False)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "z"},
        {"left": 7},
        {"top": 7},
        {"width": 7},
        {"height": 7},
        {"brand": "Coca-Cola"},
        {"label": "x"},
    ],
)
def test_another_answer(change: dict[str, Any]) -> None:
    """Another tag, box, brand or label differs, be it the batch's only answer."""
    pair = said(TAG), said(TAG | change)
    assert compared(pair) == ([Differing(RowNumber(0), "t0")], False)
    assert compared(*SAME, pair) == ([Differing(RowNumber(len(SAME)), f"t{len(SAME)}")], False)


@pytest.mark.parametrize("listed", [said(), said(TAG), said(TAG, OTHER, OTHER | {"id": "c"})])
def test_tags_that_are_missing_or_too_many(listed: Any) -> None:
    """A tag more or less than what is stored differs, where the listing shows others whole."""
    assert compared(*SAME, (said(TAG, OTHER), listed))[0] == [
        Differing(RowNumber(len(SAME)), f"t{len(SAME)}")
    ]


@pytest.mark.parametrize("count", [1, 3, FIRST + 20])
@pytest.mark.parametrize("listed", [said(), said({"id": "a"}), said(TAG)])
def test_a_listing_that_abridges(count: int, listed: Any) -> None:
    """Where each answer that says anything is listed with less, the listing abridges: said,
    and nothing differs.
    """
    empty = said(), said()
    assert compared(*([empty] * count), *([(said(TAG, OTHER), listed)] * count)) == ([], True)


@given(st.integers(0, 2 * FEW), st.integers(1, 2 * FEW))
def test_over_half_of_many_is_no_accident(same: int, other: int) -> None:
    """Where over half of the first answers are listed otherwise nothing is compared;
    of a few all are told.
    """
    pairs = [(said(TAG), said(TAG))] * same + [(said(TAG), said(OTHER))] * other
    differing, abridged = compared(*pairs)
    assert abridged is (other > same and same + other >= FEW)
    assert len(differing) == (0 if abridged else other)


def test_only_the_first_hundred_tell_whether_it_abridges() -> None:
    """What comes after them is compared, however much of it differs."""
    same, other = FIRST + 5, FIRST + 50
    pairs = [(said(TAG), said(TAG))] * same + [(said(TAG), said(OTHER))] * other
    differing, abridged = compared(*pairs)
    assert ([row for row, _ in differing], abridged) == (list(range(same, same + other)), False)


@pytest.mark.parametrize("nothing", [None, {}, [], "yes", {"tags": None}])
def test_what_has_no_tags_is_not_compared(nothing: Any) -> None:
    """An answer without tags, here or there, says nothing that could differ."""
    assert gist_of(nothing) is None
    assert compared((said(TAG), nothing)) == ([], False)
    assert compared((nothing or {}, said(TAG))) == ([], False)


def test_one_of_two_stored_answers_is_enough() -> None:
    """A task in conflict with itself agrees with the listing if one of its answers does."""
    known, first = stored(0, said(OTHER))
    _, second = stored(0, said(TAG))
    agreement = Agreement()
    agreement.compare(RowNumber(0), known, Task("t0", response=said(TAG, seconds=7)))
    assert agreement.differing([first, second]) == agreement.differing([second, first]) == ([], False)


def test_what_is_not_stored_is_not_compared() -> None:
    """A task of which nothing is known, or no answer, is none to compare;
    and other tasks' answers are passed over.
    """
    agreement, (known, fact) = Agreement(), stored(3, said(TAG))
    agreement.compare(RowNumber(9), None, Task("t9", response=said(TAG)))
    agreement.compare(RowNumber(4), TaskState("t4", Attempt(1)), Task("t4", response=said(TAG)))
    agreement.compare(RowNumber(5), stored(5, said(TAG))[0], Task("t5", response=said(TAG)))
    plain = agreement.is_plain
    agreement.compare(RowNumber(3), known, Task("t3", response=said(OTHER)))
    assert (plain, agreement.is_plain) == (True, False)
    assert agreement.differing([stored(8, said(TAG))[1], fact]) == ([Differing(RowNumber(3), "t3")], False)


@pytest.mark.parametrize(
    ("status", "told"),
    [("pending", True), ("canceled", True), ("completed", False), ("", False), ("odd", False)],
)
def test_an_answer_of_which_the_api_knows_nothing(status: str, told: bool) -> None:
    """A task that is listed as pending or canceled, and had an answer before, is kept once;
    other words tell nothing.
    """
    agreement, (known, _) = Agreement(), stored(3, said(TAG))
    for _ in range(2):
        agreement.compare(RowNumber(3), known, Task("t3", status=status))
    agreement.compare(RowNumber(4), TaskState("t4", Attempt(1)), Task("t4", status=status))
    assert list(agreement.unanswered) == [Differing(RowNumber(3), "t3")] * told
    assert agreement.is_plain
