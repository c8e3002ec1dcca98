"""Since when to look: a date as people write it, or so many days or hours before now."""

import re
from datetime import datetime, timedelta
from typing import Final

from mwbatch.core.codec.times import moment
from mwbatch.errors import UsageError

_AGO: Final = re.compile(r"([0-9]{1,5})([dh])").fullmatch


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that a text means, where it is ``now``: ``30d``, ``12h``, or ISO 8601,
    in UTC where it names no zone.

    Raises:
        UsageError: it means none.
    """
    if found := _AGO(text):
        count = int(found[1])
        return now - (timedelta(days=count) if found[2] == "d" else timedelta(hours=count))
    if (read := moment(text)) is None:
        raise UsageError(
            f"--since {text!r}: give a date such as 2026-11-01, or so many days or hours: 30d, 12h"
        )
    return read
