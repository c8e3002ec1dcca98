"""The first reading of a batch: whatever must be known before the first byte is written."""

from collections.abc import Iterator
from typing import Final

from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.image_size import HEIGHT, WIDTH, misspelt_size, told_size
from mwbatch.errors import UsageError
from mwbatch.export.categories import Categories
from mwbatch.export.choices import By
from mwbatch.export.names import Names
from mwbatch.journal.interface.journal import Journal

MOST_COLUMNS: Final = 1000
"""The most different columns of a manifest that a table can hold; JSONL rows may each have their own."""

_TAKEN_UP: Final = {WIDTH, HEIGHT, "tags"}
"""Columns that become columns of our own."""


class BatchSurvey:
    """What the rows and answers of a batch have in common.

    ``rows`` counts all, ``completed`` those with an answer; ``columns`` are the manifest's own, in the order
    in which they first appear; ``misspelt`` counts rows whose size columns say something that is no size.
    """

    def __init__(self, journal: Journal, by: By | None, *, boxes: bool) -> None:
        self.journal = journal
        self.rows = self.completed = self.misspelt = 0
        self.names, self.categories = Names(), Categories(by)
        self._columns: dict[str, None] = {}
        self._boxes = boxes
        for planned in journal.rows():
            self._row(planned)
        self.answers = journal.answered()
        for seen in journal.answers() if boxes else ():
            self.categories.hear(seen)
        self.completed = sum(1 for planned in journal.rows() if planned.row in self.answers)

    @property
    def columns(self) -> tuple[str, ...]:
        """The manifest's own columns; raises `UsageError` where they are too many for a table."""
        if len(self._columns) > MOST_COLUMNS:
            raise UsageError(
                f"the rows of this manifest have more than {MOST_COLUMNS:,} different columns, too many for "
                "a table; choose another --format, or results instead of export, which keeps them as JSON"
            )
        return tuple(self._columns)

    def unsized(self) -> Iterator[Planned]:
        """The completed rows whose image has no size by the manifest."""
        return (
            planned
            for planned in self.journal.rows()
            if planned.row in self.answers and told_size(planned.columns) is None
        )

    def _row(self, planned: Planned) -> None:
        self.rows += 1
        self.misspelt += misspelt_size(planned.columns)
        if self._boxes:
            self.names.take(planned.row, planned.id)
            self.categories.plan(planned)
        if len(self._columns) <= MOST_COLUMNS:
            self._columns |= dict.fromkeys(name for name in planned.columns if name not in _TAKEN_UP)
