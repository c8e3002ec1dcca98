"""One open journal that takes callbacks: that of a batch, or that of an inbox."""

from dataclasses import dataclass
from typing import Self

from mwbatch.callbacks.bounds import Bounds
from mwbatch.callbacks.refusal import Reason, Rejected
from mwbatch.core.facts import Seen
from mwbatch.errors import StoreError
from mwbatch.journal import Intake
from mwbatch.journal.belongings import Mailbox
from mwbatch.journal.closing import in_thread


@dataclass(frozen=True, slots=True, eq=False)
class Taker:
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
        taker, journal = cls(mailbox, mailbox.journal, Bounds(), Bounds()), mailbox.journal
        mailbox.check()
        journal.index(lambda kept: taker.answers.take(kept.row, kept.attempt, kept.task_id))
        for seen in journal.callbacks():
            taker.count(seen)
        return taker

    def count(self, seen: Seen) -> None:
        """Count one more fact of an attempt."""
        self._bounds(seen).take(seen.row, seen.attempt, seen.task_id)

    def _bounds(self, seen: Seen) -> Bounds:
        return self.bare if seen.answer is None else self.answers

    async def keep(self, seen: Seen) -> bool:
        """Make a callback durable; says whether it is new. MUST reach the journal before anything is awaited.

        Raises:
            Rejected: of its attempt, or of its task, as much is stored as ever will be.
            StoreError: it cannot be written.
        """
        bounds, place = self._bounds(seen), (seen.row, seen.attempt, seen.task_id)
        # MUST NOT take room for a copy, also while the first one is on its way: another answer may need it
        # this moment.
        copy = bounds.holds(*place) and self.journal.knows(seen)
        taken = not copy and bounds.take(*place)
        if not (copy or taken):
            raise Rejected(Reason.TOO_MANY)
        new = False
        try:
            [new] = await self.journal.append([seen])
        finally:
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
