"""What a store keeps of a batch beside its facts: its info, reasons for trust, what did not fit, image sizes.

The laws, which every store passes:

1. What was written in the batch info is what the next one who opens the batch reads.
2. What was forgiven is told no more, and nothing else is forgotten by it; how many tasks were
   known never falls.
3. What was taken in from the inbox is in the journal before it leaves the inbox; taken in
   twice it is there once.
4. What did not fit is kept while there is room, wherever it came in, each once, in the order of its coming.
5. A size that was kept is known to whoever opens the batch next.
"""

from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Final, Protocol

from mwbatch.core.facts.digests import SIZE
from mwbatch.core.facts.kinds import Fact
from mwbatch.journal.interface.batch_info import BatchInfo

if TYPE_CHECKING:
    from mwbatch.core.api.unusable import Unusable
    from mwbatch.core.manifest.image_size import Measured
    from mwbatch.journal.interface.health import Damage
    from mwbatch.journal.interface.journal import Intake
    from mwbatch.journal.interface.ref import Ref

RECORD: Final = Struct(f"<Q{SIZE}s")
"""What one planned line asks for: the number of the row, and the stable digest."""

Keep = Callable[[Sequence[Fact]], Awaitable[int]]
"""Makes facts durable in the batch; returns how many were new."""


class Mailbox(Protocol):
    """Where callbacks of one batch are put down: in the batch, or in the inbox of one that is not here.

    ``where`` that is, in words; ``is_inbox`` which of the two; ``journal`` takes what fits.
    """

    where: str
    is_inbox: bool

    @property
    def journal(self) -> "Intake": ...  # noqa: D102 (said above)

    def check(self) -> None:
        """Raise `StoreError` where no callback could be written, as far as a look can tell. Blocks."""
        ...

    def waiting(self) -> tuple[Hashable, ...]:
        """What lies in the inbox of the batch and may be moved, so that a change of it shows.

        Empty where none does. Blocks.
        """
        ...

    async def take_in(self, keep: Keep) -> int:
        """As `Belongings.take_in`."""
        ...

    def keep_reject(self, reject: "Unusable", most: int) -> bool:
        """Keep a callback that does not fit, durably.

        Says whether there was room, in ``most`` bytes of all of them. Blocks.

        Raises:
            StoreError: it cannot be kept.
        """
        ...

    async def close(self) -> None:
        """Finish what was begun and release all that is open; raises the first error that this met."""
        ...


class Mailroom(Protocol):
    """Where the callbacks of a home are put down, for as long as a receiver runs.

    What was there once and is gone is not made anew: what came there would be found by nobody once it is
    back.
    """

    @property
    def gone(self) -> str:
        """Why nothing can be stored, by the last look; empty where it can."""
        ...

    def look(self) -> None:
        """Look whether the home is there still. Blocks.

        Raises:
            StoreError: it is gone, or out of reach.
        """
        ...

    def mailbox(self, batch: "Ref | str") -> Mailbox:
        """That of a batch, or, where only its id is known, of one that is not here. Nothing is read yet."""
        ...

    def inboxes(self) -> list[str]:
        """The ids of the batches that have an inbox; none where nobody can tell."""
        ...


class Term(Protocol):
    """The lock of a batch, held. ``weakness`` is what people should know of it, in words; mostly nothing."""

    weakness: str

    @property
    def alive(self) -> bool:
        """Whether it is held still, so that nobody else may act."""
        ...

    def check(self) -> None:
        """Raise `BatchBusy` where it is not ``alive``: MUST come before what only its holder may do."""
        ...


class Sizes(Protocol):
    """The sizes of images that were measured: a cache, so what is lost costs one more look."""

    def get(self, row: int) -> "Measured | None":
        """The size of a row's image; None where it was not measured."""
        ...

    def add(self, row: int, size: "Measured") -> None:
        """Keep a size; `flush` writes it."""
        ...

    def flush(self) -> None:
        """Write what was added; raises `StoreError` where that fails."""
        ...


class Trust(Protocol):
    """What tells whether a record is all that it ever was, kept outside of it as far as the store can.

    Words stay the same from look to look: they are what is forgiven.
    """

    @property
    def forgiven(self) -> Collection[str]:
        """The harm that a valid sweep of the whole span has made up for."""
        ...

    def forgive(self, words: Collection[str]) -> None:
        """Keep that this harm was made up for, and that the batch is in its place. Raises `StoreError`."""
        ...

    def moved(self) -> list[str]:
        """What speaks for a copy, or one put back."""
        ...

    def lost(self) -> list[str]:
        """What of the record as it was read last is damaged or gone."""
        ...

    def lost_rows(self) -> list[str]:
        """What of it is gone of the planned rows."""
        ...

    def was_sent(self) -> bool:
        """Whether something was sent, by what is known outside of the facts."""
        ...

    def tasks(self) -> int:
        """How many tasks the API had told of, at the most, by what is known outside of the facts."""
        ...

    def measure(self, *, ended: bool = False) -> None:
        """Take in how far the record has come, which is kept with the batch info.

        Where it ``ended``, answers too.
        """
        ...

    def begin(self, tasks: int) -> None:
        """Note what was measured, and how many tasks are known, outside of the record.

        Blocks, and is durable on return.

        Raises:
            StoreError: it cannot be noted.
        """
        ...

    def go_on(self) -> None:
        """Note how far the record has come since: MUST come before a request leaves that rests on it.

        As `begin`.
        """
        ...

    def end(self, tasks: int) -> None:
        """Note the same as `begin` for the last time, unless it is noted so. As `begin`."""
        ...


class Belongings(Protocol):
    """What is kept of one batch beside its facts."""

    @property
    def trust(self) -> Trust:
        """Why the record can be trusted, or cannot."""
        ...

    def has(self, info: BatchInfo) -> bool:
        """Whether the batch info is kept so already, with all that was measured."""
        ...

    def write(self, info: BatchInfo) -> None:
        """Keep the batch info, whole or not at all, durable on return. Raises `StoreError`."""
        ...

    def damage(self) -> "list[Damage]":
        """What was acknowledged once and is lost, in the inbox too; of what is gone the rows.

        Reads the inbox.
        """
        ...

    def asked(
        self, volatile: Collection[str] = (), *, keep: bool = True, whole: bool = False
    ) -> Iterator[bytes]:
        """Row and digest of every planned line, as blocks of `RECORD`; a row may come more than once. Blocks.

        ``keep``: what was read may be kept for the next time. Raises `StoreError` where it cannot be read,
        and where it is to be ``whole`` and rows are lost.
        """
        ...

    def image_sizes(self) -> Sizes:
        """The sizes of images that were measured. Blocks while it reads them."""
        ...

    async def take_in(self, keep: Keep) -> int:
        """Move what came before the batch did into its journal by ``keep``; returns how many facts were new.

        Raises:
            StoreError: something cannot be read or written, or somebody changed the batch meanwhile; all is
            there still.
        """
        ...

    def rejects(self) -> "list[Unusable]":
        """The callbacks that did not fit, wherever they came in, in the order of their coming. Reads them."""
        ...

    def close(self) -> None:
        """Release what is open."""
        ...
