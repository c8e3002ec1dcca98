"""Whether a receiver is ready: the table at its head holds, and nothing leads where that does not.

What makes each event come about, over real sockets and on disks that fail: `test_admin.py`.
"""

import pytest

from mwbatch.callbacks import readiness
from mwbatch.callbacks.readiness import TABLE, Event, Readiness, State
from tests.edges import told, undeclared, ways

TOLD = told(readiness, State, Event)


def test_the_table_is_the_one_at_the_head() -> None:
    """What is told at the head is what happens, edge for edge, and every edge can be reached."""
    assert TABLE == TOLD
    assert ways(TABLE, State.STARTING).keys() == TOLD.keys()


@pytest.mark.parametrize(("edge", "events"), ways(TOLD, State.STARTING).items(), ids=str)
def test_every_edge(edge: tuple[State, Event], events: list[Event]) -> None:
    """Each edge leads where the head says."""
    ready = Readiness()
    for event in events[:-1]:
        ready.take(event)
    assert ready.state is edge[0]
    ready.take(events[-1])
    assert ready.state is TOLD[edge]


@pytest.mark.parametrize(("state", "event"), undeclared(TOLD, State, Event), ids=str)
def test_no_other_edge(state: State, event: Event) -> None:
    """An edge that is not there cannot be taken, and changes nothing."""
    ready = Readiness()
    ready.state = state
    with pytest.raises(KeyError):
        ready.take(event)
    assert ready.state is state


def test_what_is_over_stays_over() -> None:
    """Nothing leads out of shutting down, and out of a poisoned receiver that alone."""
    assert {TOLD[State.SHUTTING_DOWN, event] for event in Event if (State.SHUTTING_DOWN, event) in TOLD} == {
        State.SHUTTING_DOWN
    }
    assert {TOLD[State.POISONED, event] for event in Event} == {State.POISONED, State.SHUTTING_DOWN}
