"""An open batch: its info, its journal and its state, kept in step."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, TypeVar

from mwbatch.core.facts.kinds import Fact, Failed, Planned, Seen, Started
from mwbatch.core.report.progress import Report, report
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.core.sweeps.drift import Drift
from mwbatch.core.words.hint import hint
from mwbatch.errors import BatchBusy, Displaced
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.belongings import Belongings, Term
from mwbatch.journal.interface.journal import Journal
from mwbatch.journal.interface.ref import Ref
from mwbatch.journal.interface.store import Store

T = TypeVar("T")

AT_ONCE: Final = 1000
"""Facts that are made durable with one write, where there are many."""


@dataclass(slots=True)
class OpenBatch:
    """One batch as a command works on it; ``state`` holds all of ``journal`` that was read or recorded.

    ``own`` is what the store keeps beside the facts; ``term`` the batch's lock where this command holds it,
    so that nobody else has requests in flight. ``is_new``: this command has made the batch, so that nothing
    can have been sent for it. ``is_begun``: this run has sent something, which is known outside of the
    journal. ``next_start`` is the number of the next one, 0 while nobody has counted them. ``drift`` is how
    far the dates of tasks lie from the server's clock, as this command and those before it saw it.
    """

    store: Store
    ref: Ref
    own: Belongings
    journal: Journal
    state: Batch = field(default_factory=Batch)
    term: Term | None = None
    is_new: bool = False
    is_begun: bool = False
    next_start: int = 0
    info: BatchInfo = field(init=False)
    drift: Drift = field(init=False)

    def __post_init__(self) -> None:
        self.info = self.ref.info
        self.drift = Drift(self.info.drift)

    @property
    def where(self) -> str:
        """Where the batch is, as people are told."""
        return self.ref.where

    @property
    def acting(self) -> bool:
        """Whether this command holds the batch's lock."""
        return self.term is not None

    def granted(self, wanted: float) -> float:
        """How many of the ``wanted`` tasks the limits allow now: whoever sends asks here alone."""
        return min(wanted, self.info.limits.left(self.state))

    def hold(self) -> None:
        """See that the lock, where this command took it, is held: MUST precede what only its holder may do.

        Raises:
            BatchBusy: another process may act on the batch by now.
        """
        if self.term is not None:
            self.term.check()

    async def record(self, facts: Sequence[Fact]) -> list[bool]:
        """Make facts durable, then let the state know them.

        Says of each whether it was new, as `Journal.append` does.

        Raises:
            BatchBusy: they are of a kind that only the holder of the lock writes, and it was lost: nothing
            may follow
                from them.
        """
        acts = not all(isinstance(fact, Seen) for fact in facts)
        if acts:
            self.hold()
        new = await self.append(facts) if facts else []
        # A start that is not new is not there: what is there of it may say something else.
        self.state.add_all([fact for fact, is_new in zip(facts, new, strict=True) if is_new or not acts])
        if acts:  # MUST come after, too: who took the lock before they were durable has not read them
            self.hold()
        return new

    async def close_absent(self, failed: Sequence[Failed]) -> list[bool]:
        """End attempts as `Journal.close_absent` does, then bring the state in step. Raises as `record`."""
        from mwbatch.journal.files.closing import to_end  # noqa: PLC0415 (asyncio, as in `look`)

        self.hold()
        ended = await to_end(self.journal.close_absent(failed, self.hold))
        self.hold()
        await self.refresh()
        return ended

    async def append(self, facts: Sequence[Fact]) -> list[bool]:
        """Make facts durable without letting the state know them.

        Where we hold them, if that was taken away as a whole.

        Raises:
            StoreError: they cannot be written, or nobody would find them.
        """
        try:
            return await self.journal.append(facts)
        except Displaced:  # yet they are written: they lie with the folder, and `hold` ends the run
            if self.term is None or self.term.alive:
                raise
            return [True] * len(facts)

    async def record_all(self, facts: Iterable[Fact]) -> int:
        """Record as many facts as there are, made one after the other, some at a time; returns how many.

        Raises as `record`.
        """
        there, count = iter(facts), 0
        while some := list(islice(there, AT_ONCE)):
            await self.record(some)
            count += len(some)
        return count

    async def start(self, started: Started) -> None:
        """Make a start durable, and known outside of the journal: only then may its requests leave.

        A journal that is lost or put back later does not look as if nothing had been sent then. Raises as
        `record`; and `BatchBusy` where an attempt of its rows was started before: whoever did that may have
        sent it.
        """
        if await self.record([replace(started, number=self.next_start)]) != [True]:
            raise BatchBusy(
                f"rows of batch {self.info.name} were started meanwhile by another process, which may have "
                f"sent them; go on with: {hint('resume', self.info.name)}"
            )
        self.next_start += self.next_start > 0
        if self.is_begun:
            await _in_thread(self.own.trust.go_on)
        else:
            await _in_thread(self._begin, started)
            self.is_begun = True
        self.hold()

    def _begin(self, started: Started) -> None:
        """Let batch info and store know of the first start of a run."""
        self.own.trust.measure()
        kids = tuple(dict.fromkeys((*self.info.kids, started.kid)))
        self.keep(kids=kids, base=started.base, clock=started.clock)
        self.own.trust.begin(self.known_tasks())

    def keep(self, **changes: Any) -> None:  # noqa: ANN401 (fields of the batch info)
        """Change fields of the batch info, durably; nothing is written when they are so already. Blocks.

        Raises as `hold`.
        """
        info = replace(self.info, **changes)
        if not self.own.has(info):
            self.hold()
            self.own.write(info)
            self.info = info

    async def kept(self, **changes: Any) -> None:  # noqa: ANN401 (as above)
        """The same in a thread: MUST be one at a time, since each begins with the batch info as it stands."""
        await _in_thread(lambda: self.keep(**changes))

    def known_tasks(self) -> int:
        """How many tasks the API has told of, at the most, whatever the journal has lost since."""
        return max(self.own.trust.tasks(), self.state.confirmed())

    def keep_sizes(self) -> None:
        """Keep how far the record has come, and how many tasks are known; what was more stays so. Blocks."""
        self.own.trust.measure(ended=True)
        tasks = self.known_tasks()
        self.keep(tasks=tasks)
        self.own.trust.end(tasks)

    async def close(self) -> None:
        """Finish what was begun; where this command has the lock, keep what was learned meanwhile."""
        try:
            await self.journal.close()
            if self.term is not None:
                with suppress(BatchBusy):  # then what this run wrote lies elsewhere
                    await _in_thread(self.keep_sizes)
                    await self.kept(drift=self.drift.kept)
        finally:
            self.own.close()

    async def starts(self) -> list[Started]:
        """Every start, read in a thread."""
        return await _in_thread(lambda: list(self.journal.facts(Started)))

    async def refresh(self) -> None:
        """Bring the state in step with what others wrote, in a thread: MUST NOT be used until that is done.

        Raises:
            StoreError: it cannot be read.
        """
        self.state = await _in_thread(lambda: self.journal.refresh(self.state))

    def planned(self, number: int) -> Planned | None:
        """One row, in its latest edition; None where it is not there. Reads all of them to find it."""
        return next(self.journal.rows(lambda row: row == number), None)

    def failures(self) -> Iterator[tuple[int, str]]:
        """Row and message of every attempt that is known to have failed, the last of a row last.

        Reads the journal.
        """
        facts = sorted(self.journal.facts(Failed), key=lambda fact: (fact.row, fact.attempt))
        return ((fact.row, fact.message) for fact in facts)

    def report(self) -> Report:
        """Count where the batch stands. Reads the inbox, what did not fit, and who holds the batch."""
        return self._counted(self._beside(self._doubt()))

    async def reported(self) -> Report:
        """The same, read in a thread."""
        return self._counted(await _in_thread(self._beside, self._doubt()))

    def _doubt(self) -> int:
        return self.state.by_status()[Status.DOUBT]

    def _beside(self, doubt: int) -> tuple[int, int, int]:
        """What the state does not say: rows in flight of those in doubt, lost lines, and what did not fit."""
        in_flight = doubt if doubt and not self.acting and self.store.holder(self.ref) else 0
        return in_flight, len(self.own.damage()), len(self.own.rejects())

    def _counted(self, beside: tuple[int, int, int]) -> Report:
        in_flight, damaged, rejected = beside
        return report(
            self.state,
            batch=self.info.name,
            batch_id=self.info.batch_id,
            home=self.store.where,
            in_flight=in_flight,
            damaged=damaged,
            rejected_callbacks=rejected,
            raised=self.info.limits.raised(self.state),
            spent=self.info.limits.spent(self.state),
        )


def read(store: Store, ref: Ref, writer: str = "view") -> OpenBatch:
    """Open a batch without its lock, with every fact that is there. Blocks while it reads."""
    opened = store.open(ref, writer)
    opened.state = opened.journal.refresh()
    return opened


async def look(store: Store, ref: Ref, writer: str = "view") -> OpenBatch:
    """The same in a thread: to see, or to add what the API showed."""
    return await _in_thread(read, store, ref, writer)


@asynccontextmanager
async def looking(store: Store, ref: Ref, writer: str) -> AsyncIterator[OpenBatch]:
    """The same; what was begun is finished at the end, however this is left."""
    opened = await look(store, ref, writer)
    async with _left_well(opened):
        yield opened


@asynccontextmanager
async def acting(opened: OpenBatch, term: Term) -> AsyncIterator[OpenBatch]:
    """Act on a batch of which a store has the lock.

    However this is left, the journal is closed before the lock goes.
    """
    async with _left_well(opened):
        opened.state = await _in_thread(opened.journal.refresh)
        opened.term = term
        yield opened


@asynccontextmanager
async def _left_well(opened: OpenBatch) -> AsyncIterator[None]:
    from mwbatch.journal.files.closing import to_end  # noqa: PLC0415 (asyncio, as above)

    try:
        yield
    finally:
        await to_end(opened.close())


async def _in_thread(job: Callable[..., T], *words: object) -> T:
    """As `in_thread` there: whoever looks without a loop does without asyncio."""
    from mwbatch.journal.files.closing import in_thread  # noqa: PLC0415 (as said)

    return await in_thread(job, *words)
