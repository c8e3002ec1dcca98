"""Progress on standard error: a bar on a terminal, a plain line now and then elsewhere."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import IO, Final, Protocol, cast

from mwbatch.core.report.progress import Tally
from mwbatch.core.words.printable import cell
from mwbatch.journal.files.closing import ended
from mwbatch.views.terminal.folding import folded, matters
from mwbatch.views.terminal.line import GAP, Line, line, sentence, time_text
from mwbatch.views.terminal.streams import USUAL, Stream

EVERY: Final = 0.1
"""Seconds between two looks at the tally on a terminal."""

EVERY_LINE: Final = 10.0
"""Seconds between two plain lines."""

EDGE: Final = 5
"""Columns at the end of a terminal that stay free: for the ``^C`` of two signals, and the cursor."""


Say = Callable[[str], None]
"""Takes one sentence for people."""


class Screen(Protocol):
    """Where a tally is shown."""

    def show(self, tally: Tally) -> None:
        """Bring what is seen up to date."""
        ...

    def say(self, sentence: str) -> None:
        """Print one sentence for people."""
        ...


class Lines:
    """A pipe or a file: sentences as they come, a line of progress every ten seconds;
    with ``quiet`` warnings alone.

    ``say`` is where they go, if not to standard error as they are.
    """

    def __init__(self, *, quiet: bool = False, say: Say | None = None) -> None:
        self._quiet, self._say, self._next = quiet, say or printed, time.monotonic() + EVERY_LINE
        self._last = ""

    def show(self, tally: Tally) -> None:
        """Print a line when it is time for one; of what has no end only news,
        since a server may stand idle for days.
        """
        if self._quiet or not tally.phase or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_LINE
        if (text := sentence(tally, time.monotonic())) != self._last or tally.total:
            self._last = text
            self.say(text)

    def say(self, sentence: str) -> None:
        """Print one sentence."""
        if not self._quiet or matters(sentence):
            self._say(sentence)


def printed(sentence: str) -> None:
    """Print one sentence on standard error."""
    print(folded(sentence, sys.stderr), file=sys.stderr)


class Bar:
    """A terminal: one line for the phase that runs, which gives way to whatever is printed.

    It is shorter than the terminal is wide, so that the ``^C`` that one echoes does not push it up a line.
    """

    def __init__(self, there: Stream) -> None:
        from rich.console import Console  # noqa: PLC0415 (130 ms that only a terminal needs)
        from rich.progress import Progress  # noqa: PLC0415

        self._there, self._console = there, Console(file=cast("IO[str]", there))
        self._progress = Progress(console=self._console)  # never started: it tells how long things last
        self._task = self._progress.add_task("", total=None)
        self._phase, self._since = ("", 0), 0.0

    def show(self, tally: Tally) -> None:
        """Move the bar."""
        if not tally.phase:
            self._there.draw("")
            return
        now = time.monotonic()
        if (tally.phase, tally.total) != self._phase:
            self._phase, self._since = (tally.phase, tally.total), now
            self._progress.reset(self._task, total=tally.total or None, completed=tally.done)
        self._progress.update(self._task, completed=tally.done)
        columns = (self._there.columns or USUAL) - EDGE
        self._there.draw(self._drawn(tally, line(tally, columns, now, self._time(tally, now))))

    def _time(self, tally: Tally, now: float) -> str:
        if tally.trouble:
            return ""
        if tally.total:
            return time_text(self._progress.tasks[0].time_remaining, " left")
        return f"{seconds} s" if (seconds := int(now - self._since)) > 1 else ""

    def _drawn(self, tally: Tally, there: Line) -> str:
        """The line with its bar, and its colours where they are wanted."""
        from rich.progress_bar import ProgressBar  # noqa: PLC0415

        bar = ""
        if there.bar:
            with self._console.capture() as captured:
                self._console.print(ProgressBar(tally.total, tally.done, width=there.bar), end="")
            bar = captured.get()
        return GAP.join(filter(None, (there.phase, bar, there.words)))

    def say(self, sentence: str) -> None:
        """Print one sentence above the bar."""
        printed(sentence)


@contextmanager
def screen(*, quiet: bool, say: Say | None = None) -> Iterator[Screen]:
    """The screen that standard error is, or, where sentences go elsewhere, a screen of lines."""
    there = sys.stderr
    if quiet or say or not isinstance(there, Stream) or not there.moves:
        yield Lines(quiet=quiet, say=say)
        return
    try:
        yield Bar(there)
    finally:
        there.draw("")


@asynccontextmanager
async def shown(tally: Tally, *, quiet: bool, say: Say | None = None) -> AsyncIterator[Screen]:
    """Show a tally for as long as the block runs: its notes as sentences, its counts as progress."""
    with screen(quiet=quiet, say=say) as there:

        def told(sentence: str) -> None:
            there.say(cell(sentence))  # or an id with a line end in it would make up another sentence

        for sentence in tally.notes:
            told(sentence)
        tally.hear = told

        async def keep_looking() -> None:
            while True:
                there.show(tally)
                await asyncio.sleep(EVERY)

        looking = asyncio.create_task(keep_looking())
        try:
            yield there
        finally:
            await ended(looking)
            there.show(tally)
