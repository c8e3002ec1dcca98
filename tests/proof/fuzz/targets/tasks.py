"""The task parser: both shapes, both dialects, and any other JSON value that an API may show."""

from typing import Final

from mwbatch.core.api.address import find
from mwbatch.core.api.task import ALIASES, INPUTS, BadTask, Callback, Task, parse_callback, parse_task, seen
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import BadJson, Json, decode, encode
from mwbatch.core.facts import lines
from mwbatch.core.facts.kinds import Via
from mwbatch.views.tasks import task_json
from tests.proof.fuzz.shelf import unique
from tests.proof.fuzz.target import Target
from tests.proof.fuzz.values import build

_MAC: Final = "https://c.test/callbacks/v1/k1/b234567890/0-1/" + "0123456789abcdef" * 2
_WORDS: Final = (
    *(
        "task_id",
        "status",
        "type",
        "params",
        "response",
        "task",
        "callback_url",
        "created_at",
        "completed_at",
    ),
    *(
        "callback_succeeded",
        "options",
        "tags",
        "completed",
        "finished",
        "pending",
        "tagging",
        "more",
        "",
        _MAC,
    ),
    *INPUTS,
    *ALIASES,
)
_LATER: Final = {
    "task_id": "taskId",
    "callback_url": "callbackUrl",
    "created_at": "createdAt",
    "completed_at": "completedAt",
    "callback_succeeded": "callbackSucceeded",
    "status": "state",
    "image_url": "imageUrl",
    "objects_to_tag": "objectsToTag",
    "options": "annotationOptions",
}
"""The vendor's later names, written out: a slip in the parser's own table must not cancel out."""

_TEXTS: Final = ("callback_url", "created_at", "completed_at", "type", "status")


def one(raw: bytes) -> None:
    """Text that is JSON, or else a recipe for a value."""
    value: Json
    if raw[:1] in (b"{", b"["):
        try:
            value = decode(raw)
        except BadJson:
            return
    else:
        value = build(raw, _WORDS)
    task, callback = parsed(value), called(value)
    if task is not None:
        assert isinstance(value, dict)
        complete(task, value)
        translated(value, task)
        stored(task, value)
    if callback is not None:
        assert isinstance(value, dict)
        assert callback.task_id in (named(value), named(value.get("task")))
        assert callback.mismatch is (
            "" not in (both := {named(value), named(value.get("task"))}) and len(both) == 2
        )
        assert task is None or callback.task_id == task.task_id


def parsed(value: Json) -> Task | None:
    """The task, or None; a value is a task if and only if it names itself."""
    try:
        task = parse_task(value)
    except BadTask:
        assert not named(value)
        return None
    assert task.task_id == named(value)
    return task


def called(value: Json) -> Callback | None:
    """The callback, or None."""
    try:
        return parse_callback(value)
    except BadTask:
        assert not named(value)
        assert not (isinstance(value, dict) and named(value.get("task")))
        return None


def named(value: Json) -> str:
    """The id that a value has as a task; empty for none."""
    if not isinstance(value, dict):
        return ""
    said = value["task_id"] if "task_id" in value else value.get("taskId")
    if type(said) is int and 0 <= said < 1 << 64:
        return str(said)
    return said if type(said) is str else ""


def complete(task: Task, value: dict[str, Json]) -> None:
    """Each field has its type, and what is not known is kept as it is."""
    for name in _TEXTS:
        assert type(getattr(task, name)) in (str, type(None)), name
    assert task.callback_succeeded in (True, False, None)
    known = {*ALIASES, *ALIASES.values(), *INPUTS, *_TEXTS, "params", "response"}
    for name, item in value.items():
        assert name in known or task.extra[name] is item
    inner = value.get("params")
    for name, item in inner.items() if isinstance(inner, dict) else ():
        assert name in {*ALIASES, *ALIASES.values(), "response", "options"} or task.params[name] is item


def translated(value: dict[str, Json], task: Task) -> None:
    """The vendor's later dialect says the same."""
    inner = value.get("params", {})
    if any(name in ALIASES for name in (*value, *(inner if isinstance(inner, dict) else ()))):
        return
    assert parse_task(_later(value)) == task


def _later(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    words = {"status": {"completed": "finished"}}
    told = {
        name: words.get(name, {}).get(item, item) if isinstance(item, str) else item
        for name, item in value.items()
    }
    if "params" in told:
        told["params"] = _later_names(told["params"])
    return _later_names(told)


def _later_names(value: Json) -> Json:
    return (
        {_LATER.get(name, name): item for name, item in value.items()} if isinstance(value, dict) else value
    )


def stored(task: Task, value: Json) -> None:
    """What was seen can be written and read again, and shown without a mac."""
    fact = seen(task, RowNumber(3), Attempt(1), Via.GET, 5.0, encode(value))
    assert lines.parse(lines.line(fact)[:-1]) == fact
    shown = encode(task_json(task, raw=False)).decode()
    assert find(shown) is None


def _seeds() -> list[bytes]:
    flat = (
        b'{"task_id":"t1","created_at":"2017-04-14T12:00:00.000Z","callback_url":"%b","type":"annotating",'
        b'"status":"pending","image_url":"https://ibb.co/x","instruction":"?","options":["good","bad"],'
        b'"tags":[{"id":"x","left":1,"top":0,"width":6,"height":1}]}'
    ) % _MAC.encode()
    nested = (
        b'{"task_id":"t2","completed_at":"2016-06-23T09:10:02.798Z","callback_url":"http://x.test/cb","type":"tagging",'
        b'"status":"completed","params":{"objects_to_tag":"brands","image_url":"https://ibb.co/x",'
        b'"annotation_option":"good","response":{"tags":[]}},"callback_succeeded":true,"new":[1]}'
    )
    later = (
        b'{"taskId":9,"createdAt":"now","callbackUrl":"http://x.test/cb","state":"finished",'
        b'"params":{"imageUrl":"u","objectsToTag":"brands","annotationOptions":["a"]},"response":{"tags":[]}}'
    )
    callback = b'{"task_id":"t2","response":{"tags":[]},"task":%b}' % nested
    recipes = (bytes([6, count, *range(0, 250, step)]) for count in (3, 6, 8) for step in (3, 5, 7))
    return [flat, nested, later, callback, b"[]", b"{}", b'{"task_id":null,"taskId":"x"}', *recipes]


_DICTIONARY: Final = (
    *(b'"%b":' % word.encode() for word in dict.fromkeys(_WORDS) if word),
    *b'null true "finished" "completed" 18446744073709551615 "\\ud83d"'.split(),
    _MAC.encode(),
)

TARGET: Final = Target("tasks", one, unique(_seeds()), _DICTIONARY)
