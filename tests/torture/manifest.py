"""The manifest of a schedule: tagging and annotating rows, mixed."""

from pathlib import Path

import orjson

from tests.torture.draw import Draw


def write_manifest(path: Path, rows: int, draw: Draw) -> None:
    """Write a manifest of ``rows`` rows."""
    annotating = draw.one_of((0.0, 0.3, 1.0), "share of annotating")
    lines = [
        orjson.dumps(_annotating(n) if draw.chance(annotating, "type", n) else _tagging(n))
        for n in range(rows)
    ]
    path.write_bytes(b"\n".join(lines) + b"\n")


def _tagging(number: int) -> dict[str, object]:
    return {"id": f"row-{number}", "image_url": _image(number), "objects_to_tag": "brands"}


def _annotating(number: int) -> dict[str, object]:
    box = {"id": f"box-{number}", "left": number, "top": 2, "width": 30, "height": 40}
    return {
        "id": f"row-{number}",
        "image_url": _image(number),
        "instruction": "Is the logo clear?",
        "annotation_option": ["clear", "hidden"],
        "tags": [box],
    }


def _image(number: int) -> str:
    return f"https://images.example.com/{number}.jpg"
