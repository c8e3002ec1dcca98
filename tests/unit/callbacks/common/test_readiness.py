"""Whether a receiver is ready: the table at its head holds, and nothing leads where that does not.

What makes each event come about, over real sockets and on disks that fail: `test_admin.py`.
"""

from collections.abc import Sequence

from mwbatch.callbacks.common import readiness
from mwbatch.callbacks.common.readiness import Event, Readiness, State
from tests.support.edges import EdgeLaws


class TestReadiness(EdgeLaws[Readiness, State, Event]):
    """Every edge, and no other."""

    file, first, events = readiness, State.STARTING, Event

    def begin(self, _: Sequence[Event]) -> Readiness:
        """One receiver."""
        return Readiness()

    def test_what_is_over_stays_over(self) -> None:
        """Nothing leads out of shutting down, and out of a poisoned receiver that alone."""
        to = {
            state: {after for (before, _), after in self.told().items() if before is state} for state in State
        }
        assert to[State.SHUTTING_DOWN] == {State.SHUTTING_DOWN}
        assert to[State.POISONED] == {State.POISONED, State.SHUTTING_DOWN}
