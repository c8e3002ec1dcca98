"""What a JSON value is, asked at the door."""

import pytest

from mwbatch.core.api.task import Task
from mwbatch.core.api.unusable import parse as parse_reject
from mwbatch.core.codec.json_codec import Json, each, field, is_count, maybe, number, objects, table, texts
from mwbatch.core.facts.lines import BadLine, UnknownFact, parse, sealed
from mwbatch.core.spending.account import asked_by

RECORD: dict[str, Json] = {"n": 3, "x": 0.5, "t": "a", "b": True, "l": ["a", "b"], "o": {"k": 1}, "0": None}
ODD: list[Json] = [None, True, -1, 0.0, "1", [1], {}]


def test_a_field_is_of_the_kind_that_is_asked_for() -> None:
    """What is there and of its kind comes back as it is; what may be missing has a stand-in."""
    assert (field(RECORD, "n", int), field(RECORD, "t", str), field(RECORD, "b", bool)) == (3, "a", True)
    assert (number(RECORD, "n"), number(RECORD, "x"), maybe(RECORD, "t", str)) == (3, 0.5, "a")
    assert (maybe(RECORD, "none", int), maybe(RECORD, "0", int)) == (None, None)
    assert (each(RECORD, "l", str), each(RECORD, "none", str)) == (("a", "b"), ())
    assert (table(RECORD, "o"), table(RECORD, "none")) == ({"k": 1}, {})


@pytest.mark.parametrize("name", ["x", "t", "b", "l", "o", "0"])
def test_what_is_of_another_kind_is_refused(name: str) -> None:
    """Nothing else passes for a whole number, a bool and null least of all; the words name the field."""
    with pytest.raises(TypeError, match=f"^{name} cannot be "):
        field(RECORD, name, int)


def test_what_is_missing_is_said() -> None:
    """A field that must be there, and lists and numbers of another kind."""
    with pytest.raises(KeyError):
        field(RECORD, "none", int)
    with pytest.raises(TypeError):
        number(RECORD, "b")
    with pytest.raises(TypeError):
        each(RECORD, "l", int)


def test_counts_texts_and_objects() -> None:
    """Each takes what it is called, and nothing that only looks like it."""
    assert is_count(0)
    assert not any(is_count(value) for value in ODD)
    assert (texts(["a"]), texts([]), texts(["a", 1]), texts("a")) == (["a"], [], None, None)
    assert (objects([{}]), objects([]), objects([{}, 1]), objects({})) == ([{}], [], None, None)


@pytest.mark.parametrize("options", [["good", 7], "good", None])
@pytest.mark.parametrize("tags", [[7], [{"id": 1, "left": [0], "top": 0, "width": 1, "height": 1}]])
def test_inputs_of_another_kind_cannot_be_compared(options: Json, tags: Json) -> None:
    """A task whose options are no texts, or whose boxes are none,
    asks for nothing that a row could ask for.
    """
    asked: dict[str, Json] = {"image_url": "https://a/1", "instruction": "Which?"}
    assert asked_by(Task("t1", params={**asked, "options": options, "tags": tags})) is None
    assert asked_by(Task("t1", params={**asked, "options": ["good"], "tags": tags})) is None


@pytest.mark.parametrize("rows", [7, "ab", {"0": 1}, [[0, 1, 2]], [7], [[0, True]], [[-1, 2]]])
def test_runs_of_rows_are_pairs_of_counts(rows: Json) -> None:
    """A start whose rows are anything else is not understood."""
    fact = {
        "v": 1,
        "fact": "started",
        "at": 0.0,
        "rows": rows,
        "attempt": 1,
        "base": "b",
        "origin": "o",
        "key": "k",
    }
    with pytest.raises(UnknownFact):
        parse(sealed({**fact, "kid": "k1"})[:-1])


@pytest.mark.parametrize(
    "change", [{"row": "7"}, {"row": True}, {"at": "now"}, {"reason": None}, {"body": 7}, {"colour": "red"}]
)
def test_a_reject_has_its_own_fields_each_of_its_kind(change: dict[str, Json]) -> None:
    """Anything else in its line is no reject, whatever its checksum says."""
    record: dict[str, Json] = {
        "v": 1,
        "at": 0.5,
        "row": 7,
        "attempt": 1,
        "reason": "not_json",
        "size": 2,
        "sha256": "s",
    }
    whole = record | {"truncated": False, "body": "e30="}
    assert parse_reject(sealed(whole)[:-1]).row == 7
    with pytest.raises(BadLine):
        parse_reject(sealed(whole | change)[:-1])
