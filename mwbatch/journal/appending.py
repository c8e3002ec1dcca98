"""Appending to a journal: where each fact goes, and that no answer is stored twice."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from mwbatch.core.digests import Digests
from mwbatch.core.facts import Fact, Started, identity
from mwbatch.core.glances import Kept, kept_answer
from mwbatch.core.starts import Starts
from mwbatch.errors import DiskFull
from mwbatch.journal.commit import Settled, tell
from mwbatch.journal.shelf import Shelf


class Appender:
    """Writes facts to shelves: ``place`` names the shelf of a fact, ``answers`` the one that has no fact twice."""

    def __init__(
        self,
        shelves: Mapping[str, Shelf],
        place: Callable[[Fact], str],
        answers: str,
        read_starts: Callable[[], Starts],
    ) -> None:
        self._shelves, self._place, self._answers = shelves, place, answers
        self._read_starts, self._starts = read_starts, Starts()
        self._knows_starts = False
        self._known: Digests | None = None
        self._in_flight: dict[bytes, list[asyncio.Future[None]]] = {}
        self._learning = asyncio.Lock()
        self._commits: set[asyncio.Task[None]] = set()

    def index(self, hear: Callable[[Kept], object] = lambda _: None) -> int:
        """Learn which answers are on disk, so that none is stored twice; returns how many. Blocks while it reads.

        ``hear`` is told of each.
        """
        keys = Digests()
        # MUST be proved: what a killed writer left in memory may never have reached the disk, and never will.
        for kept in self._shelves[self._answers].durable(kept_answer):
            keys.add(kept.name)
            hear(kept)
        for key in self._known or ():
            keys.add(key)
        self._known = keys
        return len(keys)

    async def _learn(self) -> None:
        """MUST read but once: what is committed while a second reading runs would be missing from the index."""
        async with self._learning:
            if self._known is None:
                await asyncio.to_thread(self.index)

    def knows(self, fact: Fact) -> bool:
        """Whether this is an answer that is on disk, or on its way there."""
        key = identity(fact)
        return key is not None and (
            key in self._in_flight or (self._known is not None and key in self._known)
        )

    async def append(self, facts: Sequence[Fact]) -> list[bool]:
        """Make facts durable; an answer that is on disk, or on its way there, is not written again."""
        places = list(map(self._place, facts))
        if self._answers not in places:
            if len(set(places)) == 1:  # as are planned rows, and created tasks
                await self._shelves[places[0]].begin(facts, _nobody)
                return [True] * len(facts)
        elif self._known is None:
            await self._learn()
        if len(facts) == 1:  # an answer, by now
            return [await self._append_answer(facts[0])]
        fresh: defaultdict[str, list[Fact]] = defaultdict(list)
        claimed: list[bytes] = []
        copies: list[asyncio.Future[None]] = []
        new: list[bool] = []
        for name, fact in zip(places, facts, strict=True):
            key = identity(fact) if name == self._answers else None
            new.append(key is None or self._claim(key, claimed, copies))
            if new[-1]:
                fresh[name].append(fact)
        await self._commit(fresh, partial(self._settle, claimed))
        for copy in copies:
            await copy
        return new

    async def append_starts(self, facts: Sequence[Fact]) -> list[bool]:
        """The same where some are starts: one that is on disk, or on its way there, is not written again."""
        async with self._learning:
            if not self._knows_starts:
                self._starts, self._knows_starts = await asyncio.to_thread(self._read_starts), True
        fresh = [not isinstance(fact, Started) or self._starts.claim(fact) for fact in facts]
        there = [fact for fact, is_fresh in zip(facts, fresh, strict=True) if is_fresh]
        try:
            new = iter(await self.append(there))
        except DiskFull:
            for fact in there:
                if isinstance(fact, Started):
                    self._starts.give_back(fact)
            raise
        return [is_fresh and next(new) for is_fresh in fresh]

    async def _append_answer(self, fact: Fact) -> bool:
        """The same for a single answer, at half the cost: so come callbacks."""
        key = identity(fact)
        assert key is not None
        claimed: list[bytes] = []
        copies: list[asyncio.Future[None]] = []
        if self._claim(key, claimed, copies):
            await self._shelves[self._answers].begin([fact], partial(self._settle, claimed))
            return True
        for copy in copies:
            await copy
        return False

    def _claim(self, key: bytes, claimed: list[bytes], copies: list[asyncio.Future[None]]) -> bool:
        """Claim an answer for this append, unless it is known; ``copies`` get a future for one that another append writes."""
        if self._known is not None and key in self._known:
            return False
        if (waiting := self._in_flight.get(key)) is None:
            claimed.append(key)
            self._in_flight[key] = []
            return True
        if key not in claimed:
            copies.append(asyncio.get_running_loop().create_future())
            waiting.append(copies[-1])
        return False

    async def _commit(self, fresh: dict[str, list[Fact]], settled: Settled) -> None:
        """Write. Nearly always it is one folder, and then no task is made for it."""
        if len(fresh) == 1:
            [(name, facts)] = fresh.items()
            await self._shelves[name].begin(facts, settled)
        elif fresh:
            commit = asyncio.create_task(self._commit_all(fresh, settled))
            self._commits.add(commit)
            commit.add_done_callback(self._commits.discard)
            await asyncio.shield(commit)

    async def _commit_all(self, fresh: dict[str, list[Fact]], settled: Settled) -> None:
        """One folder after the other. Answers are settled once they are written, whatever becomes of the others."""
        try:
            for name, facts in fresh.items():
                await self._shelves[name].begin(facts, settled if name == self._answers else _nobody)
        except Exception as error:
            settled(error)
            raise

    def _settle(self, claimed: list[bytes], error: Exception | None) -> None:
        """Let the index know of what is written, and only of that: a later copy of what failed must be written itself."""
        while claimed:
            key = claimed.pop()
            waiting = self._in_flight.pop(key)
            if error is None:
                assert self._known is not None
                self._known.add(key)
            tell(waiting, error)

    async def finish(self) -> None:
        """Finish what was begun."""
        if self._commits:
            await asyncio.wait(self._commits)


def _nobody(_: Exception | None) -> None:
    """Nobody waits to hear of facts that are no answers."""
