"""What of a showing of a task is to be recorded, since the batch does not know it."""

from mwbatch.core.codec.ids import Attempt
from mwbatch.core.facts.kinds import Via
from mwbatch.core.state.task_state import TaskState, news
from tests.support.facts import answer, show


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
