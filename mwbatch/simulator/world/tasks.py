"""A task as the API keeps it, and the shapes in which the API shows it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mwbatch.simulator.world.answers import response
from mwbatch.simulator.world.chance import number
from mwbatch.simulator.world.dates import USUAL, Dates, iso
from mwbatch.simulator.world.forms import Draft
from mwbatch.simulator.world.life import TABLE, Event, Life, Status

Document = dict[str, Any]
"""A task as it is shown, in one of the shapes and dialects of the API."""

_UNTOUCHED: Final = {"tags", "response"}


@dataclass(slots=True)
class Task:
    """One task; times in epoch seconds, whole milliseconds.

    Attributes:
        born_at: when it came to be; ``created_at`` may be coarser.
        due_at: when the workers will be done.
        life: where it stands; `meet` alone changes it.
        ended_at: when it was completed or canceled.
        dates: how its dates are stated.
        otherwise: listings show another answer of it.
        echo: False hides ``callback_url`` wherever the task is shown; ``altered`` shows another one.
        stranger: somebody else's, under the same key.
        tries: when its callback was sent.
        acknowledged: when a callback was answered 2xx.
    """

    task_id: str
    draft: Draft
    created_at: float
    born_at: float
    due_at: float
    life: Life = Life.PENDING
    ended_at: float | None = None
    dates: Dates = USUAL
    otherwise: bool = False
    echo: bool = True
    altered: bool = False
    stranger: bool = False
    tries: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)

    def meet(self, event: Event) -> None:
        """Go along an edge of the table of lives."""
        self.life = TABLE[self.life, event]

    def end(self, event: Event, moment: float) -> None:
        """Meet the end of the work, at ``moment``."""
        self.meet(event)
        self.ended_at = max(moment, self.created_at)

    @property
    def status(self) -> Status:
        """Say the status as the API does."""
        return self.life.status

    @property
    def callback_succeeded(self) -> bool | None:
        """Say whether its callback was taken; None while that is not settled."""
        return self.life.succeeded

    @property
    def listed_at(self) -> float:
        """When it was created, by the clock that listings go by."""
        return self.created_at + self.dates.offset_s

    def status_at(self, moment: float) -> Status:
        """Say what the status was at ``moment``."""
        return self.status if self.ended_at is not None and self.ended_at <= moment else "pending"


def flat(task: Task) -> Document:
    """Show a task as the answer to its own create does."""
    params = Document(task.draft.params)
    if "annotation_option" in params:
        params["options"] = params.pop("annotation_option")
    return {**_head(task), "status": "pending", **params}


def nested(task: Task, moment: float | None = None) -> Document:
    """Show a task as retrieve, cancel, listings and callbacks do; as it stood at ``moment`` if given."""
    status = task.status if moment is None else task.status_at(moment)
    document = {**_head(task), "status": status, "params": _params(task)}
    if status == "completed" and task.ended_at is not None:
        document |= {"completed_at": task.dates.say(task.ended_at), "response": response(task.draft)}
    if status == "completed" and task.callback_succeeded is not None:
        document["callback_succeeded"] = task.callback_succeeded
    return document


def callback_body(task: Task) -> Document:
    """Write what the API posts to the task's address."""
    shown = nested(task)
    shown.pop("callback_succeeded", None)
    return {"task": shown, "response": shown["response"], "task_id": task.task_id}


def forged(task: Task, named: str) -> Document:
    """Write what somebody else posts to a task's address: an answer of his own, for the task he names."""
    tag = {"id": "forged", "left": 0, "top": 0, "width": 1, "height": 1, "brand": "forged", "label": "forged"}
    response = {"tags": [tag]}
    shown = nested(task) | {"task_id": named, "status": "completed", "response": response}
    return {"task": shown, "response": response, "task_id": named}


def entry(task: Task) -> Document:
    """Write a task as the ledger does: by the true clock, whatever the API states."""
    return {
        "task_id": task.task_id,
        "status": task.status,
        "created_at": iso(task.created_at),
        "attempts": len(task.tries),
        "acknowledged": [iso(moment) for moment in task.acknowledged],
    }


def other(tasks: Iterable[Task], task: Task) -> Task | None:
    """Give another task, always the same one as long as the choice is: answered if there is such a one."""
    others = [one for one in tasks if one is not task and one.draft.kind == task.draft.kind]
    answered = [one for one in others if one.status == "completed"]
    return min(answered or others, key=lambda one: number(task.task_id, one.task_id), default=None)


def later(document: object) -> object:
    """Say a document in the later dialect: camelCase, and ``state: finished`` for ``status: completed``."""
    if not isinstance(document, dict):
        return document
    return dict(_later_pair(name, value) for name, value in document.items())


def _later_pair(name: str, value: object) -> tuple[str, object]:
    if name == "status":
        return "state", "finished" if value == "completed" else value
    return _camel(name), value if name in _UNTOUCHED else later(value)


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _head(task: Task) -> Document:
    head: Document = {"task_id": task.task_id, "created_at": task.dates.say(task.created_at)}
    if task.echo:
        url = task.draft.callback_url
        head["callback_url"] = altered(url) if task.altered else url
    return {**head, "type": task.draft.kind}


def altered(url: str) -> str:
    """Give an address of which the last character is another one."""
    return url[:-1] + ("0" if url[-1] != "0" else "1")


def _params(task: Task) -> Mapping[str, object]:
    # The reference's listing repeats the key annotation_option; a body parser turns one option into a bare
    # string.
    match task.draft.params:
        case {"annotation_option": [only]}:
            return {**task.draft.params, "annotation_option": only}
        case params:
            return params
