"""Which rows are the same: by their id where the manifest gives one, else by a digest of their request.

A row is known by what it asks for, not by the file or the line it stands in, nor by the signature that its
URL carries today; so a manifest may be sorted, cut, extended and signed anew, and no row of it is paid twice.
"""

from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.digests import SIZE, Digests, named, request_digest, stable_digest
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.cells import shown
from mwbatch.core.manifest.entry import Entry, Problem
from mwbatch.core.urls.signed_urls import unsigned


class RowKind(StrEnum):
    """What a row of a manifest is to a batch."""

    NEW = "new"
    """Not known yet: to be planned."""
    KNOWN = "known"
    """A row of the batch already, with the same request."""
    RENEWED = "renewed"
    """The same, but its URL is signed anew, and nothing of the row is open: it gets another edition."""
    REPEATED = "repeated"
    """The same as an earlier row of this manifest: counted, not planned."""
    CHANGED = "changed"
    """Its id is known with another request: a mistake."""
    COPY = "copy"
    """A new id for a request that another id has: a mistake, unless duplicates are allowed."""


_NEW: Final = RowKind.NEW


class Decision(NamedTuple):
    """What a row is, and the earlier row that makes it so.

    ``row`` is this row's number in the batch, or the earlier row's; ``line`` is where the earlier row stands
    in this manifest, 0 if it only stands in the batch.
    """

    kind: RowKind
    row: int
    line: int = 0


class Judged(NamedTuple):
    """What some rows of a manifest are: the new ones have the numbers ``rows``, in order;
    all ``others`` are there by place.

    ``asked`` has the stable digest of what each row asks for.
    """

    rows: Sequence[int]
    others: dict[int, Decision]
    asked: list[bytes]


class Identity:
    """The rows of one batch, told apart; 56 to 104 bytes each, 16 more where a row may be renewed;
    requests not kept.

    Args:
        id_column: the manifest's column of ids; None where they are digests of the requests.
        allow_duplicates: whether a new id may ask for what a known row asks for already.
        volatile: parameters of a URL's query that say nothing about what is asked for.
    """

    def __init__(
        self, id_column: str | None, *, allow_duplicates: bool = False, volatile: Collection[str] = ()
    ) -> None:
        self.id_column, self.allow_duplicates, self.volatile = id_column, allow_duplicates, volatile
        self._names = Digests()
        self._requests = Digests()
        self._rows = array("I")
        self._lines = array("I")
        self._next = 0
        self._twins: dict[int, list[int]] = {}
        self._exact = bytearray()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def free(self) -> int:
        """The number that the next new row gets."""
        return self._next

    def know(self, planned: Planned, *, idle: bool = False) -> None:
        """Take in a row that the batch has; ``idle``: nothing of it is open, so that it may be renewed."""
        row, exact = planned.row, request_digest(planned.type, planned.request)
        digest = stable_digest(planned.type, planned.request, self.volatile, exact)
        known = self._names.add(digest if self.id_column is None else named(planned.id))
        if known == len(self):
            if self.id_column is not None:
                self._requests.append(digest)
            self._new(row, 0)
        elif self.id_column is None:  # rows that were told apart before signatures were known
            self._twins.setdefault(known, []).append(row)
            self._next = max(self._next, row + 1)
        if idle:
            if (missing := SIZE * (row + 1) - len(self._exact)) > 0:
                self._exact.extend(bytes(missing))
            self._exact[SIZE * row : SIZE * (row + 1)] = exact

    def judge(self, entry: Entry) -> Decision:
        """Decide what the next row of the manifest is;
        a new one gets the next free number and is known from then.
        """
        judged = self.judge_all([entry])
        return judged.others.get(0) or Decision(_NEW, judged.rows[0])

    def judge_all(self, entries: Sequence[Entry]) -> Judged:
        """As `judge`, for the next rows; where all are new, as in most manifests,
        nothing is made for each.
        """
        count, exact = len(self._rows), self._exactly(entries)
        asked = [
            stable_digest(one.type, one.request, self.volatile, name)
            if "?" in one.request["image_url"]  # else nothing of it is a signature
            else name
            for one, name in zip(entries, exact, strict=True)
        ]
        by_id = self.id_column is not None
        known = self._names.add_all([named(one.id) for one in entries] if by_id else asked)
        are_new = len(self._names) - count == len(entries)
        fresh = asked if are_new else _first_come(known, count, asked)
        first = self._requests.append_all(fresh) if by_id else list(range(count, len(self._names)))
        if are_new and (first == known or self.allow_duplicates):
            return Judged(self._all_new(entries), {}, asked)
        return self._judge_each(entries, exact, asked, known, first)

    def _exactly(self, entries: Sequence[Entry]) -> list[bytes]:
        """The `request_digest` of each: where rows go by it, their ids are just that."""
        if self.id_column is None:
            return [bytes.fromhex(one.id) for one in entries]
        return [request_digest(one.type, one.request) for one in entries]

    def _judge_each(
        self,
        entries: Sequence[Entry],
        exact: list[bytes],
        asked: list[bytes],
        known: list[int],
        first: list[int],
    ) -> Judged:
        """``known`` is the index of each; ``first`` has, for each that comes for the first time,
        the first index with its request.
        """
        count, rows, others = len(self._rows), list[int](), dict[int, Decision]()
        for place, (entry, index) in enumerate(zip(entries, known, strict=True)):
            if index < len(self._rows):
                others[place] = self._again(index, entry, asked[place], exact[place])
                continue
            row, copied = self._next, first[index - count]
            self._new(row, entry.line)
            if copied == index or self.allow_duplicates:
                rows.append(row)
                continue
            self._next = row  # MUST leave no hole among the numbers, which would look like rows that are gone
            others[place] = Decision(RowKind.COPY, self._rows[copied], self._lines[copied])
        return Judged(rows, others, asked)

    def problem(
        self, entry: Entry, decision: Decision, planned: Callable[[int], Planned | None] = lambda _: None
    ) -> Problem:
        """Say what is wrong with a row that was found ``CHANGED`` or a ``COPY``.

        ``planned`` looks up a row of the batch by its number; None where the earlier row is not in the batch
        yet.
        """
        earlier = planned(decision.row)
        where = f"line {decision.line}" if decision.line else f"row {decision.row} of the batch"
        if decision.kind is RowKind.COPY:
            also = f" ({shown(earlier.id)})" if earlier else ""
            told = (
                f"{shown(entry.id)} asks for exactly what {where}{also} asks for (keep the old ids, or "
                "leave these rows out: --only-new)"
            )
        else:
            differing = f": {'; '.join(_differing(earlier, entry))}" if earlier else ""
            told = (
                f"{shown(entry.id)} is {where} with another request{differing} (give the new request a new "
                "id)"
            )
        return Problem(entry.line, self.id_column, told)

    def _new(self, row: int, line: int) -> None:
        """Take a row in."""
        self._rows.append(row)
        self._lines.append(line)
        self._next = max(self._next, row + 1)

    def _all_new(self, entries: Sequence[Entry]) -> range:
        """Take in rows that get the next numbers."""
        rows = range(self._next, self._next + len(entries))
        self._rows.extend(rows)
        self._lines.extend([one.line for one in entries])
        self._next = rows.stop
        return rows

    def _again(self, known: int, entry: Entry, digest: bytes, exact: bytes) -> Decision:
        """The same id once more: known when it comes for the first time in this manifest."""
        row, line = self._rows[known], self._lines[known]
        if self.id_column is not None and self._requests[known] != digest:
            return Decision(RowKind.CHANGED, row, line)
        if line and (twins := self._twins.get(known)):
            row = twins.pop(0)
        elif line:
            return Decision(RowKind.REPEATED, row, line)
        self._lines[known] = line or entry.line
        return Decision(RowKind.RENEWED if self._held(row) not in (exact, None) else RowKind.KNOWN, row)

    def _held(self, row: int) -> bytes | None:
        """What exactly a row asks for now; None where it may not be renewed."""
        exact = bytes(self._exact[SIZE * row : SIZE * (row + 1)])
        return exact if any(exact) else None


def _first_come(known: list[int], count: int, asked: list[bytes]) -> list[bytes]:
    """What those rows ask for that are known from now on, of which there are ``count`` so far."""
    fresh: list[bytes] = []
    for index, digest in zip(known, asked, strict=True):
        if index == count + len(fresh):
            fresh.append(digest)
    return fresh


def _differing(earlier: Planned, entry: Entry) -> Iterator[str]:
    """What the batch has and what the manifest says, field by field, for the fields that differ."""
    old, new = _asked(earlier), _asked(entry)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            was, now = _excerpts(_plain(old.get(name)), _plain(new.get(name)))
            yield f"{name} was {was}, is now {now}"


def _asked(row: Planned | Entry) -> dict[str, object]:
    """What a row asks for, whatever its signature."""
    return {"type": row.type, **row.request, "image_url": unsigned(row.request["image_url"])}


def _plain(value: object) -> str:
    return encode(value).decode()


def _excerpts(was: str, now: str, around: int = 30) -> tuple[str, str]:
    """Both texts around the first place where they differ, on one line each."""
    place = next(
        (n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now))
    )
    first, last = max(place - around, 0), place + around
    return (_excerpt(was, first, last), _excerpt(now, first, last))


def _excerpt(text: str, first: int, last: int) -> str:
    return f"{'…' * (first > 0)}{text[first:last]}{'…' * (last < len(text))}"
