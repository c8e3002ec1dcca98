"""What speaks against trusting a batch folder: damage, loss, or that it is a copy.

Where there is harm, a row may look as if it had never been sent although it was. So nothing new is sent before a valid
sweep of the batch's whole span, after which the harm is `forgiven`.
"""

from collections.abc import Iterator

from mwbatch.journal.home import place_of
from mwbatch.journal.opened import Opened
from mwbatch.journal.segment import Damage, Harm
from mwbatch.journal.segments import JOURNAL, ROWS, segment_sizes


def harm(batch: Opened) -> list[str]:
    """What speaks against the folder as it was read last and was not forgiven yet, in words that stay the same."""
    there = [*_moved(batch), *_damaged(batch), *_lost(batch), *_holes(batch)]
    return [words for words in there if words not in batch.card.forgiven]


def _moved(batch: Opened) -> Iterator[str]:
    place = place_of(batch.folder)
    if place != batch.card.place:
        yield f"the folder was copied or restored: it was {batch.card.place}, it is {place}"


def _damaged(batch: Opened) -> Iterator[str]:
    for damage in batch.journal.damage:
        if damage.harm is Harm.DAMAGED or (damage.harm is Harm.TORN and _matters(damage)):
            yield f"{damage.path.parent.name}/{damage.path.name} is {damage.harm} at byte {damage.offset}, {damage.size} bytes"


def _matters(damage: Damage) -> bool:
    """Whether a torn end may hide a ``started``. It should not have been acknowledged, but a bad disk tears too."""
    return damage.path.parent.name in (ROWS, JOURNAL)


def _lost(batch: Opened) -> Iterator[str]:
    sizes = segment_sizes(batch.folder)
    for name, size in batch.card.segments.items():
        if sizes.get(name, -1) < size:
            yield f"{name} is gone" if name not in sizes else f"{name} has lost {size - sizes[name]} bytes"


def _holes(batch: Opened) -> Iterator[str]:
    """Rows that must exist because a later one does, and attempts that must have started because something came of them."""
    state = batch.state
    missing = state.end - state.planned
    if missing:
        yield f"{missing} planned rows are gone"
    if unstarted := state.unstarted():
        yield f"{unstarted} rows have an outcome and no start"
