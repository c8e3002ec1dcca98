"""The life of a task: the table at its head holds in a world, and nothing leads where that does not."""

import pytest

from mwbatch.simulator import Callback, Fault, Refusal, World, create
from mwbatch.simulator import life as file
from mwbatch.simulator.life import TABLE, Event, Life
from mwbatch.simulator.tasks import nested
from mwbatch.simulator.world import MAX_TRIES
from tests.edges import told, undeclared, ways
from tests.simulator.conftest import always
from tests.simulator.test_world import NOON, SETTINGS, draft

TOLD = told(file, Life, Event)
SHOWN = {
    Life.PENDING: ("pending", None),
    Life.CALLING: ("completed", None),
    Life.HEARD: ("completed", True),
    Life.UNHEARD: ("completed", False),
    Life.CANCELED: ("canceled", None),
}
"""What the API shows in each state: the status, and whether a callback succeeded."""


class Lived:
    """A world with one task, and what is done to it."""

    def __init__(self, *faults: Fault) -> None:
        self.world, self.now = World(always(SETTINGS, *faults), NOON), NOON
        (self.task,) = create(self.world, draft(), NOON).tasks

    def settle(self, *, acknowledged: bool) -> None:
        """Let what is due be answered, or a callback that is late."""
        calls = self.world.due(self.now) or [Callback(self.task, self.task.draft.callback_url)]
        for callback in calls:
            self.world.settle(callback, acknowledged=acknowledged, now=self.now)

    def meet(self, event: Event) -> None:
        """Let an event come about."""
        match event:
            case Event.DONE | Event.LOST:
                self.now += 20
                self.world.advance(self.now)
            case Event.TOLD | Event.REFUSED:
                self.settle(acknowledged=event is Event.TOLD)
            case Event.GIVEN_UP:
                for _ in range(MAX_TRIES):
                    self.settle(acknowledged=False)
                    self.now = self.world.next_event_at() or self.now
            case Event.CANCELED:
                self.world.cancel(self.task.task_id, self.now)


def test_the_table_is_the_one_at_the_head() -> None:
    """What is told at the head is what happens, edge for edge, and every edge can be reached."""
    assert TABLE == TOLD
    assert ways(TABLE, Life.PENDING).keys() == TOLD.keys()


@pytest.mark.parametrize(("edge", "events"), ways(TOLD, Life.PENDING).items(), ids=str)
def test_every_edge(edge: tuple[Life, Event], events: list[Event]) -> None:
    """In a world each edge leads where the head says, and the API shows what belongs there."""
    lived = Lived(*[Fault.CALLBACK_LOST] * (Event.LOST in events))
    for event in events[:-1]:
        lived.meet(event)
    assert lived.task.life is edge[0]
    lived.meet(events[-1])
    shown = nested(lived.task)
    assert lived.task.life is TOLD[edge]
    assert (shown["status"], shown.get("callback_succeeded")) == SHOWN[TOLD[edge]]
    assert (lived.task.ended_at is None) == (shown["status"] == "pending")
    assert (lived.world.next_event_at() is not None) == (lived.task.life in (Life.CALLING, Life.CANCELED))


@pytest.mark.parametrize(("life", "event"), undeclared(TOLD, Life, Event), ids=str)
def test_no_other_edge(life: Life, event: Event) -> None:
    """An edge that is not there cannot be taken and changes nothing; such a cancel is answered 500."""
    lived = Lived()
    lived.task.life = life
    with pytest.raises(KeyError):
        lived.task.meet(event)
    if event is Event.CANCELED:
        with pytest.raises(Refusal, match="cannot be canceled"):
            lived.meet(event)
    assert lived.task.life is life
