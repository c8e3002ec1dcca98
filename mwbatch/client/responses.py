"""What the answers to reads and to a cancel say; creates are judged by `mwbatch.core.api.create_request`."""

from collections.abc import Mapping
from typing import Final

from mwbatch.client.transport.wire import WireResponse
from mwbatch.core.api.create_request import UNREADABLE, VERDICTS, Outcome, explain
from mwbatch.core.api.page import Page
from mwbatch.core.api.task import BadTask, Task, parse_task
from mwbatch.core.codec.json_codec import BadJson, Json, decode, is_count
from mwbatch.core.codec.times import asked_wait
from mwbatch.core.facts.kinds import Verdict
from mwbatch.errors import ApiError, Busy, Halted, NotFound, OtherTask, Refused, Unsent, Unsure

ERRORS: Final[Mapping[Verdict, type[ApiError]]] = {
    Verdict.REFUSED: Refused,
    Verdict.HALTED: Halted,
    Verdict.BUSY: Busy,
    Verdict.UNSENT: Unsent,
    Verdict.UNKNOWN: Unsure,
}
"""The error that says what a verdict says."""


def made(outcome: Outcome) -> Task:
    """The task that a create made; raises the error of any other verdict."""
    if outcome.verdict is Verdict.CREATED and outcome.task is not None:
        return outcome.task
    kind = ERRORS[outcome.verdict]
    raise kind(outcome.message, status=outcome.status, retry_after=outcome.retry_after)


def task_in(answer: WireResponse, task_id: str) -> Task:
    """The task in an answer about ``task_id``; raises `ApiError`, `NotFound` for a 404."""
    if answer.status == 404:
        raise NotFound(f"the API knows no task {task_id}", status=404)
    try:
        return parse_task(_accepted(answer))
    except BadTask as error:
        raise Unsure(f"{UNREADABLE}: {error}", status=answer.status) from None


def asked_for(task: Task, task_id: str) -> Task:
    """The task, if it is the one that was asked for; raises `OtherTask` where it is another one."""
    if task.task_id != task_id:
        raise OtherTask("the answer is about another task than the one that was asked for")
    return task


def canceled_in(answer: WireResponse, task_id: str) -> Task:
    """The task in the answer to a cancel; raises `Unsure` where only a
    look at the task can tell what it is now.
    """
    if not 200 <= answer.status < 300 and answer.status not in VERDICTS:
        words = explain(answer.status, answer.body)
        raise Unsure(
            f"task {task_id} may be completed, or canceled after all: look at it ({words})",
            status=answer.status,
        )
    return task_in(answer, task_id)


def page_in(answer: WireResponse, limit: int, offset: int, type: str | None = None) -> Page:  # noqa: A002
    """The page in an answer to the listing, an object with ``docs`` or a bare array; raises `ApiError`."""
    value = _accepted(answer)
    envelope = value if isinstance(value, dict) else {"docs": value}
    docs = envelope.get("docs")
    if not isinstance(docs, list):
        raise Unsure(f"{UNREADABLE}: not a listing", status=answer.status)
    read = [(task, doc) for doc in docs if isinstance(doc, dict) and (task := _task_or_none(doc))]
    wanted = [(task, doc) for task, doc in read if type is None or task.type == type]
    return Page(
        tasks=tuple(task for task, _ in wanted),
        docs=tuple(doc for _, doc in wanted),
        total=_whole(envelope.get("total")),
        has_more=_truth(envelope.get("has_more", envelope.get("hasMore"))),
        limit=_whole(envelope.get("limit")) or limit,
        offset=offset if (said := _whole(envelope.get("offset"))) is None else said,
        clock=answer.headers.get("Date"),
        received=len(docs),
        unreadable=len(docs) - len(read),
    )


def _accepted(answer: WireResponse) -> Json:
    """The JSON of a 2xx answer; raises the error of any other."""
    if not 200 <= answer.status < 300:
        raise _error(answer)
    try:
        return decode(answer.body)
    except BadJson as error:
        raise Unsure(f"{UNREADABLE}: {error}", status=answer.status) from None


def _error(answer: WireResponse) -> ApiError:
    """A read that failed changes nothing, so what is no plain refusal is a plain `ApiError`."""
    verdict = VERDICTS.get(answer.status)
    kind = ERRORS[verdict] if verdict else ApiError
    wait = asked_wait(answer.headers.get("Retry-After"), answer.headers.get("Date"))
    return kind(explain(answer.status, answer.body), status=answer.status, retry_after=wait)


def _task_or_none(doc: Json) -> Task | None:
    try:
        return parse_task(doc)
    except BadTask:
        return None


def _whole(value: Json) -> int | None:
    return value if is_count(value) else None


def _truth(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None
