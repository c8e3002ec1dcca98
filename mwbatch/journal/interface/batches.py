"""The batches of a home, each by itself: one that cannot be used stops none of the others."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TypeVar

from mwbatch.errors import StoreError
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.ref import Ref, UnusableBatch, usable
from mwbatch.journal.interface.store import Store

Made = TypeVar("Made")
"""What is made of a batch."""


def each(
    store: Store, make: Callable[[Ref], Made]
) -> Iterator[tuple[Ref | UnusableBatch, Made | StoreError]]:
    """What ``make`` makes of each batch; where it cannot be used, why. Blocks.

    Set aside are what cannot be used, whatever ``make`` raises `StoreError` for, and two that are the same
    batch: nobody can tell which of them is meant.

    Raises:
        StoreError: the store cannot be looked into.
    """
    there = list(store.batches())
    same = defaultdict[str, list[Ref]](list)
    for ref in usable(there):
        same[ref.info.batch_id].append(ref)
    for one in there:
        yield one, _made(store, one, same[one.info.batch_id], make) if isinstance(one, Ref) else one.why


def _made(store: Store, ref: Ref, same: list[Ref], make: Callable[[Ref], Made]) -> Made | StoreError:
    if others := [other.where for other in same if other.where != ref.where]:
        return StoreError(
            f"{ref.where} is the same batch as {', '.join(others)}; move the copy out of {store.where}"
        )
    try:
        return make(ref)
    except StoreError as error:
        return error


def info_of(ref: Ref) -> BatchInfo:
    """Make no more of a batch than its info."""
    return ref.info
