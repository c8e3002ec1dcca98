"""What a task that the API showed tells a batch: whether it is ours, and what is new of it."""

from collections.abc import Callable

from mwbatch.core.api.address import Address
from mwbatch.core.api.task import seen
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.task_state import news
from mwbatch.core.sweeps.sweep import Sight
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.keys.home_keys import keys_of


def genuine(batch: OpenBatch) -> Callable[[str, Address], bool]:
    """How a task at one of our addresses is told from a forged one.

    A live key made the address, or it names a retired one of the batch, or the API has shown the batch the
    task at that place: a callback vouches for nothing. The mac of a retired key cannot be checked any more.
    Its tasks count all the same: who lists them is the API under our own key, where strangers create nothing,
    and to overlook one would pay its row twice.
    """
    keys, kids = keys_of(batch.store), batch.info.kids

    def is_genuine(task_id: str, address: Address) -> bool:
        if keys.verify(address) or (address.kid in kids and keys.is_retired(address.kid)):
            return True
        known = batch.state.task(address.row, task_id)
        return known is not None and known.confirmed and known.attempt == address.attempt

    return is_genuine


def learned(state: Batch, sight: Sight, at: float, *, whole: bool = True) -> list[Seen]:
    """The facts that a task was seen, so far as they tell the batch anything that it does not know.

    Without an answer where the listing does not show answers as a ``whole``.
    """
    if not sight.genuine:
        return []
    task, place = sight.task, sight.place
    known = state.task(place.row, task.task_id)
    if (
        known is not None
        and not known.is_told_by(Via.LIST)
        and (known.answered or (task.response is None and task.status == known.status))
    ):
        # Without its date nothing of the batch could be looked for by dates.
        dates = task.created_at and not known.created_at
        return [seen(task, place.row, place.attempt, Via.LIST, at)] if dates else []
    body = encode(sight.document) if whole else None
    return news(known, seen(task, place.row, place.attempt, Via.LIST, at, body))
