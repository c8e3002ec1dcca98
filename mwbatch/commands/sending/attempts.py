"""The attempts of a run on disk: ``started`` before one is given out to be sent, what came of it afterwards.

Only rows whose ``started`` is durable are ready, and who was sent in vain has rested. Outcomes are written
while nobody waits: facts queue, one flusher makes them durable in groups.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Final

from mwbatch.commands.context.session import Session
from mwbatch.core.api.create_request import TAKEN, Outcome
from mwbatch.core.api.task import seen
from mwbatch.core.facts.kinds import Fact, Failed, Planned, Started, Verdict, Via
from mwbatch.core.pace.course import STOPPED, Course, State
from mwbatch.core.pace.pace import backoff
from mwbatch.core.spending.plan import GREATEST_RUN, Create, Runs
from mwbatch.core.sweeps.doubt import Witness
from mwbatch.core.sweeps.drift import Dates
from mwbatch.errors import StoreError
from mwbatch.journal.files.closing import Lasting, to_end
from mwbatch.journal.files.portions import portions
from mwbatch.journal.interface.open_batch import OpenBatch

NOT_SENT: Final = Outcome(Verdict.UNSENT, message="the run ended before this row's turn")

DECIDED: Final = (Verdict.CREATED, Verdict.REFUSED)
"""The API has taken the row, or refused it for good."""

GATHER: Final = 0.02
"""Seconds in which outcomes gather: nobody waits for one, and a commit costs the same for a hundred as for a
few."""


class Try:
    """One attempt on its way; ``outcome`` is that of its last request."""

    __slots__ = ("_waits", "create", "outcome")

    def __init__(self, create: Create) -> None:
        self.create, self.outcome = create, NOT_SENT
        self._waits: Iterator[float] | None = None

    def backoff(self) -> float:
        """Seconds that it rests now, each time twice as long."""
        self._waits = self._waits or backoff()
        return next(self._waits)


class StartedAhead:
    """Keeps a run of rows ready ahead of need: no worker waits for the disk, nor for a row that rests.

    ``started`` makes the fact of a run. While ``most`` rows rest no new one is given out: an API that lets
    nobody through is not asked for row after row. Nothing is made ready or given out once the ``course`` has
    stopped.
    """

    def __init__(
        self, batch: OpenBatch, course: Course, started: Callable[[list[Create]], Started], most: int
    ) -> None:
        self._batch, self._course, self._started, self._most = batch, course, started, most
        self._runs = _cut(iter(()), Runs(batch.state, 1))
        self._rows: deque[Create] = deque()
        self._rested: deque[Try] = deque()
        self._resting: dict[Try, asyncio.TimerHandle] = {}
        self._changed = asyncio.Event()
        self._low, self._least = asyncio.Event(), 0
        self._ended = False
        course.follow(self._heed)

    def begin(self, rows: Iterator[Planned], runs: Runs) -> None:
        """These are the rows to be made ready now, in this order, and how they are cut into runs."""
        self._runs, self._ended = _cut(rows, runs), False

    async def prepare(self) -> None:
        """Start runs until there are none left, or `end` is called.

        Raises:
            StoreError, BatchBusy: a ``started`` could not be written, or no more under our lock; none of its
                rows was made ready.
        """
        try:
            async for run in self._runs:
                if self._ended:
                    break
                # Cancelled in the midst of it the run would be started on disk, and nobody would know that
                # none of it left.
                await to_end(self._start(run))
                await self._room(len(run))
        finally:
            await self._runs.aclose()
            self.end()

    async def _start(self, run: list[Create]) -> None:
        await self._batch.start(self._started(run))
        self._rows.extend(run)
        self._changed.set()

    async def take(self) -> Try | None:
        """The next row to send, first of all one that has rested; None when there will be none."""
        while self._course.state not in STOPPED:
            if self._rested:
                return self._rested.popleft()
            if self._rows and len(self._resting) < self._most:
                create = self._rows.popleft()
                if len(self._rows) < self._least:  # or every row would wake who prepares the next ones
                    self._low.set()
                return Try(create)
            if self._ended and not self._rows and not self._resting:
                return None
            self._changed.clear()
            await self._changed.wait()
        return None

    def again(self, tried: Try, rest: float) -> None:
        """Take back a row that is to be sent again, not before ``rest`` seconds are over."""
        loop = asyncio.get_running_loop()
        self._resting[tried] = loop.call_later(rest, self._wake, tried)

    def _wake(self, tried: Try) -> None:
        del self._resting[tried]
        self._rested.append(tried)
        self._changed.set()

    def end(self) -> None:
        """Start no further run."""
        self._ended = True
        self._changed.set()
        self._low.set()

    def _heed(self, state: State) -> None:
        if state in STOPPED:
            self.end()

    def leftovers(self) -> Iterator[Try]:
        """Take out the rows that were made ready and have no outcome that counts."""
        yield from self._rested
        for tried, timer in self._resting.items():
            timer.cancel()
            yield tried
        yield from map(Try, self._rows)
        self._rested.clear()
        self._resting.clear()
        self._rows.clear()

    async def _room(self, size: int) -> None:
        """Wait until less than a run is ready: the next one is then on disk before it is needed."""
        self._least = size
        while len(self._rows) >= size and not self._ended:
            self._low.clear()
            await self._low.wait()


class Recorder:
    """What came of each attempt: the state knows it at once; the disk has it when `flush` returns.

    ``doubtful`` holds the rows that this run left in doubt, with the tick at which their request ended,
    ``ended`` when the last of all did; ``witness`` the last task that it created.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._batch = session, session.batch
        self.doubtful: dict[int, float] = {}
        self.ended: float | None = None
        self.witness: Witness | None = None
        self._facts: list[Fact] = []
        self._dates: list[Dates] = []
        self._runner: asyncio.Task[None] | None = None
        self._due, self._waited = asyncio.Event(), 0
        self.failure: StoreError | None = None
        """Why the journal could not be written; what is still here was not lost, it is tried again by
        `flush`."""

    def tied(self, create: Create, outcome: Outcome) -> Outcome:
        """A create that is answered with another row's or attempt's task tells nothing of its own."""
        if (
            outcome.verdict is Verdict.CREATED
            and (task := outcome.task) is not None
            and self._batch.state.stands_at_another(task.task_id, create.planned.row, create.attempt)
        ):
            return outcome._replace(verdict=Verdict.UNKNOWN, message=TAKEN)
        return outcome

    def take(self, create: Create, outcome: Outcome, began: float) -> None:
        """Turn one outcome into its fact; its request left at the tick ``began``.

        Doubt is the absence of a fact: `started` says all there is to say.
        """
        row, attempt, session, task = create.planned.row, create.attempt, self._session, outcome.task
        now, tally, self.ended = session.now(), session.tally, session.ticks()
        tally.done += outcome.verdict in DECIDED
        if outcome.verdict is Verdict.UNKNOWN:
            self.doubtful[row] = self.ended
            tally.doubt += 1
            tally.note(f"the outcome of a request is unknown, its row waits in doubt: {outcome.message}")
        elif outcome.verdict is Verdict.CREATED and task is not None:
            if self.witness is None or began > self.witness.began:
                self.witness = Witness(task.task_id, began, row)
            self._dates.append((task.created_at, session.client.clock))
            self.note(seen(task, row, attempt, Via.CREATE, now))
        else:
            final = outcome.verdict is Verdict.REFUSED
            tally.rejected += final
            self.note(Failed(now, row, attempt, outcome.verdict, final, outcome.status, outcome.message))

    def note(self, fact: Fact) -> None:
        """Take a fact in and return at once."""
        self._batch.state.add(fact)
        self._facts.append(fact)
        if self._runner is None and self.failure is None:
            self._runner = Lasting(self._run())

    async def flush(self) -> None:
        """Return once every fact is durable.

        Raises:
            StoreError: they cannot be written; the tasks that they tell of are found again by the next
            listing.
        """
        self._waited += 1
        self._due.set()
        try:
            while self._runner is not None:
                await asyncio.wait([self._runner])
            self.failure = None
            await self._run()
        finally:
            self._waited -= 1
        if self.failure is not None:
            raise self.failure

    async def _run(self) -> None:
        try:
            while self._facts:
                await self._gathered()
                facts, self._facts = self._facts, []
                dates, self._dates = self._dates, []
                self._batch.drift.created(dates)
                try:
                    await self._batch.append(facts)
                except StoreError as error:
                    self._facts = facts + self._facts
                    self.failure = error
                    return
        finally:
            self._runner = None

    async def _gathered(self) -> None:
        """Wait for more facts, unless somebody waits for these."""
        if self._waited:
            return
        self._due.clear()
        timer = asyncio.get_running_loop().call_later(GATHER, self._due.set)
        await self._due.wait()
        timer.cancel()


async def _cut(rows: Iterator[Planned], runs: Runs) -> AsyncGenerator[list[Create], None]:
    """Rows as runs, read in a thread a portion ahead of need, as the disk may be slow."""
    there = portions(rows, GREATEST_RUN)
    while not runs.is_done and (some := await anext(there, None)):
        runs.feed(some)
        while run := runs.take():
            yield run
    if run := runs.rest():
        yield run
