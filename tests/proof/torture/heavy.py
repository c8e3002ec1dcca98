"""The story of 10,000 rows against a failing API, submitter and receiver killed ten times each.

    python -m tests.proof.torture.heavy --seed 7

Simulator, receiver and submitter are processes of their own. It prints what happened as a table; exit code 1
unless the batch ended complete, with one task a row by the API's own ledger, and every acknowledged callback
on disk.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from tests.e2e.support.stage import ADDRESS, KEY, Stage, until
from tests.proof.torture.kills import acknowledged, stored
from tests.proof.torture.world.processes import Moment, Role, Troupe
from tests.support.ports import free_port, listens

DEATHS: Final = 10
"""How often each of the two is killed."""

LIMIT: Final = 900.0
"""Seconds after which the story has failed, whatever is still going on."""

QUICK: Final = ("--timeout", "3", "--settle", "6")


@dataclass
class Story:
    """One run of the story; ``figures`` are the lines of its table, ``broken`` the laws that did not hold."""

    rows: int
    seed: int
    folder: Path
    deaths: int = DEATHS
    figures: dict[str, object] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    url: str = ""

    def play(self) -> None:
        """Play it from the first row to the verdict."""
        began, stage = time.monotonic(), Stage(self.folder)
        with self._simulator(stage):
            troupe = Troupe(stage, self._roles(stage), self._events, patience=60.0)
            try:
                self._kill(troupe)
                self._end(troupe)
            finally:
                troupe.close()
            self._judge(stage, troupe)
        self.figures["wall time"] = f"{time.monotonic() - began:.0f} s"

    @contextmanager
    def _simulator(self, stage: Stage) -> Iterator[None]:
        port = free_port()
        words = (
            "simulate",
            "--profile",
            "heavy",
            "--port",
            str(port),
            "--api-key",
            KEY,
            "--seed",
            str(self.seed),
        )
        with stage.running(*words, "--quiet"):
            until(lambda: listens(port))
            self.url = stage.env["MICROWORK_BASE_URL"] = f"http://127.0.0.1:{port}"
            yield

    def _get(self, path: str) -> Any:
        with urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def _events(self) -> int:
        created: int = self._get("/_sim/stats")["created"]
        return created

    def _roles(self, stage: Stage) -> list[Role]:
        port = str(free_port())
        base = f"http://127.0.0.1:{port}"
        submit = ("submit", stage.manifest(self.rows), "--callback-url", base, "--yes", *QUICK)
        return [Role("submit", submit), Role("receive", ("serve-callbacks", "--port", port))]

    def _kill(self, troupe: Troupe) -> None:
        """Kill each as often as was promised, in an order and at moments that the seed decides."""
        chance = random.Random(self.seed)
        victims = [role for role in troupe.roles for _ in range(self.deaths)]
        chance.shuffle(victims)
        for role, when in zip(victims, moments(chance, self.rows, len(victims)), strict=True):
            troupe.keep_playing()
            struck = troupe.strike(role, when)
            while not struck:  # it came to its own end first: started once more, it dies young
                role.start(troupe.stage)
                struck = troupe.strike(role, Moment(0, chance.uniform(0.0, 0.5)))
        self.figures["kills of the submitter"], self.figures["kills of the receiver"] = (
            role.kills for role in troupe.roles
        )

    def _end(self, troupe: Troupe) -> None:
        """Submit until every row has its task; fetch until every row has its answer."""
        submitter, end = troupe.roles[0], time.monotonic() + LIMIT
        while not submitter.done and time.monotonic() < end:
            troupe.keep_playing()
            if submitter.wait(end - time.monotonic()) and not submitter.done:
                troupe.stage.run("retry", "m", "--yes", *QUICK)
        ran = troupe.stage.run("reconcile", "m", "--wait", "--every", "2", "--for", "50", "--json", *QUICK)
        self.figures["exit code of reconcile"] = ran.code
        self.figures["paid twice, says reconcile"] = ran.json.get("paid_twice")
        if ran.code:
            self.broken.append(f"reconcile ended with {ran.code}: {ran.err.strip()[-500:]}")

    def _judge(self, stage: Stage, troupe: Troupe) -> None:
        """Hold what mwbatch says against the API's own ledger."""
        report, ledger = stage.json("status", "m"), self._get("/_sim/ledger")
        tasks = Counter(
            int(match[2])
            for address, made in ledger.items()
            for _ in made
            if (match := ADDRESS.search(address))
        )
        paid_twice = sum(count > 1 for count in tasks.values())
        missing = acknowledged(ledger) - stored(stage)
        laws = {
            "each row has one task": set(tasks) == set(range(self.rows)) and not paid_twice,
            "the batch is complete": report["complete"] and report["by_status"]["completed"] == self.rows,
            "every acknowledged callback is on disk": not missing,
            "each was killed as often as promised": all(role.kills == self.deaths for role in troupe.roles),
        }
        self.broken += [f"not so: {law}" for law, holds in laws.items() if not holds] + troupe.complaints()
        self._count(self._get("/_sim/stats"), stage)
        self.figures |= {"tasks": sum(tasks.values()), "rows paid twice": paid_twice}

    def _count(self, stats: dict[str, Any], stage: Stage) -> None:
        """What the API saw, and what the journal tells of doubt."""
        found, absent = settled(stage)
        self.figures |= {
            "rows": self.rows,
            "create requests": stats.get("created", 0) + stats.get("busy", 0),
            "created behind a 5xx": stats.get("created_500", 0) + stats.get("created_503", 0),
            "cut after creation": stats.get("created_cut", 0),
            "silent after creation": stats.get("created_timeout", 0),
            "answered 429": stats.get("busy", 0),
            "create answers lost, task found": found,
            "rows in doubt without a task": absent,
            "listings": stats.get("listings", 0),
            "callbacks lost": stats.get("callback_lost", 0),
            "callbacks twice": stats.get("callback_twice", 0),
            "callbacks before the create answer": stats.get("callback_early", 0),
            "callbacks sent": stats.get("callbacks_sent", 0),
        }

    def text(self) -> str:
        """The table, then the verdict."""
        wide = max(map(len, self.figures))
        lines = [
            f"{name:<{wide}}  {count:>8,}" if isinstance(count, int) else f"{name:<{wide}}  {count!s:>8}"
            for name, count in self.figures.items()
        ]
        return "\n".join([*lines, *(self.broken or ["all laws hold"])])


def moments(chance: random.Random, rows: int, kills: int) -> Iterator[Moment]:
    """Most kills fall while the first three quarters of the rows are created,
    the others some seconds apart later.
    """
    early = kills * 3 // 4
    marks = [0, *sorted(chance.sample(range(1, rows * 3 // 4), early))]
    yield from (Moment(after - before, 0.0) for before, after in pairwise(marks))
    yield from (Moment(0, chance.uniform(0.5, 6.0)) for _ in range(kills - early))


def settled(stage: Stage) -> tuple[int, int]:
    """How many attempts got their task by other ways than the create answer,
    and how many were closed as absent.
    """
    paths = [*stage.home.glob("m/journal/*.jsonl"), *stage.home.glob("m/results/*.jsonl")]
    lines = (line for path in paths for line in path.read_bytes().split(b"\n"))
    facts = [json.loads(line) for line in lines if line.endswith(b"}")]
    seen = {
        (fact["row"], fact["attempt"], fact["via"] == "create") for fact in facts if fact["fact"] == "seen"
    }
    found = sum((row, attempt, True) not in seen for row, attempt, answered in seen if not answered)
    return found, len({(fact["row"], fact["attempt"]) for fact in facts if fact.get("verdict") == "absent"})


def main(words: Sequence[str]) -> int:
    """Play the story and print its figures."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof.torture.heavy", description="10,000 rows, a failing API."
    )
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(words)
    story = Story(asked.rows, asked.seed, Path(tempfile.mkdtemp(prefix="mwbatch-heavy-")))
    story.play()
    print(story.text(), flush=True)
    if story.broken:
        print(
            f"again: python -m tests.proof.torture.heavy --rows {story.rows} --seed {story.seed}; see "
            f"{story.folder}"
        )
        return 1
    shutil.rmtree(story.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
