"""What a walk through a listing has shown, and when it leads nowhere: one rule for all who walk."""

from typing import Final

from mwbatch.core.facts.digests import Digests, named

MAX_IDLE_PAGES: Final = 3
"""Pages in a row that may show nothing new; a listing that goes on like this leads nowhere."""

REPEATS: Final = "the listing repeats itself"


class ListedTasks:
    """The tasks that a walk has shown, numbered in the order in which they came;
    page by page it is told of each.

    All are remembered, 24 to 48 bytes each: a listing may show two pages in turn for ever, or ten.
    """

    def __init__(self) -> None:
        self.digests = Digests()
        self._before = self._idle = 0

    def __len__(self) -> int:
        return len(self.digests)

    def is_new(self, task_id: str) -> bool:
        """Whether a task was not shown before; it is from now on."""
        before = len(self.digests)
        return self.digests.add(named(task_id)) == before

    def leads_nowhere(self) -> bool:
        """Whether the page that ends now was one too many in a row without anything new.

        MUST be asked once a page.
        """
        self._idle = self._idle + 1 if len(self) == self._before else 0
        self._before = len(self)
        return self._idle >= MAX_IDLE_PAGES
