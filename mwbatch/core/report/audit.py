"""What was asked for more than once, over all batches of a home: the requests, what was paid for each,
and where.

Two passes: the first learns which requests stand in more than one row, the second counts their tasks. 30 to
55 bytes a row of the home; of single rows only the first `MOST` requests are kept.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.digests import Digests
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.state.row_status import Row

MOST: Final = 10_000
"""How many requests are told row by row; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Held:
    """One row that asks for a request, and its tasks: the id of each with its status.

    ``batch`` is its place among all.
    """

    batch: int
    row: RowNumber
    tasks: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Request:
    """One request: the rows that ask for it, and tasks of the account that no batch of the home knows."""

    rows: list[Held] = field(default_factory=list)
    strange: list[tuple[str, str, str]] = field(default_factory=list)
    """The task's id, the batch id of its address (empty: none of mwbatch), its status."""


class Audit:
    """One walk over all rows at one API. `learn` every batch, then `count` every batch, then ask."""

    def __init__(self) -> None:
        self._asked = Digests()
        self._several = bytearray()
        self._paid = array("I")
        self._told: dict[int, Request] = {}

    def learn(self, rows: Iterable[tuple[int, bytes]]) -> None:
        """Take in what the rows of a batch ask for; a row may come more than once."""
        for _, digest in distinct(rows):
            place = self._asked.add(digest)
            if place == len(self._several):
                self._several.append(0)
            else:
                self._several[place] = 1

    def strange(self, digest: bytes, task: tuple[str, str, str]) -> None:
        """Take in a task of the account that no batch of the home knows;
        MUST come between learning and counting.
        """
        place = self._asked.find(digest)
        if place is not None:
            self._several[place] = 1
            self._count(place, 1)
            if request := self._request(place):
                request.strange.append(task)

    def count(
        self, batch: int, rows: Iterable[tuple[int, bytes]], row: Callable[[int], Row], doubled: set[int]
    ) -> None:
        """Count the tasks of one batch; ``doubled`` are its rows that have more than one by themselves."""
        for number, digest in distinct(rows):
            place = self._asked.find(digest)
            # A row that is not known was planned since: the batch may be growing.
            if place is None or not (self._several[place] or number in doubled):
                continue
            tasks = tuple((task.task_id, task.status) for task in row(number).tasks.values())
            paid = sum(status != "canceled" for _, status in tasks)
            self._count(place, paid)
            if (paid or place in self._told) and (request := self._request(place)):
                request.rows.append(Held(batch, RowNumber(number), tasks))

    def finish(self) -> None:
        """Take back tasks of the account that are a row's own, shown without its address;
        MUST come after counting.
        """
        for place, request in self._told.items():
            ours = {task_id for held in request.rows for task_id, _ in held.tasks}
            strange = [task for task in request.strange if task[0] not in ours]
            self._paid[place] -= len(request.strange) - len(strange)
            request.strange[:] = strange

    def _count(self, place: int, paid: int) -> None:
        if (missing := len(self._several) - len(self._paid)) > 0:
            self._paid.frombytes(bytes(self._paid.itemsize * missing))
        self._paid[place] += paid

    def _request(self, place: int) -> Request | None:
        """Where to tell of a request; None once there are too many."""
        if place not in self._told and len(self._told) < MOST:
            self._told[place] = Request()
        return self._told.get(place)

    @property
    def requests(self) -> int:
        """How many requests have more than one task that was not canceled."""
        return sum(paid > 1 for paid in self._paid)

    @property
    def beyond(self) -> int:
        """How many tasks there are beyond one a request."""
        return sum(paid - 1 for paid in self._paid if paid > 1)

    def told(self) -> Iterator[tuple[int, Request]]:
        """The first of these requests, each with how many tasks were paid for."""
        return (
            (self._paid[place], request) for place, request in self._told.items() if self._paid[place] > 1
        )


@dataclass(frozen=True, slots=True)
class Audited:
    """What came of one API's ``batches``, each with name and id:
    ``plans`` has the planned rows of those that are told, by batch and number.

    ``unreadable`` are folders that could not be looked into; ``listed`` tasks of the account were looked at,
    of which ``bare`` showed no inputs, None where nobody asked; ``flaw`` says why not all of them were.
    """

    batches: tuple[tuple[str, str], ...]
    audit: Audit
    plans: dict[tuple[int, int], Planned]
    unreadable: tuple[str, ...] = ()
    listed: int | None = None
    bare: int = 0
    flaw: str = ""


def distinct(rows: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Each row of a batch once: it is planned once more for each edition of its URL."""
    done = bytearray()
    for number, digest in rows:
        if (missing := number + 1 - len(done)) > 0:
            done.extend(bytes(missing + len(done) // 4))
        if not done[number]:
            done[number] = 1
            yield number, digest
