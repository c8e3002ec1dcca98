"""What a manifest holds, and what a submission of it would do: looked at before money is spent."""

from dataclasses import dataclass, field

from mwbatch.core.manifest.entry import Problem
from mwbatch.core.report.checked import Checked
from mwbatch.core.spending.budget import Spent
from mwbatch.core.spending.scrutiny import Leave, Scrutiny
from mwbatch.core.words.plural import counted
from mwbatch.errors import Exit, UsageError


@dataclass(frozen=True, slots=True)
class Validation(Checked):
    """What a manifest holds.

    ``rows`` is what a batch of it would have: good rows, identical ones once; ``by_type`` splits them.
    ``repeated`` counts the identical rows beyond the first, ``repeats`` has the lines of the first of them,
    each with the line that it repeats; ``repeated_urls`` counts the rows whose picture an earlier row has
    too. ``id_column`` is None where rows go by a digest of their request. ``found`` counts all problems,
    ``problems`` holds the first of them. ``price`` is the user's, for one task.
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

    def why(self) -> str:
        """The mistakes, one a line, or how a submission would end."""
        if self.valid:
            return str(self.refused or "")
        there = [problem.text(self.path) for problem in self.problems]
        more = (
            [f"{self.path}: and {counted(left, 'more problem')}"] if (left := self.found - len(there)) else []
        )
        return "\n".join((*there, *more))

    @property
    def valid(self) -> bool:
        """Whether no row that is still to be sent has a mistake."""
        return not self.found or self.accepted_by is not None

    @property
    def cost(self) -> float | None:
        """What all rows would cost, in the currency of the price; None where no price was named."""
        return None if self.price is None else round(self.rows * self.price, 6)


@dataclass(frozen=True, slots=True)
class Rehearsal(Checked):
    """What a submission would do; nothing was written and nothing sent.

    Of the rows of the manifest ``new`` would be planned and ``known`` are planned already, of which
    ``renewed`` would take their URL as it is signed now; ``repeated`` are identical to an earlier one;
    ``problems`` counts what is wrong. ``by_type`` splits the new ones, of which ``scrutiny`` knows more.
    ``no_key`` and ``no_base`` say what a real one lacks yet: the API key, the callback base; ``besides`` what
    people should know of the rows; ``left_out`` rows were asked for before, and the user wants only what is
    new; the limits of the batch hold ``held`` back; ``spent`` is what it has cost beside these.
    """

    batch: str
    is_new: bool
    new: int
    known: int
    renewed: int
    repeated: int
    problems: int
    by_type: dict[str, int]
    scrutiny: Scrutiny | None
    to_send: int
    price: float | None
    no_key: str = ""
    no_base: str = ""
    besides: tuple[str, ...] = ()
    left_out: int = 0
    held: int = 0
    spent: Spent = field(default_factory=Spent)

    @property
    def exit(self) -> Exit:
        """Always done: mistakes are raised."""
        return Exit.DONE

    def why(self) -> str:
        """Nothing: it is always done."""
        return ""

    @property
    def cost(self) -> float | None:
        """What it would cost, in the currency of the price; None where no price was named."""
        return None if self.price is None else round(self.price * self.to_send, 6)
