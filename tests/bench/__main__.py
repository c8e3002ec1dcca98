"""``make bench``, or ``python -m tests.bench [--json FILE] [--keep]``.

``ONLY=creating|receiving|starting|pace`` plays one section, ``RUNS=`` (5) says how often each contender
plays. ``--json`` writes all figures to a file, ``--keep`` writes their ratios to
`tests/bench/report/ratios.json`, the reference of later runs.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mwbatch.core.codec.json_codec import encode
from tests.bench import creating, receiving, starting
from tests.bench.report.figures import Figure
from tests.bench.report.ratios import keep, kept, machine
from tests.bench.report.table import lines

Section = Callable[[int, Callable[[str], None]], Iterator[Figure]]

SECTIONS: Final[dict[str, Section]] = {
    "creating": creating.run,
    "receiving": receiving.run,
    "starting": starting.run,
}


def main() -> None:
    """Measure, print, write."""
    words = argparse.ArgumentParser(prog="make bench", description=__doc__)
    words.add_argument("--json", type=Path, help="write all figures to this file")
    words.add_argument("--keep", action="store_true", help="make the ratios the reference of later runs")
    asked = words.parse_args()
    only, runs = os.environ.get("ONLY", ""), int(os.environ.get("RUNS") or 5)
    if only not in ("", "pace", *SECTIONS):
        sys.exit(f"ONLY={only}: there are {', '.join(SECTIONS)} and pace")
    if only in ("", "receiving") and not shutil.which("wrk"):
        _say(
            "wrk is not installed: callbacks are sent by a slower generator of our own (Debian: apt "
            "install wrk)"
        )
    before, began = kept(), time.monotonic()
    figures = [one for name, run in SECTIONS.items() if only in ("", name) for one in run(runs, _say)]
    print("\n".join(lines(figures, before)), flush=True)
    pace = _pace() if only in ("", "pace") else []
    _say(f"{time.monotonic() - began:.0f} s; {machine()}")
    if asked.json:
        told = {"machine": machine(), "runs": runs, "figures": [one.json() for one in figures], "pace": pace}
        asked.json.write_bytes(encode(told) + b"\n")
    if asked.keep:
        keep(figures)


def _pace() -> list[object]:
    """The section of the pace, which counts goodput in simulated time and so has a table of its own."""
    if find_spec("tests.bench.pacing.pace") is None:
        return []
    rows = list(import_module("tests.bench.pacing.pace").run())
    print("-- pace")
    for row in rows:
        print(row)
    return rows


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
