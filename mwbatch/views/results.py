"""The completed rows as JSON lines in the manifest's order, at any time, also while the batch runs."""

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mwbatch.core.facts import Seen
from mwbatch.core.fold import Status, answered
from mwbatch.core.labels import label
from mwbatch.core.text import Json, encode
from mwbatch.errors import Exit
from mwbatch.journal.opened import Opened
from mwbatch.journal.segment import read_at
from mwbatch.views.standing import Standing


class Places:
    """Where the answer that is shown for each row stands on disk: 12 bytes a row."""

    def __init__(self, opened: Opened) -> None:
        rows = opened.state.end
        self._files: list[Path] = []
        self._file = array("i", bytes(4 * rows))
        self._offset = array("q", bytes(8 * rows))
        for path, offset, seen in opened.journal.placed_answers():
            self._note(opened, path, offset, seen)

    def answer(self, row: int) -> Seen | None:
        """Read the answer of a row from disk; None where there is none."""
        if not self._file[row]:
            return None
        fact = read_at(self._files[self._file[row] - 1], self._offset[row])
        assert isinstance(fact, Seen)
        return fact

    def _note(self, opened: Opened, path: Path, offset: int, seen: Seen) -> None:
        kept = opened.state.row(seen.row).kept
        if seen.row >= len(self._file) or kept is None or kept.least != answered(seen):
            return
        if not self._files or self._files[-1] != path:
            self._files.append(path)
        self._file[seen.row], self._offset[seen.row] = len(self._files), offset


def results(opened: Opened, *, every: bool = False) -> Iterator[dict[str, Json]]:
    """One object a row, in the manifest's order; completed rows, or with ``every`` all, with their status and error."""
    places = Places(opened)
    errors = dict(opened.failures()) if every else {}
    for planned in opened.journal.read_rows():
        row = opened.state.row(planned.row)
        if every or row.status is Status.COMPLETED:
            line = label(opened.card.name, planned, row, places.answer(planned.row))
            yield line | {"error": errors.get(planned.row)} if every else line


@dataclass(frozen=True, slots=True)
class Printed:
    """The lines were printed already; what is left is the exit code."""

    exit: Exit

    def text(self) -> str:
        """Nothing more."""
        return ""

    def json(self) -> Json:
        """Nothing more."""
        return None


def print_results(opened: Opened, *, every: bool, demanded: bool) -> Printed:
    """Write the lines to standard output; exit 3 when completeness was ``demanded`` and is not there."""
    out = sys.stdout.buffer
    for line in results(opened, every=every):
        out.write(encode(line) + b"\n")
    out.flush()
    return Printed(Standing(opened.report(), demanded).exit)
