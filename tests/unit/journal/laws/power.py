"""Receivers on a machine whose disk fails and whose power is cut: the state machine,
and the laws that it watches.
"""

import asyncio
import errno
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Final, TypeVar
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mwbatch.core.facts.digests import identity
from mwbatch.core.facts.kinds import Fact, Seen
from mwbatch.core.facts.lines import BadLine, line, parse
from mwbatch.errors import StoreError
from mwbatch.journal.segments.folders import RESULTS
from mwbatch.journal.segments.journal import Segments
from tests.support.disks import MEMORY, Fate
from tests.support.facts import answer, show
from tests.support.virtual import VirtualLoop
from tests.unit.journal.laws.crash import CrashDisk, Machine

T = TypeVar("T")
WRITERS: Final = 2
"""How many processes may have the folder open at once."""


def brought(attempt: int, says: str, at: str, spaces: int) -> Seen:
    """A callback: its answer, its time stamp, and bytes that say the same in another way."""
    fact = answer(attempt, says, at)
    assert fact.body is not None
    return fact._replace(body=fact.body + b" " * spaces, sha256=f"{fact.sha256}-{spaces}")


answers = st.builds(
    brought, st.integers(1, 3), st.sampled_from("xy"), st.sampled_from("12"), st.integers(0, 1)
)
calls = st.lists(
    st.lists(answers | answers | st.builds(show, st.integers(1, 2)), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)
errors: st.SearchStrategy[Fate] = st.sampled_from(
    [None, errno.EIO, errno.ENOSPC, errno.ENOSPC, errno.EDQUOT, "short", "short"]
)
broken = st.integers(0, 3).map(lambda well: {"sync": [*[None] * well, errno.EIO], "truncate": [errno.EIO]})
"""A commit fails, and its lines cannot be taken back."""

full = st.integers(0, 3).map(lambda well: {"write": [*[None] * well, "short", errno.ENOSPC]})
"""A full disk takes a part of the lines first."""

strange = st.dictionaries(
    st.sampled_from(["create", "write", "write", "write", "sync", "truncate", "settle"]),
    st.lists(errors, min_size=1, max_size=3),
    max_size=2,
)
fates: st.SearchStrategy[dict[str, list[Fate]]] = st.one_of(st.just({}), broken, full, strange)
chances = st.integers(0, 2**32).map(Random)


def key(fact: Fact) -> bytes:
    """What makes a fact the same as another one on disk."""
    return identity(fact) or line(fact)


@dataclass(eq=False)
class Process:
    """One receiver. ``known`` are the answers that it must not store again."""

    disk: CrashDisk
    journal: Segments
    known: set[bytes] = field(default_factory=set)


class Power(RuleBasedStateMachine):
    """Several processes append to one folder; calls of the disk fail, processes are killed,
    the power is cut.
    """

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="mwbatch-power-", dir=MEMORY))
        # MUST leave nothing to chance: the same steps end in the same way, and may be made fewer.
        self.runner = asyncio.Runner(loop_factory=partial(VirtualLoop, threads=False))
        self.steady = patch("mwbatch.journal.segments.segment.secrets", counted())
        self.steady.start()
        self.machine = Machine(self.top / "0")
        self.processes: list[Process] = []
        self.offered: set[bytes] = set()
        self.acknowledged: set[bytes] = set()

    @property
    def folder(self) -> Path:
        """The batch."""
        return self.machine.root / "home" / "batch"

    @initialize()
    def start(self) -> None:
        """Begin with one process."""
        self.open({})

    @precondition(lambda self: len(self.processes) < WRITERS)
    @rule(fates=fates)
    def open(self, fates: dict[str, list[Fate]]) -> None:
        """Start a process, which learns what is there;
        one that meets an error while it learns does not start.
        """
        disk = CrashDisk(self.machine, **fates)
        process = Process(disk, Segments(self.folder, "receiver", disk))
        try:
            process.journal.index()
        except StoreError:
            assert "settle" in fates, "a folder that is in order cannot be opened"
            return
        process.known |= self.acknowledged
        disk.fates.clear()
        self.processes.append(process)

    @precondition(lambda self: self.processes)
    @rule(
        which=st.integers(0, WRITERS),
        calls=calls,
        fates=fates,
        cut=st.tuples(st.integers(0, 120), chances),
        restart=st.booleans(),
    )
    def fail(
        self,
        which: int,
        calls: Sequence[Sequence[Fact]],
        fates: dict[str, list[Fate]],
        cut: tuple[int, Random],
        restart: bool,
    ) -> None:
        """Let calls of the disk fail while callbacks come, or the power; then all comes again,
        to another process or this.
        """
        process = self.processes[which % len(self.processes)]
        process.disk.fates = {name: list(each) for name, each in fates.items()}
        self.machine.countdown = cut
        self.append(which, calls)
        if restart and process in self.processes:
            self.processes.remove(process)
            self._run(process.journal.close())
        if restart or not self.processes:
            self.start()
        for process in self.processes:
            self._again(process)

    def _again(self, process: Process) -> None:
        """Bring every answer once more, each alone, as senders do that were not told that it is stored."""
        there = {identity(fact): fact for fact in _facts(b"".join(sorted(self.offered))) if identity(fact)}
        self.append(self.processes.index(process), [[fact] for fact in there.values()])

    @precondition(lambda self: self.processes)
    @rule(which=st.integers(0, WRITERS), calls=calls)
    def append(self, which: int, calls: Sequence[Sequence[Fact]]) -> None:
        """Append at once what several callbacks bring."""
        process = self.processes[which % len(self.processes)]
        self.offered |= {line(fact) for facts in calls for fact in facts}
        known = set(process.known)
        outcomes = self._run(_all(process.journal, calls))
        process.disk.fates.clear()
        self.machine.countdown = None
        certain = self._certain()
        for facts, outcome in zip(calls, outcomes, strict=True):
            if isinstance(outcome, list):
                self._believe(process, facts, outcome, known, certain)
            elif not isinstance(outcome, StoreError):
                raise outcome
        if self.machine.dead:
            self._start_again()

    def _believe(
        self,
        process: Process,
        facts: Sequence[Fact],
        new: list[bool],
        known: set[bytes],
        certain: set[bytes],
    ) -> None:
        """Take a call for acknowledged."""
        keys = {key(fact) for fact in facts}
        again = [fact for fact, is_new in zip(facts, new, strict=True) if is_new and identity(fact) in known]
        assert not again, f"stored again although it was known: {again}"
        lost = keys - certain
        assert not lost, f"acknowledged before it was durable: {lost}"
        self.acknowledged |= keys
        process.known |= keys

    def _certain(self) -> set[bytes]:
        """What a power cut would leave in any case, at this moment or, had it failed, when it did."""
        return {key(fact) for text in self.machine.certain() for fact in _facts(text)}

    @precondition(lambda self: self.processes)
    @rule(
        which=st.integers(0, WRITERS), how=st.sampled_from(["close", "broken", "kill", "cut"]), chance=chances
    )
    def end(self, which: int, how: str, chance: Random) -> None:
        """End a process: well, with a close that fails, by kill -9 (what it did not sync is still read);
        or cut the power.
        """
        if how == "cut":
            self.machine.fail(chance)
            self._start_again()
            self.start()
            return
        process = self.processes.pop(which % len(self.processes))
        if how == "kill":
            self._end(process)
            return
        process.disk.fates = {"close": [errno.EIO] if how == "broken" else []}
        with suppress(StoreError) if how == "broken" else nullcontext():
            self._run(process.journal.close())

    def _start_again(self) -> None:
        for process in self.processes:
            self._end(process)
        self.processes.clear()
        assert not self.machine.offences, self.machine.offences
        assert self.machine.left is not None
        shutil.rmtree(self.machine.root)
        self.machine = self.machine.left

    def _end(self, process: Process) -> None:
        process.disk.kill()
        if process.journal._made is not None:
            self._run(process.journal._made.finish())

    @invariant()
    def nothing_is_lost_and_nothing_invented(self) -> None:
        """What was acknowledged is read, what is read was once offered, and no append followed an error."""
        facts = list(Segments(self.folder, "view").read())
        lost = self.acknowledged - {key(fact) for fact in facts}
        assert not lost, f"acknowledged and lost: {lost}"
        invented = {line(fact) for fact in facts} - self.offered
        assert not invented, f"invented: {invented}"
        assert not self.machine.offences, self.machine.offences

    @invariant()
    def a_segment_holds_an_answer_once(self) -> None:
        """No writer stores an answer twice, whatever failed in between."""
        for path in (self.folder / RESULTS).glob("*.jsonl"):
            counts = Counter(map(key, _facts(path.read_bytes())))
            assert set(counts.values()) <= {1}, f"{path.name} holds an answer twice"

    def teardown(self) -> None:
        """Cut the power once more, and look again."""
        try:
            if not self.machine.dead:
                self.machine.fail(Random(0))
            self._start_again()
            self.nothing_is_lost_and_nothing_invented()
        finally:
            for process in self.processes:
                self._end(process)
            self.runner.close()
            self.steady.stop()
            shutil.rmtree(self.top)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)


def counted() -> SimpleNamespace:
    """Random names that are counted instead."""
    numbers = count()
    return SimpleNamespace(token_hex=lambda _: f"{next(numbers):08x}")


async def _all(journal: Segments, calls: Sequence[Sequence[Fact]]) -> list[list[bool] | BaseException]:
    return await asyncio.gather(*map(journal.append, calls), return_exceptions=True)


def _facts(text: bytes) -> list[Fact]:
    """The whole lines in a segment's bytes."""
    found = map(_fact, text.split(b"\n")[:-1])
    return [fact for fact in found if fact is not None]


@cache
def _fact(text: bytes) -> Fact | None:
    with suppress(BadLine):
        return parse(text)
    return None
