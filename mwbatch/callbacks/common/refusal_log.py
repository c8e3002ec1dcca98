"""Says of each kind of refusal once, as soon as it is met, that it is met:
who reads the log must not wait for the end.

What strangers cause all day long, wherever a port is open, is said only where there is much of it.
"""

import logging
from collections.abc import Iterator
from typing import Final

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.refusal import ANSWERS, Reason

MUCH: Final = 100
"""How many of a kind that strangers cause are worth a line."""

EVERY: Final = 0.5
"""Seconds between two looks at the counts."""

_STRANGERS: Final = (Reason.UNKNOWN, Reason.NOT_HTTP, Reason.TLS)
_TOLD_ELSEWHERE: Final = (Reason.DISK_FULL, Reason.BROKEN)

_FOREIGN: Final = (
    "callbacks come to addresses that other keys signed, and are answered 404: receiver and submitter need "
    "the same MWBATCH_HOME, or the same MWBATCH_CALLBACK_KEY_FILE"
)

_log: Final = logging.getLogger("mwbatch.callbacks")


class RefusalLog:
    """Looks at the counts of one receiver now and then."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._said: set[str] = set()

    async def look(self) -> None:
        """Say what is new."""
        for kind, words in self._met():
            if kind not in self._said:
                self._said.add(kind)
                _log.warning("%s; this is said once, the metrics count it", words)

    def _met(self) -> Iterator[tuple[str, str]]:
        if self._counts.foreign:
            yield "foreign", _FOREIGN
        for reason, count in self._counts.rejected.items():
            least = MUCH + self._counts.foreign if reason is Reason.UNKNOWN else MUCH
            if reason not in _TOLD_ELSEWHERE and (reason not in _STRANGERS or count >= least):
                yield reason, f"requests are refused as {reason}, answered {ANSWERS[reason].words}"
