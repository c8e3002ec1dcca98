"""Which rows of a batch the user means."""

from collections.abc import Collection, Iterator

from mwbatch.core.facts.kinds import Planned
from mwbatch.errors import UsageError
from mwbatch.journal.seam.open_batch import Opened


def named(batch: Opened, ids: Collection[str]) -> Iterator[Planned]:
    """The rows with these ids, in the manifest's order.

    Raises:
        UsageError: an id is not in the batch, after all others were given.
    """
    missing = set(ids)
    for planned in batch.journal.rows():
        if planned.id in missing:
            missing.discard(planned.id)
            yield planned
    if missing:
        raise UsageError(f"batch {batch.card.name} has no row {min(missing)}")
