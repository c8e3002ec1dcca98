"""What the account's tasks ask for: whoever made them, on whatever machine,
a row that asks for the same is paid again.
"""

from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mwbatch.core.api.address import find
from mwbatch.core.api.task import Task
from mwbatch.core.codec.json_codec import Json, objects, texts
from mwbatch.core.facts.digests import stable_digest
from mwbatch.core.facts.kinds import EDGES, Request, SentTag
from mwbatch.core.manifest.cells import shown
from mwbatch.core.spending.overlaps import API, Ahead, Overlap, Overlaps

_BOX: Final = EDGES[1:]


def asked_by(task: Task) -> tuple[str, Request] | None:
    """The type and the request of a task as a row of a manifest has them;
    None where the API does not show them all.

    The type is told by the inputs: the values that the API documents for it are not its own.
    """
    there = task.params
    url, question = there.get("image_url"), there.get("instruction")
    if not isinstance(url, str):
        return None
    if question is None and not there.get("options") and not there.get("tags"):
        return "tagging", {"image_url": url, "objects_to_tag": str(there.get("objects_to_tag", "brands"))}
    options, tags = texts(there.get("options")), objects(there.get("tags"))
    if not isinstance(question, str) or options is None or tags is None:
        return None
    try:
        boxes = [_box(tag) for tag in tags]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return "annotating", {
        "image_url": url,
        "instruction": question,
        "annotation_option": options,
        "tags": boxes,
    }


def word(status: str) -> str:
    """What the API says of a task, as people may be shown it."""
    return status if status.isalpha() else shown(status) if status else "unknown"


def maker(task: Task) -> str:
    """The id of the batch whose address a task has; empty where it has none of ours."""
    address = find(task.callback_url or "")
    return address.batch if address else ""


def of_others(
    tasks: Iterable[Task], ours: Container[str], names: frozenset[str]
) -> Iterator[tuple[Task, str, bytes | None]]:
    """The tasks that count and are of none of ``ours``, batch ids:
    with their `maker` and the stable digest of what they ask for.

    There is none where the API does not show their inputs.
    """
    for task in tasks:
        if task.status != "canceled" and (whose := maker(task)) not in ours:
            asked = asked_by(task)
            yield task, whose, stable_digest(*asked, names) if asked else None


def _box(tag: Mapping[str, Json]) -> SentTag:
    left, top, width, height = (_number(tag[side]) for side in _BOX)
    return {"id": str(tag["id"]), "left": left, "top": top, "width": width, "height": height}


def _number(side: Json) -> int | float:
    """A side of a box as a manifest has it: forms carry text, and 10.0 is 10."""
    if not isinstance(side, int | float | str):
        raise TypeError("no number")
    number = float(side)
    return int(number) if number.is_integer() else number


@dataclass(slots=True)
class _Theirs:
    """The tasks of one maker that ask for what our rows ask for."""

    places: "array[int]" = field(default_factory=lambda: array("Q"))
    statuses: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)


class Account:
    """Tasks of the account that ask for what the rows ask for that would be sent,
    by the batch id of their address.

    ``ours`` is the id of our own batch, ``names`` are volatile. Canceled tasks do not count; ``bare`` ones,
    without their inputs, cannot be compared. ``listed`` counts all. ``in_part``: the account has more tasks
    than were looked at.
    """

    def __init__(self, ahead: Ahead, ours: str, names: frozenset[str], *, in_part: bool = False) -> None:
        self._ahead, self._ours, self._names = ahead, ours, names
        self._found: dict[str, _Theirs] = {}
        self.listed = self.bare = 0
        self.in_part = in_part

    @property
    def found(self) -> frozenset[str]:
        """The makers of tasks that ask for the same: batch ids, empty for an address that is none of ours."""
        return frozenset(self._found)

    def take(self, tasks: Sequence[Task]) -> None:
        """Look at some tasks; each MUST come once."""
        self.listed += len(tasks)
        for task, whose, digest in of_others(tasks, {self._ours}, self._names):
            if digest is None:
                self.bare += 1
                continue
            for place, _ in self._ahead.among([(0, digest)]):
                theirs = self._found.setdefault(whose, _Theirs())
                theirs.places.append(place)
                theirs.statuses.append(word(task.status))
                theirs.tasks.append(task.task_id)

    def add_to(
        self,
        overlaps: Overlaps,
        passing: Container[str],
        allowed: Callable[[str], Callable[[int], bool]],
        known: Callable[[str], bool],
    ) -> None:
        """Tell whose tasks ask for the same.

        ``passing``: batches that were compared by what is on disk; ``allowed`` says, by the id of a batch or
        `API`, which of our rows are to be paid again; ``known``: a task without an address may be our own.
        """
        for whose, theirs in self._found.items():
            if whose in passing:
                continue
            other, marks, may = Overlap("", whose), bytearray(overlaps.of), allowed(whose or API)
            for place, status, task_id in zip(theirs.places, theirs.statuses, theirs.tasks, strict=True):
                number = self._ahead.numbers[place]
                if not may(number) and not (not whose and known(task_id)):
                    marks[place] = 1
                    other.by_status[status] += 1
                    other.example = other.example or (number, task_id)
            overlaps.add(self._ahead, other, marks)
