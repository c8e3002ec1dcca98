"""``python -m tests.proof.fuzz [--runs N] [--seconds N] [--only TARGET] [--seed N]``: fuzz every target,
on every core.

It ends with a table, keeps in the repository what reached something new, and exits 1 after a find, or where
fewer inputs were run than was promised.
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.proof.fuzz.job import Done, Job
from tests.proof.fuzz.shelf import CORPUS, FINDS, bounded, keep, kept
from tests.proof.fuzz.target import NAMES, load

RUNS: Final = {
    "address": 4_250_000,
    "body": 4_250_000,
    "lines": 700_000,
    "tasks": 400_000,
    "manifests": 400_000,
}
"""How the ten million are shared out: what is fast takes more, and each takes at least `LEAST`."""

LEAST: Final = 200_000
SECONDS: Final = 2400
COST: Final = {"address": 0.17, "body": 0.26, "lines": 0.17, "tasks": 0.20, "manifests": 0.20}
"""Which share of the time each takes, as measured with `RUNS`."""

MEMORY: Final = Path("/dev/shm")
"""Where files cost nothing; without it the system's folder for such files will do."""

SPARE: Final = 0.93
"""The share of the time in which inputs are run; the rest is for starting and for minimising the corpus."""


@dataclass(frozen=True, slots=True)
class SendOptions:
    """What was asked for; ``runs`` is None where time alone counts."""

    names: tuple[str, ...]
    runs: int | None
    seconds: int
    seed: int
    workers: int

    def promised(self, name: str) -> int | None:
        """How many executions a target was promised."""
        if self.runs is None:
            return None
        return max(min(LEAST, self.runs), self.runs * RUNS[name] // sum(RUNS[each] for each in self.names))

    def allowed(self, name: str) -> int:
        """The seconds that each worker has for a target."""
        return max(1, int(self.seconds * SPARE * COST[name] / sum(COST[each] for each in self.names)))


def read_wishes(arguments: list[str]) -> SendOptions:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof.fuzz", description="Fuzz every target, on every core."
    )
    parser.add_argument(
        "--runs", type=int, help="executions over all targets, within --seconds (default: 10 million)"
    )
    parser.add_argument("--seconds", type=int, help=f"time over all targets (default: {SECONDS})")
    parser.add_argument("--only", choices=NAMES, help="this target alone")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 30), help="repeat a run")
    said = parser.parse_args(arguments)
    names = (said.only,) if said.only else NAMES
    runs = said.runs or (None if said.seconds else sum(RUNS[name] for name in names))
    return SendOptions(names, runs, said.seconds or SECONDS, said.seed, os.cpu_count() or 1)


def main(arguments: list[str]) -> int:
    """Fuzz, tell, keep."""
    options, began = read_wishes(arguments), time.monotonic()
    print(f"fuzzing with --seed {options.seed}, on {options.workers} cores", flush=True)
    with (
        _room() as folder,
        ThreadPoolExecutor(options.workers) as run_all,
    ):
        parts = [
            run_all.submit(_part, options, name, number, Path(folder))
            for name in options.names
            for number in range(options.workers)
        ]
        done = [part.result() for part in parts]
        grown = dict(
            zip(
                options.names,
                run_all.map(lambda name: _grow(name, done, Path(folder)), options.names),
                strict=True,
            )
        )
    failures = list(_judged(options, done))
    _print_table(options, done, grown, time.monotonic() - began)
    for failure in failures:
        print(failure)
    return 1 if failures else 0


def _room() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="mwbatch-fuzz-", dir=MEMORY if MEMORY.is_dir() else None)


def _part(options: SendOptions, name: str, number: int, folder: Path) -> Done:
    """One worker's part of one target."""
    target, promised = load(name), options.promised(name)
    job = Job(target, folder / f"{name}-{number}", target.beginning)
    runs = -1 if promised is None else -(-promised // options.workers)
    done = job.fuzz(runs, options.allowed(name), options.seed + number + 1)
    print(
        f"  {name}, part {number + 1}: {done.runs:,} executions, {len(done.inputs):,} inputs that "
        "reached more",
        flush=True,
    )
    return done


def _grow(name: str, done: list[Done], folder: Path) -> int:
    """Keep what reaches something new; return how many inputs the corpus has now."""
    target, known = load(name), kept(CORPUS, name)
    job = Job(target, folder / f"{name}-all", target.beginning)
    new = job.grown(raw for part in done if part.target == name for raw in part.inputs)
    inputs = bounded((*known, *new))
    keep(CORPUS, name, inputs)
    return len(inputs)


def _judged(options: SendOptions, done: list[Done]) -> Iterator[str]:
    """Everything that went wrong; finds are kept for the tests."""
    for part in done:
        if part.find is not None:
            keep(FINDS, part.target, (*kept(FINDS, part.target), part.find))
        if part.words:
            yield f"{part.words}\nFIND of {part.target}: {part.find!r}, kept in {FINDS / part.target}.jsonl"
    for name in options.names:
        runs, promised = sum(part.runs for part in done if part.target == name), options.promised(name)
        if promised is not None and runs < promised:
            yield f"{name}: only {runs:,} of {promised:,} executions in the time that it had"


def _print_table(options: SendOptions, done: list[Done], grown: dict[str, int], seconds: float) -> None:
    print(f"{'target':<12}{'executions':>12}{'CPU s':>8}{'exec/CPU s':>12}{'corpus':>8}{'finds':>7}")
    for name in options.names:
        parts = [part for part in done if part.target == name]
        runs, cpu = sum(part.runs for part in parts), sum(part.cpu for part in parts)
        finds = sum(part.find is not None for part in parts)
        print(f"{name:<12}{runs:>12,}{cpu:>8,.0f}{runs / max(cpu, 0.01):>12,.0f}{grown[name]:>8,}{finds:>7}")
    print(f"{sum(part.runs for part in done):,} executions in {seconds / 60:.1f} minutes")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
