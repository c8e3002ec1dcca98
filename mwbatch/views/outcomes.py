"""What commands came to, as words and as JSON: the report, and what is particular to the command."""

from dataclasses import dataclass
from typing import Protocol

from mwbatch.core.advice import rows
from mwbatch.core.progress import Report
from mwbatch.core.text import Json
from mwbatch.errors import Exit
from mwbatch.views.words import report_text


class Told(Protocol):
    """A command's outcome that has a report."""

    @property
    def report(self) -> Report:
        """Where the batch stands."""
        ...

    @property
    def exit(self) -> Exit:
        """The exit code."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report of a command, with sentences before it and fields beside it."""

    told: Told
    sentences: tuple[str, ...] = ()
    fields: tuple[tuple[str, Json], ...] = ()

    @property
    def exit(self) -> Exit:
        """The exit code."""
        return self.told.exit

    def text(self) -> str:
        """The sentences, then where the batch stands and what to do next."""
        return "\n".join((*self.sentences, report_text(self.told.report)))

    def json(self) -> Json:
        """The shared object, with the fields of this command."""
        return self.told.report.json() | dict(self.fields)


def ended(reason: str) -> tuple[str, ...]:
    """Why a run ended before its rows did, as a sentence; none where it did not."""
    return (f"ended early: {reason}",) if reason else ()


def still_open(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Why rows stay in doubt, as sentences."""
    return tuple(f"still in doubt: {reason}" for reason in reasons)


def fetched(answers: int, taken_in: int) -> tuple[str, ...]:
    """What a reconciliation brought home, as sentences."""
    found = ((answers, "fetched from the API"), (taken_in, "taken in from the inbox"))
    return tuple(f"answers of {rows(count)} {how}" for count, how in found if count)
