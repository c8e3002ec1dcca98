"""Appending to a batch: one queue, one thread, and a segment of our own in each folder that we write to.

Group commit without a linger timer: a commit takes whatever queued while the last one ran, with one write and
one fdatasync a folder, so that a single append is as fast as the disk and a thousand at once cost little more
than one.

An answer, or a start, that must not be there twice is claimed by the append that writes it. Whoever appends a
copy meanwhile waits for that commit, and fails with it; only what is durable is known, so that a copy of what
failed is written itself.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from typing import Final

from mwbatch.core.facts.digests import Digests, identity
from mwbatch.core.facts.kinds import Fact, Started
from mwbatch.core.facts.line_patterns import KeptAnswer
from mwbatch.core.facts.lines import line
from mwbatch.core.state.starts import Starts
from mwbatch.errors import StoreError
from mwbatch.journal.files.closing import Lasting, in_thread
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.journal import After
from mwbatch.journal.segments.append import Append, Key, Waiting
from mwbatch.journal.segments.folders import JOURNAL, PLACES, RESULTS
from mwbatch.journal.segments.segment import OwnSegment

MAX_BYTES: Final = 4 << 20
"""The most bytes that one commit takes, unless a single append has more."""

MAX_LINES: Final = 512
"""The most lines that one commit takes, unless a single append has more."""


class Writer:
    """``own`` are the segments by folder; ``answers`` and ``starts`` read those that are durable, and block.

    ``commits`` counts what commits cost; ``ticks`` is a clock in seconds that never goes back.
    """

    def __init__(
        self,
        own: Mapping[str, OwnSegment],
        answers: Callable[[], Iterator[KeptAnswer]],
        starts: Callable[[], Iterator[Started]],
        commits: Commits | None = None,
        ticks: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._own, self._read_answers, self._read_starts = own, answers, starts
        self._commits, self._ticks = commits or Commits(), ticks
        self._known, self._knows_answers = Digests(), False
        self._starts, self._knows_starts = Starts(), False
        self._in_flight: dict[Key, list[Waiting]] = {}
        self._learning = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._queue: deque[Append] = deque()
        self._runner: asyncio.Task[None] | None = None
        self.backlog = 0
        """Bytes that were handed in and are not durable yet."""

    def index(self, hear: Callable[[KeptAnswer], object] = lambda _: None) -> int:
        """Learn which answers are on disk, so that none is stored twice; returns how many. Blocks.

        ``hear`` is told of each.
        """
        keys = Digests()
        # MUST be proved: what a killed writer left in memory may never have reached the disk, and never will.
        for kept in self._read_answers():
            keys.add(kept.name)
            hear(kept)
        for key in self._known:
            keys.add(key)
        self._known, self._knows_answers = keys, True
        return len(keys)

    def knows(self, fact: Fact) -> bool:
        """Whether this is an answer that is on disk, or on its way there."""
        key = identity(fact)
        return key is not None and (key in self._in_flight or key in self._known)

    async def append(self, facts: Sequence[Fact], after: After | None = None) -> list[bool]:
        """Make facts durable and say of each whether it was new: an answer or a start is written once.

        A commit that began is never abandoned: cancelling the caller does not take its facts back, and
        ``after`` hears of those that were new all the same; of none it hears nothing.
        """
        keys = [*map(identity, facts)]  # of answers alone
        claiming = any(keys)
        if claiming and not self._knows_answers:
            await self._learn_answers()
        if Started in map(type, facts):
            claiming = True
            await self._learn_starts()
        claims: list[Key] = []
        copies: list[Waiting] = []
        new = [True] * len(facts)  # planned rows, and created tasks, claim nothing
        if claiming:
            new = [self._claim(*one, claims, copies) for one in zip(facts, keys, strict=True)]
        if fresh := [*compress(zip(facts, keys, strict=True), new)]:
            await self._begin(fresh, claims, after)
        for copy in copies:
            await copy
        return new

    async def _learn_answers(self) -> None:
        """MUST read but once: what is committed while another reading runs would be missing."""
        async with self._learning:
            if not self._knows_answers:
                await in_thread(self.index)

    async def _learn_starts(self) -> None:
        """The same for starts."""
        if not self._knows_starts:
            async with self._learning:
                if not self._knows_starts:
                    self._starts = await in_thread(lambda: Starts(self._read_starts()))
                    self._knows_starts = True

    def _claim(self, fact: Fact, key: bytes | None, claims: list[Key], copies: list[Waiting]) -> bool:
        """Claim a fact, unless it is there; ``copies`` get a future where another append writes it."""
        if isinstance(fact, Started):
            return self._claim_start(fact, claims, copies)
        if key is None:
            return True
        if key in self._known:
            return False
        if (waiting := self._in_flight.get(key)) is None:
            self._in_flight[key] = []
            claims.append(key)
            return True
        if key not in claims:
            copies.append(_waiting(waiting))
        return False

    def _claim_start(self, started: Started, claims: list[Key], copies: list[Waiting]) -> bool:
        """Which of those in flight a start overlaps with nobody asks: there are hardly two at a time."""
        if self._starts.claim(started):
            self._in_flight[started] = []
            claims.append(started)
            return True
        for key, waiting in self._in_flight.items():
            if isinstance(key, Started) and key not in claims:
                copies.append(_waiting(waiting))
        return False

    def _begin(
        self, fresh: list[tuple[Fact, bytes | None]], claims: list[Key], after: After | None
    ) -> Waiting:
        """Hand in what is new, and the names of answers; it has its place in the queue when this returns."""
        try:
            lines = _lines(fresh)
        except Exception as error:
            self._settle(claims, dict.fromkeys(self._own, error))
            if after is not None:
                after(error)
            raise
        done = asyncio.get_running_loop().create_future()
        size = sum(map(len, lines.values()))
        self._queue.append(Append(lines, size, len(fresh), claims, done, after))
        self.backlog += size
        if self._runner is None:
            self._runner = Lasting(self._run())
        return done

    async def _run(self) -> None:
        try:
            while group := self._take():
                errors = await self._commit(group)
                for append in group:
                    self.backlog -= append.size
                    self._settle(append.claims, errors)
                    error = next((errors[name] for name in append.lines if name in errors), None)
                    _tell([append.done], error)
                    if append.after is not None:
                        append.after(error)
        finally:
            self._runner = None

    def _take(self) -> list[Append]:
        """The appends of the next commit: the oldest that fit, at least one, none when nothing waits."""
        group: list[Append] = []
        size = count = 0
        while self._queue:
            append = self._queue[0]
            size, count = size + append.size, count + append.count
            if group and (size > MAX_BYTES or count > MAX_LINES):
                break
            group.append(self._queue.popleft())
        return group

    async def _commit(self, group: list[Append]) -> Mapping[str, Exception]:
        """Write what was handed in, each folder's lines at once; says what failed, by folder."""
        parts: dict[str, list[bytes]] = {name: [] for name in self._own}
        for append in group:
            for name, text in append.lines.items():
                parts[name].append(text)
        lines = {name: b"".join(texts) for name, texts in parts.items() if texts}
        began = self._ticks()
        try:
            errors = await asyncio.get_running_loop().run_in_executor(self._thread, self._write, lines)
        except Exception as error:  # noqa: BLE001 (there is no thread any more)
            errors = dict.fromkeys(self._own, error)
        for name in errors.keys() & lines.keys():
            del lines[name]
        if lines:
            self._commits.add(self._ticks() - began, sum(map(len, lines.values())))
        return errors

    def _write(self, lines: Mapping[str, bytes]) -> dict[str, Exception]:
        """One folder after the other, whatever becomes of the others."""
        errors: dict[str, Exception] = {}
        for name, text in lines.items():
            try:
                self._own[name].append(text)
            except Exception as error:  # noqa: BLE001 (it is told to all who wait for these lines)
                errors[name] = error
        return errors

    def _settle(self, claims: list[Key], errors: Mapping[str, Exception]) -> None:
        """Let it be known what is written, and only that: a copy of what failed is written itself."""
        while claims:
            key = claims.pop()
            if isinstance(key, Started):
                error = errors.get(JOURNAL)
                if error is not None:
                    self._starts.give_back(key)
            else:
                error = errors.get(RESULTS)
                if error is None:
                    self._known.add(key)
            _tell(self._in_flight.pop(key), error)

    @property
    def full(self) -> bool:
        """Whether there was no space for something, and none was found since."""
        return any(own.lacking for own in self._own.values())

    async def probe(self) -> None:
        """Where there was no space, look for it between two commits."""
        for own in [own for own in self._own.values() if own.lacking]:
            await asyncio.get_running_loop().run_in_executor(self._thread, own.try_space)

    async def finish(self) -> None:
        """Return once everything that was handed in was tried, and the thread is gone."""
        while self._runner is not None:
            await asyncio.wait([self._runner])
        self._thread.shutdown()

    async def close(self) -> None:
        """The same, and release every file; raises the first error that this met."""
        await self.finish()
        errors: list[StoreError] = []
        for own in self._own.values():
            try:
                own.close()
            except StoreError as error:
                errors.append(error)
        if errors:
            raise errors[0]


def _lines(fresh: list[tuple[Fact, bytes | None]]) -> dict[str, bytes]:
    """Their lines by folder."""
    there: dict[str, list[bytes]] = {}
    for fact, key in fresh:
        there.setdefault(PLACES[type(fact)] if key is None else RESULTS, []).append(line(fact))
    return {name: b"".join(lines) for name, lines in there.items()}


def _waiting(waiting: list[Waiting]) -> Waiting:
    """One more who waits."""
    waiting.append(asyncio.get_running_loop().create_future())
    return waiting[-1]


def _tell(waiting: Iterable[Waiting], error: Exception | None) -> None:
    """Let everybody know who waits for the same lines, and was not cancelled."""
    for done in waiting:
        if done.cancelled():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
            done.exception()  # a caller that was cancelled meanwhile never asks for it
