"""Asks whether the API is back while too many requests leave rows in doubt; gives up when it stays away."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from mwbatch.commands.context.session import Session
from mwbatch.core.pace.course import Course, Event, State
from mwbatch.core.pace.pace import Breaker, Pace, backoff
from mwbatch.errors import ApiError, Exit
from mwbatch.journal.files.closing import ended

PATIENCE: Final = 900.0
"""Seconds without one created row after which a busy or unreachable API is given up for this run."""


class Prober:
    """Follows the course of a run: while that is probing, one listing after the other is asked for.

    ``decided_at`` is the tick at which the API last took a row or refused it for good, and ``waits`` how long
    it is waited before the next probes: ever longer, until it does so again. ``broken`` is what a probe came
    to that is no word of the API's, such as a client that was closed: the run stops for it.
    """

    def __init__(self, session: Session, course: Course, pace: Pace, trouble: Breaker) -> None:
        self._session, self._course, self._pace, self._trouble = session, course, pace, trouble
        self.decided_at = session.ticks()
        self.waits: Iterator[float] | None = None
        self.broken: Exception | None = None
        self._asking: asyncio.Task[None] | None = None
        self._left = asyncio.Event()
        course.follow(self._heed)

    def begin(self) -> None:
        """A round begins: patience is new, and the trouble that the last one left behind is looked into."""
        self.decided_at = self._session.ticks()
        self._heed(self._course.state)

    async def end(self) -> None:
        """The round is over: nobody waits for an answer."""
        if (asking := self._asking) is not None:
            self._asking = None
            await ended(asking)

    def lose_patience(self, now: float, what: str, why: str) -> None:
        """Stop where nothing will have been decided for too long by then: ``what`` failed, and ``why``."""
        if now - self.decided_at > PATIENCE:
            self._course.stop(Exit.UNFINISHED, f"{what} for {PATIENCE / 60:.0f} minutes: {why}")

    def _heed(self, state: State) -> None:
        if state is not State.PROBING:
            self._left.set()
        elif self._asking is None:
            self._left.clear()
            self._asking = asyncio.create_task(self._asked())

    async def _asked(self) -> None:
        try:
            await self._ask()
        except Exception as error:  # noqa: BLE001 (who waits for the API would wait for ever)
            self.broken = error
            self._course.take(Event.STOP)

    async def _ask(self) -> None:
        """Start nothing until the API answers a listing, then begin again with one request in flight."""
        self._session.note(
            "too many requests of unknown outcome: nothing is sent until the API answers again"
        )
        await self._pause()
        while not self._left.is_set() and not await self._answers():
            await self._pause()
        self._trouble.calmed()
        self._pace.limit = 1.0
        self._asking = None
        self._course.take(Event.CALMED)

    async def _answers(self) -> bool:
        try:
            await self._session.client.list_page(limit=1, fresh=True)
        except ApiError as error:
            self.lose_patience(self._session.ticks(), "the API did not recover", str(error))
            return False
        return True

    async def _pause(self) -> None:
        """Wait until the next probe, at most until it is not asked for any more."""
        self.waits = self.waits or backoff()
        with suppress(TimeoutError):
            async with asyncio.timeout(next(self.waits)):
                await self._left.wait()
