"""The home that is a folder keeps every law of a store; what is a folder's alone stands beside,
in `test_home`.
"""

from pathlib import Path

from mwbatch.journal.home import Files
from tests.journal.home_laws import BelongingsLaws, KeyringLaws, StoreLaws


class _Folder:
    """A folder that is not there yet."""

    def make(self, folder: Path) -> Files:
        """The home in it."""
        return Files(folder)


class TestStore(_Folder, StoreLaws):
    """Batches in folders."""


class TestKeyring(_Folder, KeyringLaws):
    """Keys in a file."""


class TestBelongings(_Folder, BelongingsLaws):
    """What lies in the folder of a batch."""
