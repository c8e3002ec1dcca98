"""Progress on standard error: a bar on a terminal, a plain line now and then elsewhere."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

from mwbatch.core.progress import Tally

if TYPE_CHECKING:
    from rich.progress import Progress

EVERY: Final = 0.1
"""Seconds between two looks at the tally on a terminal."""

EVERY_LINE: Final = 10.0
"""Seconds between two plain lines."""


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
    """A pipe or a file: sentences as they come, a line of progress every ten seconds; with ``quiet`` no progress.

    ``say`` is where they go, if not to standard error as they are.
    """

    def __init__(self, *, quiet: bool = False, say: Say | None = None) -> None:
        self._quiet, self._say, self._next = quiet, say or printed, time.monotonic() + EVERY_LINE
        self._last = ""

    def show(self, tally: Tally) -> None:
        """Print a line when it is time for one; of what has no end only news, since a server may stand idle for days."""
        if self._quiet or not tally.phase or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_LINE
        if (text := progress_text(tally)) != self._last or tally.total:
            self._last = text
            self.say(text)

    def say(self, sentence: str) -> None:
        """Print one sentence."""
        self._say(sentence)


def printed(sentence: str) -> None:
    """Print one sentence on standard error, as it is."""
    print(sentence, file=sys.stderr, flush=True)


class Bar:
    """A terminal: one bar for the phase that runs, sentences above it."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, visible=False)

    def show(self, tally: Tally) -> None:
        """Move the bar."""
        words = f"{tally.in_flight} in flight" if tally.in_flight else ""
        if tally.doubt:
            words += f", {tally.doubt} in doubt"
        if tally.rejected:
            words += f", {tally.rejected} rejected"
        self._progress.update(
            self._task,
            description=tally.phase,
            completed=tally.done,
            total=tally.total or None,
            visible=bool(tally.phase),
            words=words,
        )
        self._progress.refresh()

    def say(self, sentence: str) -> None:
        """Print one sentence above the bar."""
        self._progress.console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def progress_text(tally: Tally) -> str:
    """One line: what is done, and what needs attention."""
    text = f"{tally.phase}: {tally.done:,}" + (f" of {tally.total:,}" if tally.total else "")
    for count, name in (
        (tally.in_flight, "in flight"),
        (tally.doubt, "in doubt"),
        (tally.rejected, "rejected"),
    ):
        text += f", {count:,} {name}" if count else ""
    return text


@contextmanager
def screen(*, quiet: bool, say: Say | None = None) -> Iterator[Screen]:
    """The screen that standard error is, or, where sentences go elsewhere, a screen of lines."""
    if quiet or say or not sys.stderr.isatty():
        yield Lines(quiet=quiet, say=say)
        return
    from rich.console import Console  # noqa: PLC0415 (130 ms that only a terminal needs)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[words]}"),
    )
    # Drawn by `show` alone: rich's own thread would draw over a question that the user is asked meanwhile.
    drawn = Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        expand=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with drawn as progress:
        yield Bar(progress)


@asynccontextmanager
async def shown(tally: Tally, *, quiet: bool, say: Say | None = None) -> AsyncIterator[Screen]:
    """Show a tally for as long as the block runs: its notes as sentences, its counts as progress."""
    with screen(quiet=quiet, say=say) as there:
        said = 0

        def look() -> None:
            nonlocal said
            while said < len(tally.notes):
                there.say(tally.notes[said])
                said += 1
            there.show(tally)

        async def keep_looking() -> None:
            while True:
                look()
                await asyncio.sleep(EVERY)

        looking = asyncio.create_task(keep_looking())
        try:
            yield there
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            look()
