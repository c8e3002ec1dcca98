"""How far the dates of tasks lie from the clock that the API's answers carry.

A task's ``created_at`` and the ``Date`` of an answer come from two machines, one of them maybe a proxy.
Either may be wrong, tell the time of its own zone, or be set in the middle of a run. So neither is taken for
the other: the difference is measured at each create, and whoever looks for tasks by their dates looks as far
as it was ever seen.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil, floor, inf
from typing import Final

from mwbatch.core.codec.times import http_time, iso, moment

WIDE: Final = timedelta(hours=26)
"""From the westernmost time zone to the easternmost: differences that spread further are no clock's."""


FAR: Final = timedelta(days=1_000_000)
"""Further ahead no calendar is that people go by;
a date that means "never" would lead out of all that can be told.
"""

Dates = tuple[str | None, str | None]
"""When a task was created, as the API says, and the ``Date`` of the answer that says it."""

_PLAIN: Final = len("2017-04-14T12:00:00.000Z")
_SECONDS: Final = len("2017-04-14T12:00:00")


class Drift:
    """``created_at`` minus ``Date``, the least and the greatest that were seen;
    ``kept`` is what an earlier run kept.
    """

    def __init__(self, kept: Sequence[int] = ()) -> None:
        self._least, self._greatest = (float(kept[0]), float(kept[1])) if kept else (inf, -inf)
        self._date: str | None = None
        self._clock: datetime | None = None
        self._from = self._to = ""

    @property
    def kept(self) -> tuple[int, ...]:
        """Both in whole seconds, rounded outwards, so that they seldom change;
        empty while nothing was seen.
        """
        return () if self._least > self._greatest else (floor(self._least), ceil(self._greatest))

    @property
    def back(self) -> timedelta:
        """How much earlier than by the server's clock a task may be dated."""
        return timedelta(seconds=max(0, -self.kept[0])) if self.kept else timedelta()

    @property
    def ahead(self) -> timedelta:
        """How much later than by the server's clock a task is dated at least, which counts whole seconds."""
        is_told = self.kept and not self.is_wide
        return timedelta(seconds=max(0, self.kept[1] - 1)) if is_told else timedelta()

    @property
    def is_wide(self) -> bool:
        """Whether the differences spread so far, or a date lies so far ahead, that dates say nothing."""
        return not self.is_within(WIDE) or self._greatest > FAR.total_seconds()

    def is_within(self, apart: timedelta) -> bool:
        """Whether the differences spread no further than this, as far as any was seen."""
        return self._greatest - self._least <= apart.total_seconds()

    def created(self, dates: Iterable[Dates]) -> None:
        """Take in the dates of tasks, each with that of the answer to its create. Either may say nothing.

        Nearly every date lies in seconds that are known, and its text tells: 0.3 µs instead of 2.4 to read
        it.
        """
        for created_at, date in dates:
            if (
                date == self._date
                and created_at
                and self._from <= created_at < self._to
                and len(created_at) == _PLAIN
                and created_at[-1] == "Z"
            ):
                continue
            if (apart := self._apart(created_at, date)) is not None:
                self._least, self._greatest = min(self._least, apart), max(self._greatest, apart)
                self._from, self._to = map(self._text, self.kept)

    def listed(self, created_at: str | None, date: str | None) -> None:
        """The same of the answer that lists the task, however much later:
        only a task from the future tells anything.
        """
        apart = self._apart(created_at, date)
        if apart is not None and apart > 0:
            self._greatest, self._least = max(self._greatest, apart), min(self._least, apart)

    def _text(self, apart: int) -> str:
        """What is so many seconds after the clock, to the second: no plain date from there on is less."""
        assert self._clock is not None
        try:
            return iso(self._clock + timedelta(seconds=apart))[:_SECONDS]
        except OverflowError:
            return ""

    def _apart(self, created_at: str | None, date: str | None) -> float | None:
        if date != self._date:  # it changes once a second, and takes much longer to read than the other
            self._date, self._clock = date, http_time(date)
            self._from = self._to = ""
        time = moment(created_at)
        return None if time is None or self._clock is None else (time - self._clock).total_seconds()
