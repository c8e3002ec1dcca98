"""``make mutants``, or ``python -m tests.proof.mutants [--seed N] [--count N] [--only PATH ...] [--keep]``:
see the package.

What survives is printed with its place, before and after. What somebody looked at and found to change nothing
that matters stands in `equivalent.txt`, with the reason: it is counted apart. ``--keep`` makes the shares by
room those that later runs are compared with. Exit code 1: a smaller share died than is kept, of a room of
which `LEAST` changes were played.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from tests.proof.mutants.changes import Change, changes, sources
from tests.proof.mutants.covering import ROOMS, Covering, learned
from tests.proof.mutants.playing import play

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = ROOT / ".mutants"
EQUIVALENT: Final = Path(__file__).with_name("equivalent.txt")
FIGURES: Final = Path(__file__).with_name("figures.json")
COPIED: Final = (
    "mwbatch",
    "tests",
    "sample_manifests",
    "pyproject.toml",
    ".github",
    "README.md",
    "CHANGELOG.md",
    "Makefile",
)
AT_ONCE: Final = 2
LEAST: Final = 30
WORSE: Final = 0.05
"""How much smaller a share may be than the one that is kept, where another sample was drawn."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a change: the test that noticed it, None where none did;
    `nothing` where somebody has said that there is nothing to notice.
    """

    change: Change
    by: str | None = None
    nothing: bool = False

    @property
    def noticed(self) -> bool | None:
        """Whether a test noticed, None where there is nothing to notice."""
        return None if self.nothing else self.by is not None

    @property
    def room(self) -> str:
        """The folder below the package in which it was made; the package itself for its own files."""
        return _room(self.change)

    def json(self) -> dict[str, object]:
        """The fate as a line of a file."""
        place = {"path": self.change.path, "line": self.change.line, "change": self.change.words}
        return place | {"noticed": self.noticed, "by": self.by}


def _room(change: Change) -> str:
    return change.path.split("/")[1] if change.path.count("/") > 1 else "mwbatch"


def _rank(change: Change) -> int:
    """Where a change stands in the play: the rooms of money, loss and security come first."""
    return ROOMS.index(room) if (room := _room(change)) in ROOMS else len(ROOMS)


def main() -> int:
    """Sample, play, print."""
    words = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--count", type=int, default=600, help="how many changes are drawn")
    words.add_argument("--only", nargs="+", default=[""], help="files whose path begins so: mwbatch/core")
    words.add_argument("--keep", action="store_true", help="make the shares the reference of later runs")
    asked = words.parse_args()
    there = sources(ROOT / "mwbatch")
    every = [
        one
        for path, source in there.items()
        if path.startswith(tuple(asked.only))
        for one in changes(path, source)
    ]
    drawn = random.Random(asked.seed).sample(every, min(asked.count, len(every)))
    _say(f"{len(drawn):,} of {len(every):,} changes, seed {asked.seed}")
    drawn.sort(key=lambda change: (_rank(change), change.path, change.start))
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "fates.jsonl").open("a", encoding="utf-8") as file:
        fates = []
        for fate in played(drawn, learned(ROOT, FOLDER, there)):
            print(json.dumps(fate.json()), file=file, flush=True)
            fates.append(fate)
    shares = dict(table(fates))
    if asked.keep:
        FIGURES.write_text(json.dumps(shares, indent=2) + "\n", encoding="utf-8")
    return int(any(_is_worse(fates, room, share) for room, share in shares.items()))


def played(drawn: Sequence[Change], covering: Covering) -> Iterator[Fate]:
    """What becomes of each change, the survivors told as they are found; all stands in a file as well."""
    nothing = set(_equivalent())
    free: SimpleQueue[Path] = SimpleQueue()
    with copies(AT_ONCE) as trees, ThreadPoolExecutor(AT_ONCE) as threads:
        for tree in trees:
            free.put(tree)

        def one(change: Change) -> Fate:
            if change.words in nothing:
                return Fate(change, nothing=True)
            tree = free.get()
            try:
                return Fate(change, noticed(tree, change, covering))
            finally:
                free.put(tree)

        for count, fate in enumerate(threads.map(one, drawn), 1):
            if fate.noticed is False:
                print(f"survived, line {fate.change.line}: {fate.change.words}", flush=True)
            if count % 25 == 0:
                _say(f"{count:,} of {len(drawn):,}")
            yield fate


def noticed(tree: Path, change: Change, covering: Covering) -> str | None:
    """The first test that fails, or does not end, in a tree with this change; None where none does."""
    tests = covering.tests(change)
    if not tests:
        return None
    file = tree / change.path
    source = file.read_bytes()
    try:
        _write(file, change.applied(source))
        by = play(tree, {test: covering.seconds([test]) for test in tests}).failed
    finally:
        _write(file, source)
    if by is not None:
        covering.noticed(change, by)
    return by


def _write(file: Path, source: bytes) -> None:
    """Write a source file; what Python made of it may be as old and as long as what it will make now."""
    file.write_bytes(source)
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
        compiled.unlink()


@contextmanager
def copies(count: int) -> Iterator[list[Path]]:
    """As many copies of the tree, in which nothing else happens."""
    with tempfile.TemporaryDirectory(prefix="mwbatch-mutants-") as folder:
        Path(folder).chmod(0o755)  # tests that give up root's rights read it, too
        trees = [Path(folder, str(number)) for number in range(count)]
        for tree in trees:
            tree.mkdir()
            for name in COPIED:
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, tree / name)
        yield trees


def table(fates: Sequence[Fate]) -> Iterator[tuple[str, float]]:
    """Print killed and survived by room; yields the share that died of those that change something."""
    before = _kept()
    counts = Counter((fate.room, fate.noticed) for fate in fates)
    print(
        f"{'room':12} {'changes':>8} {'killed':>7} {'survived':>9} {'change nothing':>15} {'share':>7} "
        f"{'kept':>7}"
    )
    for room in [*sorted({fate.room for fate in fates}), "all"]:
        killed, survived, nothing = (
            sum(n for (where, was), n in counts.items() if was is noticed and room in (where, "all"))
            for noticed in (True, False, None)
        )
        share = killed / max(1, killed + survived)
        kept = f"{before[room]:.1%}" if room in before else "-"
        played = killed + survived + nothing
        print(f"{room:12} {played:8} {killed:7} {survived:9} {nothing:15} {share:7.1%} {kept:>7}")
        yield room, share


def _is_worse(fates: Sequence[Fate], room: str, share: float) -> bool:
    return (
        sum(room in (fate.room, "all") for fate in fates) >= LEAST and share < _kept().get(room, 0.0) - WORSE
    )


def _kept() -> dict[str, float]:
    return json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}


def _equivalent() -> Iterator[str]:
    """The changes that change nothing: a line each, the reason in a line above that begins with ``#``."""
    if EQUIVALENT.exists():
        lines = EQUIVALENT.read_text(encoding="utf-8").splitlines()
        yield from (line for line in lines if line and not line.startswith("#"))


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
