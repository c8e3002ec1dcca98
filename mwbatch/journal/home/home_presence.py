"""Whether the home is there still: what is stored in another folder of its name nobody finds later."""

import os
from collections.abc import Callable
from pathlib import Path

from mwbatch.errors import StoreError
from mwbatch.journal.home.batch_folder import place_of
from mwbatch.journal.segments.folders import JOURNAL, RESULTS


class HomePresence:
    """The folder on which everything stands, as it was when it was first looked at.

    ``is_ours`` where it has anything of ours.

    ``gone`` says why nothing can be stored below it; empty while it is there.
    """

    def __init__(self, path: Path, is_ours: Callable[[], bool]) -> None:
        self._path, self._is_ours = path, is_ours
        self._place: tuple[int, int] | None = None
        self.gone = ""

    @property
    def known(self) -> bool:
        """Whether there was a home at all: where none was, the first callback makes it."""
        return self._place is not None

    def look(self) -> None:
        """Look whether it is the same, or another one with something of ours in it, as put back from a copy.

        Blocks.

        Raises:
            StoreError: it is gone, nobody may enter it, or it is an empty folder, such as a disk leaves that
            is not mounted.
        """
        self.gone = self._why()
        if self.gone:
            raise StoreError(self.gone)

    def _why(self) -> str:
        path = self._path
        try:
            place = place_of(path)
        except StoreError as error:
            return str(error) if self.known else ""
        if not os.access(path, os.X_OK):
            return f"cannot enter {path}: permission denied"
        if self.known and place != self._place and not self._is_ours():
            return f"{path} is another folder than before, and an empty one: is its disk mounted?"
        self._place = place
        return ""


def check_writable(folder: Path) -> None:
    """Raise `StoreError` where no callback could be written to a batch folder, as far as a look can tell."""
    for path in (folder / JOURNAL, folder / RESULTS):
        there = path if os.path.lexists(path) else folder
        # To read it, too: it is opened so that the names in it are made durable.
        if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
            raise StoreError(f"nothing can be written in {there}: see who may, or where it leads")
