"""Histories of files and batches: paid once, and never refused without a way on."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from traceback import format_exception
from typing import Any, Final

import hypothesis.strategies as st
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mwbatch.errors import BatchBusy, MwbatchError
from mwbatch.simulator import Fault, Line, Size
from tests.proof.histories.files import SESSION, SIGNATURES, Ask, File
from tests.proof.histories.town import Town, ways
from tests.proof.torture.schedules.causes import Cause
from tests.proof.torture.schedules.steady import steady
from tests.proof.torture.world.mortal import owned_tasks
from tests.support.virtual import VirtualLoop

DOUBT: Final = {Fault.CREATED_CUT: 0.1, Fault.CREATED_500: 0.05, Fault.NOT_CREATED_500: 0.1}
WEATHERS: Final = {
    "calm": Cause({}),
    "doubt": Cause(DOUBT),
    "no echo": Cause({**DOUBT, Fault.NO_ECHO: 1.0}),
    "a clock that jumps": Cause(
        DOUBT, script=(Line(Fault.CREATED_AT_APART, 3, 9),), size=Size(created_at_offset_s=-50_000.0)
    ),
}
"""What the API does while people work with it."""

NAMES: Final = ("a.jsonl", "b.jsonl", "c.jsonl")
names = st.sampled_from(NAMES)
asks = st.builds(Ask, st.integers(1, 6), st.integers(0, 2))
some = st.lists(asks, min_size=1, max_size=5)


class Histories(RuleBasedStateMachine):
    """A week."""

    def __init__(self) -> None:
        super().__init__()
        self._stack, self.files = ExitStack(), dict[str, File]()
        self._unheard: list[str] = []
        self.volatile = False
        self.plain = True
        """Nothing was lost, killed or given up so far."""

    @initialize(weather=st.sampled_from(sorted(WEATHERS)), seed=st.integers(0, 99))
    def begin(self, weather: str, seed: int) -> None:
        """Another town."""
        self.folder = Path(tempfile.mkdtemp(prefix="mwbatch-history-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._stack.enter_context(steady(f"{weather}/{seed}"))
        self._runner = self._stack.enter_context(asyncio.Runner(loop_factory=_loop))
        self._runner.get_loop().set_exception_handler(self._hear)
        self.town = self._runner.run(self._found(weather, seed))
        self.plain = weather == "calm"
        self.write("a.jsonl", [Ask(1), Ask(2, 1), Ask(3)], ids=True, signature=SIGNATURES[seed % 6])
        self.write("b.jsonl", [Ask(3), Ask(4), Ask(5, 2)], ids=False, signature="")

    async def _found(self, weather: str, seed: int) -> Town:
        return Town(self.folder, WEATHERS[weather], seed)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Let it happen. What nobody expects comes with its whole trace, which a long report may cut."""
        try:
            return self._runner.run(coroutine)
        except Exception as error:
            error.add_note("".join(format_exception(error)))
            raise

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._stack.close()
        self.nothing_fails_unheard()

    @rule(name=names, rows=some, ids=st.booleans(), signature=st.sampled_from(SIGNATURES))
    def write(self, name: str, rows: list[Ask], ids: bool, signature: str) -> None:
        """Somebody writes a new file, or another one over it; rows with ids ask for different things."""
        rows = list(dict.fromkeys(rows)) if ids else rows
        self.volatile |= signature == SESSION
        named = [(f"r{ask.picture}-{ask.question}" if ids else "", ask) for ask in rows]
        self.files[name] = File(self.folder / name, named, signature)
        self._unlink(name)
        self.files[name].write()

    @precondition(lambda self: self.files)
    @rule(name=names, to=names)
    def copy(self, name: str, to: str) -> None:
        """Somebody copies a file under another name, or over another file."""
        if name in self.files and name != to:
            file = self.files[name]
            self._unlink(to)
            self.files[to] = replace(file, path=self.folder / to, rows=list(file.rows))
            self.files[to].write()

    @precondition(lambda self: self.files)
    @rule(name=names)
    def link(self, name: str) -> None:
        """Somebody submits a file by a link that leads to it."""
        if name in self.files:
            link = self.folder / f"link-to-{name}"
            link.unlink(missing_ok=True)
            link.symlink_to(self.folder / name)
            self.send(replace(self.files[name], path=link))

    @precondition(lambda self: self.files)
    @rule(name=names)
    def sign(self, name: str) -> None:
        """The URLs of a file are signed afresh."""
        if name in self.files:
            self.files[name].edition = self.files[name].edition % 9 + 1
            self.files[name].write()

    @precondition(lambda self: self.files)
    @rule(name=names, rows=some)
    def grow(self, name: str, rows: list[Ask]) -> None:
        """Rows are added that ask for something else than those that are there."""
        if name in self.files:
            file = self.files[name]
            ids = bool(file.rows[0][0])
            new = [ask for ask in dict.fromkeys(rows) if ask.key not in file.keys]
            file.rows += [(f"r{ask.picture}-{ask.question}" if ids else "", ask) for ask in new]
            file.write()

    @precondition(lambda self: self.files)
    @rule(name=names)
    def rename(self, name: str) -> None:
        """Somebody numbers the rows of a file anew."""
        if name in self.files and self.files[name].rows[0][0]:
            file = self.files[name]
            file.rows = [(f"n{number}", ask) for number, (_, ask) in enumerate(file.rows)]
            file.renumbered = True
            file.write()

    @precondition(lambda self: self.files)
    @rule(name=names, dies=st.sampled_from((0, 0, 0, 5, 20, 60)))
    def submit(self, name: str, dies: int) -> None:
        """Somebody submits a file, is killed or not, and follows the ways on where he is refused."""
        if name in self.files:
            self.send(self.files[name], dies=dies)

    def send(self, file: File, dies: int = 0, home: str = "home") -> None:
        """Submit a file; follow the ways on where that is refused.

        What was never given up is paid for in the end.
        """
        self.plain &= not dies
        came = self.run(self.town.submit(file, dies=dies, home=home))
        if isinstance(came, MwbatchError) and not isinstance(came, BatchBusy):
            said = self.run(self.town.insist(file, came, home))
            assert not said, "\n".join(["there is no way on:", *said])
        if self.plain:
            paid = self.run(self.town.paid())
            assert [key for key in file.keys if not paid[key]] == []

    @precondition(lambda self: self.files)
    @rule(name=names)
    def elsewhere(self, name: str) -> None:
        """Somebody submits the file from another home,
        which knows nothing of what is volatile in the first one's URLs.
        """
        if name in self.files and not self.volatile:
            self.send(self.files[name], home="other")

    @precondition(lambda self: self.files)
    @rule(name=names)
    def pay_again(self, name: str) -> None:
        """Somebody is refused, and wants to pay again: what he says so of may be paid once more."""
        if name in self.files:
            file = self.files[name]
            came = self.run(self.town.submit(file))
            for words in self.town.paying(came):
                self.town.allowed.update(file.keys)
                said = self.run(self.town.type(words))
                assert not isinstance(said, MwbatchError), f"{words}: {said}"

    @precondition(lambda self: self.files)
    @rule(name=names)
    def twice_on_purpose(self, name: str) -> None:
        """A file gets a second row, with an id of its own, that asks for the same as the first:
        with the option it is sent.
        """
        if name in self.files and self.files[name].rows[0][0]:
            file = self.files[name]
            file.rows.append((f"more{len(file.rows)}", file.rows[0][1]))
            file.write()
            # Rows that were numbered anew are new ids too, and asked for knowingly with the option.
            self.town.allowed.update(file.keys if file.renumbered else file.keys[:1])
            came = self.run(self.town.submit(file, "--allow-duplicates"))
            assert not isinstance(came, MwbatchError) or ways(came, file), str(came)

    @precondition(lambda self: len(self.files) > 1)
    @rule(one=names, other=names)
    def two_at_once(self, one: str, other: str) -> None:
        """Two files, or one file twice, are submitted at the same moment."""
        if one in self.files and other in self.files:
            self.run(self._both(self.files[one], self.files[other]))

    async def _both(self, one: File, other: File) -> None:
        await asyncio.gather(self.town.submit(one), self.town.submit(other))

    @precondition(lambda self: self.files)
    @rule(
        verb=st.sampled_from(("cancel", "resume", "reconcile", "retry", "retry canceled", "retry doubt")),
        name=names,
    )
    def tend(self, verb: str, name: str) -> None:
        """Somebody looks after a batch."""
        verb, _, status = verb.partition(" ")
        self.plain &= verb != "cancel"
        more = ["--status", status] if status else []
        if (self.folder / "home" / Path(name).stem).exists():
            if status == "doubt":  # the user accepts that each of them may be paid twice
                self.town.allowed.update(set(self.files[name].keys) if name in self.files else ())
            self.run(self.town.type([verb, Path(name).stem, *more]))

    @rule(hours=st.sampled_from((0.01, 1.0, 30.0)))
    def wait(self, hours: float) -> None:
        """Time passes."""
        self.run(asyncio.sleep(3600 * hours))

    @rule(days=st.sampled_from((-7.0, 0.0, 7.0)))
    def step(self, days: float) -> None:
        """This machine's clock is set."""
        self.town.step_s = days * 86_400

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        """No request is paid twice without the user's word."""
        if hasattr(self, "town"):
            assert self.run(self.town.paid_too_often()) == []

    @invariant()
    def nothing_fails_unheard(self) -> None:
        """No task in the background ends with an error of which nobody hears."""
        assert not self._unheard, "\n".join(self._unheard)

    def _hear(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        trace = "".join(format_exception(error)) if isinstance(error, BaseException) else ""
        self._unheard.append(f"{context['message']}: {context.get('task') or context.get('future')}\n{trace}")

    def _unlink(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)


def _loop() -> VirtualLoop:
    loop = VirtualLoop(threads=False)
    loop.set_task_factory(owned_tasks)
    return loop


TestHistories = Histories.TestCase
TestHistories.settings = settings(stateful_step_count=16, phases=(Phase.generate,), print_blob=False)
"""No shrinking: a history of sixteen steps is read as it is, and the last one says what was broken."""
