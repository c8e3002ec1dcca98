"""A first reading of a whole manifest: what each row is to a batch, before anything is written or sent."""

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from mwbatch.commands.manifests import Manifest
from mwbatch.core.entry import Entry, Problem, cells_of
from mwbatch.core.facts import Planned
from mwbatch.core.identity import Identity, Kind

MAX_PROBLEMS: Final = 10_000
"""How many problems are kept; the rest are counted."""


@dataclass(slots=True)
class Survey:
    """What a manifest holds.

    ``numbers`` has, for each good row of the file, the number that a new row gets in the batch, -1 for one that is
    known or repeated. ``found`` counts all problems, ``problems`` holds the first `MAX_PROBLEMS`. ``urls`` holds
    hashes of image URLs, None where nobody counts them: a rare collision may spoil a count on which nothing rests.
    ``disputed`` has the problems of rows that are good by themselves, by their place among the good ones; ``blocking``
    counts problems after which no row can be told from another. ``repeats`` are the lines of the first rows that
    stand there before, each with the line of its first.
    """

    id_column: str | None = None
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    by_type: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[Kind] = field(default_factory=Counter)
    urls: set[int] | None = None
    found: int = 0
    blocking: int = 0
    problems: list[Problem] = field(default_factory=list)
    disputed: dict[int, Problem] = field(default_factory=dict)
    repeats: list[tuple[int, int]] = field(default_factory=list)

    @property
    def new(self) -> int:
        """How many rows the batch does not have yet."""
        return self.by_kind[Kind.NEW]

    @property
    def good(self) -> int:
        """How many rows have no mistake."""
        return len(self.numbers) - len(self.disputed)

    def wrong(self, problem: Problem) -> None:
        """Take in a problem."""
        self.found += 1
        self.blocking += problem.cells is None
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def row(self, entry: Entry, identity: Identity, planned: Callable[[int], Planned | None]) -> None:
        """Take in a good row."""
        decision = identity.judge(entry)
        self.by_kind[decision.kind] += 1
        self.numbers.append(decision.row if decision.kind is Kind.NEW else -1)
        if decision.kind is Kind.NEW:
            self.by_type[entry.type] += 1
            if self.urls is not None:
                self.urls.add(hash(entry.request["image_url"]))
        elif decision.kind in (Kind.CHANGED, Kind.COPY):
            problem = identity.problem(entry, decision, planned)
            problem = replace(problem, cells=cells_of(entry, identity.id_column))
            self.disputed[len(self.numbers) - 1] = problem
            self.wrong(problem)
        elif decision.kind is Kind.REPEATED and len(self.repeats) < MAX_PROBLEMS:
            self.repeats.append((entry.line, decision.line))


async def survey(
    manifest: Manifest,
    identity_for: Callable[[str | None], Identity],
    planned: Callable[[int], Planned | None] = lambda _: None,
    *,
    count_urls: bool = False,
) -> Survey:
    """Read a whole manifest and judge its rows.

    ``identity_for`` makes the identity for the manifest's id column; ``planned`` looks up a row of the batch;
    ``count_urls``: remember each image URL, at some 80 bytes a row.

    Raises:
        UsageError: there is no such file, or it is no manifest at all.
    """
    found, identity = Survey(urls=set() if count_urls else None), None
    async for chunk in manifest:
        if identity is None:
            identity = identity_for(manifest.id_column)
        for one in chunk:
            if isinstance(one, Entry):
                found.row(one, identity, planned)
            else:
                found.wrong(one)
    found.id_column = manifest.id_column
    return found
