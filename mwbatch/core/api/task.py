"""A task as the API shows it: two shapes and two dialects, one class; and the fact that it was shown.

A create answer is flat; a retrieved or listed task and a callback keep their inputs under ``params``. A later
revision of the vendor's reference writes camelCase, and ``state``/``finished`` for ``status``/``completed``.
All are read here, none but the first is ever sent. The reference calls the API a prototype: what is unknown
is kept, never refused.
"""

from collections.abc import Mapping
from hashlib import sha256
from operator import itemgetter
from typing import Final, NamedTuple, TypeGuard

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Seen, Via

ALIASES: Final[Mapping[str, str]] = {
    "taskId": "task_id",
    "callbackUrl": "callback_url",
    "createdAt": "created_at",
    "completedAt": "completed_at",
    "callbackSucceeded": "callback_succeeded",
    "state": "status",
    "imageUrl": "image_url",
    "objectsToTag": "objects_to_tag",
    "annotationOption": "options",
    "annotationOptions": "options",
    "annotation_option": "options",
    "annotation_options": "options",
}
"""Other names of a field, and the one name that it has here."""

WORDS: Final[Mapping[str, str]] = {"finished": "completed"}
"""Other words for a status; one that is not listed stands as the API says it."""

INPUTS: Final[tuple[str, ...]] = ("image_url", "objects_to_tag", "instruction", "options", "tags")
"""What the user asked for: at the top of a flat task, under ``params`` in the other shape."""

TEXTS: Final = ("type", "status", "callback_url", "created_at", "completed_at")
"""The fields that are text; whatever else stands there is kept as unknown."""


class BadTask(ValueError):
    """This JSON value is no task: not an object, or without a ``task_id``."""


_NOTHING: Final[Mapping[str, Json]] = {}
"""Shared by all: its type says that nobody writes to it. (A mapping
proxy could be neither copied nor pickled.)
"""


class Task(NamedTuple):
    """One task. Times are the API's own ISO 8601 text; a field of an unexpected type stands in ``extra``.

    ``params`` holds the inputs (`INPUTS`) and whatever else stood beside them; ``type`` and ``status`` are
    empty where the API named none; ``response`` is None while there is no answer; ``callback_succeeded`` is
    None until the callback was settled.
    """

    task_id: str
    type: str = ""
    status: str = ""
    callback_url: str | None = None
    created_at: str | None = None
    completed_at: str | None = None
    params: Mapping[str, Json] = _NOTHING
    response: Json = None
    callback_succeeded: bool | None = None
    extra: Mapping[str, Json] = _NOTHING


class Callback(NamedTuple):
    """What the API posts to an address: the task and its answer.

    ``mismatch``: the ``task_id`` at the top and the one inside ``task`` differ; ``task_id`` is the one at the
    top.
    """

    task_id: str
    task: Task
    response: Json
    mismatch: bool


class CallbackBody(NamedTuple):
    """What of a callback is kept in a fact."""

    task_id: str
    status: str
    created_at: str | None
    completed_at: str | None
    callback_url: str | None
    response: Json
    mismatch: bool


def parse_task(value: Json) -> Task:
    """Read a task of either shape and dialect.

    Raises:
        BadTask: not an object, or no usable ``task_id`` (text, or a whole number, which becomes text).
    """
    return _task(_renamed(value))


def _task(fields: dict[str, Json]) -> Task:
    """A task from its fields under our names, which are used up."""
    task_id = _identity(fields.pop("task_id", None))
    if task_id is None:
        raise BadTask("a task needs a task_id")
    params = _params(fields)
    response = fields.pop("response", None)
    kind, status, url, created, completed = _texts(fields)
    return Task(
        task_id,
        kind or "",
        WORDS.get(status or "", status or ""),
        url,
        created,
        completed,
        params,
        # The reference's example of a callback lacks a brace, and so leaves room for an answer inside params.
        params.pop("response", None) if response is None else response,
        _truth(fields, "callback_succeeded"),
        fields,
    )


def seen(
    task: Task, row: RowNumber, attempt: Attempt, via: Via, at: float, body: bytes | None = None
) -> Seen:
    """The fact that ``task`` was shown for an attempt, ``body`` being the JSON text in which it came.

    It carries the answer where the task has a ``response`` and its text is at hand; a bare ``completed`` is
    no answer.
    """
    bare = Seen(at, row, attempt, task.task_id, task.status, via, task.created_at, task.completed_at)
    if task.response is None or body is None:
        return bare
    return bare._replace(answer=digest(task.response), sha256=sha256(body).hexdigest(), body=body)


def parse_callback(value: Json) -> Callback:
    """Read a callback's body: ``{task_id, task, response}``, or a bare task.

    The ``task_id`` may stand at the top, inside ``task``, or both; so may the ``response``.

    Raises:
        BadTask: not an object, or no usable ``task_id`` anywhere.
    """
    outer = _renamed(value)
    inner = _renamed(outer["task"]) if isinstance(outer.get("task"), dict) else dict(outer)
    above = _identity(outer.get("task_id"))
    if _identity(inner.get("task_id")) is None:
        inner["task_id"] = above
    task = _task(inner)
    return Callback(
        task_id=above or task.task_id,
        task=task,
        response=task.response if outer.get("response") is None else outer["response"],
        mismatch=above is not None and above != task.task_id,
    )


def told_by(value: Json) -> CallbackBody:
    """Read what a fact keeps of a callback; raises as `parse_callback` does."""
    return _told_as_documented(value) or _told(parse_callback(value))


def _told(callback: Callback) -> CallbackBody:
    task = callback.task
    return CallbackBody(
        callback.task_id,
        task.status,
        task.created_at,
        task.completed_at,
        task.callback_url,
        callback.response,
        callback.mismatch,
    )


_ABOVE: Final = itemgetter("task_id", "response", "task")
_WITHIN: Final = itemgetter("task_id", "status", "created_at", "completed_at", "callback_url")
_TEXT: Final = frozenset((str,))
_USUAL: Final = TEXTS[:-1]


def _told_as_documented(value: Json) -> CallbackBody | None:
    """The same, several times as fast, of a callback that has all the reference shows; None for any other.

    A name wins over its alias, so that where all of these names stand no other is looked for.
    """
    if not isinstance(value, dict):
        return None
    try:
        task_id, response, task = _ABOVE(value)
        texts: tuple[str, str, str, str, str] = _WITHIN(task)  # as is seen below
    except (KeyError, TypeError):  # a field is missing, or the task is no object
        return None
    inner, status, created, completed, url = texts
    if response is None or not task_id or task_id != inner or not _TEXT.issuperset(map(type, texts)):
        return None
    return CallbackBody(task_id, WORDS.get(status, status), created, completed, url, response, mismatch=False)


def _renamed(value: Json) -> dict[str, Json]:
    """A copy under our names; where a name and its alias both stand, the name wins."""
    if not isinstance(value, dict):
        raise BadTask("a task is a JSON object")
    if ALIASES.keys().isdisjoint(value):
        return dict(value)
    fields = {ALIASES.get(name, name): item for name, item in value.items()}
    return fields | {name: item for name, item in value.items() if name not in ALIASES}


def _identity(value: Json) -> str | None:
    """A task's id as text; None where the value cannot be one."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64:
        return str(value)
    return value if isinstance(value, str) and value else None


def _texts(fields: dict[str, Json]) -> list[str | None]:
    """Take the `TEXTS` out of ``fields``: every create tells of a task,
    and nearly each has all but the last.
    """
    usual = [*map(fields.get, _USUAL)]
    if _are_texts(usual):
        for name in _USUAL:
            del fields[name]
        return [*usual, _text(fields, TEXTS[-1])]
    return [_text(fields, name) for name in TEXTS]


def _are_texts(values: list[Json]) -> TypeGuard[list[str]]:
    return _TEXT.issuperset(map(type, values))


def _text(fields: dict[str, Json], name: str) -> str | None:
    value = fields.get(name)
    if not isinstance(value, str):
        return None
    del fields[name]
    return value


def _truth(fields: dict[str, Json], name: str) -> bool | None:
    value = fields.get(name)
    if not isinstance(value, bool):
        return None
    del fields[name]
    return value


def _params(fields: dict[str, Json]) -> dict[str, Json]:
    """Take the inputs out of ``fields``, from both places; a single option may be a bare string."""
    params = {name: fields.pop(name) for name in INPUTS if name in fields}
    if isinstance(fields.get("params"), dict):
        params |= _renamed(fields.pop("params"))
    if isinstance(params.get("options"), str):
        params["options"] = [params["options"]]
    return params
