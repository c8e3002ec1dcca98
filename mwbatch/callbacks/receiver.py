"""The receiver as an aiohttp application: 200 means that the callback is on disk.

Mount it in an application of your own, below any prefix::

    own.add_subapp("/hooks", application(Home(path)))

or take `Receiver.answer` and `Receiver.lifetime` for routes of your own.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from aiohttp import web

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import LIMITS, Limits
from mwbatch.callbacks.common.periodic import every
from mwbatch.callbacks.common.readiness import Event, Readiness, State
from mwbatch.callbacks.common.refusal import ANSWERS, Reason, Rejected, rejected_by
from mwbatch.callbacks.common.telling import EVERY, Telling
from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.callbacks.intake.delivery import Delivery, Mismatch, read
from mwbatch.callbacks.intake.request import Body, Room, Taken, check_head, no_continue
from mwbatch.callbacks.intake.turns import Turns
from mwbatch.callbacks.intake.watch import LOOK, Once, Watch
from mwbatch.callbacks.net.tls import Certificate
from mwbatch.callbacks.storing.keyring import Keyring
from mwbatch.callbacks.storing.stores import Kept, Stores
from mwbatch.callbacks.storing.unusable import Rejects
from mwbatch.core.api import receiver_probe as probe
from mwbatch.core.api.address import Address, at_end
from mwbatch.core.facts.kinds import Seen
from mwbatch.errors import DiskFull, Poisoned, StoreError
from mwbatch.journal.files.closing import in_thread, to_end
from mwbatch.journal.seam.store import Store

OnStored = Callable[[str, Seen], None]
"""Called with batch id and fact once the fact is durable, for new facts only;
rows are numbered within their batch.
"""

_log = logging.getLogger("mwbatch.callbacks")

_MISMATCHES: Final = {
    Mismatch.TWO_TASKS: "a callback names two task ids; the outer one counts",
    Mismatch.OTHER_ADDRESS: "a callback tells of a task that was made for another address; it counts "
    "there if we signed that",
}


class Receiver:
    """Takes callbacks for every batch of a home.

    ``counts`` is what it did; ``failure`` the first error after which a journal writes nothing any more (the
    process should end with its exit code), else None; ``readiness`` is told by whoever listens and closes,
    ``certificate`` is set by whoever has one. ``clock`` is in seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        *,
        limits: Limits = LIMITS,
        on_stored: OnStored | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._limits, self._on_stored, self._clock = limits, on_stored, clock
        self.troubles = Troubles()
        self._keys = Keyring(store)
        self._stores = Stores(store, backlog=limits.backlog, troubles=self.troubles)
        self._room, self._turns = Room(limits.held), Turns()
        self.counts = Counts()
        self.commits = self._stores.commits
        self._once = Once()
        self._watch = Watch(self._once, self.counts)
        self._rejects = Rejects(self._stores.mailbox, self.counts, limits)
        self.failure: StoreError | None = None
        self.readiness = Readiness()
        self.certificate: Certificate | None = None
        self._telling = Telling(self.counts)

    @property
    def hindrance(self) -> State | None:
        """Why no callback can be taken now; None while they can. Looks at the stores."""
        stores = self._stores
        self.readiness.take(Event.GONE if stores.gone else Event.FULL if stores.full else Event.FINE)
        return None if self.readiness.state is State.READY else self.readiness.state

    @property
    def held(self) -> int:
        """Bodies in memory, in bytes."""
        return self._room.used

    @property
    def aside(self) -> int:
        """Batches that cannot be used; callbacks go to the inbox, unless their journal was open by then."""
        return len(self._stores.aside)

    @property
    def backlog(self) -> int:
        """Bytes that wait to become durable."""
        return self._stores.backlog

    async def lifetime(self, _: web.Application | None = None) -> AsyncIterator[None]:
        """A cleanup context: it MUST outlive the last request, so closing is no business of on_shutdown."""
        await in_thread(self._keys.open)
        try:
            await self._stores.open()
            async with (
                every(self._limits.probe_seconds, self._stores.probe),
                every(EVERY, self._telling.look),
                every(LOOK, self._watch.look),
            ):
                yield
        finally:
            await to_end(self._close())

    async def _close(self) -> None:
        await self._rejects.close()
        if failed := await self._stores.close():
            self._fail(failed)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer any request, with any method and path."""
        try:
            return await self._take(request)
        except Rejected as rejected:
            return self._refuse(rejected.reason)
        except ConnectionError:  # the sender is gone: aiohttp knows what to do
            raise
        except Exception as error:  # noqa: BLE001 (a stranger must never see a trace, nor a log an address)
            _log.error("our own bug, please report it: %s at %s", type(error).__name__, _where(error))
            return self._refuse(Reason.BROKEN)

    async def _take(self, request: web.BaseRequest) -> web.Response:
        if self._room.full:
            raise Rejected(Reason.OVERLOADED)
        path = request.rel_url.raw_path
        address = await self._keys.signed(path)
        if address is None:
            return self._unknown(at_end(path))
        try:
            check_head(request, self._limits)
        except Rejected as rejected:
            await self._keep_unread(request, address, rejected.reason)
            raise
        with Body(request, address, self._room, self._turns, self._limits) as body:
            raw = await body.text()
            if address.batch == probe.PROBE:
                return self._answer_probe(raw)
            delivery = await self._read(address, raw)
            try:
                await self._store(delivery, len(raw))
            except Rejected as rejected:
                if rejected.reason is Reason.TOO_MANY:
                    self._rejects.keep(address, rejected.reason, raw, self._clock())
                raise
            if delivery.mismatch is not None:
                self._report(address, delivery.mismatch, raw)
        return Taken()

    def _unknown(self, named: Address | None) -> web.Response:
        """The 404 of an unknown route; for what was signed elsewhere it is counted,
        and a probe hears that we are a receiver.

        MUST be the same whether it names a key of ours or none, so that nobody learns which keys there are.
        """
        self.counts.foreign += named is not None
        response = self._refuse(Reason.UNKNOWN)
        if named is not None and named.batch == probe.PROBE:
            response.text = probe.STRANGE
        return response

    async def _keep_unread(self, request: web.BaseRequest, address: Address, reason: Reason) -> None:
        """Keep a body of another coding to be looked at: it is all that its sender could make."""
        waits = "Expect" in request.headers or (request.content_length or 0) > self._limits.body
        if reason is not Reason.ENCODING or waits or address.batch == probe.PROBE:
            return
        try:
            with Body(request, address, self._room, self._turns, self._limits) as body:
                raw = await body.read()
        except Rejected:  # the first reason stands
            return
        self._rejects.keep(address, reason, raw, self._clock())

    async def _read(self, address: Address, raw: bytes) -> Delivery:
        at = self._clock()
        try:
            delivery = read(address, raw, at, self._keys.verifies)
            if delivery.mismatch is not Mismatch.OTHER_ADDRESS:
                return delivery
            await self._keys.look()  # a key may have been made this moment, and have signed the other one
            return read(address, raw, at, self._keys.verifies)
        except Rejected as rejected:
            self._rejects.keep(address, rejected.reason, raw, at)
            raise

    def _report(self, address: Address, mismatch: Mismatch, raw: bytes) -> None:
        """It is stored; what does not agree in it is told, and kept beside what could not be taken."""
        self._once.warn(address.batch, address.row, _MISMATCHES[mismatch])
        self._rejects.keep(address, mismatch, raw, self._clock())

    def _answer_probe(self, raw: bytes) -> web.Response:
        answer = probe.answer(raw)
        if answer is None:
            raise Rejected(Reason.NOT_JSON)
        self.counts.probes += 1
        return web.Response(body=answer, content_type="application/json")

    async def _store(self, delivery: Delivery, size: int) -> None:
        # MUST be durable before the 200: the API may never call again.
        batch, seen = delivery.batch, delivery.seen
        try:
            kept = await self._stores.keep(batch, seen)
        except StoreError as error:
            self._note(batch, error)
            raise rejected_by(error) from error
        if self.troubles.standing:  # hardly ever
            self.troubles.end(f"store {batch}", f"batch {batch}: storing again")
        self._count(kept, delivery.mismatch is not None, size)
        if kept.new:
            self._watch.stored.append((batch, kept.journal, seen.row, seen.attempt, seen.task_id))
            self._tell(batch, seen)

    def _count(self, kept: Kept, mismatch: bool, size: int) -> None:
        counts = self.counts
        counts.received += 1
        counts.stored += kept.new
        counts.repeated += not kept.new
        counts.inbox += kept.inbox
        counts.mismatched += mismatch
        counts.bytes += size

    def _tell(self, batch: str, seen: Seen) -> None:
        if self._on_stored is None:
            return
        try:
            self._on_stored(batch, seen)
        except Exception as error:  # noqa: BLE001 (a 503 for what is stored would be a lie)
            _log.error("on_stored failed: %s at %s", type(error).__name__, _where(error))

    def _fail(self, error: StoreError) -> None:
        """Nothing can be written any more."""
        self.failure = self.failure or error
        self.readiness.take(Event.FAILED)

    def _note(self, batch: str, error: StoreError) -> None:
        """Log a trouble once, not for each callback that meets it."""
        if isinstance(error, Poisoned):
            self._fail(error)
        way = "; free some, it goes on by itself" if isinstance(error, DiskFull) else ""
        self.troubles.begin(f"store {batch}", f"batch {batch}: answering 503: {error}{way}", type(error))

    def _refuse(self, reason: Reason) -> web.Response:
        self.counts.rejected[reason] += 1
        answer = ANSWERS[reason]
        response = web.Response(status=answer.status, text=answer.words)
        if answer.retry_after is not None:
            response.headers["Retry-After"] = str(answer.retry_after)
        if reason is Reason.METHOD:
            response.headers["Allow"] = "POST"
        if reason in (Reason.SLOW, Reason.CUT):
            response.force_close()
        return response


RECEIVER: Final = web.AppKey("mwbatch_receiver", Receiver)
"""Where `application` keeps its receiver: ``app[RECEIVER].counts``."""


def application(
    store: Store,
    *,
    limits: Limits = LIMITS,
    on_stored: OnStored | None = None,
    clock: Callable[[], float] = time.time,
) -> web.Application:
    """The receiver of a home, to be served alone or as a sub-application.

    Its start-up raises `UsageError` (no usable keys) or `StoreError` (a batch that cannot be read).
    """
    receiver = Receiver(store, limits=limits, on_stored=on_stored, clock=clock)
    app = web.Application(client_max_size=limits.body)
    app[RECEIVER] = receiver
    app.router.add_route("*", "/{path:.*}", receiver.answer, expect_handler=no_continue)
    app.cleanup_ctx.append(receiver.lifetime)
    return app


def _where(error: BaseException) -> str:
    """The file and line that raised, for a log that must not show what was being read."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
