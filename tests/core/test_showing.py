"""From a task that the API showed to the fact that it was seen."""

from hashlib import sha256

from mwbatch.core.digests import digest
from mwbatch.core.facts import Seen, Via
from mwbatch.core.ids import Attempt, RowNumber
from mwbatch.core.showing import news, seen
from mwbatch.core.task import Task
from mwbatch.core.task_state import TaskState
from tests.core.facts import answer, show

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


def test_only_what_is_new_is_told() -> None:
    """A first sight confirms, in a fact without an answer; an answer is told until it is known,
    a status until answered.
    """
    pending, done = show(1), answer(1, via=Via.GET)
    bare = done._replace(answer=None, sha256=None, body=None)
    state = TaskState("task-1", Attempt(1))
    assert (news(None, pending), news(None, done)) == ([pending], [bare, done])
    state.join(answer(1))
    assert (news(state, done), news(state, pending)) == ([bare], [pending])
    state.join(pending)
    assert news(state, done) == news(state, show(1, "canceled")) == []
    other = answer(1, "no", via=Via.GET)
    assert news(state, other) == [other]
    seen_only = TaskState("task-1", Attempt(1))
    seen_only.join(pending)
    assert (news(seen_only, pending), news(seen_only, show(1, "canceled"))) == ([], [show(1, "canceled")])
