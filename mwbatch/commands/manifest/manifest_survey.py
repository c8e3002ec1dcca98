"""A first reading of a whole manifest: what each row is to a batch, before anything is written or sent."""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from struct import iter_unpack
from typing import Final

from mwbatch.commands.context.clocks import AskClock
from mwbatch.commands.manifest.manifests import Manifest
from mwbatch.commands.manifest.urls import Urls
from mwbatch.core.facts.digests import SIZE
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.entry import Entry, Found, Problem, cells_of
from mwbatch.core.manifest.row_identity import Decision, Identity, Judged, RowKind
from mwbatch.core.spending.scrutiny import Scrutiny
from mwbatch.core.state.batch import Batch
from mwbatch.core.words.plural import rows
from mwbatch.journal.files.closing import in_thread

_THERE: Final = (RowKind.KNOWN, RowKind.RENEWED)

NEW: Final = RowKind.NEW
"""By a name of its own: it is looked up for each row."""

SKIPPED: Final = -1
"""What stands for the number of a row that is not planned."""

ASIDE: Final = -2
"""In the place of a row's number: new and good by itself, but hardly meant as it stands; not planned."""

MAX_PROBLEMS: Final = 10_000
"""How many problems are kept; the rest are counted."""


def renewed(number: int) -> int:
    """The number of a row that gets another edition, told from a new one's; applied again, the row's."""
    return ASIDE - 1 - number


@dataclass(slots=True)
class ManifestSurvey:
    """What a manifest holds.

    ``numbers`` has, for each good row of the file, the number that a new row gets in the batch, that of a
    renewed one as `renewed` has it, `SKIPPED` for one that is known or repeated, `ASIDE` for one that
    ``scrutiny`` found wrong (None: nobody looks), ``aside`` of them. ``found`` counts all problems,
    ``problems`` holds the first `MAX_PROBLEMS`. ``urls`` are those of the new rows, at 8 bytes each, None
    where nobody counts them. ``disputed`` has the problems of rows that are good by themselves, by their
    place among the good ones; ``blocking`` counts problems after which no row can be told from another.
    ``repeats`` are the lines of the first rows that stand there before, each with the line of its first.
    ``expired`` are the numbers of known rows whose URL has expired. ``asked`` has the stable digest of
    each new row, where it is known which names are ``volatile``, at 16 bytes; ``annotating`` a byte for
    each; ``marks`` are those of the manifest after each chunk. ``only_new``: what asks for the same as
    another id of the batch is ``left_out``.
    """

    id_column: str | None = None
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    by_type: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[RowKind] = field(default_factory=Counter)
    urls: Urls | None = None
    scrutiny: Scrutiny | None = None
    aside: int = 0
    found: int = 0
    blocking: int = 0
    problems: list[Problem] = field(default_factory=list)
    disputed: dict[int, Problem] = field(default_factory=dict)
    repeats: list[tuple[int, int]] = field(default_factory=list)
    expired: "array[int]" = field(default_factory=lambda: array("I"))
    volatile: Collection[str] | None = None
    asked: bytearray = field(default_factory=bytearray)
    annotating: bytearray = field(default_factory=bytearray)
    marks: list[bytes] = field(default_factory=list)
    only_new: bool = False
    left_out: int = 0

    @property
    def new(self) -> int:
        """How many rows the batch does not have yet."""
        return self.by_kind[RowKind.NEW]

    @property
    def known(self) -> int:
        """How many rows the batch has already, those with a fresh signature included."""
        return self.by_kind[RowKind.KNOWN] + self.by_kind[RowKind.RENEWED]

    @property
    def renewed(self) -> int:
        """How many of them get another edition."""
        return self.by_kind[RowKind.RENEWED]

    @property
    def good(self) -> int:
        """How many rows have no mistake."""
        return len(self.numbers) - len(self.disputed) - self.aside

    def each_type(self) -> dict[str, int]:
        """How many of the new rows are of each type."""
        return {kind: self.by_type[kind] for kind in ("tagging", "annotating")}

    def composition(self) -> list[str]:
        """In one sentence what the new rows are; none where there are none, or nobody looked."""
        return [self.scrutiny.composition(self.by_type)] if self.new and self.scrutiny else []

    def besides(self, state: Batch) -> list[str]:
        """What people should know before rows are paid for, a line each; ``state`` is that of the batch."""
        lines = self.scrutiny.text() if self.scrutiny else []
        if unsent := sum(map(state.is_sendable, self.expired)):
            lines.append(
                f"warning: {rows(unsent)} planned before {'is' if unsent == 1 else 'are'} still to be sent "
                "with a URL that has expired: put a fresh one into the manifest first, and it is sent with "
                "that"
            )
        return lines

    def wrong(self, problem: Problem) -> None:
        """Take in a problem."""
        self.found += 1
        self.blocking += problem.cells is None
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def take(
        self, chunk: Sequence[Found], identity: Identity, planned: Callable[[int], Planned | None]
    ) -> None:
        """Take in rows and problems; ``identity`` MUST call the same names ``volatile`` that this does."""
        entries = [one for one in chunk if isinstance(one, Entry)]
        first, judged = len(self.numbers), identity.judge_all(entries)
        if len(entries) == len(chunk) and not judged.others:
            self.numbers.extend(judged.rows)
            fresh, asked = entries, judged.asked
        else:
            fresh, asked = self._apart(chunk, identity, judged, planned)
        if self.scrutiny and (wrong := self._wrong(fresh, first, self.scrutiny)):
            fresh = [entry for n, entry in enumerate(fresh) if n not in wrong]
            asked = [digest for n, digest in enumerate(asked) if n not in wrong]
        kinds = [one.type for one in fresh]
        self.by_kind[NEW] += len(fresh)
        self.by_type.update(kinds)
        if self.urls is not None:
            self.urls.add(one.request["image_url"] for one in fresh)
        if self.volatile is not None:
            self.asked += b"".join(asked)
            self.annotating += bytes(map("annotating".__eq__, kinds))

    def _apart(
        self,
        chunk: Iterable[Found],
        identity: Identity,
        judged: Judged,
        planned: Callable[[int], Planned | None],
    ) -> tuple[list[Entry], list[bytes]]:
        """The new rows and what they ask for; takes in all that is in the same chunk."""
        places, numbers = count(), iter(judged.rows)
        fresh, asked = list[Entry](), list[bytes]()
        for one in chunk:
            if isinstance(one, Problem):
                self._bad(one)
            elif decision := judged.others.get(place := next(places)):
                self._not_new(identity, one, decision, planned)
            else:
                fresh.append(one)
                asked.append(judged.asked[place])
                self.numbers.append(next(numbers))
        return fresh, asked

    def fresh(self) -> Iterator[int]:
        """The numbers of the new rows, in order."""
        return (number for number in self.numbers if number >= 0)

    def leave_out(self, rows: Iterable[int]) -> None:
        """Plan none of these new rows, given by their numbers in order; those behind them move up."""
        leaving, left, new = iter(rows), 0, -1
        if (gone := next(leaving, None)) is None:
            return
        for place, number in enumerate(self.numbers):
            if number < 0:
                continue
            new += 1
            kept = slice((new - left) * SIZE, (new - left + 1) * SIZE)
            self.asked[kept] = self.asked[new * SIZE : (new + 1) * SIZE]
            if number == gone:
                self.numbers[place], left = SKIPPED, left + 1
                gone = next(leaving, None)
                self.by_type["annotating" if self.annotating[new] else "tagging"] -= 1
            else:
                self.numbers[place] = number - left
        del self.asked[(new + 1 - left) * SIZE :]
        self.by_kind[NEW] -= left
        self.left_out += left

    def requests(self) -> Iterator[bytes]:
        """What each row asks for that is to be planned, in order, as it was compared with all others."""
        return (digest for (digest,) in iter_unpack(f"{SIZE}s", self.asked))

    def finish(self, manifest: Manifest, free: int) -> None:
        """Where anything is wrong, say what is misnamed in the header too,
        and put all in the order of the lines.

        ``free`` is the first number that no row of the batch has: the new rows that are left get theirs
        without a gap, which a batch would take for rows that it has lost.
        """
        for place, number in enumerate(self.numbers):
            if number >= 0:
                self.numbers[place], free = free, free + 1
        line, names = manifest.header
        if self.scrutiny:
            for problem in self.scrutiny.names(line, names):
                self.wrong(problem)
        self.problems.sort(key=lambda problem: problem.line)

    def _bad(self, problem: Problem) -> None:
        """Take in a row that is wrong by itself, and what is misnamed in it besides."""
        self.wrong(problem)
        if self.scrutiny and problem.cells:
            for more in self.scrutiny.names(problem.line, problem.cells.keys()):
                self.wrong(more)

    def _wrong(self, fresh: list[Entry], first: int, scrutiny: Scrutiny) -> Collection[int]:
        """Take in which of the new rows were hardly meant as they stand;
        ``first`` is the place of the first that it may be.
        """
        looks = ((n, scrutiny.look(fresh[n])) for n in scrutiny.suspects(fresh))
        wrong = {n: problems for n, problems in looks if problems is not None}
        if not wrong:
            return ()
        places = [place for place in range(first, len(self.numbers)) if self.numbers[place] >= 0]
        for n, problems in wrong.items():
            self.numbers[places[n]] = ASIDE
            self.aside += 1
            for problem in problems:
                self.wrong(problem)
        return wrong

    def _not_new(
        self, identity: Identity, entry: Entry, decision: Decision, planned: Callable[[int], Planned | None]
    ) -> None:
        kind = decision.kind
        if kind in _THERE and self.scrutiny and self.scrutiny.has_expired(entry):
            kind = RowKind.KNOWN  # that signature is no better than the one that it has
            self.expired.append(decision.row)
        self.numbers.append(renewed(decision.row) if kind is RowKind.RENEWED else SKIPPED)
        self.by_kind[kind] += 1
        if kind is RowKind.COPY and self.only_new:
            self.left_out += 1
        elif kind in (RowKind.CHANGED, RowKind.COPY):
            problem = identity.problem(entry, decision, planned)
            problem = replace(problem, cells=cells_of(entry, identity.id_column))
            self.disputed[len(self.numbers) - 1] = problem
            self.wrong(problem)
        elif kind is RowKind.REPEATED and len(self.repeats) < MAX_PROBLEMS:
            self.repeats.append((entry.line, decision.line))


async def survey(
    manifest: Manifest,
    identity_for: Callable[[str | None], Identity],
    planned: Callable[[int], Planned | None] = lambda _: None,
    found: ManifestSurvey | None = None,
    clock: AskClock | None = None,
) -> ManifestSurvey:
    """Read a whole manifest and judge its rows.

    ``identity_for`` makes the identity for the manifest's id column; ``planned`` looks up a row of the batch;
    ``found`` is a survey that has seen nothing yet, and knows what to look at; ``clock`` tells its
    ``scrutiny`` the time where a URL expires.

    Raises:
        UsageError: there is no such file, or it is no manifest at all.
    """
    found, identity, free = found or ManifestSurvey(), None, 0
    scrutiny = found.scrutiny
    async with manifest.chunks() as chunks:
        async for chunk in chunks:
            if identity is None and any(isinstance(one, Entry) for one in chunk):
                identity = await in_thread(identity_for, manifest.id_column)
                free = identity.free
            if scrutiny:
                scrutiny.header, scrutiny.id_column = manifest.header[0], manifest.id_column or ""
                if clock and scrutiny.needs_clock(chunk):
                    scrutiny.set_clock(await clock())
            # In a thread, since rows of the batch are looked up for what is told of mistakes.
            known = Identity(None) if identity is None else identity
            await in_thread(found.take, chunk, known, planned)
            found.marks.append(manifest.mark)
    if scrutiny:
        scrutiny.decimals = manifest.decimals
    found.id_column = manifest.id_column
    if found.found:
        found.finish(manifest, free)
    return found
