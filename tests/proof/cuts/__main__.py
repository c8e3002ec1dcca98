"""``python -m tests.proof.cuts [--only SCENE] [--seed N] [--count N] [--at N,N,… --how HOW --lag N]``:
see the package.

Without ``--count`` every step is cut; with it so many steps of each scene and kind, drawn by the seed.
"""

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.proof.cuts.cut import Cut, How
from tests.proof.cuts.play import play
from tests.proof.cuts.scenes import SCENES, Scene

_NAMES = re.compile(r"mwbatch-\w+|\d{8}T\w+|Task-\d+|0x[0-9a-f]+|[0-9a-f]{8}|'[^']*logos[^']*'|\d+")

NEVER = Cut((10**9,))


def cuts(steps: int, lags: tuple[int, ...] = (0, 3)) -> Iterator[Cut]:
    """Every cut of a command of so many steps: once, twice and three times in a row, in each way."""
    for at in range(steps):
        for lag in lags:
            for times in (1, 2, 3):
                yield Cut(tuple(range(at, at + times)), How.CANCEL, lag)
            yield Cut((at,), How.TIMEOUT, lag)
            for times in (1, 2):
                yield Cut(tuple(range(at, at + times)), How.INTERRUPT, lag)


def main() -> int:
    """Play, print what is wrong, and how much was played."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=SCENES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int)
    parser.add_argument("--at")
    parser.add_argument("--how", type=How, default=How.CANCEL)
    parser.add_argument("--lag", type=int, default=2)
    asked = parser.parse_args()
    wrong, played, began = Counter[str](), 0, time.monotonic()
    for name, scene in SCENES.items():
        if asked.only in (None, name):
            there = [Cut(tuple(map(int, asked.at.split(","))), asked.how, asked.lag)] if asked.at else None
            for cut in there or drawn(scene, random.Random(f"{asked.seed} {name}"), asked.count):
                played += 1
                for fault in play(scene, cut).faults:
                    kind = f"{name}: {_NAMES.sub('…', fault)}"
                    wrong[kind] += 1
                    if wrong[kind] == 1:
                        print(f"{name}: {cut}: {fault}", flush=True)
            print(f"{name}: {played:,} cuts played so far, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{played:,} cuts, {wrong.total():,} faults of {len(wrong):,} kinds")
    return bool(wrong)


def drawn(scene: Scene, chance: random.Random, count: int | None) -> list[Cut]:
    """The cuts of a scene, all of them or so many."""
    there = list(cuts(play(scene, NEVER).steps))
    return there if count is None else chance.sample(there, min(count, len(there)))


if __name__ == "__main__":
    sys.exit(main())
