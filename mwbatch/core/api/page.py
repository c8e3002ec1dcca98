"""One page of the API's listing of tasks."""

from dataclasses import dataclass

from mwbatch.core.api.task import Task
from mwbatch.core.codec.json_codec import Json


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the listing, newest task first.

    ``docs[i]`` is the JSON object that ``tasks[i]`` was read from. ``received`` counts all entries that came,
    also those which are no tasks (``unreadable``) or of another type than was asked for. ``total`` and
    ``has_more`` are None where the API does not say; ``limit`` and ``offset`` are the API's word, else what
    was asked; ``clock`` is the answer's ``Date`` header.
    """

    tasks: tuple[Task, ...]
    docs: tuple[dict[str, Json], ...]
    total: int | None
    has_more: bool | None
    limit: int
    offset: int
    clock: str | None = None
    received: int = 0
    unreadable: int = 0

    @property
    def is_last(self) -> bool:
        """Whether none follows: it is empty, or the API says so."""
        return not self.received or self.has_more is False
