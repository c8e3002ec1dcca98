"""The life of a task: the table at its head holds in a world, and nothing leads where that does not."""

from collections.abc import Sequence

import pytest

from mwbatch.simulator import Callback, Fault, Refusal, World, create
from mwbatch.simulator.world import life as file
from mwbatch.simulator.world.life import Event, Life
from mwbatch.simulator.world.tasks import nested
from mwbatch.simulator.world.world import MAX_TRIES
from tests.support.edges import EdgeLaws
from tests.unit.simulator.conftest import always
from tests.unit.simulator.test_world import NOON, SETTINGS, draft

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

    @property
    def state(self) -> Life:
        """Where the task stands."""
        return self.task.life

    @state.setter
    def state(self, life: Life) -> None:
        self.task.life = life

    def take(self, event: Event) -> None:
        """Go along an edge, whatever the world does."""
        self.task.meet(event)

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


class TestLife(EdgeLaws[Lived, Life, Event]):
    """Every edge in a world, and no other."""

    file, first, events = file, Life.PENDING, Event

    def begin(self, events: Sequence[Event]) -> Lived:
        """A world in which a callback is lost where that is to be."""
        return Lived(*[Fault.CALLBACK_LOST] * (Event.LOST in events))

    def meet(self, machine: Lived, event: Event) -> None:
        """What the world does makes the event."""
        machine.meet(event)

    def reached(self, machine: Lived, _: tuple[Life, Event]) -> None:
        """The API shows what belongs there."""
        shown, life = nested(machine.task), machine.state
        assert (shown["status"], shown.get("callback_succeeded")) == SHOWN[life]
        assert (machine.task.ended_at is None) == (shown["status"] == "pending")
        assert (machine.world.next_event_at() is not None) == (life in (Life.CALLING, Life.CANCELED))


@pytest.mark.parametrize("life", [Life.CALLING, Life.HEARD, Life.UNHEARD])
def test_what_is_completed_is_not_canceled(life: Life) -> None:
    """A cancel of which no edge is told is refused, and the task stays as it is."""
    lived = Lived()
    lived.state = life
    with pytest.raises(Refusal, match="cannot be canceled"):
        lived.meet(Event.CANCELED)
    assert lived.state is life
