"""``python -m tests.proof.torture [SEED=n] [COUNT=n] [FROM=n] [ONLY=cause/circumstance/seed]``:
torture the submitter.
"""

import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Final

from tests.proof.torture.crowd import play_all
from tests.proof.torture.schedules.causes import CAUSES
from tests.proof.torture.schedules.circumstances import CIRCUMSTANCES
from tests.proof.torture.schedules.schedule import Schedule, product
from tests.proof.torture.story import Ending

LEAST: Final = 1000
"""How many schedules are played at least, unless COUNT says otherwise."""
EVERY: Final = 10.0
"""Seconds between two lines of progress."""


def main(arguments: list[str]) -> int:
    """Play what the arguments, or the environment, ask for; 1 when a law was broken."""
    if not all("=" in argument for argument in arguments):
        print(__doc__)
        return 2
    options = {**os.environ, **dict(argument.split("=", 1) for argument in arguments)}
    if only := options.get("ONLY"):
        return _judge([Schedule.read(only)], 0)
    seed = int(options.get("SEED") or secrets.randbelow(1_000_000))
    whole = len(CAUSES) * len(CIRCUMSTANCES)
    count, first = int(options.get("COUNT") or whole * -(-LEAST // whole)), int(options.get("FROM") or 0)
    print(f"SEED={seed}: {count:,} schedules, {whole} of them the whole product of causes and circumstances")
    return _judge(islice(product(seed), first, count), first, f"SEED={seed}")


def _judge(schedules: Iterable[Schedule], first: int, again: str = "") -> int:
    figures, broken, told = Counter[str](), 0, time.monotonic()
    for number, ending in enumerate(play_all(schedules, os.cpu_count() or 1), first + 1):
        figures.update(ending.figures)
        broken += len(ending.broken)
        _tell(ending)
        if time.monotonic() - told > EVERY:
            told = time.monotonic()
            print(f"  {number:,} played, {broken} violations; go on with: {again} FROM={number}", flush=True)
    print(", ".join(f"{figures[name]:,} {words}" for name, words in _FIGURES.items()))
    print(f"violations: {broken}")
    return 1 if broken else 0


def _tell(ending: Ending) -> None:
    for law in ending.broken:
        print(f"BROKEN: {law}")
    if ending.broken:
        print(f"  again, alone: make torture ONLY={ending.schedule}", flush=True)


_FIGURES: Final = {
    "schedules": "schedules",
    "kills": "kills of the submitter",
    "receivers": "kills of the receiver",
    "rows": "rows",
    "tasks": "tasks",
    "settled": "attempts in doubt settled as absent",
    "open": "rows in doubt for good reason",
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
