"""Categories: their numbers never change when more rows are completed."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwbatch.core.codec.json_codec import Json
from mwbatch.export.batch_survey import BatchSurvey
from mwbatch.export.choices import By
from tests.unit.export.batches import Drawn, answer, batch, facts, tag, write

brands = st.lists(st.lists(st.sampled_from(["Pepsi", "Cola", "\u00dcber", None, ""]), max_size=3), max_size=6)


def names(folder: Path, rows: list[Drawn], by: By | None = None) -> list[str]:
    """The categories of a batch by number."""
    return BatchSurvey(batch(folder, rows).journal, by, boxes=True).categories.names()


def tags(brands: list[str | None]) -> list[dict[str, Json]]:
    """A tag for each brand."""
    return [tag(str(n), brand=brand) for n, brand in enumerate(brands)]


@settings(max_examples=40, deadline=None)
@given(brands, st.permutations(range(6)), st.integers(0, 6))
def test_more_rows_append(
    tmp_path_factory: pytest.TempPathFactory, found: list[list[str | None]], order: list[int], early: int
) -> None:
    """In whatever order rows are completed:
    the categories of an early export begin those of every later one.
    """
    rows = [Drawn(str(n), tags(one), answered=1000.0 * order[n] - n) for n, one in enumerate(found)]
    some = [row if order[n] < early else Drawn(row.id) for n, row in enumerate(rows)]
    first, last = (names(tmp_path_factory.mktemp("b"), one) for one in (some, rows))
    assert last[: len(first)] == first
    assert set(last) == {brand or "unknown" for one in found for brand in one}


def test_rows_of_one_moment_go_by_their_numbers(tmp_path: Path) -> None:
    """Answers of the same moment: the row decides, then the place in it,
    in whatever order the lines stand.
    """
    rows = [
        Drawn("0", tags(["C", "A"])),
        Drawn("1", tags(["D"]), answered=-1.0),
        Drawn("2", tags(["B"]), answered=-2.0),
    ]
    opened = batch(tmp_path, [])
    write(opened, [fact for number in (2, 0, 1) for fact in facts(number, rows[number])])
    assert BatchSurvey(opened.journal, None, boxes=True).categories.names() == ["C", "A", "D", "B"]


def test_labels_are_the_options(tmp_path: Path) -> None:
    """Annotating rows have all their options as categories from the start, in the manifest's order,
    chosen or not.
    """
    sent = [tag("a"), tag("b")]
    rows = [
        Drawn("1", None, sent=sent, options=["good", "bad"]),
        Drawn("2", [tag("a", label="bad"), tag("b")], sent=sent, options=["bad", "odd"]),
    ]
    assert names(tmp_path, rows) == ["good", "bad", "odd", "unknown"]


def test_brands_of_annotated_tags(tmp_path: Path) -> None:
    """By brand, annotating rows have the brands that their tags were sent with."""
    rows = [Drawn("1", [tag("a", label="good")], sent=[tag("a", brand="Pepsi")])]
    assert names(tmp_path, rows, By.BRAND) == ["Pepsi"]
    assert names(tmp_path / "other", rows) == ["good", "bad", "great"]


def test_an_answer_that_is_no_longer_shown(tmp_path: Path) -> None:
    """A brand keeps its number though an answer that takes precedence does not name it."""
    opened = batch(tmp_path, [Drawn("1", [tag(brand="Old")]), Drawn("2", [tag(brand="Other")])])
    write(opened, [answer(0, {"tags": [tag(brand="New")]}, after=500.0, task="a-lesser-task")])
    survey = BatchSurvey(opened.journal, None, boxes=True)
    assert survey.categories.names() == ["Old", "Other", "New"]


def test_a_name_that_nobody_mentioned(tmp_path: Path) -> None:
    """A name that appears in mid-export gets the next number."""
    survey = BatchSurvey(batch(tmp_path, [Drawn("1", [tag(brand="A")])]).journal, None, boxes=True)
    assert [survey.categories.number(name) for name in ("late", "A", "late")] == [1, 0, 1]
