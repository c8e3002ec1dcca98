"""The journal in memory."""

from pathlib import Path

from mwbatch.journal.memory.journal import Memory
from tests.unit.journal.laws.journal_laws import Open, WritingLaws
from tests.unit.journal.laws.laws_of_reading import ReadingLaws


class TestMemory(WritingLaws, ReadingLaws):
    """It keeps every law of a journal."""

    def anew(self, folder: Path) -> Open:  # noqa: ARG002 (it needs none)
        """One that is shared by whoever has it."""
        memory = Memory()
        return lambda: memory
