"""From a task that the API showed to the fact that it was seen."""

from hashlib import sha256

from mwbatch.core.facts import Seen, Via, digest
from mwbatch.core.showing import seen
from mwbatch.core.task import Task

DONE = Task("t1", status="completed", created_at="c", completed_at="d", response={"tags": []})


def test_an_answer_is_kept_as_it_came() -> None:
    """With its text at hand, an answer is carried whole: body, its hash, and a digest of what it says."""
    body = b'{"task_id": "t1", "response": {"tags": []}}'
    assert seen(DONE, 3, 2, Via.GET, 7.0, body) == Seen(
        7.0, 3, 2, "t1", "completed", Via.GET, "c", "d", digest({"tags": []}), sha256(body).hexdigest(), body
    )


def test_a_bare_completed_is_no_answer() -> None:
    """Without a response, or without its text, the fact says completed and carries no answer: it is to be fetched."""
    bare = Seen(7.0, 3, 2, "t1", "completed", Via.LIST, "c", "d")
    assert seen(DONE, 3, 2, Via.LIST, 7.0) == bare
    unanswered = Task("t1", status="completed", created_at="c", completed_at="d")
    assert seen(unanswered, 3, 2, Via.LIST, 7.0, b"{}") == bare
