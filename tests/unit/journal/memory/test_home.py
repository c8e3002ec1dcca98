"""The home in memory keeps every law of a store."""

from pathlib import Path

import pytest

from mwbatch.errors import BatchBusy
from mwbatch.journal.memory.home import MemoryHome
from tests.support.facts import plan
from tests.unit.journal.laws.home_laws import INFO, BelongingsLaws, KeyringLaws, StoreLaws


class _Memory:
    """Nothing but itself."""

    def make(self, folder: Path) -> MemoryHome:  # noqa: ARG002 (no folder is needed)
        """A new one."""
        return MemoryHome()


class TestStore(_Memory, StoreLaws):
    """Batches in a dictionary."""


class TestKeyring(_Memory, KeyringLaws):
    """Keys in an attribute."""


class TestBelongings(_Memory, BelongingsLaws):
    """What is kept beside the facts."""


async def test_a_lock_that_is_taken_away() -> None:
    """Its holder begins nothing more, and takes nothing from who has it next."""
    home = MemoryHome()
    ref = home.create(INFO)
    async with home.act(ref, "submit") as batch:
        home.take_away(ref)
        with pytest.raises(BatchBusy, match="taken from this run"):
            await batch.record([plan(0)])
        async with home.act(ref, "cancel") as other:
            await other.record([plan(0)])
    assert home.holder(ref) is None
