"""Sweeping until a listing can be believed: what proves nothing is asked for again, a few times."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mwbatch.commands.context.session import Session
from mwbatch.commands.settling.sweeping import Swept, sweep
from mwbatch.core.pace.pace import backoff
from mwbatch.core.sweeps.doubt import SECOND_SWEEP, Grounds
from mwbatch.core.sweeps.span import Span
from mwbatch.core.sweeps.sweep import Sight
from mwbatch.errors import ApiError, Refused

TRIES: Final = 8
"""How often a sweep that proves nothing is repeated before its rows stay in doubt."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is to be listed, and on which grounds it is believed.

    ``reasons`` is given a sentence where it cannot be; ``on_sight`` every task of the batch as it is listed,
    ``on_flawed`` every sweep that proves nothing.
    """

    span: Span
    grounds: Grounds
    reasons: list[str]
    tries: int = TRIES
    on_sight: Callable[[Sight], None] = lambda _: None
    on_flawed: Callable[[Swept], None] = lambda _: None


async def believed(session: Session, listing: Listing, after: Swept | None = None) -> Swept | None:
    """Sweep until a sweep is valid and ends later than ``after`` did; None, with the reason kept, if none is.

    The last try looks for nothing by dates: where the API goes by others than it shows, that alone lists
    everything.
    """
    witness, settle = listing.grounds.witness, listing.grounds.settle
    must = [witness.task_id] if witness else []
    waits, reason, dated = backoff(1.0, max(1.0, SECOND_SWEEP * settle)), "", True
    for left in reversed(range(listing.tries)):
        try:
            swept = await sweep(session, listing.span, must, dated=dated, on_sight=listing.on_sight)
            reason = "; ".join(swept.flaws) or "the API names no time, or its clock stands still"
            if not swept.flaws and (after is None or swept.end not in (None, after.end)):
                return swept
            listing.on_flawed(swept)
            dated = left > 1 or not swept.lacking
        except ApiError as error:
            reason = str(error)
            dated = left > 1 or not isinstance(error, Refused)
        if session.is_stopping or (left and await session.sleep(next(waits))):
            reason = "interrupted"
            break
    if (sentence := f"no listing could be believed: {reason}") not in listing.reasons:
        listing.reasons.append(sentence)
    return None
