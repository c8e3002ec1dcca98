"""From a task that the API showed to the fact that it was seen."""

from hashlib import sha256

from mwbatch.core.digests import digest
from mwbatch.core.facts import Seen, Via
from mwbatch.core.ids import Attempt, RowNumber
from mwbatch.core.task import Task
from mwbatch.core.task_state import TaskState


def seen(
    task: Task, row: RowNumber, attempt: Attempt, via: Via, at: float, body: bytes | None = None
) -> Seen:
    """The fact that ``task`` was shown for an attempt, ``body`` being the JSON text in which it came.

    It carries the answer where the task has a ``response`` and its text is at hand; a bare ``completed`` is
    no answer.
    """
    if task.response is None or body is None:
        return Seen(at, row, attempt, task.task_id, task.status, via, task.created_at, task.completed_at)
    return Seen(
        at,
        row,
        attempt,
        task.task_id,
        task.status,
        via,
        task.created_at,
        task.completed_at,
        answer=digest(task.response),
        sha256=sha256(body).hexdigest(),
        body=body,
    )


def news(known: TaskState | None, fact: Seen) -> list[Seen]:
    """What of a fact is to be recorded, since the batch does not know it;
    ``known`` is what it knows of that task.

    That the API itself shows a task confirms it, and is a fact of its own: a journal keeps an answer that it
    has no second time, whoever brings it.
    """
    plain = fact._replace(answer=None, sha256=None, body=None)
    new = fact.answer is not None and (known is None or fact.answer not in known.answers)
    if known is None or known.is_told_by(fact.via):
        return [plain, fact] if new else [plain]
    if new:
        return [fact]
    return [] if known.answered or fact.status == known.status else [plain]
