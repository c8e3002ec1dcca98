"""The home as others see it: where batches live, whoever keeps them.

What lies above asks a `Store` and never sees a path, a lock or an inode of a batch. The laws, which every
store passes:

1. What `create` returned is durable and found by every later look, by name and by manifest; of several that
make one name at
   once, one does, and the others get `NameTaken`. Looking makes nothing.
2. `find` gives the one batch that a word means, or says which are there and which may be meant.
3. What cannot be used stands among the batches with its reason, and hides no other; a store that cannot be
looked into is
   an error and never looks empty.
4. One at a time acts on a batch, in this process as among processes: the next one gets `BatchBusy`, which
names the holder,
   and `holder` says the same. The lock goes last, however the holder left.
5. Nobody plans while another one has the turn.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mwbatch.core.words.hint import hint
from mwbatch.errors import BatchBusy
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.ref import Ref, UnusableBatch

if TYPE_CHECKING:
    from mwbatch.journal.interface.belongings import Mailroom
    from mwbatch.journal.interface.open_batch import OpenBatch
    from mwbatch.journal.keys.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Departed:
    """Batches that have sent from this store and are gone from it.

    ``forget`` is the command that ends to tell of them.
    """

    batch_ids: tuple[str, ...]
    forget: str


class Planning(Protocol):
    """The turn to plan rows. ``blind``: this store cannot lock, and two at once may not see each other."""

    blind: bool

    def take(self) -> bool:
        """Take it if nobody else has it; says whether it is held now. Raises `StoreError`."""
        ...

    def release(self) -> None:
        """Let others have it; nothing happens where it is not held."""
        ...


class Written(Protocol):
    """What was written where users wanted it, known by its content: ``--force`` replaces nothing else."""

    def note(self, *there: tuple[Path, Path]) -> None:
        """Note what stands at the first path of each, and will at the second.

        What cannot be noted is not known later.
        """
        ...

    def knows(self, path: Path) -> bool:
        """Whether what stands at a path is what was written, as it was written. Blocks while it reads."""
        ...

    def claims(self, path: Path) -> bool:
        """Whether the store has a path for itself."""
        ...


class Store(Protocol):
    """The batches of a home, and the keys that sign their addresses.

    ``where`` says which home, in words without secrets.
    """

    @property
    def where(self) -> str:
        """Where it is, as people are told."""
        ...

    @property
    def keys(self) -> "Keyring":
        """The callback keys."""
        ...

    @property
    def written(self) -> Written:
        """What was written from here where its user wanted it."""
        ...

    def batches(self) -> Iterator[Ref | UnusableBatch]:
        """Every batch, by name, and what cannot be used.

        Raises:
            StoreError: the store cannot be looked into.
        """
        ...

    def find(self, batch: str) -> Ref:
        """The batch of a name, of a manifest's path, or of the name that the store has it by.

        Raises:
            UsageError: there is none, and which there are; or several.
            StoreError: what has this name cannot be used.
        """
        ...

    def check_new(self, name: str) -> None:
        """Raise `UsageError` where a new batch may not have this name."""
        ...

    def create(self, info: BatchInfo) -> Ref:
        """Make a new batch, durable on return.

        Raises:
            NameTaken: one is there.
            UsageError: it may not have this name.
            StoreError: it cannot be made, or would hide one that was lost.
        """
        ...

    def open(self, ref: Ref, writer: str = "view") -> "OpenBatch":
        """Open a batch without its lock and without reading its facts; ``writer`` names who would write."""
        ...

    def act(self, ref: Ref, verb: str) -> "AbstractAsyncContextManager[OpenBatch]":
        """Open a batch under its lock, with every fact: to spend, to settle, to cancel. The lock goes last.

        Raises:
            BatchBusy: another one acts on it; or it was replaced by another batch.
            StoreError: it is there twice; what the other one is doing nobody can tell.
        """
        ...

    def holder(self, ref: Ref) -> str | None:
        """Who acts on it now, in words; None when nobody does."""
        ...

    def planning(self) -> Planning:
        """The turn to plan rows, not taken yet."""
        ...

    def mailroom(self, writer: str, commits: Commits) -> "Mailroom":
        """Where callbacks are put down; ``writer`` names who does, ``commits`` counts what that costs."""
        ...

    def departed(self, there: Iterable[Ref | UnusableBatch]) -> Departed | None:
        """The batches that have sent and are not ``there``; None where there are none, or nobody can tell."""
        ...


def in_use(batch: str, who: str | None) -> BatchBusy:
    """Somebody acts on a batch; nobody could tell ``who`` where that is None."""
    return BatchBusy(
        f"batch {batch} is in use by {who or 'another process'}; wait for it, or look: "
        f"{hint('status', batch)}"
    )
