"""A batch as its store found it, or what stands there and cannot be used:
all that is known above of where it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mwbatch.errors import StoreError
from mwbatch.journal.interface.batch_info import BatchInfo


@dataclass(frozen=True, slots=True)
class Ref:
    """A batch as its store found it.

    Opaque: ``where`` it is, in words, is what the store knows it by; ``name`` the name that it has there,
    mostly the batch info's.
    """

    where: str
    name: str
    info: BatchInfo = field(hash=False)


@dataclass(frozen=True, slots=True)
class UnusableBatch:
    """What stands where a batch is and cannot be used, and why."""

    where: str
    name: str
    why: StoreError = field(hash=False)


def usable(there: Iterable[Ref | UnusableBatch]) -> Iterator[Ref]:
    """Those that can be used: who looks for one batch is not stopped by another.

    MUST NOT tell what was asked before.
    """
    return (one for one in there if isinstance(one, Ref))
