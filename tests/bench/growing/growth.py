"""How time and memory grow with the rows: ``python -m tests.bench.growing.growth --rows 10000,100000``.

Every work is a process of its own over a generated batch; what is compared is processor time, since a machine
is seldom alone, as a multiple of a bare loop of `orjson.loads` over the same files. Medians of several runs
where rows are few.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.growing.batches import Grown
from tests.bench.growing.processes import Taken
from tests.bench.growing.table import Figures, lines, text
from tests.bench.growing.works import LOOP, WORKS, Batch, Work, api
from tests.e2e.support.stage import ROOT
from tests.support.ports import free_port

KEPT: Final = Path(__file__).with_suffix(".json")
LAST: Final = ROOT / "build" / "growth.json"
FEW: Final = 100
"""Rows of the batch that shows what starting alone takes."""

RUNS: Final = {1_000_000: 1, 100_000: 3, 0: 5}
"""How often each work is run, from so many rows on."""


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="10000,100000,1000000", help="sizes, with commas between them")
    parser.add_argument(
        "--only", default="", help="works whose name holds one of these words, with commas between them"
    )
    parser.add_argument("--folder", help="where the batches are generated: 2.2 KB a row")
    parser.add_argument(
        "--keep", action="store_true", help=f"write the figures to {KEPT.name}, beside those of other works"
    )
    asked = parser.parse_args()
    sizes = sorted({int(size) for size in asked.rows.split(",")})
    works = [work for work in WORKS if _wanted(work, asked.only)]
    figures = measure(sizes, works, asked.folder)
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    print(text(lines(figures, kept)))
    LAST.parent.mkdir(exist_ok=True)
    LAST.write_text(_written(figures.json()))
    if asked.keep:
        KEPT.write_text(_written(kept | figures.json()))


def _written(figures: dict[str, Any]) -> str:
    return json.dumps(figures, indent=1) + "\n"


def _wanted(work: Work, only: str) -> bool:
    named = not only or work.name == LOOP or any(word.strip() in work.name for word in only.split(","))
    return named and work.is_there()


def measure(sizes: Sequence[int], works: Sequence[Work], folder: str | None = None) -> Figures:
    """Every work at every size, and at next to none."""
    taken: defaultdict[str, dict[int, Taken]] = defaultdict(dict)
    for rows in (FEW, *sizes):
        with tempfile.TemporaryDirectory(prefix="growth-", dir=folder) as place:
            batch = Batch(Grown(rows, Path(place)), free_port())
            batch.grown.generate(batch.origin)
            with api(batch):
                for work in works:
                    taken[work.name][rows] = _median(work, batch)
                    _tell(work, rows, taken[work.name][rows])
    return Figures(taken, {work.name: taken[work.name].pop(FEW) for work in works}, LOOP)


def _median(work: Work, batch: Batch) -> Taken:
    """The middle one of several runs, by processor time; the peak is the greatest."""
    runs = next(count for least, count in RUNS.items() if batch.grown.rows >= least)
    found = sorted((work.take(batch) for _ in range(runs)), key=lambda taken: taken.cpu)
    middle = found[len(found) // 2]
    return Taken(middle.seconds, middle.cpu, max(taken.peak for taken in found))


def _tell(work: Work, rows: int, taken: Taken) -> None:
    print(
        f"{work.name}, {rows:,} rows: {taken.cpu:.2f} CPU s, {taken.peak / 1e6:.0f} MB",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    main()
