"""Sends create requests so that no row can be paid twice, whatever dies at whatever moment.

The order is the guarantee: a run of rows is ``started`` on disk before any of its requests leaves; what came
of each request is one fact; a request of which nobody can tell leaves its row in doubt, and nothing here
sends it again.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mwbatch.client import kept
from mwbatch.commands.attempts import Ready, Recorder, Try
from mwbatch.commands.crew import crew
from mwbatch.commands.gate import Gate
from mwbatch.commands.probing import Prober
from mwbatch.commands.session import Session
from mwbatch.core.address import Key, write
from mwbatch.core.course import SENDING, Course, Event
from mwbatch.core.create_request import TAKEN, Outcome
from mwbatch.core.doubt import Witness
from mwbatch.core.facts import Failed, Planned, Started, Verdict, Via
from mwbatch.core.ids import Attempt, RowNumber
from mwbatch.core.outcomes import INTERRUPTED
from mwbatch.core.pace import Advice, Pace, Trouble
from mwbatch.core.plan import Create, Runs, ranges, run_size
from mwbatch.core.task import seen
from mwbatch.errors import BatchBusy, Exit, StoreError, UsageError
from mwbatch.journal.closing import ended, to_end

LOOK: Final = 0.5
"""Seconds between two looks at the lock: whoever takes it meanwhile needs far longer until it sends a row
again."""

_DECIDED: Final = (Verdict.CREATED, Verdict.REFUSED)
"""The API has taken the row, or refused it for good."""

_AGAIN: Final = (Verdict.BUSY, Verdict.UNSENT)
"""What certainly made no task, and is sent again."""

_CUT_SHORT: Final = Outcome(Verdict.UNKNOWN, message="the run ended while its answer was awaited")


@dataclass(frozen=True, slots=True)
class Sending:
    """How a run sends.

    ``base`` is the callback base, ``origin`` and ``fingerprint`` say to which API with which key.
    """

    base: str
    key: Key
    origin: str
    fingerprint: str
    keep_going: bool = False


class Sender:
    """Creates the tasks of one batch: one object for one run of a command; `send` is called once a round.

    ``course`` says where the run is, and why it ended if it did. ``doubtful`` holds the rows that this run
    left in doubt, with the tick at which their request ended, ``ended`` when the last of all did; ``witness``
    the last task that it created; ``careful``: doubt could not be settled, so no run covers rows that are not
    sent at once.
    """

    def __init__(self, session: Session, pace: Pace, how: Sending) -> None:
        self.session, self.batch, self.pace, self.how = session, session.batch, pace, how
        self.course = Course()
        self.doubtful: dict[int, float] = {}
        self.ended: float | None = None
        self.witness: Witness | None = None
        self.careful = False
        self._gate = Gate(pace, session.ticks, self.course)
        self._recorder = Recorder(session.batch)
        self._ready = Ready(session.batch, self.course, self._started, pace.most)
        self._trouble = Trouble(how.keep_going)
        self._prober = Prober(session, self.course, pace, self._trouble)
        self._looked_at = session.ticks()
        self._broken: Exception | None = None

    async def send(self, rows: Iterable[Planned], most: int | None = None) -> None:
        """Send whichever of ``rows`` may be sent, the first ``most`` of them.

        Returns when each has an outcome on disk, or the run must end. Cancelled, it still makes durable what
        is known: a row is in doubt only if bytes of its request left.

        Raises:
            StoreError: outcomes could not be written.
        """
        if self.course.stopped:  # nobody would take what is made ready
            return
        size = self.pace.most if self.careful else run_size(self.pace.most)
        self._ready.begin(iter(rows), Runs(self.batch.state, size, most))
        self._prober.begin()
        watch = asyncio.create_task(self._watch())
        try:
            workers = (self._work() for _ in range(self.pace.most))
            await crew([self._prepare(), *workers])
            if self._broken is not None:
                raise self._broken
        finally:
            for left in self._ready.leftovers():
                self._note(left.create, left.outcome)
            await to_end(self._end(watch))

    async def _end(self, watch: asyncio.Task[None]) -> None:
        await ended(watch)
        await self._prober.end()
        await self._recorder.flush()
        self.course.take(Event.ENDED)

    async def _watch(self) -> None:
        """Stop when the user asks to."""
        await self.session.stopping.wait()
        self.course.stop(Exit.UNFINISHED, INTERRUPTED)

    async def _prepare(self) -> None:
        try:
            await self._ready.prepare()
        except (StoreError, BatchBusy) as error:
            self.course.stop(error.exit_code, str(error))
        except Exception as error:  # noqa: BLE001 (`send` raises it)
            self._break(error)

    def _break(self, error: Exception) -> None:
        """Stop for a bug or a client that is closed: `send` raises it once what is in flight is finished."""
        self._broken = self._broken or error
        self.course.take(Event.STOP)

    def _look(self, now: float) -> None:
        """Look at the lock now and then: a row may wait for long between its ``started`` and its request."""
        self._looked_at = now
        try:
            self.batch.hold()
        except BatchBusy as error:
            self.course.stop(error.exit_code, str(error))

    def _started(self, run: list[Create]) -> Started:
        how = self.how
        return Started(
            at=self.session.now(),
            rows=ranges(create.planned.row for create in run),
            attempt=run[0].attempt,
            base=how.base,
            origin=how.origin,
            key=how.fingerprint,
            kid=how.key.kid,
            clock=self.session.client.clock,
            editions=tuple((plan.row, plan.edition) for plan, _ in run if plan.edition),
        )

    async def _work(self) -> None:
        try:
            while tried := await self._ready.take():
                await self._create(tried)
        except Exception as error:  # noqa: BLE001 (`send` raises it)
            self._break(error)

    async def _create(self, tried: Try) -> None:
        """Send one attempt: what certainly made no task rests, and is sent again within the same attempt."""
        (planned, attempt), began, rest = tried.create, 0.0, None
        try:
            address = write(self.how.base, self.how.key, self.batch.card.batch_id, planned.row, attempt)
            if not await self._gate.enter():
                return
            began = self.session.ticks()
            if began - self._looked_at >= LOOK:
                self._look(began)
            if self.course.state is not SENDING:
                self._gate.leave()
                return
            before, tried.outcome = tried.outcome, _CUT_SHORT
            try:
                outcome = await self.session.client.attempt(planned.type, planned.request, address)
                tried.outcome = outcome = self._tied(outcome, planned.row, attempt)
                self._adjust(outcome, began)
            except (asyncio.CancelledError, UsageError) as error:
                self.course.take(Event.STOP)
                if kept(error):
                    tried.outcome = before
                raise
            finally:
                self._gate.leave()
            if outcome.verdict in _AGAIN and not self.course.stopped:
                rest = self._rest(tried)
        finally:
            if rest is None:
                self._note(tried.create, tried.outcome, began)
            else:
                self._ready.again(tried, rest)

    def _rest(self, tried: Try) -> float:
        """Seconds until it may be sent again; a wait that the API names is kept by the pace."""
        asked = tried.outcome.retry_after
        wait = tried.backoff() if asked is None else asked
        self.session.desk.held_up(tried.outcome, wait)
        return wait if asked is None else 0.0

    def _tied(self, outcome: Outcome, row: RowNumber, attempt: Attempt) -> Outcome:
        """A create that is answered with another row's or attempt's task tells nothing of its own."""
        if (
            outcome.verdict is Verdict.CREATED
            and (task := outcome.task) is not None
            and self.batch.state.stands_at_another(task.task_id, row, attempt)
        ):
            return outcome._replace(verdict=Verdict.UNKNOWN, message=TAKEN)
        return outcome

    def _adjust(self, outcome: Outcome, started_at: float) -> None:
        """Let the pace learn, and give up when nothing was created for too long."""
        now, wait = self.session.ticks(), 0.0
        if outcome.verdict in _DECIDED:  # an API that refuses a row is there
            self._prober.decided_at, self._prober.waits, self.session.tally.trouble = now, None, ""
            self.pace.answered(started_at, now)
            return
        if outcome.verdict is Verdict.BUSY:
            self.pace.refused(started_at, now, outcome.retry_after)
            wait = outcome.retry_after or 0.0
        elif outcome.verdict is not Verdict.UNSENT:
            self.pace.answered(started_at, now)
        self._prober.lose_patience(now + wait, "no row was created", outcome.message)

    def _note(self, create: Create, outcome: Outcome, began: float = 0.0) -> None:
        """Turn one outcome into its fact. Doubt is the absence of one: `started` says all there is to say."""
        row, attempt, now, tally = create.planned.row, create.attempt, self.session.now(), self.session.tally
        task, self.ended = outcome.task, self.session.ticks()
        tally.done += outcome.verdict in _DECIDED
        if outcome.verdict is Verdict.UNKNOWN:
            self.doubtful[row] = self.ended
            tally.doubt += 1
            tally.note(f"the outcome of a request is unknown, its row waits in doubt: {outcome.message}")
        elif outcome.verdict is Verdict.CREATED and task is not None:
            if self.witness is None or began > self.witness.began:
                self.witness = Witness(task.task_id, began, row)
            self.batch.drift.created(task.created_at, self.session.client.clock)
            self._recorder.note(seen(task, row, attempt, Via.CREATE, now))
        else:
            final = outcome.verdict is Verdict.REFUSED
            tally.rejected += final
            self._recorder.note(
                Failed(now, row, attempt, outcome.verdict, final, outcome.status, outcome.message)
            )
        tally.in_flight, tally.limit = self._gate.in_flight, int(self.pace.limit)
        self._heed(outcome)

    def _heed(self, outcome: Outcome) -> None:
        """Contain trouble, and end when the journal cannot be written."""
        if self._recorder.failure is not None:
            self.course.stop(Exit.MACHINE, str(self._recorder.failure))
        advice = self._trouble.note(outcome)
        if advice is Advice.STOP:
            self.course.stop(Exit.API, outcome.message)
        elif advice is Advice.PROBE:
            self.course.take(Event.TROUBLE)
