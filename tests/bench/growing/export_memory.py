"""What an export of many rows takes: ``python -m
tests.bench.growing.export_memory --rows 1000000 --format csv``.

It draws a batch, exports it in a process of its own with the real command, and prints time and peak memory.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mwbatch.core.codec.json_codec import Json
from tests.unit.export.batches import Drawn, batch, tag

BRANDS = tuple(f"Brand {number}" for number in range(200))


@dataclass(frozen=True)
class Taken:
    """Seconds, and the greatest resident set in bytes."""

    seconds: float
    peak: int


LAUNCH: Final = """
import os, subprocess, sys
started = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(started.pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss)
"""
"""Starts the command from a small process: a forked child is charged with the peak of whoever forked it."""


def rows(count: int) -> Iterator[Drawn]:
    """Rows of two tags each, with ids of their own and a size."""
    for number in range(count):
        tags = [
            tag(f"tag{number}-{place}", place, 2, 300, 40, brand=BRANDS[(number + place) % len(BRANDS)])
            for place in range(2)
        ]
        columns: dict[str, Json] = {
            "image_width": 640,
            "image_height": 480,
            "campaign": f"campaign {number % 50}",
        }
        yield Drawn(
            f"Shot-{number:08d}-of-the-spring", tags, columns, f"https://images.example.com/{number}.jpg"
        )


def draw(folder: Path, count: int) -> None:
    """Make the batch `logos` below a home in this folder."""
    batch(folder, rows(count))


def exported(folder: Path, name: str) -> Taken:
    """Export it in a process of its own."""
    words = ["export", "logos", "--format", name, "-o", str(folder / f"out-{name}"), "--force", "--quiet"]
    command = [str(Path(sys.executable).with_name("mwbatch")), *words, "--home", str(folder / "home")]
    began = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-c", LAUNCH, *command], capture_output=True, text=True, check=True
    ).stdout
    code, peak = map(int, told.split())
    assert code == 0
    return Taken(time.perf_counter() - began, peak if sys.platform == "darwin" else peak * 1024)


def main() -> None:
    """Draw, export, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--format", action="append", dest="formats")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), asked.rows)
        for name in asked.formats or ["csv", "coco"]:
            taken = exported(Path(folder), name)
            beyond = (taken.peak - 120e6) / asked.rows
            print(
                f"{name}: {asked.rows:,} rows in {taken.seconds:.1f} s ({asked.rows / taken.seconds:,.0f} "
                f"rows/s), peak {taken.peak / 1e6:.0f} MB: {beyond:+.0f} bytes a row beyond 120 MB"
            )


if __name__ == "__main__":
    main()
