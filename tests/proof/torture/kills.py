"""Kill -9 the real submitter and the real receiver at random moments, again and again;
then hold them to the ledger.

    python -m tests.proof.torture.kills --kills 300 --seed 7

Each loop is one batch before a simulator of its own, with faults in part of the loops; its seed decides
sizes, faults and the moments of the kills. Exit code 1 on a violation, with the command that repeats its
loop.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mwbatch.simulator import Fault, Faults, Settings, Size
from tests.e2e.support.stage import KEY, Api, Stage
from tests.proof.torture.world.processes import HARMLESS, Role, Troupe, moment
from tests.support.ports import free_port

KINDS: Final = ("submit", "run", "receive", "both")
KILLS: Final = 20
"""How many kills one loop deals out at most; it ends earlier when there is nothing left to kill."""

TRIES: Final = 8
"""How often a command is run again, undisturbed, until it says that it is done."""

FAULTS: Final[Sequence[dict[Fault, float]]] = (
    {},
    {Fault.CREATED_500: 0.06, Fault.CREATED_503: 0.04, Fault.NOT_CREATED_500: 0.06, Fault.BUSY: 0.05},
    {
        Fault.CREATED_CUT: 0.06,
        Fault.ANSWER_CUT: 0.04,
        Fault.ANSWER_RUBBISH: 0.04,
        Fault.ANSWER_BAD_HEADERS: 0.04,
    },
    {
        Fault.CREATED_TIMEOUT: 0.04,
        Fault.CREATED_LATE: 0.04,
        Fault.NOT_CREATED_503: 0.06,
        Fault.LIST_SLOW: 0.2,
    },
    {
        Fault.CALLBACK_LOST: 0.1,
        Fault.CALLBACK_EARLY: 0.2,
        Fault.CALLBACK_TWICE: 0.2,
        Fault.CREATED_500: 0.06,
        Fault.LIST_ABRIDGED: 1.0,
    },
    {Fault.CREATED_AT_APART: 1.0, Fault.CREATED_CUT: 0.06, Fault.NOT_CREATED_500: 0.06},
    {Fault.DATE_APART: 0.5, Fault.CREATED_AT_FORM: 0.3, Fault.CREATED_500: 0.06, Fault.NOT_CREATED_500: 0.04},
    {Fault.CALLBACK_INVENTED: 0.2, Fault.CALLBACK_OTHER: 0.2, Fault.GET_OTHER: 0.5, Fault.CREATED_CUT: 0.06},
    {Fault.LIST_CACHED: 1.0, Fault.ONE_TASK_ID: 0.05, Fault.CREATED_503: 0.06, Fault.NOT_CREATED_500: 0.06},
)
"""The weather of a loop. What is late here is late by far less than the settle time, as it has to be."""

SIZE: Final = Size(
    created_late_s=0.4, retry_after_s=0.2, list_slow_s=0.3, created_at_offset_s=-9000.0, date_offset_s=5400.0
)


@dataclass
class Loop:
    """One batch and its deaths. ``figures`` are what it came to, ``broken`` the laws that it broke."""

    kind: str
    seed: int
    rows: int
    weather: int
    latency: float
    concurrency: int
    kills: int = KILLS
    settle: float = 2.0
    figures: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @classmethod
    def drawn(cls, seed: int, kills: int = KILLS, kind: str | None = None) -> "Loop":
        """The loop that a seed stands for."""
        chance = random.Random(seed)
        return cls(
            kind=kind or chance.choice(KINDS),
            seed=seed,
            rows=chance.randint(30, 200),
            weather=chance.randrange(len(FAULTS)),
            latency=chance.choice([0.01, 0.03, 0.1]),
            concurrency=chance.choice([2, 8, 32]),
            kills=kills,
        )

    @property
    def quick(self) -> tuple[str, ...]:
        """Options for an API on this machine, from which nothing comes late by as much as the settle time."""
        return ("--settle", str(self.settle), "--timeout", "1")

    @property
    def settings(self) -> Settings:
        """The simulator of this loop; a callback that found nobody is
        tried again after a fifth of a second.
        """
        return Settings(
            port=0,
            api_key=KEY,
            complete_after=(0.0, 100.0),
            time_scale=100.0,
            seed=self.seed,
            faults=Faults(self.seed, FAULTS[self.weather], size=SIZE),
            latency=self.latency,
            max_page=40,
        )

    def play(self, folder: Path) -> None:
        """Kill as often as planned, then let it come to its end, and judge."""
        with Api(self.settings) as api:
            stage, began = Stage(folder, api), time.monotonic()
            troupe = Troupe(stage, list(self._roles(stage)), lambda: _events(api))
            try:
                self._kill(troupe)
                self._end(troupe)
            finally:
                troupe.close()
            self._judge(api, troupe)
            self.figures["seconds"] = round(time.monotonic() - began)

    def _roles(self, stage: Stage) -> Iterator[Role]:
        manifest, port = stage.manifest(self.rows), str(free_port())
        common = (*self.quick, "--yes", "--concurrency", str(self.concurrency))
        if self.kind == "run":
            yield Role("run", ("run", manifest, "--port", port, "--poll", "1", *common))
            return
        base = "none" if self.kind == "submit" else f"http://127.0.0.1:{port}"
        yield Role("submit", ("submit", manifest, "--callback-url", base, *common))
        if self.kind != "submit":
            yield Role("receive", ("serve-callbacks", "--port", port))

    def _kill(self, troupe: Troupe) -> None:
        """Deal out the kills, as long as there is anybody whose death matters."""
        chance = random.Random(-self.seed)
        victims = [role for role in troupe.roles if self.kind != "receive" or role.name == "receive"]
        for _ in range(self.kills):
            troupe.keep_playing()
            if troupe.roles[0].done and (self.kind != "both" or chance.random() < 0.1):
                break
            troupe.strike(chance.choice(victims), moment(chance, self.rows))
        self.figures["kills"] = sum(role.kills for role in troupe.roles)

    def _end(self, troupe: Troupe) -> None:
        """Let everything come to its end, undisturbed; what was sent four times in vain is sent once more."""
        submitter = troupe.roles[0]
        for _ in range(TRIES):
            troupe.keep_playing()
            if not submitter.wait(90):
                self.broken.append(f"{submitter.name} did not end within 90 s")
                return
            if submitter.done:
                break
            troupe.stage.run("retry", "m", "--yes", *self.quick)
        for _ in range(TRIES):
            if (
                self._run(
                    troupe.stage, "reconcile", "m", "--wait", "--every", "0.5", "--for", "30", *self.quick
                )
                == 0
            ):
                return

    def _run(self, stage: Stage, *words: str) -> int:
        """Run one command to its end; a code that does not fit is a violation."""
        ran = stage.run(*words)
        if ran.code not in HARMLESS:
            self.broken.append(f"{words[0]} ended with {ran.code}: {ran.err.strip()[-300:]}")
        return ran.code

    def _judge(self, api: Api, troupe: Troupe) -> None:
        """The laws: one task a row, one status a row, nothing acknowledged that is not on disk,
        nothing damaged.
        """
        report, stats = troupe.stage.json("status", "m"), api.get("/_sim/stats")
        tasks = api.creations(report["batch_id"])
        missing = acknowledged(api.get("/_sim/ledger")) - stored(troupe.stage)
        twice = sorted(row for row, count in tasks.items() if count > 1)
        laws = {
            f"rows {twice[:5]} have more than one task": bool(twice),
            f"{len(tasks)} of {self.rows} rows have a task": len(tasks) != self.rows,
            f"the counts are {report['by_status']}": sum(report["by_status"].values()) != self.rows,
            f"{len(missing)} acknowledged callbacks are not on disk": bool(missing),
            f"{report['damaged_lines']} lines are damaged": bool(report["damaged_lines"]),
            "the batch is not complete": not report["complete"],
        }
        self.broken += [law for law, broken in laws.items() if broken] + troupe.complaints()
        self.figures |= {
            "rows": self.rows,
            "starts": sum(role.kills + len(role.codes) for role in troupe.roles),
            "acknowledged": stats.get("callbacks_acknowledged", 0),
            "listings": stats.get("listings", 0),
        }

    def text(self) -> str:
        """One line."""
        figures = ", ".join(f"{count} {name}" for name, count in self.figures.items())
        return (
            f"seed {self.seed}: {self.kind}, weather {self.weather}, {figures}: "
            f"{'; '.join(self.broken) or 'ok'}"
        )


def _events(api: Api) -> int:
    stats = api.get("/_sim/stats")
    count: int = stats["created"] + stats.get("callbacks_sent", 0)
    return count


def acknowledged(ledger: dict[str, list[dict[str, Any]]]) -> set[str]:
    """The tasks of which the API was told that their answer is safe."""
    return {task["task_id"] for tasks in ledger.values() for task in tasks if task["acknowledged"]}


def stored(stage: Stage) -> set[str]:
    """The tasks whose answer is in a results store or an inbox, read as any script would read it."""
    paths = [*stage.home.glob("*/results/*.jsonl"), *stage.home.glob("inbox/*/results/*.jsonl")]
    lines = (line for path in paths for line in path.read_bytes().split(b"\n"))
    return {json.loads(line)["task_id"] for line in lines if line.endswith(b"}")}


def played(loop: Loop) -> Loop:
    """Play a loop in a folder of its own, which stays only if a law was broken."""
    folder = Path(tempfile.mkdtemp(prefix=f"mwbatch-kills-{loop.seed}-"))
    loop.play(folder)
    if loop.broken:
        loop.broken.append(f"see {folder}")
    else:
        shutil.rmtree(folder)
    return loop


def main(words: Sequence[str]) -> int:
    """Play loops until there were enough kills; prints each loop, then the sums."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof.torture.kills", description="Kill -9, again and again."
    )
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--kind", choices=KINDS, default=None)
    asked = parser.parse_args(words)
    began, kills, broken, seed = time.monotonic(), 0, 0, asked.seed
    print(f"{asked.kills} kills, seed {seed}", flush=True)
    while kills < asked.kills:
        loop = played(Loop.drawn(seed, min(KILLS, asked.kills), asked.kind))
        kills, broken, seed = kills + max(1, loop.figures["kills"]), broken + bool(loop.broken), seed + 1
        print(loop.text(), flush=True)
        if loop.broken:
            kind = f" --kind {asked.kind}" if asked.kind else ""
            print(
                f"again: python -m tests.proof.torture.kills --kills {KILLS} --seed {loop.seed}{kind}",
                flush=True,
            )
    print(f"{seed - asked.seed} batches, {kills} kills, {broken} broken, {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
