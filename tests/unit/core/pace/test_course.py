"""The course of a run: the table at its head holds, and nothing leads where that does not."""

from collections.abc import Sequence

from mwbatch.core.pace import course
from mwbatch.core.pace.course import Course, Event, State
from mwbatch.errors import Exit
from tests.support.edges import EdgeLaws


class Followed(Course):
    """A course that keeps what its followers ``heard`` of the last event."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = list[State]()
        self.follow(self.heard.append)

    def take(self, event: Event) -> None:
        """Go along an edge."""
        self.heard.clear()
        super().take(event)


class TestCourse(EdgeLaws[Followed, State, Event]):
    """Every edge, and no other."""

    file, first, events = course, State.SENDING, Event

    def begin(self, _: Sequence[Event]) -> Followed:
        """One run."""
        return Followed()

    def reached(self, machine: Followed, edge: tuple[State, Event]) -> None:
        """Followers hear of an edge only where it leads to another state."""
        assert machine.heard == [machine.state] * (machine.state is not edge[0])


def test_the_gravest_reason_counts() -> None:
    """Whatever stops a run first, the gravest reason gives the exit code; a run that is done has none."""
    came = Course()
    assert (came.ending.exit, came.stopped) == (Exit.DONE, False)
    for code in (Exit.UNFINISHED, Exit.API, Exit.UNFINISHED):
        came.stop(code, code.name)
    assert (came.ending.exit, came.ending.reason, came.stopped) == (Exit.API, "API", True)
