"""Stage two: what becomes of a tagging answer's boxes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import encode, objects
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Planned, Seen, Via
from mwbatch.core.manifest.entry import Entry
from mwbatch.core.manifest.parsing import read_jsonl
from mwbatch.core.report.second_stage import BoxesAsked, BoxQuestion, Filter, ask
from mwbatch.core.spending.scrutiny import Leave, Scrutiny

QUESTION = BoxQuestion("Is it good?", ("good", "bad"))
PLANNED = Planned(
    0.0,
    RowNumber(7),
    "shot-7",
    9,
    "tagging",
    {"image_url": "https://a/7.jpg", "objects_to_tag": "brands"},
    {"shop": "x"},
)


def box(name: str, width: float = 10, height: float = 10, **more: Any) -> dict[str, Any]:
    """A tag as people draw it."""
    return {"id": name, "left": 1, "top": 2, "width": width, "height": height, **more}


def asked(*tags: Any, planned: Planned = PLANNED, **chosen: Any) -> BoxesAsked:
    """What becomes of an answer with these tags."""
    said = {"tags": list(tags)}
    body = encode({"task_id": "t7", "response": said})
    answer = Seen(
        0.0, RowNumber(7), Attempt(1), "t7", "completed", Via.CALLBACK, None, None, digest(said), "s", body
    )
    return ask("logos", planned, answer, QUESTION, Filter(**chosen))


def ids(found: BoxesAsked) -> list[str]:
    """The tags that are asked about."""
    return [str(tag["id"]) for tag in objects(found.row["tags"]) or []] if found.row else []


def test_a_row_that_a_manifest_takes() -> None:
    """The row is a good annotating row: its request has the boxes alone,
    its columns the lineage and the brands.
    """
    found = asked(box("a", brand="Umber", brand_id="b1"), box("b", template_url=None))
    (entry,) = read_jsonl([encode(found.row)])
    assert isinstance(entry, Entry)
    assert (entry.id, entry.type, entry.request["tags"]) == ("shot-7", "annotating", [box("a"), box("b")])
    assert entry.request["annotation_option"] == ["good", "bad"]
    assert entry.columns == {
        "shop": "x",
        "source_batch": "logos",
        "source_row": 7,
        "source_id": "shot-7",
        "source_task_id": "t7",
        "tags": [box("a", brand="Umber", brand_id="b1"), box("b", template_url=None)],
    }


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "id": st.sampled_from(["a", "b", 1, "1", None, "", "\ud83d"]),
                "width": st.sampled_from([0, 1, 2.5]),
            },
            optional={
                "brand": st.sampled_from(["x", "\ud83d", "\0", None]),
                "more": st.sampled_from([[], {"a": 1}]),
            },
        ).map(lambda tag: {"left": 1, "top": 2, "height": 3, **tag}),
        max_size=4,
    ),
    st.dictionaries(
        st.sampled_from(["Tags", "Type", "objectsToTag", "ID", "shop", "options", "callback_url"]),
        st.integers(),
    ),
)
def test_whatever_came_a_manifest_takes_it(tags: list[Any], columns: dict[str, Any]) -> None:
    """Whatever tags people drew and whatever columns the user has, the row that is made is a good one."""
    found = asked(*tags, planned=PLANNED._replace(columns=columns))
    if found.row is not None:
        (entry,) = read_jsonl([encode(found.row)])
        assert isinstance(entry, Entry)
        assert (entry.type, Scrutiny(Leave()).look(entry)) == ("annotating", None)
        assert columns.items() <= entry.columns.items()


@pytest.mark.parametrize(
    ("question", "columns"),
    [
        (BoxQuestion("Is it?", ("a", "b")), []),
        (BoxQuestion("Is it?", ("seen",), single=True), []),
        (BoxQuestion("Is it?", ("yes,no",)), ["annotation_option"]),
        (BoxQuestion("None", ("a", "nan")), ["instruction", "annotation_option"]),
        (BoxQuestion(" ", ()), ["instruction", "annotation_option"]),
        (BoxQuestion("\ud83d", ("a", "\0")), ["instruction", "annotation_option"]),
    ],
)
def test_questions_that_no_manifest_takes(question: BoxQuestion, columns: list[str]) -> None:
    """A question is refused for what would make its rows wrong."""
    assert [column for column, _ in question.wrong()] == columns


def test_an_image_without_tags_asks_nothing() -> None:
    """Nothing to ask about: no row."""
    assert asked() == BoxesAsked(None, asked().counts)
    assert sum(asked().counts.values()) == 0


@pytest.mark.parametrize(
    ("chosen", "left", "filtered", "beyond"),
    [
        ({}, ["a", "b", "c"], 0, 0),
        ({"brands": frozenset({"UMBER"})}, ["a"], 2, 0),
        ({"brands": frozenset({"nobody"})}, [], 3, 0),
        ({"least": 20.0}, ["b"], 2, 0),
        ({"most": 2}, ["b", "c"], 0, 1),
        ({"most": 1, "least": 6.0}, ["b"], 1, 1),
    ],
)
def test_filters(chosen: dict[str, Any], left: list[str], filtered: int, beyond: int) -> None:
    """Brand whatever its letter case, least side, and the largest of one image;
    what is left out is counted.
    """
    assert Filter().fits(box("d", 0.25, 0.5))
    tags = [box("a", 5, 8, brand="Umber"), box("b", 30, 20, brand="Ochre"), box("c", 19, 19)]
    found = asked(*tags, **chosen)
    assert (ids(found), found.counts["filtered"], found.counts["beyond"]) == (left, filtered, beyond)


# what people may send
@pytest.mark.parametrize("tag", [None, 7, {}, box("a", 0), box("a", "3"), {**box("a"), "id": None}])  # type: ignore[arg-type]
def test_a_tag_that_no_manifest_takes(tag: Any) -> None:
    """A tag without a box or an id is counted and left out, and spoils no other."""
    found = asked(tag, box("b"))
    assert (ids(found), found.counts["unusable"]) == (["b"], 1)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), max_size=8), st.integers(1, 4))
def test_every_tag_is_accounted_for(sizes: list[tuple[int, int]], most: int) -> None:
    """Each tag is asked about or counted among those left out,
    and none that is left out is larger than one that is not.
    """
    tags = [box(str(n), *size) for n, size in enumerate(sizes)]
    found = asked(*tags, most=most, least=5.0)
    assert sum(found.counts.values()) == len(tags)
    kept = [tag["width"] * tag["height"] for tag in tags if tag["id"] in ids(found)]
    fitting = sorted(w * h for w, h in sizes if min(w, h) >= 5)
    assert sorted(kept) == fitting[len(fitting) - len(kept) :]
    assert ids(found) == sorted(ids(found), key=int)


def test_lineage_of_lineage() -> None:
    """Columns that an earlier stage left are replaced by those of this one."""
    earlier = Planned(
        0.0, RowNumber(7), "shot-7", 9, "tagging", PLANNED.request, {"source_batch": "old", "source_row": 1}
    )
    row = asked(box("a"), planned=earlier).row
    assert row is not None
    assert (row["source_batch"], row["source_row"]) == ("logos", 7)


@pytest.mark.parametrize("name", ["custom_id", "unique_id", "global_key"])
def test_another_id_comes_along(name: str) -> None:
    """A column for ids that only a later row of an old batch named would be a second one:
    it comes under a name of its own.
    """
    found = asked(box("a"), planned=PLANNED._replace(columns={"shop": "x", name: "other"}))
    (entry,) = read_jsonl([encode(found.row)])
    assert isinstance(entry, Entry)
    assert (entry.id, entry.columns["shop"], name in entry.columns) == ("shot-7", "x", False)
    assert entry.columns[f"source_column_{name}"] == "other"
