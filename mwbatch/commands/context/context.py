"""What the program hands to every command: the clocks, the wish to stop, the place where progress is told."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from mwbatch.core.api.create_request import Outcome
from mwbatch.core.facts.kinds import Verdict
from mwbatch.core.report.progress import Tally
from mwbatch.core.urls.proxies import Proxies
from mwbatch.errors import ApiError, Busy, Unsent

NO_CONNECTION: Final = "no connection"
SLOW_DOWN: Final = "the API asks to slow down"


def trouble(error: ApiError) -> str:
    """Why a request has to be sent again, in a few words."""
    match error:
        case Unsent():
            return NO_CONNECTION
        case Busy():
            return SLOW_DOWN
    return "no answer" if error.status is None else f"the API fails (HTTP {error.status})"


@dataclass(slots=True)
class Context:
    """``now`` is the wall clock in seconds since the epoch: it dates facts and decides nothing.

    ``ticks`` is a clock in seconds that never goes back: it decides when to wait and for how long.
    ``stopping`` is set when the user asks to stop: start nothing, finish what is in flight. ``finishing``
    counts the blocks that do so: outside of them nothing is in flight, and whoever hears the user may cancel
    the command. ``command`` is what the user typed, word by word, so that advice can repeat it; empty where
    nobody typed anything. ``proxies`` lead to what is not on this machine.
    """

    now: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    finishing: int = 0
    tally: Tally = field(default_factory=Tally)
    command: tuple[str, ...] = ()
    proxies: Proxies = field(default_factory=dict)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """A block that looks at ``stopping`` itself, and has something to finish when it is set."""
        self.finishing += 1
        try:
            yield
        finally:
            self.finishing -= 1

    def waits(self, error: ApiError | None, seconds: float) -> None:
        """Show why the API has to be asked again, and when; None: it answered, or is given up."""
        if error is None:
            self.tally.wait("")
        else:
            self.tally.wait(trouble(error), self.ticks() + seconds)

    def held_up(self, outcome: Outcome, seconds: float) -> None:
        """Show what keeps rows from being created, if it is more than the pace that is sought."""
        until = self.ticks() + seconds
        if outcome.verdict is Verdict.UNSENT:
            self.tally.wait(NO_CONNECTION, until)
        elif outcome.retry_after:
            self.tally.wait(SLOW_DOWN, until)

    async def sleep(self, seconds: float) -> bool:
        """Wait, at most until the user asks to stop; say whether he did."""
        try:
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        except TimeoutError:
            return False
        return True
