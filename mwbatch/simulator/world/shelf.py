"""All tasks in the order of a listing, found by bisection."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from math import inf

from mwbatch.simulator.world.dates import milliseconds
from mwbatch.simulator.world.life import Status
from mwbatch.simulator.world.tasks import Task


@dataclass(frozen=True, slots=True)
class View:
    """Which tasks a listing shows.

    Attributes:
        start: least ``created_at``, in epoch milliseconds, inclusive.
        end: greatest ``created_at``, in epoch milliseconds, inclusive.
        status: only tasks of this status.
        kind: only tasks of this type.
        seen_at: shows what there was at this moment, in epoch seconds; infinite shows everything.
        lag: seconds that it takes a task to show up.
    """

    start: float = -inf
    end: float = inf
    status: str | None = None
    kind: str | None = None
    seen_at: float = inf
    lag: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether every task between start and end is shown."""
        return self.status is None and self.kind is None and self.seen_at == inf

    def shows(self, task: Task) -> bool:
        """Say whether the task, created between start and end, is shown."""
        return (
            task.born_at + self.lag <= self.seen_at
            and self.kind in {None, task.draft.kind}
            and self.status in {None, self.status_of(task)}
        )

    def status_of(self, task: Task) -> Status:
        """Say which status the listing sees."""
        return task.status_at(self.seen_at)


@dataclass(slots=True)
class Shelf:
    """Tasks by ``created_at`` as listings go by it, ties by ``task_id``."""

    _keys: list[tuple[int, str]] = field(default_factory=list)
    _tasks: dict[str, Task] = field(default_factory=dict)

    def add(self, task: Task) -> None:
        """Put a task in its place; near the newest end this costs next to nothing."""
        self._tasks[task.task_id] = task
        insort(self._keys, (milliseconds(task.listed_at), task.task_id))

    def page(self, view: View, limit: int, offset: int) -> tuple[list[Task], int]:
        """Give a page, newest first, and how many tasks the view shows in all."""
        low = 0 if view.start == -inf else bisect_left(self._keys, (view.start, ""))
        high = len(self._keys) if view.end == inf else bisect_right(self._keys, (view.end, "\U0010ffff"))
        if view.whole:
            shown = self._downward(low, high - offset)
            return list(islice(shown, limit)), max(0, high - low)
        matching = [task for task in self._downward(low, high) if view.shows(task)]
        return matching[offset : offset + limit], len(matching)

    def _downward(self, low: int, high: int) -> Iterator[Task]:
        for index in range(high - 1, low - 1, -1):
            yield self._tasks[self._keys[index][1]]
