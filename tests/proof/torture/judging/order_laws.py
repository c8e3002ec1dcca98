"""The laws of one run, judged by the order in which its requests left: each defence shows here by itself.

Whether a row was paid twice shows only where every other defence fails, too.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from mwbatch.core.api.address import find
from mwbatch.core.report.command_outcomes import Created
from mwbatch.simulator import Fault

if TYPE_CHECKING:
    from tests.proof.torture.story import Run, Story
    from tests.proof.torture.world.network import Sent

DATES: Final = {Fault.NO_DATE, Fault.DATE_APART, Fault.CREATED_AT_LOCAL, Fault.CREATED_AT_FORM}
"""Where one of these is at work nobody can list by dates."""

FRESH: Final = "no listing comes out of a cache"
LISTING: Final = "a run begins with a listing, and a later one with all since the batch began"
ECHO: Final = "the first row of a type goes alone until the listing was asked for it"
CANARY: Final = "the first row that is sent again goes alone until it was created"
SURPLUS: Final = "a run that knows of a pending double has cancelled it"


def unmannerly(story: "Story", run: "Run", log: Sequence["Sent"]) -> Iterator[str]:
    """The laws that a run broke; ``log`` are the requests of its program."""
    if not all(sent.request.fresh for sent in log if sent.lists):
        yield FRESH
    if _unread(story, run, log):
        yield LISTING
    if run.number == 1 and _crowded(log):
        yield ECHO
    if run.verb != "retry" and _together(story, log):
        yield CANARY
    if isinstance(run.result, Created) and _double(story):
        yield SURPLUS


def _unread(story: "Story", run: "Run", log: Sequence["Sent"]) -> bool:
    """Whether a run created something before it had listed; by dates, where dates can be gone by."""
    before = list(takewhile(lambda sent: not sent.creates, log))
    if len(before) == len(log):
        return False
    dated = run.again and not DATES.intersection(story.cause.rates)
    return not any(sent.lists and (not dated or "start_time" in sent.request.params) for sent in before)


def _crowded(log: Sequence["Sent"]) -> bool:
    """Whether two creates of one type were on their way before a
    listing was asked for the first of that type.
    """
    for path in {sent.request.path for sent in log if sent.creates}:
        first = next(n for n, sent in enumerate(log) if sent.request.path == path)
        for sent in log[first + 1 :]:
            if sent.lists:
                break
            if sent.request.path == path and sent.beside:
                return True
    return False


def _together(story: "Story", log: Sequence["Sent"]) -> bool:
    """Whether a second row was sent again, after sweeps had not found a task of it,
    before a first one was created.
    """
    state = story.state
    again = [sent for sent in log if sent.creates and state.row(sent.place[0]).absent % (1 << sent.place[1])]
    for sent in again:
        if any(one in again for one in sent.beside):
            return True
        if sent.created:
            return False
    return False


def _double(story: "Story") -> bool:
    """Whether the API itself has shown a double that is pending still, and answers who asks for it."""
    if Fault.GET_OTHER in story.cause.rates:
        return False  # none is cancelled that could not be read once more: the next run tries again
    world = story.network.account(story.key).world
    there = {task.task_id for task in world.tasks() if task.status == "pending"}
    return any(task.confirmed and task.task_id in there for _, task in story.state.surplus())


def place_of(body: bytes | None) -> tuple[int, int]:
    """The row and the attempt of the address that a create carries."""
    address = find((body or b"").decode().replace("%2F", "/"))
    return (address.row, address.attempt) if address else (0, 0)
