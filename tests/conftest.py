"""What every test shares: one profile for the properties, the same on every machine, and a long one for `make torture`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.journal.disks import MEMORY

settings.register_profile("mwbatch", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("long", deadline=None, max_examples=4_000)
settings.load_profile("mwbatch")


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder where syncing costs nothing."""
    with tempfile.TemporaryDirectory(prefix="mwbatch-", dir=MEMORY) as folder:
        yield Path(folder)
