"""The states of the learned bound: answers and refusals take every edge of its head, and no other."""

from collections.abc import Sequence

from mwbatch.core.pace import rate_estimate as file
from mwbatch.core.pace.rate_estimate import Event, RateEstimate, State
from mwbatch.core.pace.unrelated_refusals import LONGEST, MANY
from tests.support.edges import EdgeLaws
from tests.unit.core.pace.test_rate_estimate import SHOWN, TICK, Script

Edge = tuple[State, Event]

_STEADY: Script = [(1, True, None)] * 192  # 64 a second, for 3 s
_SILENCED: Script = [(1, True, None)] * 12 + [(0, True, 1.0), (64, True, None)]
_NEITHER: Script = [(0, True, 0.0) if number % 12 == 6 else (1, True, None) for number in range(100)]

CAUSES: dict[Event, Script] = {
    Event.ALARM: [*_STEADY, *[(refused, fresh, 1.0) for refused, fresh, _ in SHOWN]],
    Event.SUSPICION: [*_STEADY, *((*_STEADY[:96], (0, True, 0.0)) * MANY), *SHOWN],
    Event.IN_VAIN: _SILENCED * (3 * LONGEST),
    Event.UNUSED: _STEADY * 14,
    Event.LIMIT: [(1, True, 0.0)] * 8,
    Event.MORE: [*_STEADY[:65], *_NEITHER],
    Event.CLEAN: _STEADY,
}
"""What makes each event come about, wherever it may."""


ALARMS: dict[Event, set[Edge]] = {
    Event.SUSPICION: {(State.BOUND, Event.ALARM)},
    Event.IN_VAIN: {(State.BOUND, Event.ALARM)},
}
"""What comes about before that on the way."""


class Watched(RateEstimate):
    """An estimate that keeps every edge that it took."""

    def __init__(self) -> None:
        super().__init__()
        self.taken, self.now = list[Edge](), 0.0

    def _take(self, event: Event) -> None:
        self.taken.append((self.state, event))
        super()._take(event)

    def take(self, event: Event) -> None:
        """Go along an edge, whatever came."""
        self._take(event)

    def meet(self, event: Event) -> None:
        """Let answers and refusals come until they amount to this event."""
        for ticks, fresh, wait in CAUSES[event]:
            self.now += ticks * TICK
            began = self.now if fresh else float("-inf")
            if wait is None:
                self.answered(began, self.now)
            else:
                self.refused(began, self.now, wait)
            if self.taken and self.taken[-1][1] is event:
                return
        raise AssertionError(f"it never came to {event}: {self.taken}")

    def expected(self) -> float | None:
        """The rate that goes with the state, in the moment in which it is reached."""
        if self.state is State.FREE:
            return None
        return self._curve.at(self._active) if self.state is State.BOUND else self._trial.rate


class TestCeiling(EdgeLaws[Watched, State, Event]):
    """Every edge, and no other."""

    file, first, events = file, State.FREE, Event

    def begin(self, _: Sequence[Event]) -> Watched:
        """One bound."""
        return Watched()

    def meet(self, machine: Watched, event: Event) -> None:
        """Answers and refusals lead along the edge alone; the rate is that of the state they lead to."""
        machine.taken.clear()
        machine.meet(event)
        assert set(machine.taken[:-1]) <= ALARMS.get(event, set())
        assert machine.rate == machine.expected()

    def reached(self, machine: Watched, edge: Edge) -> None:
        """It was this edge that led there."""
        assert machine.taken[-1] == edge
