"""The receiver: 200 means that the callback is on disk.

It hears requests from aiohttp (`Receiver.answer`: a server of our own, or an application in which it is
mounted), or is handed them by any other framework (`Receiver.receive`); the rules are the same.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from aiohttp import web

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import LIMITS, Limits
from mwbatch.callbacks.common.periodic import every
from mwbatch.callbacks.common.readiness import Event, Readiness, State
from mwbatch.callbacks.common.refusal import STORED, Emptied, Reason, Rejected, Reply, refused, rejected_by
from mwbatch.callbacks.common.refusal_log import EVERY, RefusalLog
from mwbatch.callbacks.common.subscriber import OnStored, Subscriber, where
from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.callbacks.intake.address_turns import AddressTurns
from mwbatch.callbacks.intake.buffered import BufferedRequest
from mwbatch.callbacks.intake.delivery import MISMATCHES, Delivery, Mismatch, read
from mwbatch.callbacks.intake.request import Accepted, Body, Posted, Room
from mwbatch.callbacks.intake.watch import LOOK, Once, Watch
from mwbatch.callbacks.net.tls import Certificate
from mwbatch.callbacks.storing.routing import Routing, StoredCallback
from mwbatch.callbacks.storing.signers import Signers
from mwbatch.callbacks.storing.unusable_callbacks import UnusableCallbacks
from mwbatch.core.api import receiver_probe as probe
from mwbatch.core.api.address import Address, at_end
from mwbatch.errors import DiskFull, Poisoned, StoreError, UsageError
from mwbatch.journal.files.closing import closed_whole, in_thread, to_end
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.store import Store

_log = logging.getLogger("mwbatch.callbacks")


class Receiver:
    """Takes callbacks for every batch of a home, while it is open: ``async with receiver:``, again and again.

    Opening raises `UsageError` (no usable keys) or `StoreError` (the home cannot be read). ``counts`` is what
    it did; ``failure`` the first error after which a journal writes nothing any more (open it anew, or end
    with its exit code), else None; ``certificate`` is set by whoever has one. ``clock`` is in seconds since
    the epoch. ``on_stored`` hears of new facts, as `mwbatch.callbacks.common.subscriber` says.
    """

    def __init__(
        self,
        store: Store,
        *,
        limits: Limits = LIMITS,
        on_stored: OnStored | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._home, self._limits, self._on_stored, self._clock = store, limits, on_stored, clock
        self.troubles = Troubles()
        self.counts = Counts()
        self._once = Once()
        self._telling = RefusalLog(self.counts)
        self.certificate: Certificate | None = None
        self._stack: AsyncExitStack | None = None
        self._renew()

    def _renew(self) -> None:
        """What is of one opening: nothing of an earlier one, whose files are closed, may serve another."""
        limits = self._limits
        self._keys = Signers(self._home)
        self._stores = Routing(self._home, backlog=limits.backlog, troubles=self.troubles)
        self._room, self._turns = Room(limits.held), AddressTurns()
        self._watch = Watch(self._once, self.counts)
        self._rejects = UnusableCallbacks(self._stores.mailbox, self.counts, limits)
        seconds = limits.shutdown_seconds
        self._subscriber = Subscriber(self._on_stored, limits.backlog, seconds, self.troubles)
        self.failure: StoreError | None = None
        self.readiness = Readiness()

    @property
    def ready(self) -> bool:
        """Whether callbacks can be taken now. Looks at the stores."""
        return self.hindrance is None

    @property
    def hindrance(self) -> State | None:
        """Why no callback can be taken now; None while they can. Looks at the stores."""
        stores = self._stores
        self.readiness.take(Event.GONE if stores.gone else Event.FULL if stores.full else Event.FINE)
        return None if self.readiness.state is State.READY else self.readiness.state

    @property
    def commits(self) -> Commits:
        """What commits have cost since it was opened."""
        return self._stores.commits

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

    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise UsageError("this receiver is open: close it first, or make another one")
        self._stack = stack = AsyncExitStack()
        try:
            await stack.enter_async_context(self.opened())
        except BaseException:
            self._stack = None
            raise
        self.readiness.take(Event.LISTENING)
        return self

    async def __aexit__(self, *_: object) -> None:
        stack, self._stack = self._stack, None
        self.readiness.take(Event.CLOSING)
        if stack is not None:
            await closed_whole(stack.aclose())

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """The journals, open; MUST outlive the last request. Whoever listens tells ``readiness`` so."""
        self._renew()
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
        await self._subscriber.close()

    async def receive(
        self, path: str, headers: Mapping[str, str], body: bytes, *, method: str = "POST"
    ) -> Reply:
        """Take a request that another framework has read; the answer, once what it acknowledges is on disk.

        Raises `UsageError` where the receiver is not open.
        """
        if self._stack is None:
            raise UsageError("this receiver is not open: async with receiver: ...")
        whole = BufferedRequest(method, headers, bytes(body), self._room, self._limits)
        return await self._reply(path.partition("?")[0], whole)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer any request that aiohttp hears, with any method and path."""
        body = Posted(request, self._room, self._turns, self._limits)
        reply = await self._reply(request.rel_url.raw_path, body)
        if reply is STORED:
            return Accepted()
        response = web.Response(status=reply.status, body=reply.body, headers=reply.headers)
        if "Connection" in reply.headers:
            response.force_close()
        return response

    async def _reply(self, path: str, body: Body) -> Reply:
        try:
            return await self._take(path, body)
        except Rejected as rejected:
            if isinstance(rejected, Emptied):
                self.troubles.begin("emptied", rejected.words)
            return self._refuse(rejected.reason)
        except ConnectionError:  # the sender is gone: aiohttp knows what to do
            raise
        except Exception as error:  # noqa: BLE001 (a stranger must never see a trace, nor a log an address)
            _log.error("our own bug, please report it: %s at %s", type(error).__name__, where(error))
            return self._refuse(Reason.BROKEN)

    async def _take(self, path: str, body: Body) -> Reply:
        if self._room.full:
            raise Rejected(Reason.OVERLOADED)
        address = await self._keys.signed(path)
        if address is None:
            return self._unknown(at_end(path))
        try:
            body.check_head()
        except Rejected as rejected:
            await self._keep_unread(body, address, rejected.reason)
            raise
        with body:
            raw = await body.text(address)
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
                # It is stored; what does not agree in it is told, and kept beside what could not be taken.
                self._once.warn(address.batch, address.row, MISMATCHES[delivery.mismatch])
                self._rejects.keep(address, delivery.mismatch, raw, self._clock())
        return STORED

    def _unknown(self, named: Address | None) -> Reply:
        """The 404 of an unknown route; for what was signed elsewhere it is counted,
        and a probe hears that we are a receiver.

        MUST be the same whether it names a key of ours or none, so that nobody learns which keys there are.
        """
        self.counts.foreign += named is not None
        is_probe = named is not None and named.batch == probe.PROBE
        return self._refuse(Reason.UNKNOWN, probe.STRANGE if is_probe else None)

    async def _keep_unread(self, body: Body, address: Address, reason: Reason) -> None:
        """Keep a body of another coding to be looked at: it is all that its sender could make."""
        if reason is not Reason.ENCODING or not body.at_hand or address.batch == probe.PROBE:
            return
        try:
            with body:
                raw = await body.read(address)
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

    def _answer_probe(self, raw: bytes) -> Reply:
        answer = probe.answer(raw)
        if answer is None:
            raise Rejected(Reason.NOT_JSON)
        self.counts.probes += 1
        return Reply(200, {"Content-Type": "application/json"}, answer)

    async def _store(self, delivery: Delivery, size: int) -> None:
        # MUST be durable before the 200: the API may never call again.
        batch, seen = delivery.batch, delivery.seen

        def stored(kept: StoredCallback) -> None:
            self._count(kept, delivery, size)
            self._watch.stored.append((batch, kept.journal, seen.row, seen.attempt, seen.task_id))
            self._subscriber.tell(batch, seen)

        try:
            kept = await self._stores.keep(batch, seen, stored)
        except StoreError as error:
            self._note(batch, error)
            raise rejected_by(error) from error
        if self.troubles.standing:  # hardly ever
            self.troubles.end(f"store {batch}", f"batch {batch}: storing again")
        if not kept.new:
            self._count(kept, delivery, size)

    def _count(self, kept: StoredCallback, delivery: Delivery, size: int) -> None:
        counts = self.counts
        counts.received += 1
        counts.stored += kept.new
        counts.repeated += not kept.new
        counts.inbox += kept.inbox
        counts.mismatched += delivery.mismatch is not None
        counts.bytes += size

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

    def _refuse(self, reason: Reason, words: str | None = None) -> Reply:
        self.counts.rejected[reason] += 1
        return refused(reason, words)
