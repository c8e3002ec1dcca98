"""Which rows of a batch the user means."""

from collections.abc import Collection, Iterator

from mwbatch.core.facts.kinds import Planned
from mwbatch.errors import UsageError
from mwbatch.journal.interface.open_batch import OpenBatch


def named(batch: OpenBatch, ids: Collection[str]) -> Iterator[Planned]:
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
        raise UsageError(f"batch {batch.info.name} has no row {min(missing)}")
