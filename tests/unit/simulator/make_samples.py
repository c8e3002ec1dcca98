"""Writes the sample manifests; run it as ``python -m
tests.unit.simulator.make_samples`` from the repository's root.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

from mwbatch.simulator.world import pictures

FOLDER = Path(__file__).parents[3] / "sample_manifests"
ORIGIN = "http://127.0.0.1:8900"
CAMPAIGNS = ("spring-posters", "stadium-boards", "shop-windows", "bus-shelters")
HEADER = ("id", "image_url", "image_width", "image_height", "campaign", "shot_on")
INSTRUCTION = "Is the logo in the box **clear**, **partly hidden**, or **unreadable**?"
OPTIONS = ["clear", "partly hidden", "unreadable"]


def samples() -> dict[str, bytes]:
    """Give the content of each sample manifest by its file name."""
    return {
        "tagging.csv": _tagging(range(1000)),
        "ten.csv": _tagging(range(1000, 1010)),  # other pictures: who tries both would ask for the same twice
        "annotating.jsonl": b"".join(orjson.dumps(row) + b"\n" for row in _annotating(100)),
    }


def _tagging(numbers: range) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for number in numbers:
        shot_on = date(2026, 3, 1) + timedelta(days=number // 20)
        writer.writerow(
            (f"shot-{number:04d}", _url(number), *pictures.size(number), CAMPAIGNS[number % 4], shot_on)
        )
    return out.getvalue().encode()


def _annotating(rows: int) -> Iterator[dict[str, Any]]:
    for number in range(rows):
        yield {
            "id": f"check-{number:04d}",
            "image_url": _url(number),
            "instruction": INSTRUCTION,
            "annotation_option": OPTIONS,
            "tags": [_tag(number, index, box) for index, box in enumerate(pictures.truth(number))],
        }


def _tag(number: int, index: int, box: pictures.Box) -> dict[str, Any]:
    edges = {"left": box.left, "top": box.top, "width": box.width, "height": box.height}
    return {"id": f"{number:04d}-{index}", **edges, "brand": box.brand.name}


def _url(number: int) -> str:
    return f"{ORIGIN}/pictures/{number:04d}.png"


if __name__ == "__main__":
    for name, content in samples().items():
        (FOLDER / name).write_bytes(content)
