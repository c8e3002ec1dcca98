"""Sends create requests so that no row can be paid twice, whatever dies at whatever moment.

The order is the guarantee: a run of rows is ``started`` on disk before any of its requests leaves, each
through the one gate that applies the pace to all workers; what came of each request is one fact; a request of
which nobody can tell leaves its row in doubt, and nothing here sends it again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from mwbatch.client import kept
from mwbatch.commands.context.run_all import run_all
from mwbatch.commands.context.session import Session
from mwbatch.commands.sending.attempts import DECIDED, Recorder, StartedAhead, Try
from mwbatch.commands.sending.probing import Prober
from mwbatch.core.api.address import Key, write
from mwbatch.core.api.create_request import Outcome
from mwbatch.core.facts.kinds import Planned, Started, Verdict
from mwbatch.core.pace.course import INTERRUPTED, SENDING, STOPPED, Course, Event, State
from mwbatch.core.pace.pace import Advice, Breaker, Pace
from mwbatch.core.spending.plan import Create, Runs, ranges, run_size
from mwbatch.errors import BatchBusy, Exit, StoreError, UsageError
from mwbatch.journal.files.closing import ended, to_end

LOOK: Final = 0.5
"""Seconds between two looks at the lock: whoever takes it meanwhile needs far longer until it sends a row
again."""

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


class PaceGate:
    """Lets requests through as the pace allows: none while the run probes, none once it has stopped.

    First come, first served. ``ticks`` is a clock in seconds that never goes back.
    """

    def __init__(self, pace: Pace, ticks: Callable[[], float], course: Course) -> None:
        self.pace, self._ticks, self._course = pace, ticks, course
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        course.follow(self._heed)

    async def enter(self) -> bool:
        """Wait for the turn of one request; False when the run has stopped and it must not leave."""
        if self._course.state in STOPPED:
            return False
        if not self._waiting and self._start() == 0.0:
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._let_through()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.leave()  # its turn had come, and passes on
            raise

    def leave(self) -> None:
        """A request that entered has ended.

        The pace MUST have learned from it before: another may leave at once.
        """
        self.in_flight -= 1
        self._let_through()

    def _heed(self, state: State) -> None:
        self._let_through()
        while self._waiting and state in STOPPED:
            self._answer(False)

    def _start(self) -> float | None:
        """Count one more request that leaves now, if it may (0.0); else say when, if time alone decides."""
        if self._course.state is not SENDING:
            return None
        now = self._ticks()
        delay = self.pace.delay(self.in_flight, now)
        if delay == 0.0:
            self.in_flight += 1
            self.pace.started(now)
        return delay

    def _let_through(self) -> None:
        """Give their turn to those who have waited longest."""
        while self._waiting:
            if self._waiting[0].done():  # cancelled
                self._waiting.popleft()
                continue
            if (delay := self._start()) != 0.0:
                if delay is not None and self._timer is None:
                    self._timer = asyncio.get_running_loop().call_later(delay, self._tick)
                return
            self._answer(True)

    def _answer(self, may_leave: bool) -> None:
        turn = self._waiting.popleft()
        if not turn.done():
            turn.set_result(may_leave)

    def _tick(self) -> None:
        self._timer = None
        self._let_through()


class Sender:
    """Creates the tasks of one batch: one object for one run of a command; `send` is called once a round.

    ``course`` says where the run is, and why it ended if it did, ``recorder`` what came of its requests;
    ``careful``: doubt could not be settled, so no run covers rows that are not sent at once.
    """

    def __init__(self, session: Session, pace: Pace, how: Sending) -> None:
        self.session, self.batch, self.pace, self.how = session, session.batch, pace, how
        self.course = Course()
        self.recorder = Recorder(session)
        self.careful = False
        self._gate = PaceGate(pace, session.ticks, self.course)
        self._ready = StartedAhead(session.batch, self.course, self._started, pace.most)
        self._trouble = Breaker(how.keep_going)
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
            await run_all([self._prepare(), *workers])
            if (broken := self._broken or self._prober.broken) is not None:
                raise broken
        finally:
            for left in self._ready.leftovers():
                self._note(left.create, left.outcome)
            await to_end(self._end(watch))

    async def _end(self, watch: asyncio.Task[None]) -> None:
        await ended(watch)
        await self._prober.end()
        await self.recorder.flush()
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
            address = write(self.how.base, self.how.key, self.batch.info.batch_id, planned.row, attempt)
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
                tried.outcome = outcome = self.recorder.tied(tried.create, outcome)
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
        self.session.context.held_up(tried.outcome, wait)
        return wait if asked is None else 0.0

    def _adjust(self, outcome: Outcome, started_at: float) -> None:
        """Let the pace learn, and give up when nothing was created for too long."""
        now, wait = self.session.ticks(), 0.0
        if outcome.verdict in DECIDED:  # an API that refuses a row is there
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
        """Record what came of an attempt, contain trouble, and end when the journal cannot be written."""
        self.recorder.take(create, outcome, began)
        tally = self.session.tally
        tally.in_flight, tally.limit = self._gate.in_flight, int(self.pace.limit)
        if self.recorder.failure is not None:
            self.course.stop(Exit.MACHINE, str(self.recorder.failure))
        advice = self._trouble.note(outcome)
        if advice is Advice.STOP:
            self.course.stop(Exit.API, outcome.message)
        elif advice is Advice.PROBE:
            self.course.take(Event.TROUBLE)
