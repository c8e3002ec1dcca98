"""The sweep: a listing from which, and from which alone, absence may be concluded.

Presence is evidence, absence is an inference. The pages are walked by key (each page ends where the last one did,
inclusive, an offset only inside one instant), so that tasks which others create meanwhile hide nothing; and the whole
counts as proof only if it is free of every flaw that is named here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from mwbatch.core.address import Address, find
from mwbatch.core.page import Page
from mwbatch.core.task import Task
from mwbatch.core.text import Json
from mwbatch.core.times import moment

MAX_IDLE_PAGES: Final = 3
"""Pages in a row that may show nothing new; a listing that goes on like this leads nowhere."""

GRAIN: Final = timedelta(milliseconds=1)
"""How finely the API's filters tell times apart: what lies closer together may be listed in any order."""


class Query(NamedTuple):
    """Which page to ask for: tasks created from ``start`` to ``end``, both inclusive, ISO 8601; None is unbounded."""

    start: str | None
    end: str | None
    offset: int


class Place(NamedTuple):
    """Where a task belongs: a row and an attempt of the batch."""

    row: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Sight:
    """One task of the listing at an address of the batch; ``genuine``: we signed that address, or know the task there."""

    task: Task
    document: dict[str, Json]
    place: Place
    genuine: bool


class Sweep:
    """One walk through the listing.

    Args:
        batch_id: whose addresses are looked for.
        verify: whether we signed an address.
        start: where the interval begins, ISO 8601.
        end: where it ends: the server's own clock when the walk began.
        known: tasks of the batch that must be shown, by id, since they are known and lie in the interval.
    """

    def __init__(
        self,
        batch_id: str,
        verify: Callable[[Address], bool],
        start: str | None,
        end: str | None,
        known: dict[str, Place] | None = None,
    ) -> None:
        self.start, self.end = start, end
        self.ids: set[str] = set()
        self.ours = 0
        self.forged: set[Place] = set()
        self._batch_id, self._verify, self._missing = batch_id, verify, dict(known or {})
        self._query: Query | None = Query(start, end, 0)
        self._total: int | None = None
        self._counted = False
        self._idle = 0
        self._faults: dict[str, None] = {}

    @property
    def query(self) -> Query | None:
        """The page to ask for next; None once the walk has ended."""
        return self._query

    @property
    def counted(self) -> bool:
        """Whether the API said how many tasks there are; without it, a second equal walk must stand in."""
        return self._total is not None

    def add(self, page: Page) -> Iterator[Sight]:
        """Take one page in; yields what it shows of the batch for the first time. MUST be iterated to its end."""
        assert self._query is not None, "the walk has ended"
        if not self._counted:
            self._counted, self._total = True, page.total
        if page.unreadable:
            self._fault("an entry of the listing is no task")
        new = [
            (task, doc)
            for task, doc in zip(page.tasks, page.docs, strict=True)
            if task.task_id not in self.ids
        ]
        self.ids.update(task.task_id for task, _ in new)
        self._idle = 0 if new else self._idle + 1
        for task, document in new:
            yield from self._sight(task, document)
        self._query = self._next(page, self._query)

    def flaws(self) -> list[str]:
        """Why this walk proves no absence; empty when it does."""
        flaws = list(self._faults)
        if self._query is not None:
            flaws.append("the listing was not walked to its end")
        if self._total is not None and self._total != len(self.ids):
            flaws.append(f"the listing shows {len(self.ids):,} tasks and says that there are {self._total:,}")
        if self._missing:
            example = next(iter(self._missing))
            flaws.append(f"the listing lacks {len(self._missing):,} tasks that are known, such as {example}")
        return flaws

    def _sight(self, task: Task, document: dict[str, Json]) -> Iterator[Sight]:
        expected = self._missing.pop(task.task_id, None)
        address = find(task.callback_url or "")
        if address is None or address.batch != self._batch_id:
            if expected is not None:
                self._fault("the listing does not show the callback addresses of tasks")
            return
        place = Place(address.row, address.attempt)
        genuine = self._verify(address) or place == expected
        if not genuine:
            self.forged.add(place)
        if expected is not None and expected != place:
            self._fault(f"task {task.task_id} is shown with another address than the one it was created with")
        self.ours += 1
        yield Sight(task, document, place, genuine)

    def _next(self, page: Page, asked: Query) -> Query | None:
        """The page after ``page``: by key, and by offset where one instant fills a whole page."""
        if not page.received or page.has_more is False:
            return None
        if self._idle >= MAX_IDLE_PAGES:
            self._fault("the listing repeats itself")
            return None
        if not _descends(page, asked.end):
            self._fault("the listing does not go down from the end_time that was asked for")
            return None
        oldest = page.tasks[-1].created_at if page.tasks else None
        if oldest is None:
            self._fault("a task of the listing has no created_at")
            return None
        if oldest == asked.end:
            return Query(asked.start, asked.end, asked.offset + page.received)
        return Query(asked.start, oldest, 0)

    def _fault(self, reason: str) -> None:
        self._faults[reason] = None


def _descends(page: Page, end: str | None) -> bool:
    """Whether the page goes from ``end`` to the past: else stepping by its last task would skip some, or never end."""
    times = [time for text in (end, *(task.created_at for task in page.tasks)) if (time := moment(text))]
    return all(later - time > -GRAIN for later, time in pairwise(times))
