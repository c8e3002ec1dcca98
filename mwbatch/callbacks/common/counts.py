"""What the receiver has done since it started: plain numbers, read by its metrics."""

from collections import Counter
from dataclasses import asdict, dataclass, field

from mwbatch.callbacks.common.refusal import Reason


@dataclass(slots=True)
class Counts:
    """``received`` = ``stored`` + ``repeated``: everything that was answered 200, probes apart."""

    received: int = 0
    stored: int = 0
    """A new line on disk."""
    repeated: int = 0
    """Known already: no new line."""
    inbox: int = 0
    """Of the received ones, those whose batch is not here."""
    mismatched: int = 0
    """Of the received ones, those that name two different task ids,
    or another address than they were posted to.
    """
    unrecorded: int = 0
    """Of the stored ones, those whose task is not the one recorded for their attempt."""
    bytes: int = 0
    """The bodies of the received ones."""
    foreign: int = 0
    """Of the requests at unknown routes, those to an address that other keys signed, or nobody."""
    probes: int = 0
    turned_away: int = 0
    """Connections above the cap while every other was being served."""
    evicted: int = 0
    """Connections that waited for a request and made room for others."""
    untaken: int = 0
    """Connections that did not take their answers."""
    rejected: Counter[Reason] = field(default_factory=Counter)
    """Requests that were not answered 200."""
    kept: int = 0
    """Callbacks that did not fit, whose bytes are on disk."""
    unkept: int = 0
    """Callbacks that did not fit and were only counted: beyond the bounds, or the disk failed."""

    def plain(self) -> dict[str, object]:
        """The same as a JSON object; what was refused stands under its reason."""
        return {**asdict(self), "rejected": {reason.value: count for reason, count in self.rejected.items()}}
