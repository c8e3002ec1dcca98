"""Checks a manifest before money is spent: every mistake, the counts, the duplicates, the estimated cost."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mwbatch.commands.clocks import of_this_machine
from mwbatch.commands.desk import Desk
from mwbatch.commands.manifests import Manifest, size_of
from mwbatch.commands.survey import Survey, survey
from mwbatch.commands.urls import Urls
from mwbatch.core.entry import Problem
from mwbatch.core.identity import Identity, Kind
from mwbatch.core.plural import counted, rows
from mwbatch.core.scrutiny import Leave, Scrutiny
from mwbatch.core.values import GREATEST_COST, amount
from mwbatch.errors import NOTHING_SENT, Exit, UsageError

SHOWN_REPEATS: Final = 20
"""How many identical rows are named for people, with the line of the first; scripts get more."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What a manifest holds.

    ``rows`` is what a batch of it would have: good rows, identical ones once; ``by_type`` splits them.
    ``repeated`` counts the identical rows beyond the first, ``repeats`` has the lines of the first of them,
    each with the line that it repeats; ``repeated_urls`` counts the rows whose picture an earlier row has
    too. ``id_column`` is None where rows go by a digest of their request. ``found`` counts all problems,
    ``problems`` holds the first `survey.MAX_PROBLEMS` of them. ``price`` is the user's, for one task.
    ``unreachable`` counts the pictures that cannot be fetched, which are problems too; None where nobody
    asked. ``scrutiny`` knows the user's columns, and which URLs expire. ``refused`` is how a submission would
    end: rows were asked for before, by another batch of the home. ``accepted_by`` is the batch that has all
    rows with problems already: what was accepted once stays as it is.
    """

    path: str
    rows: int
    by_type: dict[str, int]
    repeated: int
    repeated_urls: int
    id_column: str | None
    found: int
    problems: tuple[Problem, ...]
    repeats: tuple[tuple[int, int], ...] = ()
    price: float | None = None
    unreachable: int | None = None
    scrutiny: Scrutiny = field(default_factory=lambda: Scrutiny(Leave()))
    refused: UsageError | None = None
    accepted_by: str | None = None

    @property
    def exit(self) -> Exit:
        """0 for a manifest that can be submitted, else 2."""
        return Exit.DONE if self.valid and not self.refused else Exit.USAGE

    @property
    def valid(self) -> bool:
        """Whether no row that is still to be sent has a mistake."""
        return not self.found or self.accepted_by is not None

    @property
    def cost(self) -> float | None:
        """What all rows would cost, in the currency of the price; None where no price was named."""
        return None if self.price is None else round(self.rows * self.price, 6)

    def text(self) -> str:
        """The problems, one a line, then the counts."""
        return "\n".join([*(problem.text(self.path) for problem in self.problems), *self._summary()])

    def _summary(self) -> list[str]:
        types = ", ".join(f"{count:,} {kind}" for kind, count in self.by_type.items() if count)
        good = " without a mistake" if self.found else ""
        count = rows(self.rows) if self.rows or not self.found else "no row"
        known = (
            f", {self._ids()}" if self.rows else ""
        )  # a header that was not understood says nothing of ids
        lines = [f"{self.path}: {count}{good}{f' ({types})' if types else ''}{known}"]
        lines += [*self.scrutiny.yours(), *self.scrutiny.text()]
        lines += [
            f"{self.path}:{line}: the same as line {first}" for line, first in self.repeats[:SHOWN_REPEATS]
        ]
        if self.repeated:
            lines.append(
                f"left out, since each row counts once: {rows(self.repeated)} identical to an earlier one"
            )
        if self.repeated_urls:
            lines.append(f"{rows(self.repeated_urls)} with a picture that an earlier row shows too")
        if self.unreachable is not None:
            missing = f"{counted(self.unreachable, 'picture')} cannot be fetched"
            lines.append(missing if self.unreachable else "every picture that was asked for can be fetched")
        if self.cost is not None:
            lines.append(f"estimated cost: {self.rows:,} x {self.price:g} = {self.cost:,.2f}")
        if self.found > len(self.problems):
            lines.append(f"only the first {len(self.problems):,} of the problems are shown")
        if self.accepted_by:
            had = f"no problem: batch {self.accepted_by} has these rows as they are, and they stay so"
            return [*lines, had]
        if self.found:
            return [*lines, f"{counted(self.found, 'problem')}: mend what is wrong, then validate again"]
        why = str(self.refused).replace(NOTHING_SENT, "", 1)  # nobody meant to send
        return [*lines, f"submit would refuse this: {why}" if self.refused else "no problems"]

    def _ids(self) -> str:
        if self.id_column is None:
            return "known by a digest of their request (no id column)"
        return f"known by column {self.id_column}"

    def json(self) -> dict[str, object]:
        """The object for scripts; its names are a promise."""
        return {
            "manifest": self.path,
            "valid": self.valid,
            "accepted_by": self.accepted_by,
            "asked_before": self.refused.fields.get("asked_before") if self.refused else None,
            "rows": self.rows,
            "by_type": self.by_type,
            "repeated": self.repeated,
            "repeats": [{"line": line, "first_line": first} for line, first in self.repeats],
            "repeated_urls": self.repeated_urls,
            "id_column": self.id_column,
            **self.scrutiny.json(),
            "cost": self.cost,
            "unreachable_images": self.unreachable,
            "problem_count": self.found,
            "problems": [{"line": p.line, "column": p.column, "message": p.message} for p in self.problems],
        }


async def validate(
    path: str | Path,
    *,
    allow_duplicates: bool = False,
    leave: Leave | None = None,
    volatile: Collection[str] = (),
    price: float | None = None,
    check_images: bool = False,
    desk: Desk | None = None,
) -> Validation:
    """Read a whole manifest and say what it holds; ``price`` is that of one task.

    ``check_images``: ask for every picture, once, and report those that cannot be fetched.

    Raises:
        UsageError: there is no such file, or it is no manifest at all; or the price cannot be one.
    """
    amount("price", price, 0, GREATEST_COST, none=True)
    desk, scrutiny = desk or Desk(), Scrutiny(leave or Leave())
    manifest = Manifest(path, desk.tally)
    desk.tally.begin("checking the manifest", size_of(manifest.path), of_bytes=True)
    found = await survey(
        manifest,
        lambda column: Identity(column, allow_duplicates=allow_duplicates, volatile=volatile),
        found=Survey(urls=Urls(), scrutiny=scrutiny),
        clock=of_this_machine(desk),
    )
    assert found.urls is not None
    unreachable = await _unreachable(manifest, found, desk) if check_images else None
    return Validation(
        path=manifest.path,
        rows=found.new,
        by_type={kind: found.by_type[kind] for kind in ("tagging", "annotating")},
        repeated=found.by_kind[Kind.REPEATED],
        repeated_urls=found.new - len(found.urls),
        id_column=found.id_column,
        found=found.found,
        problems=tuple(found.problems),
        repeats=tuple(found.repeats),
        price=price,
        unreachable=unreachable,
        scrutiny=scrutiny,
    )


async def _unreachable(manifest: Manifest, found: Survey, desk: Desk) -> int:
    """Ask for every picture; those that cannot be fetched are problems of the survey, too."""
    from mwbatch.commands.checking import check_images  # noqa: PLC0415 (HTTP, which few ask for)

    with desk.in_flight():
        return await check_images(manifest.path, found.good, desk, found.wrong)
