"""The inbox of a batch: callbacks that came while the batch was not here, and how they get into it."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from mwbatch.core.facts.kinds import Fact, Seen
from mwbatch.errors import StoreError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.files.disk import DISK
from mwbatch.journal.interface.belongings import Keep
from mwbatch.journal.interface.journal import One
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.unusable_folder import move

CHUNK: Final = 500
"""Facts that are moved at a time: answers may be long."""


class Known(Protocol):
    """What is asked of the journal of a batch, whichever way it is open."""

    def facts(self, kind: type[One]) -> Iterator[One]:
        """As `Journal.facts`."""
        ...

    def stands(self) -> bool:
        """As `Intake.stands`."""
        ...


async def merge(inbox: Path, folder: Path, journal: Known, keep: Keep) -> int:
    """Move what an inbox holds into a batch's folder, and into its journal by ``keep``.

    Returns how many facts were new.

    A segment of the inbox is removed once nobody writes it, unless it is damaged: then it is evidence.

    Raises:
        StoreError: something cannot be read or written, or somebody changed the batch meanwhile; all is there
        still.
    """
    there = Segments(inbox, "inbox")
    # MUST be asked before reading: what a receiver writes later stands in segments that are kept.
    done = await in_thread(there.dead_segments)
    facts, plain, new = there.read(), dict[Fact, None](), 0
    while chunk := await in_thread(lambda: list(islice(facts, CHUNK))):
        plain |= dict.fromkeys(fact for fact in chunk if _is_plain(fact))
        new += await keep([fact for fact in chunk if not _is_plain(fact)])
    new += await keep(await in_thread(_unknown, journal, plain))
    # MUST be seen before anything is removed: what the journal knows may be gone from the disk, and be here
    # alone.
    if not await in_thread(journal.stands):
        raise StoreError(f"{folder} was changed while {inbox} was taken in; take it in again")
    damaged = {damage.where for damage in there.health().lost}
    for path in done:
        if str(path) not in damaged:
            DISK.remove(path)  # or another process, which takes in the same
    with suppress(StoreError):  # they count where they are
        await in_thread(move, inbox, folder)
    return new


def _unknown(journal: Known, plain: dict[Fact, None]) -> list[Fact]:
    """Those of some tasks without an answer that the journal lacks: what stays is read again each time.

    The journal itself knows an answer again, and nothing but an answer.
    """
    if plain:
        for fact in journal.facts(Seen):
            plain.pop(fact, None)
    return list(plain)


def _is_plain(fact: Fact) -> bool:
    """Whether this is a task that was seen without an answer."""
    return isinstance(fact, Seen) and fact.answer is None
