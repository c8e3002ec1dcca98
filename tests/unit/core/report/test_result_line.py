"""The join of a row with its answer, and the fact that a task was seen."""

import json

import pytest

from mwbatch.core.api.task import parse_callback, parse_task, seen
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json, encode
from mwbatch.core.facts.kinds import Fact, Seen, Via
from mwbatch.core.report.result_line import label, response
from mwbatch.core.state.batch import Batch
from tests.support.facts import plan, show

TAGS: dict[str, Json] = {"tags": [{"id": "x", "left": 1, "top": 2, "width": 3, "height": 4, "brand": None}]}
TASK: dict[str, Json] = {
    "task_id": "t1",
    "status": "completed",
    "created_at": "2024-01-01T00:00:00.000Z",
    "completed_at": "2024-01-02T00:00:00.000Z",
    "params": {"image_url": "https://images.test/0.jpg"},
}
ADDRESS = "https://calls.test/callbacks/v1/k1/b234567890/0-1/" + "0123456789abcdef" * 2
GOT = {**TASK, "response": TAGS}
CALLED = {"task_id": "t1", "task": TASK, "response": TAGS}
LATER = {
    "taskId": "t1",
    "task": {"taskId": "t1", "state": "finished", "completedAt": TASK["completed_at"]},
    "response": TAGS,
}


def fact_of(body: Json, via: Via) -> Seen:
    """The fact of a completed task, whatever body brought it."""
    call = parse_callback(body)
    task = parse_task({**TASK, "response": call.response})
    return seen(task, RowNumber(0), Attempt(1), via, 0.5, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "via"), [(GOT, Via.GET), (CALLED, Via.CALLBACK), (LATER, Via.CALLBACK)], ids=str
)
def test_the_answer_is_found_in_any_body(body: Json, via: Via) -> None:
    """A callback's body and a task's body give the same label."""
    fact = fact_of(body, via)
    line = label("logos", plan(0), Batch([plan(0), fact]).row(0), fact)
    assert (response(fact), line["response"]) == (TAGS, TAGS)
    assert line == {
        "batch": "logos",
        "row": 0,
        "id": "id-0",
        "task_id": "t1",
        "type": "tagging",
        "status": "completed",
        "created_at": "2024-01-01T00:00:00.000Z",
        "completed_at": "2024-01-02T00:00:00.000Z",
        "received_at": "1970-01-01T00:00:00.500Z",
        "via": via.value,
        "request": {"image_url": "https://images.test/0.jpg"},
        "columns": {},
        "response": TAGS,
    }


def test_a_row_without_an_answer() -> None:
    """Before there is a task every field of it is None; before there is an answer, every field of that."""
    bare = label("logos", plan(0), Batch([plan(0)]).row(0), None)
    asked = label("logos", plan(0), Batch([plan(0), show(1)]).row(0), None)
    assert (bare["status"], bare["task_id"], bare["created_at"]) == ("planned", None, None)
    assert (asked["status"], asked["task_id"], asked["created_at"]) == ("pending", "task-1", None)
    assert {asked[name] for name in ("completed_at", "received_at", "via", "response")} == {None}


@pytest.mark.parametrize("known", [[plan(0)], [plan(0), show(1)]])
def test_an_answer_stands_beside_its_own_task(known: list[Fact]) -> None:
    """An answer that came after the state was folded is of the task that it names,
    whichever the state knows.
    """
    late = fact_of({"task_id": "t1", "response": TAGS}, Via.CALLBACK)
    assert label("logos", plan(0), Batch(known).row(0), late)["task_id"] == "t1"


def test_a_label_comes_with_its_brand() -> None:
    """A tag of an annotating answer carries what the manifest said of it, and its own words win."""
    sent: list[Json] = [
        {"id": "x", "left": 1, "top": 2, "width": 3, "height": 4, "brand": "Umber", "source": 7},
        {"id": 8, "brand": "B"},
    ]
    planned = plan(0)._replace(type="annotating", columns={"tags": sent})
    said: Json = {
        "tags": [{"id": "x", "label": "good", "brand": None}, {"id": "8", "label": "bad", "brand": "own"}, 7]
    }
    answer = fact_of({**GOT, "response": said}, Via.GET)
    told = label("b", planned, Batch([planned, answer]).row(0), answer)["response"]
    assert isinstance(told, dict)
    assert told["tags"] == [
        {"id": "x", "label": "good", "brand": "Umber", "source": 7},
        {"id": "8", "label": "bad", "brand": "own"},
        7,
    ]


def test_what_a_tag_carries_keeps_its_order() -> None:
    """What the manifest said of a tag stands in the manifest's order:
    who prints results twice gets the same bytes.
    """
    names = [f"about_{number}" for number in range(12)]
    sent: list[Json] = [{"id": "x", **dict.fromkeys(names, "said")}]
    planned = plan(0)._replace(type="annotating", columns={"tags": sent})
    answer = fact_of({**GOT, "response": {"tags": [{"id": "x", "label": "good"}]}}, Via.GET)
    told = label("b", planned, Batch([planned, answer]).row(0), answer)["response"]
    assert encode(told) == encode({"tags": [{"id": "x", "label": "good", **dict.fromkeys(names, "said")}]})


@pytest.mark.parametrize("said", [None, 7, {"tags": 7}, {}])
def test_an_answer_without_tags_stays_as_it_is(said: Json) -> None:
    """Where an answer holds no tags there is nothing to add to."""
    planned = plan(0)._replace(columns={"tags": [{"id": "x", "brand": "Umber"}]})
    answer = fact_of({**GOT, "response": said or {}}, Via.GET)
    assert label("b", planned, Batch([planned, answer]).row(0), answer)["response"] == (said or {})


@pytest.mark.parametrize("quoted", [ADDRESS, ADDRESS.replace("/", "\\u002f"), ADDRESS.replace("/v1", "/V1")])
def test_an_answer_is_given_on_without_macs(quoted: str) -> None:
    """Where the answer itself quotes an address, its mac is left out; a picture's URL stands as it is."""
    url = "https://pictures.test/v1/a/b/1-2/abc.jpg"
    body = json.dumps({"task_id": "t1", "response": {"see": "HERE", "url": url}}).replace("HERE", quoted)
    said = response(Seen(0.5, RowNumber(0), Attempt(1), "t1", "completed", Via.CALLBACK, body=body.encode()))
    assert isinstance(said, dict)
    assert said["url"] == url
    assert str(said["see"]).lower() == ADDRESS[:-32] + "***"
