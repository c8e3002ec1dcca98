"""What a listing has to cover: from when on, and which of the tasks that are known it must show."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mwbatch.core.codec.times import http_time, moment
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.task_state import TaskState
from mwbatch.core.sweeps.drift import Drift
from mwbatch.core.sweeps.sweep import AttemptKey

PADDING: Final = timedelta(minutes=10)
"""How far before the recorded clock an interval begins: clocks of one API's servers may differ."""

_WRITTEN: Final = len("2017-04-14T12:00:00.000Z")


class Undated(Exception):
    """A date cannot be read, so nothing may be looked for by dates."""


def _everything(_: AttemptKey) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Span:
    """What a listing has to cover.

    ``clocks`` are the server's before the requests whose tasks are looked for, None where it told none;
    ``padding`` how much earlier than by them a task may be dated; ``includes`` says which of the known tasks
    MUST be shown, by their place and *not* by their date: one that the interval misses would prove the
    interval wrong. No first attempt of a row below ``first`` is among them.
    """

    clocks: tuple[str | None, ...]
    padding: timedelta = PADDING
    includes: Callable[[AttemptKey], bool] = _everything
    first: int = 0

    def known(
        self, state: Batch, must: frozenset[str] = frozenset()
    ) -> Iterator[tuple[AttemptKey, TaskState]]:
        """The tasks that have to be shown, those of ``must`` too: what only callbacks have named,
        none has to show.
        """
        there = state.tasks(0 if must else self.first)
        places = ((AttemptKey(number, task.attempt), task) for number, task in there if task.confirmed)
        return ((place, task) for place, task in places if self.includes(place) or task.task_id in must)

    def start(self, drift: Drift, oldest: datetime | None) -> datetime | None:
        """Where the interval begins; None: at the beginning of time.

        ``oldest`` is the date of a task that it must hold.
        """
        times = [time for clock in self.clocks if (time := http_time(clock))]
        if not times or len(times) < len(self.clocks):
            return None
        try:
            earliest = min(times) - drift.back
            return min(earliest, oldest or earliest) - self.padding
        except OverflowError:
            return None


def oldest(dates: Iterable[str]) -> datetime | None:
    """The earliest of the dates of some tasks; None where there are none.

    Raises:
        Undated: one of them cannot be read.
    """
    least, other = "", None
    for date in dates:
        if (
            len(date) == _WRITTEN and date[4] + date[10] + date[-1] == "-TZ"
        ):  # as documented: these are ordered as they are written
            least = min(least or date, date)
        else:
            time = _read(date)
            other = time if other is None else min(other, time)
    return min((time for time in (other, _read(least) if least else None) if time), default=None)


def _read(date: str) -> datetime:
    time = moment(date)
    if time is None:
        raise Undated
    return time
