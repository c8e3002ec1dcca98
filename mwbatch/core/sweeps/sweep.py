"""The sweep: a listing from which, and from which alone, absence may be concluded.

Presence is evidence, absence is an inference. The pages are walked by key (each page ends where the last one
did, inclusive, an offset only inside one instant), so that tasks which others create meanwhile hide nothing;
where dates say nothing, by offset, from the first page to the last. The whole counts as proof only if it is
free of every flaw that is named here.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Final, NamedTuple

from mwbatch.core.api.address import Address, find
from mwbatch.core.api.page import Page
from mwbatch.core.api.task import Task
from mwbatch.core.api.walk import REPEATS, ListedTasks
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.codec.times import moment
from mwbatch.core.facts.digests import named
from mwbatch.core.words.plural import counted

GRAIN: Final = timedelta(milliseconds=1)
"""How finely the API's filters tell times apart: what lies closer together may be listed in any order."""

NO_ECHO: Final = "the listing does not show the callback addresses of tasks"
"""What is wrong with the listing of an API that never shows them."""

_NOWHERE: Final = -1
"""Where a task stands that is at no address of the batch."""


class Query(NamedTuple):
    """Which page to ask for: tasks created from ``start`` to ``end``, both inclusive, ISO 8601;
    None is unbounded.
    """

    start: str | None
    end: str | None
    offset: int


class AttemptKey(NamedTuple):
    """Where a task belongs: a row and an attempt of the batch."""

    row: RowNumber
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Sight:
    """One task of the listing at an address of the batch; ``genuine``: we signed that address,
    or know the task there.
    """

    task: Task
    document: dict[str, Json]
    place: AttemptKey
    genuine: bool


class Sweep:
    """One walk through the listing.

    ``undated``: dates cannot be read, or the API goes by others, so that it has to be walked by offset.
    ``newer`` counts the tasks that were shown before any from before ``now``.

    Args:
        batch_id: whose addresses are looked for.
        genuine: whether a task at one of our addresses is there by our doing: we signed it, or know the task
            there.
        start: where the interval begins, ISO 8601.
        end: where it ends.
        dated: whether the pages are walked by the dates of tasks, else by offset.
        now: the server's clock when the walk began, as tasks are dated.
    """

    def __init__(
        self,
        batch_id: str,
        genuine: Callable[[str, Address], bool],
        start: str | None,
        end: str | None,
        *,
        dated: bool = True,
        now: datetime | None = None,
    ) -> None:
        self.start, self.end, self.dated = start, end, dated
        self.ours = 0
        self.known = self.covered = self.lacking = 0
        self.newer, self._now = 0, now
        self.undated = False
        self.forged: set[AttemptKey] = set()
        self.bare: set[str] = set()
        """The types of tasks that were listed without any callback address."""
        self._batch_id, self._genuine = batch_id, genuine
        self.listed, self._places = ListedTasks(), array("q")
        self._query: Query | None = Query(start, end, 0)
        self._total: int | None = None
        self._last_total = 0
        self._counted = self._looks_above = False
        self._instants: dict[str | None, None] = {}  # the first two that were shown
        self._faults: dict[str, None] = {}

    @property
    def query(self) -> Query | None:
        """The page to ask for next; None once the walk has ended."""
        return self._query

    @property
    def tasks(self) -> int:
        """How many tasks were listed."""
        return len(self.listed)

    @property
    def counted(self) -> bool:
        """Whether the API said how many tasks there are; without it, a second equal walk must stand in."""
        return self._total is not None

    def add(self, page: Page) -> Iterator[Sight]:
        """Take one page in; yields what it shows of the batch for the first time.

        MUST be iterated to its end.
        """
        assert self._query is not None, "the walk has ended"
        if self._looks_above:
            self._query = self._look_above(page, self._query)
            return
        if not self._counted:
            self._counted, self._total = True, page.total
        self._last_total = page.total or 0
        if page.unreadable:
            self._fault("an entry of the listing is no task")
        for task, document in zip(page.tasks, page.docs, strict=True):
            if self.listed.is_new(task.task_id):
                if len(self._instants) < 2:
                    self._instants[task.created_at] = None
                self._date(task)
                yield from self._sight(task, document)
        self._query = self._next(page, self._query) or self._above(self._query)

    def flaws(self, known: Iterable[tuple[str, AttemptKey]] = ()) -> list[str]:
        """Why this walk proves no absence; empty when it does.

        ``known`` are the tasks of the batch that have to be shown, with their place; thereafter the attribute
        of this name counts them, ``covered`` those that are shown where they belong, and ``lacking`` those
        that are not shown.
        """
        flaws = list(dict.fromkeys([*self._faults, *self._missing(known)]))
        if self._query is not None:
            flaws.append("the listing was not walked to its end")
        if self._total is not None and not self._adds_up(self._total):
            flaws.append(
                f"the listing shows {counted(self.tasks, 'task')} and says that there are {self._total:,}"
            )
        return flaws

    def lists_as(self, other: "Sweep") -> bool:
        """Whether this walk shows what an earlier one did,
        and nothing more but what others may have created meanwhile.

        By dates that is what stands before the first task from before ``now``; by offset, what the total
        allows.
        """
        mine, others = self.listed.digests, other.listed.digests
        if not all(digest in mine for digest in islice(others, other.newer, None)):
            return False
        meanwhile = self.tasks if self.counted and not self.dated else self.newer
        return all(digest in others for digest in islice(mine, meanwhile, None))

    def shows(self, task_id: str) -> bool:
        """Whether a task was listed."""
        return named(task_id) in self.listed.digests

    def _adds_up(self, total: int) -> bool:
        """Whether as many tasks were shown as there are said to be;
        by offset also those that came meanwhile count.
        """
        return total == self.tasks or (not self.dated and total < self.tasks <= self._last_total)

    def _missing(self, known: Iterable[tuple[str, AttemptKey]]) -> Iterator[str]:
        """What is wrong with how the listing shows the tasks that are known."""
        self.known = self.covered = self.lacking = 0
        example = ""
        for task_id, place in known:
            self.known += 1
            number = self.listed.digests.find(named(task_id))
            if number is None:
                self.lacking, example = self.lacking + 1, example or task_id
            elif self._places[number] == _NOWHERE:
                yield NO_ECHO
            elif self._places[number] != _packed(place):
                yield f"task {task_id} is shown with another address than the one it was created with"
            else:
                self.covered += 1
        if self.lacking:
            yield f"the listing lacks {counted(self.lacking, 'known task')}, such as {example}"

    def _date(self, task: Task) -> None:
        """Count a task that is new to the listing,
        as long as all before it were created after the walk began.
        """
        if self._now is not None and self.newer == self.tasks - 1:
            created = moment(task.created_at)
            self.newer += created is not None and created > self._now

    def _sight(self, task: Task, document: dict[str, Json]) -> Iterator[Sight]:
        """Note where a task is listed for the first time,
        and show it if that is at an address of the batch.
        """
        if not task.callback_url:
            self.bare.add(task.type)
        address = find(task.callback_url or "")
        if address is None or address.batch != self._batch_id:
            self._places.append(_NOWHERE)
            return
        place, is_genuine = AttemptKey(address.row, address.attempt), self._genuine(task.task_id, address)
        self._places.append(_packed(place))
        if not is_genuine:
            self.forged.add(place)
        self.ours += 1
        yield Sight(task, document, place, is_genuine)

    def _next(self, page: Page, asked: Query) -> Query | None:
        """The page after ``page``; None where there is none, or none that leads anywhere."""
        stands = self.listed.leads_nowhere()
        if page.is_last:
            return None
        if stands:
            self._stray(REPEATS)
            return None
        return self._by_key(page, asked) if self.dated else Query(None, None, asked.offset + page.received)

    def _above(self, asked: Query) -> Query | None:
        """What to ask where only tasks of one instant were shown, on several pages and without a count.

        A listing that goes up looks the same, and hides all that was created later:
        behind those tasks it shows it.
        """
        first = Query(self.start, self.end, 0)
        if self.counted or not self.dated or self._faults or len(self._instants) != 1 or asked == first:
            return None
        self._looks_above = True
        return Query(next(iter(self._instants)), self.end, self.tasks)

    def _look_above(self, page: Page, asked: Query) -> Query | None:
        """See whether what is shown behind them came meanwhile: then it stands first where it is the end."""
        instant = next(iter(self._instants))
        if asked.offset:
            later = next((t.created_at for t in page.tasks if not self.shows(t.task_id)), instant)
            return None if later == instant else Query(instant, later, 0)
        if page.tasks and page.tasks[0].created_at == instant:
            self._stray("the listing shows what was created first ahead of what came later")
        return None

    def _by_key(self, page: Page, asked: Query) -> Query | None:
        """The next page by the dates of tasks, and by offset where one instant fills a whole page."""
        if not _descends(page, asked.end):
            self._stray("the listing does not go down from the end_time that was asked for")
            return None
        oldest = page.tasks[-1].created_at if page.tasks else None
        if oldest is None or moment(oldest) is None:
            self._stray("a date of the listing cannot be read")
            return None
        if oldest == asked.end:
            return Query(asked.start, asked.end, asked.offset + page.received)
        return Query(asked.start, oldest, 0)

    def _stray(self, reason: str) -> None:
        """Note what keeps a walk from its end; by dates, it may be that the API goes by others."""
        self.undated = self.dated
        self._fault(reason)

    def _fault(self, reason: str) -> None:
        self._faults[reason] = None


def _packed(place: AttemptKey) -> int:
    """A place in 8 bytes: an address has at most two digits of attempt."""
    return place.row * 100 + place.attempt


def _descends(page: Page, end: str | None) -> bool:
    """Whether the page goes from ``end`` to the past: else stepping by its last task would skip some,
    or never end.
    """
    times = [time for text in (end, *(task.created_at for task in page.tasks)) if (time := moment(text))]
    return all(later - time > -GRAIN for later, time in pairwise(times))
