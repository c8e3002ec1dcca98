"""The course of a run: the table at its head holds, and nothing leads where that does not."""

import pytest

from mwbatch.core import course
from mwbatch.core.course import TABLE, Course, Event, State
from mwbatch.errors import Exit
from tests.edges import told, undeclared, ways

TOLD = told(course, State, Event)


def after(events: list[Event]) -> tuple[Course, list[State]]:
    """A course that took these, and what its followers heard."""
    taken, heard = Course(), list[State]()
    taken.follow(heard.append)
    for event in events:
        taken.take(event)
    return taken, heard


def test_the_table_is_the_one_at_the_head() -> None:
    """What is told at the head is what happens, edge for edge, and every edge can be reached."""
    assert TABLE == TOLD
    assert ways(TABLE, State.SENDING).keys() == TOLD.keys()


@pytest.mark.parametrize(("edge", "events"), ways(TOLD, State.SENDING).items(), ids=str)
def test_every_edge(edge: tuple[State, Event], events: list[Event]) -> None:
    """Each edge leads where the head says; followers hear of it only where the state is another one."""
    came, before = after(events[:-1])
    assert came.state is edge[0]
    came, heard = after(events)
    assert came.state is TOLD[edge]
    assert heard[len(before) :] == [came.state] * (came.state is not edge[0])


@pytest.mark.parametrize(("state", "event"), undeclared(TOLD, State, Event), ids=str)
def test_no_other_edge(state: State, event: Event) -> None:
    """An edge that is not there cannot be taken, and changes nothing."""
    came = Course()
    came.state = state
    with pytest.raises(KeyError):
        came.take(event)
    assert came.state is state


def test_the_gravest_reason_counts() -> None:
    """Whatever stops a run first, the gravest reason gives the exit code; a run that is done has none."""
    came = Course()
    assert (came.ending.exit, came.stopped) == (Exit.DONE, False)
    for code in (Exit.UNFINISHED, Exit.API, Exit.UNFINISHED):
        came.stop(code, code.name)
    assert (came.ending.exit, came.ending.reason, came.stopped) == (Exit.API, "API", True)
