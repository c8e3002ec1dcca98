"""The story of one schedule: a storm of runs and deaths, then calm, and runs until nothing is left to do."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mwbatch.client import Client
from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.sending.creating import SendOptions
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.facts.kinds import Failed, Verdict
from mwbatch.core.report.command_outcomes import Created, Reconciled
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.core.words.values import SETTLE
from mwbatch.errors import MwbatchError
from mwbatch.journal.home.folder_record import FolderRecord
from mwbatch.journal.home.home import Home
from mwbatch.journal.segments.journal import Segments
from mwbatch.simulator import Faults, Settings
from mwbatch.simulator.world.faults import CALLBACK_FAULTS
from tests.proof.torture.judging import laws
from tests.proof.torture.judging.order_laws import unmannerly
from tests.proof.torture.schedules.causes import CAUSES
from tests.proof.torture.schedules.circumstances import CIRCUMSTANCES
from tests.proof.torture.schedules.draw import Draw
from tests.proof.torture.schedules.interludes import intruded
from tests.proof.torture.schedules.manifest import write_manifest
from tests.proof.torture.schedules.schedule import Schedule
from tests.proof.torture.schedules.steady import steady, write_keys
from tests.proof.torture.world.mortal import Died, Mortal, owned_tasks
from tests.proof.torture.world.network import EPOCH, Network, Program, TortureWire
from tests.proof.torture.world.receiver import Receiver
from tests.support.virtual import VirtualLoop

ORIGIN: Final = "https://api.example.com"
BASE: Final = "https://hooks.example.com/batches"
ROUNDS: Final = 12
"""How often, at most, a batch is sent and reconciled after the storm."""
HOUR: Final = 3600.0
REFUTED: Final = "once sweeps were belied nothing more is settled, and nothing is sent again"


@dataclass
class Run:
    """What one run of a command came to; ``died``: it was killed, ``again``:
    the batch had been begun by another.
    """

    verb: str
    number: int = 0
    again: bool = False
    result: Created | Reconciled | None = None
    error: MwbatchError | None = None
    died: bool = False


@dataclass
class Ending:
    """What came of a schedule: the laws that it broke, and its figures."""

    schedule: Schedule
    broken: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)


class Story:
    """One schedule on its way. ``folder`` is the batch's, ``path`` the home's."""

    key: Final = "sim_key"

    def __init__(self, schedule: Schedule, path: Path) -> None:
        self.schedule, self.draw, self.ending = schedule, schedule.draw, Ending(schedule)
        self.path, self.folder = path / "home", path / "home" / "rows"
        self.manifest, self.copy = path / "rows.jsonl", path / "copy"
        self.cause = CAUSES[schedule.cause](Draw(schedule, "cause"))
        self.circumstance = CIRCUMSTANCES[schedule.circumstance]
        self.rows = self.draw.whole(6, 60, "rows")
        self.options = SendOptions(
            BASE,
            concurrency=self.draw.one_of((1, 4, 16), "concurrency"),
            rate=self.draw.one_of((None, None, 2.0), "rate"),
            settle=SETTLE,
        )
        self.path.mkdir(mode=0o700)
        write_keys(self.path / "keys.json")
        write_manifest(self.manifest, self.rows, self.draw)
        self.receiver = Receiver(Home(self.path), self.draw, self.circumstance.receiver_deaths)
        self.network = Network(self.draw, self.cause, self._settings(), self.receiver)
        self._runs = 0
        self._step = 0.0
        self.shown = False
        """Whether a listing had a task of ours to show when the interlude came."""

    def _settings(self) -> Settings:
        rates = dict(self.cause.rates)
        room = 1.0 - sum(rates.get(fault, 0.0) for fault in CALLBACK_FAULTS)
        rates |= {fault: rate * room for fault, rate in self.circumstance.rates.items() if rate * room}
        faults = Faults(self.schedule.seed, rates, self.cause.script, self.cause.size)
        return Settings(complete_after=self.cause.done_after, faults=faults, strangers=5, **self.cause.setup)

    def breaks(self, *laws: str) -> None:
        """Note laws that were broken."""
        self.ending.broken += [law for law in laws if law not in self.ending.broken]

    @property
    def state(self) -> Batch:
        """The state of the batch by the facts on disk."""
        return Segments(self.folder, "laws").refresh()

    @property
    def begun(self) -> bool:
        """Whether there is a batch at all."""
        return (self.folder / "batch.json").exists()

    def _known(self) -> bool:
        """Whether the batch info says when it began."""
        return self.begun and FolderRecord.read(self.folder).info.began is not None

    @property
    def planned(self) -> bool:
        """Whether every row is on disk."""
        return self.begun and self.state.planned == self.rows

    def shown_now(self) -> bool:
        """Whether a listing shows a task of ours now that costs money, whatever else it does."""
        return self._shows(60.0) and not self.cause.blind

    def _shows(self, since: float = 0.0) -> bool:
        """Whether a listing has a task of ours to show now that was made at least so many seconds ago."""
        account, now = self.network.account(self.key), self.network.now()
        until = min(now - since, account.shows_until(now))
        return any(task.status != "canceled" and task.born_at < until for task in account.world.tasks())

    @property
    def unproved(self) -> bool:
        """Whether the listing was not seen to show the addresses of some type:
        its doubt cannot be settled.
        """
        echo = FolderRecord.read(self.folder).info.echo
        return not all(echo.get(fact.type) for fact in Segments(self.folder, "laws").rows())

    async def play(self) -> Ending:
        """From the first run to the laws."""
        await self._storm()
        self.network.calm()
        last = await self._finish()
        await self._long_after(last)
        return self.ending

    async def _storm(self) -> None:
        deaths = self.draw.whole(1, max(1, self.circumstance.deaths), "deaths") * self._dies
        for number in range(deaths + self.draw.whole(1, 3, "runs")):
            verb = self.draw.one_of(("submit", "resume", "reconcile"), "verb", number) if number else "submit"
            first = asyncio.create_task(self.run(verb if self.planned else "submit", dies=number < deaths))
            if self.circumstance.intruder and not number:
                await intruded(self, first)
            await first
            if not number:
                self.shown = self._shows()
                await self.circumstance.interlude(self)
            await asyncio.sleep(self.draw.one_of((0.0, 1.0, 100.0, 5000.0), "gap", number))

    @property
    def _dies(self) -> bool:
        return bool(self.circumstance.deaths or self.cause.dies)

    async def _finish(self) -> Run:
        """Send and reconcile until nothing is left to do, or nothing more can be done."""
        last = Run("reconcile")
        for number in range(ROUNDS):
            exhausted = self.planned and any(row.exhausted for row in self.state.rows.values())
            await self.run("retry" if exhausted else "submit")
            last = await self.run("reconcile")
            if last.result is not None and not last.result.report.unfinished:
                break
            await asyncio.sleep(HOUR * self.draw.one_of((0.1, 1.0, 5.0), "round", number))
        return last

    async def _long_after(self, last: Run) -> None:
        """Whatever was late has come by now, and one more reconciliation must find it."""
        await asyncio.sleep(30 * HOUR)
        last = await self.run("reconcile")
        self.breaks(*laws.broken(self, last))
        state = self.state
        self.ending.figures.update(schedules=1, rows=self.rows, receivers=self.receiver.kills)
        self.ending.figures["tasks"] = sum(len(tasks) for tasks in laws.tasks_by_row(self).values())
        self.ending.figures["open"] = state.by_status()[Status.DOUBT]
        self.ending.figures["settled"] = self._absent()

    async def run(
        self,
        verb: str,
        *,
        key: str | None = None,
        origin: str = ORIGIN,
        dies: bool = False,
        manifest: Path | None = None,
        home: Path | None = None,
    ) -> Run:
        """Run one command, to its end or to its death."""
        self._runs += 1
        draw, run = Draw(self.schedule, "run", self._runs), Run(verb, self._runs, again=self._known())
        believed = not (self.folder.exists() and any(row.refuted for row in self.state.rows.values()))
        absent, sent = self._absent(), len(self.network.sent)
        program = self._program(draw, dies=dies)
        client = Client(key or self.key, origin, wire=TortureWire(self.network, key or self.key, program))
        context = Context(now=self._wall(draw), ticks=asyncio.get_running_loop().time)
        there, rows = Home(home or self.path, disk=program.mortal.disk), manifest or self.manifest
        try:
            run.result = await program.mortal.live(self._command(verb, there, client, context, rows))
        except Died:
            run.died = True
            self.ending.figures["kills"] += 1
        except MwbatchError as error:
            run.error = error
        if law := laws.false_proof(self, run):
            self.breaks(law)
        if key is None and home is None:
            own = [request for request in self.network.log if request.program == run.number]
            self.breaks(*unmannerly(self, run, own))
        opened_by_the_user = verb == "retry"
        if not (believed or opened_by_the_user) and (
            self._absent() > absent or any(a > 1 for *_, a in self.network.sent[sent:])
        ):
            self.breaks(REFUTED)
        return run

    def _command(
        self, verb: str, home: Home, client: Client, context: Context, manifest: Path
    ) -> Coroutine[Any, Any, Any]:
        match verb:
            case "submit":
                return submit(home, client, ManifestSource(str(manifest)), self.options, context)
            case "resume":
                return resume(home, client, "rows", self.options, context)
            case "retry":
                return retry(home, client, "rows", Choice(), self.options, context)
            case _:
                return reconcile(home, client, "rows", context, ReconcileOptions(settle=SETTLE))

    def _program(self, draw: Draw, *, dies: bool) -> Program:
        """A program and the moment of its death: at an event, after a time,
        or with its requests on the way.
        """
        program = Program(self._runs, Mortal(draw))
        how = "requests" if self.circumstance.at_once and self._runs == 1 else draw.one_of(_DEATHS, "how")
        if not dies:
            return program
        if how == "requests":
            first = self.circumstance.at_once and draw.chance(0.5, "the very first")
            program.dies_at_create = 1 if first else draw.whole(1, min(self.rows, 20), "create")
        elif how == "event":
            program.mortal.dies_at = draw.whole(1, 20 + 3 * self.rows, "event")
        else:
            seconds = draw.between(0.0, draw.one_of((2.0, 20.0, 600.0), "span"), "seconds")
            asyncio.get_running_loop().call_later(seconds, program.mortal.die)
        self._copy_later(draw)
        return program

    def _copy_later(self, draw: Draw) -> None:
        """Somebody makes a copy of the folder at some moment."""

        def copy() -> None:
            if self.begun and not self.copy.exists():
                shutil.copytree(self.folder, self.copy)

        if self._runs == 1:
            asyncio.get_running_loop().call_later(draw.between(0.0, 5.0, "copy"), copy)

    def _wall(self, draw: Draw) -> "Any":
        """This machine's clock; it may have been stepped since the last run, by up to a week."""
        step = draw.between(-7.0, 7.0, "step") * 24 * HOUR if self.circumstance.steps else 0.0
        loop = asyncio.get_running_loop()
        return lambda: EPOCH + loop.time() + step

    def _absent(self) -> int:
        """How many attempts were closed as absent."""
        if not self.folder.exists():
            return 0
        facts = Segments(self.folder, "laws").facts(Failed)
        return sum(fact.verdict == Verdict.ABSENT for fact in facts)


_DEATHS: Final = ("event", "event", "time", "requests")


def play(schedule: Schedule, path: Path) -> Ending:
    """Play one schedule in an empty folder, in virtual time."""
    with steady(str(schedule)), asyncio.Runner(loop_factory=_loop) as runner:
        return runner.run(_play(schedule, path))


async def _play(schedule: Schedule, path: Path) -> Ending:
    story = Story(schedule, path)
    return await story.play()


def _loop() -> VirtualLoop:
    loop = VirtualLoop(threads=False)
    loop.set_task_factory(owned_tasks)
    return loop
