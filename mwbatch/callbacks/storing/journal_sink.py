"""One open journal that takes callbacks, that of a batch or that of an inbox; and how much it stores of what
comes to one address: whoever learns an address must not fill the disk through it.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from mwbatch.callbacks.common.refusal import Reason, Rejected
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Seen
from mwbatch.core.state.row_table import GAP
from mwbatch.errors import StoreError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.belongings import Mailbox
from mwbatch.journal.interface.journal import Intake

MOST_TASKS: Final = 4
"""Tasks of one attempt that are stored: more than one is a double already."""

MOST_ANSWERS: Final = 4
"""Answers of one task that are stored: more than one is a conflict already."""


class Bounds:
    """What was stored of each attempt: eight bytes a row,
    and a few hundred for an attempt with more than one fact.

    Tasks are known by the hash of their id: should two of them agree, less is stored than might be.
    """

    def __init__(self) -> None:
        self._first = array("q")
        self._more: dict[tuple[int, int], dict[int, int]] = {}

    def holds(self, row: RowNumber, attempt: Attempt, task_id: str) -> bool:
        """Whether room is taken for a task."""
        name = hash(task_id) or 1
        first = attempt == 1 and row < len(self._first) and self._first[row] == name
        return first or name in self._more.get((row, attempt), ())

    def take(self, row: RowNumber, attempt: Attempt, task_id: str) -> bool:
        """Make room for one more fact of a task; False where there is none."""
        name, first = hash(task_id) or 1, 0
        if attempt == 1 and row < len(self._first) + GAP:
            if row >= len(self._first):
                self._first.frombytes(bytes(8 * (row + 1 + row // 4 - len(self._first))))
            first = self._first[row]
            if not first:
                self._first[row] = name
                return True
        more = self._more.setdefault((row, attempt), {})
        there = more.get(name, 0) + (name == first)
        if there >= MOST_ANSWERS or (
            not there and len(more) + (first not in more and first != 0) >= MOST_TASKS
        ):
            return False
        more[name] = more.get(name, 0) + 1
        return True

    def give_back(self, row: RowNumber, attempt: Attempt, task_id: str) -> None:
        """Undo one `take`, as nothing was stored of it."""
        name = hash(task_id) or 1
        more = self._more.get((row, attempt), {})
        if there := more.pop(name, 0):
            more |= {name: there - 1} if there > 1 else {}
        elif attempt == 1 and row < len(self._first) and self._first[row] == name:
            self._first[row] = 0


@dataclass(frozen=True, slots=True, eq=False)
class JournalSink:
    """``answers`` and ``bare``, callbacks that brought none, are what is stored of each attempt."""

    mailbox: Mailbox
    journal: Intake
    answers: Bounds
    bare: Bounds

    @classmethod
    def open(cls, mailbox: Mailbox) -> Self:
        """Read a journal for what it has: answers, and callbacks that brought none. Blocks.

        Raises:
            StoreError: it cannot be read, or nothing be written there.
        """
        sink, journal = cls(mailbox, mailbox.journal, Bounds(), Bounds()), mailbox.journal
        mailbox.check()
        journal.index(lambda kept: sink.answers.take(kept.row, kept.attempt, kept.task_id))
        for seen in journal.callbacks():
            sink.count(seen)
        return sink

    def count(self, seen: Seen) -> None:
        """Count one more fact of an attempt."""
        self._bounds(seen).take(seen.row, seen.attempt, seen.task_id)

    def _bounds(self, seen: Seen) -> Bounds:
        return self.bare if seen.answer is None else self.answers

    def knows(self, seen: Seen) -> bool:
        """Whether this is an answer that is stored, or is on its way there.

        Nearly every one is the first of its task, for which no room is taken: nothing is computed for it.
        """
        return self._bounds(seen).holds(seen.row, seen.attempt, seen.task_id) and self.journal.knows(seen)

    async def keep(self, seen: Seen, stored: Callable[[], object]) -> bool:
        """Make a callback durable; says whether it is new. MUST reach the journal before anything is awaited.

        ``stored`` is called once it is, if it is new, whether or not anybody still waits here.

        Raises:
            Rejected: of its attempt, or of its task, as much is stored as ever will be.
            StoreError: it cannot be written.
        """
        bounds, place = self._bounds(seen), (seen.row, seen.attempt, seen.task_id)
        # MUST NOT take room for a copy, also while the first one is on its way: another answer may need it
        # this moment.
        copy = self.knows(seen)
        taken = not copy and bounds.take(*place)
        if not (copy or taken):
            raise Rejected(Reason.TOO_MANY)

        def after(error: Exception | None) -> None:
            if error is None:
                stored()
            elif taken:
                bounds.give_back(*place)

        # MUST NOT give room back because nobody waits any more: what was handed in is written.
        [new] = await self.journal.append([seen], after)
        if taken and not new:
            bounds.give_back(*place)
        return new

    async def is_open(self) -> bool:
        """Whether callbacks could be written there, as far as a look can tell."""
        try:
            await in_thread(self.mailbox.check)
        except StoreError:
            return False
        return True

    async def stands(self) -> bool:
        """Whether everything that is known of it is on disk still."""
        return await in_thread(self.journal.stands)
