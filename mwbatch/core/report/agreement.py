"""Whether the answers on disk are those that the API lists: compared by tag, box, and brand or label.

A listing may say less than a callback did, and then says so of nearly every task: it abridges, which is no
difference. That it has no answer at all is another thing: a callback comes from whoever knows the address.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from mwbatch.core.api.task import Task
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.codec.json_codec import Json, canonical
from mwbatch.core.facts.digests import Digests, digest, named
from mwbatch.core.facts.kinds import Seen
from mwbatch.core.manifest.cells import BOX
from mwbatch.core.report.result_line import response
from mwbatch.core.state.task_state import TaskState

FIRST: Final = 100
"""So many answers tell whether a listing abridges: it does where over half of them differ."""

FEW: Final = 10
"""Over half of fewer may well be false:
so few show that a listing abridges only if each of them says less.
"""

SAID: Final = ("id", *BOX, "brand", "label")
"""What of a tag is compared."""

UNANSWERED: Final = frozenset(("pending", "canceled"))
"""What the API says of a task that it has no answer of, in its own words:
one that is not documented may mean anything.
"""

Gist = list[list[Json]]
"""What an answer says: `SAID` of each tag, in an order that does not depend on theirs."""


class Differing(NamedTuple):
    """A row with a task whose stored answer the API lists otherwise, or not at all."""

    row: RowNumber
    task_id: str


class Agreement:
    """Takes in what is listed, then what is stored.

    ``unanswered`` are the tasks that were listed as pending or canceled although an answer was stored before.
    """

    def __init__(self) -> None:
        self.unanswered: dict[Differing, None] = {}
        self._tasks, self._names = Digests(), Digests()
        self._first: dict[str, Gist] = {}

    def compare(self, row: RowNumber, known: TaskState | None, task: Task) -> None:
        """Take in a task as it is listed at a row; ``known`` is what the batch knew of it before."""
        if known is None or not known.answered:
            return
        if task.response is None:
            if is_unanswered(task):
                self.unanswered[Differing(row, task.task_id)] = None
            return
        is_same = digest(task.response) in known.answers
        if is_same and len(self._first) == FIRST:  # as nearly always
            return
        if (gist := gist_of(task.response)) is None:
            return
        if len(self._first) < FIRST and (gist or not is_same):  # nothing cannot be abridged
            self._first.setdefault(task.task_id, gist)
        if not is_same:
            self._tasks.add(named(task.task_id))
            self._names.add(_name(task.task_id, gist))

    @property
    def is_plain(self) -> bool:
        """Whether every answer was listed as it is stored, to the letter:
        then nothing has to be read again.
        """
        return not len(self._tasks)

    def differing(self, stored: Iterable[Seen]) -> tuple[list[Differing], bool]:
        """The tasks of whose answers in ``stored`` none says what is listed;
        none where the listing abridges, and whether it does.
        """
        agreeing, found = set[str](), dict[str, tuple[Differing, Gist]]()
        for answer in stored:
            if named(answer.task_id) not in self._tasks:
                continue
            gist = gist_of(response(answer))
            if gist is None or _name(answer.task_id, gist) in self._names:
                agreeing.add(answer.task_id)
            else:
                found[answer.task_id] = Differing(answer.row, answer.task_id), gist
        for task_id in agreeing:
            found.pop(task_id, None)
        if self._abridges({task_id: gist for task_id, (_, gist) in found.items()}):
            return [], True
        return sorted(differing for differing, _ in found.values()), False

    def _abridges(self, found: dict[str, Gist]) -> bool:
        """Whether the first answers show that the listing leaves out too much to be compared."""
        told = [task_id for task_id, listed in self._first.items() if listed or found.get(task_id)]
        other = [task_id for task_id in told if task_id in found]
        if 2 * len(other) <= len(told):
            return False
        return len(told) >= FEW or all(_is_less(self._first[one], found[one]) for one in other)


def is_unanswered(task: Task) -> bool:
    """Whether the API says, of a task that it shows, that there is no answer of it."""
    return task.response is None and task.status in UNANSWERED


def gist_of(said: Json) -> Gist | None:
    """What an answer says; None where it has no tags to compare."""
    tags = said.get("tags") if isinstance(said, dict) else None
    if not isinstance(tags, list):
        return None
    told = [[_plain(tag.get(name)) for name in SAID] for tag in tags if isinstance(tag, dict)]
    return sorted(told, key=canonical)


def _plain(value: Json) -> Json:
    """A value that equals another however it is written: 9 and 9.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _name(task_id: str, gist: Gist) -> bytes:
    return named(f"{task_id}/{digest(gist)}")


def _is_less(listed: Gist, stored: Gist) -> bool:
    """Whether each tag that is listed is one of those stored, with some of what was said of it left out."""
    return all(any(_is_part(tag, other) for other in stored) for tag in listed)


def _is_part(listed: Iterable[Json], stored: Iterable[Json]) -> bool:
    return all(one is None or one == other for one, other in zip(listed, stored, strict=True))
