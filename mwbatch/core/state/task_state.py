"""One task, as far as the API has shown it, to its row and to other rows: a part of the fold,
which says what it means; and what of another showing would be news.
"""

from dataclasses import dataclass, field

from mwbatch.core.codec.ids import Attempt, Strange
from mwbatch.core.facts.kinds import CONFIRMING, Seen, Via

Answered = tuple[str, str, str]
"""An answer's place in the order that chooses the one shown: (completed_at, task_id, sha256)."""


def answered(seen: Seen) -> Answered:
    """Where an answer stands in that order."""
    return (seen.completed_at or "", seen.task_id, seen.sha256 or "")


@dataclass(slots=True)
class Shared:
    """A task that shows at several rows: at how many of them the API showed it,
    and at how many its listing did.
    """

    shown: int = 0
    listed: int = 0

    @property
    def is_one_rows(self) -> bool:
        """Whether it is known whose it is."""
        return (self.listed or self.shown) == 1

    def take(self, task: "TaskState") -> None:
        """Note one more row at which it shows."""
        if task.shared is None:
            task.shared = self
            self.shown += task.by_api
            self.listed += task.listed


@dataclass(slots=True)
class TaskState:
    """What the API has shown of one task: a join, so the order of the showings does not matter.

    ``by_api``: it was shown otherwise than by callbacks; ``attempt``, ``shown`` and ``created_at`` are then
    what was shown so, and callbacks add nothing to them. ``listed``: a listing showed it at the address of
    this row, which no answer about one task has to. ``shared`` where it shows at other rows too.
    """

    task_id: str
    attempt: Attempt
    shown: str = "pending"
    created_at: str = ""
    answers: dict[str, Answered] = field(default_factory=dict)
    by_api: bool = False
    listed: bool = False
    shared: Shared | None = field(default=None, compare=False, repr=False)

    def join(self, seen: Seen) -> None:
        """Take one showing in."""
        if seen.answer is not None:
            place = answered(seen)
            self.answers[seen.answer] = min(self.answers.get(seen.answer, place), place)
        if seen.via in CONFIRMING:
            if not self.by_api:
                self.by_api, self.attempt, self.shown, self.created_at = True, seen.attempt, "pending", ""
                if self.shared is not None:
                    self.shared.shown += 1
            self._list(seen)
        elif self.by_api:
            return
        self.shown = max(self.shown, seen.status, key=_rank)
        self.attempt = min(self.attempt, seen.attempt)
        if seen.created_at:
            self.created_at = min(self.created_at or seen.created_at, seen.created_at)

    def _list(self, seen: Seen) -> None:
        if seen.via is Via.LIST and not self.listed:
            self.listed = True
            if self.shared is not None:
                self.shared.listed += 1

    @property
    def strange(self) -> bool:
        """Whether the listing shows this task at one other row, and never here:
        the API named it here by mistake, if at all.
        """
        return self.shared is not None and self.shared.listed == 1 and not self.listed

    @property
    def confirmed(self) -> bool:
        """Whether the API itself has shown this task here,
        and its listing does not say that it is another row's.
        """
        return self.by_api and not self.strange

    def is_told_by(self, via: Via | Strange) -> bool:
        """Whether a showing of this kind adds to what is known of whose task this is."""
        return not self.confirmed or (self.shared is not None and not self.listed and via is Via.LIST)

    @property
    def status(self) -> str:
        """What the API says of the task: an answer beats canceled beats the rest."""
        return "completed" if self.answered else self.shown

    @property
    def void(self) -> bool:
        """Whether this is another row's task, for all that is known."""
        return self.shared is not None and not (self.confirmed and self.shared.is_one_rows)

    @property
    def answered(self) -> bool:
        """Whether an answer of this task is on disk, and is its row's."""
        return bool(self.answers) and not self.void

    @property
    def least(self) -> Answered:
        """The place of the answer that is shown; three empty texts while there is none."""
        return min(self.answers.values()) if self.answered else ("", "", "")

    @property
    def conflict(self) -> bool:
        """Whether two answers of this one task say different things, or nobody can tell whose it is."""
        if self.shared is not None and self.void:
            return not self.shared.is_one_rows and (self.by_api or bool(self.answers))
        return len(self.answers) > 1

    @property
    def canceled(self) -> bool:
        """Whether nobody works on this task any more and no answer came of it, by the API's own word."""
        return self.confirmed and self.status == "canceled"


def _rank(status: str) -> tuple[int, str]:
    """Order what the API may say of one task, so that two showings always join to the same one."""
    return ({"pending": 0, "completed": 2, "canceled": 3}.get(status, 1), status)


def news(known: TaskState | None, fact: Seen) -> list[Seen]:
    """What of a fact is to be recorded, since the batch does not know it;
    ``known`` is what it knows of that task.

    That the API itself shows a task confirms it, and is a fact of its own: a journal keeps an answer that it
    has no second time, whoever brings it.
    """
    plain = fact._replace(answer=None, sha256=None, body=None)
    new = fact.answer is not None and (known is None or fact.answer not in known.answers)
    if known is None or known.is_told_by(fact.via):
        return [plain, fact] if new else [plain]
    if new:
        return [fact]
    return [] if known.answered or fact.status == known.status else [plain]
