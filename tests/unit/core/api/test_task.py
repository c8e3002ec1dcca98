"""Tasks are read in every shape and dialect, and nothing but `BadTask` ever comes out of it; what the fact
that one was seen carries.
"""

from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.api.task import (
    ALIASES,
    BadTask,
    Task,
    _told,
    _told_as_documented,
    parse_callback,
    parse_task,
    seen,
    told_by,
)
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Seen, Via

FLAT: dict[str, Json] = {
    "task_id": "K63nQmiYa5C57iXm5",
    "created_at": "2017-04-14T12:00:00.000Z",
    "callback_url": "http://www.example.com/callback",
    "type": "annotating",
    "status": "pending",
    "image_url": "https://ibb.co/fmMFRQ",
    "instruction": "Good or bad?",
    "options": ["good", "bad"],
    "tags": [{"id": "t", "left": 0, "top": 0, "width": 1, "height": 1}],
}
INPUTS: dict[str, Json] = {name: FLAT[name] for name in ("image_url", "instruction", "options", "tags")}
NESTED: dict[str, Json] = {name: value for name, value in FLAT.items() if name not in INPUTS} | {
    "params": {**{k: v for k, v in INPUTS.items() if k != "options"}, "annotation_option": ["good", "bad"]}
}
CAMEL: dict[str, Json] = {
    "taskId": FLAT["task_id"],
    "createdAt": FLAT["created_at"],
    "callbackUrl": FLAT["callback_url"],
    "type": "annotating",
    "state": "pending",
    "imageUrl": FLAT["image_url"],
    "instruction": "Good or bad?",
    "annotationOption": ["good", "bad"],
    "tags": FLAT["tags"],
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
NAMES = st.sampled_from([*ALIASES, *ALIASES.values(), "params", "task", "response", "type", "tags"])
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)


SENT: dict[str, Json] = {
    "task_id": "t1",
    "status": "finished",
    "created_at": "A",
    "completed_at": "B",
    "callback_url": "https://calls.test/x",
}
ODD: list[Json] = ["t1", "t2", "finished", "", None, 7, True, [], {"tags": []}]
CHANGES = st.dictionaries(NAMES, st.sampled_from(ODD), max_size=3)
"""Fields of any type that stand there too, or instead."""


@pytest.mark.parametrize("shown", [NESTED, CAMEL], ids=["nested", "camelCase"])
def test_shapes_and_dialects_are_one_task(shown: Json) -> None:
    """A task is the same task in whichever shape and dialect it is shown."""
    assert parse_task(shown) == parse_task(FLAT)


def test_a_task_carries_what_it_was_made_of() -> None:
    """Inputs stand under params, whatever the shape."""
    task = parse_task(FLAT)
    assert (task.task_id, task.status, task.type) == ("K63nQmiYa5C57iXm5", "pending", "annotating")
    assert task.params == INPUTS
    assert task.extra == {}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "completed"}, "completed"),
        ({"state": "finished"}, "completed"),
        ({"status": "finished"}, "completed"),
        ({"status": "canceled", "state": "finished"}, "canceled"),
        ({"status": "on_hold"}, "on_hold"),
        ({"status": 7}, ""),
        ({}, ""),
    ],
)
def test_a_status_is_the_apis_word(fields: dict[str, Json], status: str) -> None:
    """An unknown status stands as it is; only the other dialect's word is translated."""
    assert parse_task({"task_id": "a", **fields}).status == status


@pytest.mark.parametrize("name", ["options", "annotation_option", "annotationOption"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_single_option_may_be_bare(name: str, nested: bool) -> None:
    """One option may come as a bare string, under any of its names and in either shape."""
    fields: dict[str, Json] = {"params": {name: "good"}} if nested else {name: "good"}
    assert parse_task({"task_id": "a", **fields}).params == {"options": ["good"]}


@pytest.mark.parametrize(
    ("alias", "name", "value"),
    [
        ("taskId", "task_id", "a"),
        ("callbackUrl", "callback_url", "https://calls.test"),
        ("createdAt", "created_at", "2026-11-25T00:00:00.000Z"),
        ("completedAt", "completed_at", "2026-11-25T00:00:00.000Z"),
        ("callbackSucceeded", "callback_succeeded", True),
        ("state", "status", "pending"),
        ("imageUrl", "image_url", "https://a.test/1.jpg"),
        ("objectsToTag", "objects_to_tag", "brands"),
        ("annotationOption", "options", ["a"]),
        ("annotationOptions", "options", ["a"]),
        ("annotation_option", "options", ["a"]),
        ("annotation_options", "options", ["a"]),
    ],
)
def test_each_other_name_is_read(alias: str, name: str, value: Json) -> None:
    """A field under its other name says what it says under ours, at the top and among the inputs."""
    plain = parse_task({"task_id": "a", name: value})
    assert parse_task({"task_id": "a", alias: value} if name != "task_id" else {alias: value}) == plain
    assert plain != parse_task({"task_id": "b"})
    assert parse_task({"task_id": "a", "params": {alias: value}}).params == {name: value}


def test_what_is_unknown_is_kept() -> None:
    """Unknown fields and fields of an unexpected type are kept, not refused."""
    task = parse_task({"task_id": "a", "price": 3, "callback_url": 5, "params": "odd"})
    assert task.extra == {"price": 3, "callback_url": 5, "params": "odd"}
    assert task.callback_url is None
    assert parse_task({"task_id": "a", "params": {"lang": "de"}}).params == {"lang": "de"}


@pytest.mark.parametrize(("value", "settled"), [(True, True), (False, False), (None, None), ("yes", None)])
def test_callback_succeeded_is_known_once_settled(value: Json, settled: bool | None) -> None:
    """callback_succeeded is a truth value or not known."""
    assert parse_task({"task_id": "a", "callback_succeeded": value}).callback_succeeded is settled


@pytest.mark.parametrize(
    "value", [None, [], "a", 1, {}, {"task_id": ""}, {"task_id": True}, {"task_id": 1.5}]
)
def test_no_task_without_an_id(value: Json) -> None:
    """Only an object with a task_id is a task, and a callback needs one as well."""
    with pytest.raises(BadTask):
        parse_task(value)
    with pytest.raises(BadTask):
        parse_callback(value)


def test_a_number_names_a_task_by_its_digits() -> None:
    """A whole number is taken as the text of its digits; an absurd one is no id."""
    assert parse_task({"task_id": 42}).task_id == "42"
    with pytest.raises(BadTask):
        parse_task({"task_id": 10**5000})


@pytest.mark.parametrize(
    ("value", "task_id", "mismatch"),
    [
        ({"task_id": "a", "task": {"task_id": "a"}}, "a", False),
        ({"task_id": "a", "task": {}}, "a", False),
        ({"task": {"task_id": "a"}}, "a", False),
        ({"taskId": "a", "task": {"taskId": "b"}}, "a", True),
        ({"task_id": "a", "task": {"task_id": None}}, "a", False),
        ({"task_id": "a"}, "a", False),
        ({"task_id": "a", "task": "gone"}, "a", False),
    ],
)
def test_a_callback_is_about_one_task(value: Json, task_id: str, mismatch: bool) -> None:
    """The id may stand at the top, inside, or both; where they differ the callback is kept and says so."""
    callback = parse_callback(value)
    assert (callback.task_id, callback.mismatch) == (task_id, mismatch)


@pytest.mark.parametrize(
    "value",
    [
        {"task_id": "a", "response": {"tags": []}, "task": {"task_id": "a"}},
        {"task_id": "a", "task": {"task_id": "a", "response": {"tags": []}}},
        {"task_id": "a", "response": None, "task": {"params": {"response": {"tags": []}}}},
        {"task_id": "a", "status": "completed", "response": {"tags": []}},
    ],
)
def test_an_answer_may_stand_in_several_places(value: Json) -> None:
    """The response is found at the top, inside the task, and where the reference's missing brace puts it."""
    assert parse_callback(value).response == {"tags": []}


@given(VALUES)
def test_parsing_is_total(value: Json) -> None:
    """Any JSON value is a task or a BadTask, and so is any callback."""
    for parse in (parse_task, parse_callback):
        with suppress(BadTask):
            assert parse(value).task_id


@given(st.dictionaries(NAMES, VALUES))
def test_reading_leaves_its_input_alone(value: Json) -> None:
    """Parsing never changes the value that it reads."""
    before = repr(value)
    with suppress(BadTask):
        parse_callback(value)
    assert repr(value) == before


@given(CHANGES, CHANGES, st.sets(NAMES, max_size=2))
def test_the_short_way_reads_the_same(outer: dict[str, Json], inner: dict[str, Json], gone: set[str]) -> None:
    """What it reads at all is what is read of any callback."""
    task: Json = {name: value for name, value in (SENT | inner).items() if name not in gone}
    value: Json = {"task_id": "t1", "task": task, "response": {"tags": []}, **outer}
    short = _told_as_documented(value)
    assert short is None or short == _told(parse_callback(value))


def test_the_documented_callback_takes_the_short_way() -> None:
    """With all that the reference shows, and its own word for a status too;
    not where something is missing.
    """
    value: dict[str, Json] = {"task_id": "t1", "task": SENT, "response": {"tags": []}}
    told = _told_as_documented(value)
    assert told == told_by(value) == _told(parse_callback(value))
    assert told is not None
    assert told.status == "completed"
    assert _told_as_documented(value | {"task": {"task_id": "t1"}}) is None
    assert _told_as_documented(value | {"response": None}) is None
    assert _told_as_documented([value]) is None


DONE = Task("t1", status="completed", created_at="c", completed_at="d", response={"tags": []})


def test_an_answer_is_kept_as_it_came() -> None:
    """With its text at hand, an answer is carried whole: body, its hash, and a digest of what it says."""
    body = b'{"task_id": "t1", "response": {"tags": []}}'
    assert seen(DONE, RowNumber(3), Attempt(2), Via.GET, 7.0, body) == Seen(
        7.0,
        RowNumber(3),
        Attempt(2),
        "t1",
        "completed",
        Via.GET,
        "c",
        "d",
        digest({"tags": []}),
        sha256(body).hexdigest(),
        body,
    )


def test_a_bare_completed_is_no_answer() -> None:
    """Without a response, or without its text, the fact says completed and carries no answer:
    it is to be fetched.
    """
    bare = Seen(7.0, RowNumber(3), Attempt(2), "t1", "completed", Via.LIST, "c", "d")
    assert seen(DONE, RowNumber(3), Attempt(2), Via.LIST, 7.0) == bare
    unanswered = Task("t1", status="completed", created_at="c", completed_at="d")
    assert seen(unanswered, RowNumber(3), Attempt(2), Via.LIST, 7.0, b"{}") == bare
