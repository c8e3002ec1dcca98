"""The journal in memory."""

from pathlib import Path

import pytest

from mwbatch.journal.memory import Memory
from tests.journal.laws import JournalLaws


class TestMemory(JournalLaws):
    """It keeps every law of a journal."""

    @pytest.fixture(autouse=True)
    def _one(self) -> None:
        self.memory = Memory()

    def open(self, folder: Path) -> Memory:  # noqa: ARG002 (one memory serves any folder)
        """The one that there is: memory is shared by whoever has it."""
        return self.memory
