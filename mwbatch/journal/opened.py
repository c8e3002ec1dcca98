"""An open batch: its card, its journal and its state, kept in step."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from mwbatch.core.batch import Batch
from mwbatch.core.drift import Drift
from mwbatch.core.facts import Fact, Failed, Seen, Started
from mwbatch.core.fold import Status
from mwbatch.core.hint import hint
from mwbatch.core.progress import Report, report
from mwbatch.core.reject import Reject
from mwbatch.errors import BatchBusy, Displaced
from mwbatch.journal.begun import Begun
from mwbatch.journal.folders import JOURNAL, RESULTS, ROWS
from mwbatch.journal.health import Damage, shrunk
from mwbatch.journal.home import Card, Home
from mwbatch.journal.lock import BatchLock, holder
from mwbatch.journal.rejects import distinct
from mwbatch.journal.segments import Segments, damage_of, segment_sizes

AT_ONCE: Final = 1000
"""Facts that are made durable with one write, where there are many."""


@dataclass(slots=True)
class Opened:
    """One batch as a command works on it. ``state`` holds every fact of ``journal`` that was read or recorded.

    ``lock`` is the batch's lock where this command holds it, so that nobody else has requests in flight.
    ``is_new``: this command has made the batch, so that nothing can have been sent for it. ``is_begun``: this
    run has sent something, and ``begun`` knows it, outside of the folder. ``next_start`` is the number of the
    next one, 0 while nobody has counted them. ``drift`` is how far the dates of
    tasks lie from the server's clock, as this command and those before it saw it.
    """

    home: Home
    folder: Path
    card: Card
    journal: Segments
    state: Batch
    lock: BatchLock | None = None
    is_new: bool = False
    is_begun: bool = False
    next_start: int = 0
    drift: Drift = field(init=False)
    begun: Begun = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.home.begun(self.card.batch_id)
        self.drift = Drift(self.card.drift)

    @property
    def acting(self) -> bool:
        """Whether this command holds the batch's lock."""
        return self.lock is not None

    def hold(self) -> None:
        """See that the lock, where this command took it, is held still: MUST come before whatever only its holder may do.

        Raises:
            BatchBusy: another process may act on the batch by now.
        """
        if self.lock is not None:
            self.lock.check()

    async def record(self, facts: Sequence[Fact]) -> list[bool]:
        """Make facts durable, then let the state know them; says of each whether it was new, as `Journal.append` does.

        Raises:
            BatchBusy: they are of a kind that only the holder of the lock writes, and it was lost: nothing may follow
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
        self.hold()
        ended = await self.journal.close_absent(failed, self.hold)
        self.hold()
        await self.refresh()
        return ended

    async def append(self, facts: Sequence[Fact]) -> list[bool]:
        """Make facts durable without letting the state know them; in our folder, if that was taken away as a whole.

        Raises:
            StoreError: they cannot be written, or nobody would find them.
        """
        try:
            return await self.journal.append(facts)
        except Displaced:  # yet they are written: they lie with the folder, and `hold` ends the run
            if self.lock is None or self.lock.leads_here():
                raise
            return [True] * len(facts)

    async def record_all(self, facts: Iterable[Fact]) -> int:
        """Record as many facts as there are, made one after the other, some at a time; returns how many. Raises as `record`."""
        there, count = iter(facts), 0
        while some := list(islice(there, AT_ONCE)):
            await self.record(some)
            count += len(some)
        return count

    async def start(self, started: Started) -> None:
        """Make a start durable, and known outside of the journal: only then may its requests leave.

        A journal that is lost or put back later does not look as if nothing had been sent then. Raises as `record`; and
        `BatchBusy` where an attempt of its rows was started before: whoever did that may have sent it.
        """
        import asyncio  # noqa: PLC0415 (as in `look`)

        if await self.record([replace(started, number=self.next_start)]) != [True]:
            raise BatchBusy(
                f"rows of batch {self.card.name} were started meanwhile by another process, which may have sent them; go on "
                f"with: {hint('resume', self.card.name)}"
            )
        self.next_start += self.next_start > 0
        written = self.journal.written
        if self.is_begun:
            name = next(name for name in written if name.startswith(JOURNAL))
            await asyncio.to_thread(self.begun.add, name, written[name])
        else:
            results = f"{RESULTS}/"  # may be growing this moment, and not be durable yet
            there = {n: size for n, size in segment_sizes(self.folder).items() if not n.startswith(results)}
            self.keep(
                kids=tuple(dict.fromkeys((*self.card.kids, started.kid))),
                base=started.base,
                clock=started.clock,
                segments=_greatest(self.known_sizes(), there | written),
            )
            await asyncio.to_thread(self.begun.write, self.card.segments, self.known_tasks())
            self.is_begun = True
        self.hold()

    def keep(self, **changes: Any) -> None:
        """Change fields of the card, on disk too; nothing is written when they are so already. Raises as `hold`."""
        card = replace(self.card, **changes)
        if card != self.card:
            self.hold()
            self.card = self.home.write(self.folder, card)

    def known_sizes(self) -> dict[str, int]:
        """How large each segment was, by the card and by what is kept outside of the folder. Reads the latter."""
        return _greatest(self.card.segments, self.begun.sizes())

    def known_tasks(self) -> int:
        """How many tasks the API has told of, at the most, whatever the journal has lost since. Reads as `known_sizes`."""
        return max(self.card.tasks, self.begun.tasks(), self.state.confirmed())

    def keep_sizes(self) -> None:
        """Keep on the card, and outside, how large each segment is, and how many tasks are known.

        What was more before stays so: that loss shows.
        """
        sizes, tasks = _greatest(self.known_sizes(), segment_sizes(self.folder)), self.known_tasks()
        self.keep(segments=sizes, tasks=tasks)
        if (self.begun.sizes(), self.begun.tasks()) != (sizes, tasks):
            self.begun.write(sizes, tasks)

    async def close(self) -> None:
        """Finish what was begun, and where this command has the lock keep what was learned of the folder and the API."""
        await self.journal.close()
        try:
            if self.lock is not None:
                with suppress(BatchBusy):  # then what this run wrote lies elsewhere
                    self.keep_sizes()
                    self.keep_drift()
        finally:
            self.begun.close()

    def keep_drift(self) -> None:
        """Keep on the card how far dates were seen to lie from the server's clock."""
        self.keep(drift=self.drift.kept)

    async def refresh(self) -> None:
        """Bring the state in step with what other processes wrote meanwhile, in a thread: MUST NOT be used until that is done.

        Raises:
            StoreError: it cannot be read.
        """
        import asyncio  # noqa: PLC0415 (as in `look`)

        self.state = await asyncio.to_thread(self.journal.refresh, self.state)

    @property
    def damage(self) -> list[Damage]:
        """Lines that were acknowledged once and cannot be read now, those in the inbox and those that are gone included.

        Of these it is the rows that count: what else is lost the API shows once more. Reads the inbox.
        """
        gone = [damage for damage in self.shrunk() if damage.where.startswith(f"{self.folder / ROWS}/")]
        return [*gone, *self.journal.health().lost, *damage_of(self.inbox)]

    def shrunk(self) -> list[Damage]:
        """What segments have lost that were larger once; nothing where the folder was taken away with all of them."""
        known = self.known_sizes() if self.folder.is_dir() else {}  # MUST come first: segments grow meanwhile
        return shrunk(self.folder, known, segment_sizes(self.folder))

    def rejects(self) -> list[Reject]:
        """The callbacks that did not fit, those in the inbox included, in the order of their coming. Reads them."""
        return distinct(self.folder, self.inbox)

    @property
    def inbox(self) -> Path:
        """Where callbacks are that came before the batch did."""
        return self.home.inbox(self.card.batch_id)

    def failures(self) -> Iterator[tuple[int, str]]:
        """Row and message of every attempt that is known to have failed, the last of a row last. Reads the journal."""
        facts = sorted(self.journal.facts(Failed), key=lambda fact: (fact.row, fact.attempt))
        return ((fact.row, fact.message) for fact in facts)

    def report(self) -> Report:
        """Count where the batch stands."""
        doubt = self.state.by_status()[Status.DOUBT]
        return report(
            self.state,
            batch=self.card.name,
            batch_id=self.card.batch_id,
            home=str(self.home.path),
            in_flight=doubt if doubt and not self.acting and holder(self.folder) else 0,
            damaged=len(self.damage),
            rejected_callbacks=len(self.rejects()),
            raised=self.card.limits.raised(self.state),
            spent=self.card.limits.spent(self.state),
        )


def _greatest(*there: Mapping[str, int]) -> dict[str, int]:
    """For each name the greatest size."""
    names = dict.fromkeys(name for sizes in there for name in sizes)
    return {name: max(sizes.get(name, 0) for sizes in there) for name in names}


def unread(home: Home, folder: Path, card: Card, writer: str = "view") -> Opened:
    """Open a batch without its lock and without reading its facts."""
    return Opened(home, folder, card, Segments(folder, writer), Batch())


def read(home: Home, folder: Path, card: Card, writer: str = "view") -> Opened:
    """Open a batch without its lock, with every fact that is on disk. Blocks while it reads."""
    opened = unread(home, folder, card, writer)
    opened.state = opened.journal.refresh()
    return opened


async def look(home: Home, folder: Path, card: Card, writer: str = "view") -> Opened:
    """The same in a thread: to see, or to add what the API showed."""
    import asyncio  # noqa: PLC0415 (`read` does without)

    return await asyncio.to_thread(read, home, folder, card, writer)


@asynccontextmanager
async def looking(home: Home, folder: Path, card: Card, writer: str) -> AsyncIterator[Opened]:
    """The same; what was begun is finished at the end, however this is left."""
    opened = await look(home, folder, card, writer)
    async with _left_well(opened):
        yield opened


@asynccontextmanager
async def act(home: Home, folder: Path, card: Card, verb: str) -> AsyncIterator[Opened]:
    """Open a batch under its lock: to spend, to settle, to cancel.

    However this is left, the journal is closed before the lock goes.

    Raises:
        BatchBusy: another process acts on it.
        StoreError: another folder of the home is the same batch; what that may be doing nobody can tell here.
    """
    with BatchLock(folder, verb) as lock:
        home.refuse_copies(folder, card)
        opened = await look(home, folder, _card_now(folder, card), verb)
        opened.lock = lock
        async with _left_well(opened):
            yield opened


@asynccontextmanager
async def _left_well(opened: Opened) -> AsyncIterator[None]:
    from mwbatch.journal.closing import to_end  # noqa: PLC0415 (asyncio, as above)

    try:
        yield
    finally:
        await to_end(opened.close())


def _card_now(folder: Path, card: Card) -> Card:
    """The card as it is under the lock: another process may have changed it since ``card`` was read."""
    now = Card.read(folder)
    if now.batch_id != card.batch_id:
        raise BatchBusy(f"{folder} was replaced by another batch this moment; run the same command again")
    return now
