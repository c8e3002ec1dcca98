"""What a home in memory keeps of one batch beside its facts, and where its callbacks are put down."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from mwbatch.core.api.unusable import Unusable, line
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.digests import stable_digest
from mwbatch.core.facts.kinds import Planned, Started
from mwbatch.core.manifest.image_size import Measured
from mwbatch.errors import BatchBusy
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.belongings import RECORD, Keep
from mwbatch.journal.interface.health import Damage
from mwbatch.journal.interface.ref import Ref
from mwbatch.journal.memory.journal import Memory


@dataclass(slots=True)
class MemoryContents:
    """All that is kept of one batch, or of callbacks that came before it."""

    journal: Memory = field(default_factory=Memory)
    rejects: dict[tuple[RowNumber, Attempt, str], Unusable] = field(default_factory=dict)
    info: BatchInfo | None = None
    sizes: dict[int, Measured] = field(default_factory=dict)
    forgiven: tuple[str, ...] = ()
    tasks: int = 0
    holder: "MemoryTerm | None" = None


class MemoryTerm:
    """The lock of a batch; taken from its holder where the batch is ``taken_away``."""

    weakness = ""

    def __init__(self, kept: MemoryContents, name: str, verb: str) -> None:
        self._kept, self._name = kept, name
        self.words = f"mwbatch {verb}, process {os.getpid()} on host {os.uname().nodename}"

    @property
    def alive(self) -> bool:
        """Whether it is held still."""
        return self._kept.holder is self

    def check(self) -> None:
        """Raise where it is not."""
        if not self.alive:
            raise BatchBusy(f"batch {self._name} was taken from this run: another one may act on it")


class MemoryBelongings:
    """Those of one batch; what is in its ``inbox`` came before it."""

    def __init__(self, kept: MemoryContents, inbox: MemoryContents) -> None:
        self._kept, self._inbox = kept, inbox
        self.trust = MemoryTrust(kept)

    def has(self, info: BatchInfo) -> bool:
        """Whether it is the one that is kept."""
        return self._kept.info == info

    def write(self, info: BatchInfo) -> None:
        """Keep it."""
        self._kept.info = info

    def damage(self) -> list[Damage]:
        """None ever."""
        return []

    def asked(
        self,
        volatile: Collection[str] = (),
        *,
        keep: bool = True,  # noqa: ARG002 (made anew)
        whole: bool = False,  # noqa: ARG002 (nothing is ever lost)
    ) -> Iterator[bytes]:
        """One block a row."""
        for planned in self._kept.journal.facts(Planned):
            yield RECORD.pack(planned.row, stable_digest(planned.type, planned.request, volatile))

    def image_sizes(self) -> "MemorySizes":
        """Those that are kept."""
        return MemorySizes(self._kept.sizes)

    async def take_in(self, keep: Keep) -> int:
        """Move what is in the inbox."""
        return await take_in(self._kept, self._inbox, keep)

    def rejects(self) -> list[Unusable]:
        """Those of the batch and of its inbox."""
        there = self._inbox.rejects | self._kept.rejects
        return sorted(there.values(), key=lambda reject: (reject.at, reject.identity))

    def close(self) -> None:
        """Nothing is open."""


class MemoryTrust:
    """Nothing is ever lost of memory; what the state tells of is forgiven as anywhere."""

    def __init__(self, kept: MemoryContents) -> None:
        self._kept = kept

    @property
    def forgiven(self) -> tuple[str, ...]:
        """As it is kept."""
        return self._kept.forgiven

    def forgive(self, words: Collection[str]) -> None:
        """Keep these, too."""
        self._kept.forgiven = tuple(dict.fromkeys((*self._kept.forgiven, *words)))

    def moved(self) -> list[str]:
        """There is but one place."""
        return []

    def lost(self) -> list[str]:
        """Nothing."""
        return []

    def lost_rows(self) -> list[str]:
        """None."""
        return []

    def was_sent(self) -> bool:
        """Whether there is a start."""
        return any(True for _ in self._kept.journal.facts(Started))

    def tasks(self) -> int:
        """The most that were known."""
        return max(self._kept.tasks, self._kept.info.tasks if self._kept.info else 0)

    def measure(self, *, ended: bool = False) -> None:
        """There is nothing to measure."""

    def begin(self, tasks: int) -> None:
        """Keep how many were known."""
        self._kept.tasks = max(self._kept.tasks, tasks)

    def go_on(self) -> None:
        """Nothing else is kept outside."""

    def end(self, tasks: int) -> None:
        """As at the beginning."""
        self.begin(tasks)


class MemorySizes:
    """Sizes in a dictionary, which others see once they are flushed."""

    def __init__(self, sizes: dict[int, Measured]) -> None:
        self._sizes, self._new = sizes, dict[int, Measured]()

    def get(self, row: int) -> Measured | None:
        """One of them."""
        return self._new.get(row) or self._sizes.get(row)

    def add(self, row: int, size: Measured) -> None:
        """One more."""
        self._new[row] = size

    def flush(self) -> None:
        """Let others see them."""
        self._sizes.update(self._new)
        self._new.clear()


class MemoryMailroom:
    """All that callbacks are put into; an inbox is made when it is asked for."""

    gone = ""

    def __init__(self, batches: dict[str, MemoryContents], inboxes: dict[str, MemoryContents]) -> None:
        self._batches, self._inboxes = batches, inboxes

    def look(self) -> None:
        """It is there."""

    def mailbox(self, batch: Ref | str) -> "MemoryMailbox":
        """That of a batch, or of an inbox."""
        inbox = self._inboxes.setdefault(
            batch.info.batch_id if isinstance(batch, Ref) else batch, MemoryContents()
        )
        if isinstance(batch, Ref):
            return MemoryMailbox(batch.where, self._batches[batch.name], inbox)
        return MemoryMailbox(f"memory/inbox/{batch}", inbox, inbox)

    def inboxes(self) -> list[str]:
        """Those with something in them."""
        return sorted(batch for batch, kept in self._inboxes.items() if kept.journal.facts_ or kept.rejects)


class MemoryMailbox:
    """That of one batch, or of its inbox alone."""

    def __init__(self, where: str, kept: MemoryContents, inbox: MemoryContents) -> None:
        self.where, self._kept, self._inbox = where, kept, inbox
        self.is_inbox, self.journal = kept is inbox, kept.journal

    def check(self) -> None:
        """Memory takes anything."""

    def waiting(self) -> tuple[int, ...]:
        """How many facts there are."""
        return (len(self._inbox.journal.facts_),) * bool(self._inbox.journal.facts_)

    async def take_in(self, keep: Keep) -> int:
        """Move what is in the inbox."""
        return await take_in(self._kept, self._inbox, keep)

    def keep_reject(self, reject: Unusable, most: int) -> bool:
        """Keep it, once."""
        size = sum(len(line(one)) for one in self._kept.rejects.values())
        if size + len(line(reject)) > most:
            return False
        self._kept.rejects.setdefault(reject.identity, reject)
        return True

    async def close(self) -> None:
        """Nothing is open."""


async def take_in(kept: MemoryContents, inbox: MemoryContents, keep: Keep) -> int:
    """Move all that is in an inbox into its batch by ``keep``; returns how many facts were new."""
    facts = [*inbox.journal.facts_]
    new = await keep([fact for fact in facts if fact not in kept.journal.facts_])
    inbox.journal.take_out(len(facts))
    kept.rejects |= inbox.rejects
    inbox.rejects.clear()
    return new
