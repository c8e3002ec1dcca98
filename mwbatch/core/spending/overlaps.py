"""Who asked for the same before: rows that would be sent, compared with those of other batches.

A request is known by its stable digest, whatever batch, file or line it stands in. A row elsewhere counts
while a task of it may be paid for: not when it is rejected, canceled or withdrawn.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from mwbatch.core.facts.digests import Digests
from mwbatch.core.state.row_status import Status
from mwbatch.core.words.plural import rows
from mwbatch.errors import AskedElsewhere

COUNTED: Final = frozenset({Status.PLANNED, Status.DOUBT, Status.PENDING, Status.COMPLETED})
"""The statuses in which a row of another batch has been asked for."""

API: Final = "api"
"""What ``--again`` calls the tasks of the account that no batch of the home knows."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """What the user says to rows that were asked for before.

    ``only_new``: leave them out; ``again``: pay again for what these batches asked for, by name, id or
    manifest; ``since``: look through the account's listing from then on, in the user's words; None: only at
    its first page.
    """

    only_new: bool = False
    again: tuple[str, ...] = ()
    since: str | None = None


class Ahead:
    """The rows that would be sent, found by what they ask for; 32 to 56 bytes each.

    A row's place is its order here.
    """

    def __init__(self, rows: Iterable[tuple[int, bytes]] = ()) -> None:
        self.numbers = array("Q")
        self._digests = Digests()
        self._repeats = False
        for number, digest in rows:
            self.add(number, digest)

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, number: int, digest: bytes) -> None:
        """Take in a row of our batch, by its number and its stable digest."""
        place = len(self.numbers)
        self.numbers.append(number)
        if self._digests.append(digest) != place:
            self._repeats = True

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._digests

    def among(self, others: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, int]]:
        """For each row of another batch that asks for the same: the place of the first of ours,
        and its own number.
        """
        return self._digests.among(others)

    def again(self) -> Iterator[int]:
        """The places of rows that ask for what an earlier one of these asks for."""
        if self._repeats:
            yield from (place for place in range(len(self)) if self.first(place) < place)

    def first(self, place: int) -> int:
        """The place of the first row that asks for what this one asks for."""
        return self._digests.add(self._digests[place])

    def spread(self, marks: bytearray) -> None:
        """Where several of our rows ask for the same, let all have the mark of the first."""
        if self._repeats:
            for place in range(len(self)):
                marks[place] = marks[self.first(place)]


@dataclass(slots=True)
class Overlap:
    """What one other batch asked for before; without a ``batch`` it is of another home,
    without an id by no mwbatch at all.

    ``rows`` of ours ask for it again; ``by_status`` counts the rows, or tasks, that asked for it; ``example``
    is one of ours, by its number, and one of theirs: a row's number, or a task's id.
    """

    batch: str
    batch_id: str
    rows: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    example: tuple[int, int | str] | None = None

    @property
    def again(self) -> str:
        """What ``--again`` calls it."""
        return self.batch or self.batch_id or API

    def text(self) -> str:
        """``batch week1 (k2j4…): 10 rows, 8 pending, 2 completed``."""
        counts = ", ".join(f"{count:,} {status}" for status, count in sorted(self.by_status.items()))
        if self.batch:
            who = f"batch {self.batch} ({self.batch_id})"
        elif self.batch_id:
            who = f"batch {self.batch_id} of another home or machine"
        else:
            who = "tasks of the account at no address of mwbatch"
        return f"{who}: {rows(self.rows)}, {counts}"

    def json(self) -> AskedElsewhere:
        """The same for scripts."""
        return {
            "batch": self.batch or None,
            "batch_id": self.batch_id or None,
            "rows": self.rows,
            "by_status": dict(sorted(self.by_status.items())),
        }


class Overlaps:
    """Which of our rows were asked for before, and by whom. ``of`` rows would be sent in all."""

    def __init__(self, of: int) -> None:
        self.of = of
        self.marks = bytearray(of)
        self.there: list[Overlap] = []

    @property
    def rows(self) -> int:
        """How many of our rows were asked for before."""
        return self.of - self.marks.count(0)

    def take(
        self,
        ahead: Ahead,
        other: Overlap,
        shared: Iterable[tuple[int, int]],
        status: Callable[[int], Status],
        allowed: Callable[[int], bool] = lambda _: False,
        *,
        own: bool = False,
    ) -> None:
        """Take in what is shared with another batch, as places and numbers;
        ``allowed`` says which of ours are to be paid again.

        ``own``: it is our own batch, and ``shared`` its rows that are not to be sent. Of several that are,
        the first counts.
        """
        marks = bytearray(self.of)
        for place, number in shared:
            standing = status(number)
            if standing in COUNTED and not allowed(ahead.numbers[place]):
                marks[place] = 1
                other.by_status[standing.value] += 1
                other.example = other.example or (ahead.numbers[place], number)
        ahead.spread(marks)
        for place in ahead.again() if own else ():
            if not (marks[place] or allowed(ahead.numbers[place])):
                marks[place] = 1
                other.by_status[Status.PLANNED.value] += 1
                other.example = other.example or (ahead.numbers[place], ahead.numbers[ahead.first(place)])
        self._keep(other, marks)

    def add(self, ahead: Ahead, other: Overlap, marks: bytearray) -> None:
        """Keep whom the marked rows are shared with, if there are any."""
        ahead.spread(marks)
        self._keep(other, marks)

    def _keep(self, other: Overlap, marks: bytearray) -> None:
        if other.example is None:
            return
        other.rows = self.of - marks.count(0)
        whole = int.from_bytes(self.marks) | int.from_bytes(marks)
        self.marks[:] = whole.to_bytes(self.of)
        self.there.append(other)

    def numbers(self, ahead: Ahead) -> Iterator[int]:
        """The numbers of our rows that were asked for before."""
        return (number for number, mark in zip(ahead.numbers, self.marks, strict=True) if mark)


def consented(again: Mapping[str, Mapping[str, float]], batch_id: str) -> Callable[[int], bool]:
    """Which rows of ours the user wants paid again although that batch asked for them,
    by what stands in the batch info.
    """
    end = again.get(batch_id, {}).get("rows", 0)
    return lambda number: number < end
