"""What speaks against trusting a batch folder: damage, loss, or that it is a copy.

Where there is harm, a row may look as if it had never been sent although it was. So nothing new is sent before a valid
sweep of the batch's whole span, after which the harm is `forgiven`.
"""

from collections.abc import Iterator
from pathlib import Path

from mwbatch.core.hint import hint
from mwbatch.core.plural import counted
from mwbatch.errors import StoreError
from mwbatch.journal.folders import JOURNAL, ROWS
from mwbatch.journal.health import Damage, Harm
from mwbatch.journal.home import place_of
from mwbatch.journal.opened import Opened


def harm(batch: Opened) -> list[str]:
    """What speaks against the folder as it was read last and was not forgiven yet, in words that stay the same."""
    there = [*_moved(batch), *_damaged(batch), *_lost(batch), *_forgotten(batch), *_holes(batch)]
    return [words for words in there if words not in batch.card.forgiven]


def least_listed(batch: Opened) -> int:
    """How many tasks of the batch a listing of all has to show, whatever the journal has lost.

    As many as the API had told of; and one where something was sent and a part of the record is lost: a listing without any
    task of the batch is tied to nothing. Ask before listing: another process may learn of more meanwhile.
    """
    card = batch.card
    lost = [
        words for words in (*_damaged(batch), *_lost(batch), *_forgotten(batch)) if words not in card.forgiven
    ]
    was_sent = card.kids or card.echo or any(name.startswith(JOURNAL) for name in batch.known_sizes())
    return max(batch.known_tasks(), bool(lost and was_sent))


def too_few(ours: int, least: int) -> str:
    """Why a listing that shows ``ours`` tasks of a batch is none of all of them; empty where it may be."""
    if ours >= least:
        return ""
    return f"the API's listing shows {counted(ours, 'task')} of the batch, and of what was sent {least:,} or more were to be listed"


def refuse_lost_rows(batch: Opened) -> None:
    """Raise `StoreError` where planned rows are lost, forgiven or not: nobody can tell what their numbers stood for."""
    lost = [words for words in _lost(batch) if words.startswith(f"{ROWS}/")]
    if missing := batch.state.unplanned():
        lost.insert(0, f"{missing:,} planned rows are gone")
    if lost:
        raise StoreError(
            f"no rows can be added to batch {batch.card.name} ({lost[0]}): one of them could get the number, and the "
            f"answers, of a row that is lost; put {batch.folder / ROWS} back from a copy, or go on with the rows that "
            f"are left: {hint('resume', batch.card.name)}"
        )


def _moved(batch: Opened) -> Iterator[str]:
    place = place_of(batch.folder)
    if place != batch.card.place:
        yield "the folder was copied or restored: it is another one on the disk than the one that this batch last wrote to"


def _damaged(batch: Opened) -> Iterator[str]:
    for damage in batch.journal.health().damage:
        if damage.harm is Harm.DAMAGED or (damage.harm is Harm.TORN and _matters(damage)):
            yield f"{_name(damage)} is {damage.harm} at byte {damage.offset}, {damage.size} bytes"


def _matters(damage: Damage) -> bool:
    """Whether a torn end may hide a ``started``. It should not have been acknowledged, but a bad disk tears too."""
    return _name(damage).startswith((f"{ROWS}/", f"{JOURNAL}/"))


def _name(damage: Damage) -> str:
    """The segment below the folder of its batch."""
    return "/".join(Path(damage.where).parts[-2:])


def _lost(batch: Opened) -> Iterator[str]:
    for one in batch.shrunk():
        yield f"{_name(one)} has lost {one.size} bytes" if one.offset else f"{_name(one)} is gone"


def _forgotten(batch: Opened) -> Iterator[str]:
    """A card knows of requests only once their start is durable: where there is no start, it was lost."""
    card = batch.card
    if (card.kids or card.echo) and not batch.state.begun():
        last = (
            f", the last run at {card.clock}" if card.clock else ""
        )  # so that the next such loss has other words
        yield f"requests were sent with callback key {', '.join(card.kids) or 'unknown'}{last}, and no start is on disk"


def _holes(batch: Opened) -> Iterator[str]:
    """Rows that must exist because a later one does, and attempts that must have started because something came of them."""
    state = batch.state
    if missing := state.unplanned():
        yield f"{missing} planned rows are gone"
    if unstarted := state.unstarted():
        # MUST stay as it is, also for one row: cards keep the harm that was forgiven by these words.
        yield f"{unstarted} rows have an outcome and no start"
