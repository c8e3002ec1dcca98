"""The manifest of a schedule: tagging and annotating rows, mixed; their pictures may be signed,
afresh in each edition.
"""

from pathlib import Path
from typing import Final

import orjson

from tests.proof.torture.schedules.draw import Draw

SIGNED: Final = (
    "",
    "X-Amz-Credential=AK{0}%2Fs3&X-Amz-Date=2026010{0}T000000Z&X-Amz-Expires=604800&X-Amz-Signature=ab{0}",
    "X-Goog-Credential=sa{0}&X-Goog-Date=2026010{0}T000000Z&X-Goog-Expires=604800&X-Goog-Signature=cd{0}",
    "sv=2024-11-04&sr=b&sp=r&se=2036-01-0{0}T00%3A00%3A00Z&sig=ef{0}",
    "Expires=208000000{0}&Key-Pair-Id=K2&Signature=fa{0}",
)
"""What signs a picture's URL, by provider; the edition stands where another signature differs."""


def write_manifest(path: Path, rows: int, draw: Draw, edition: int = 1) -> None:
    """Write a manifest of ``rows`` rows; another edition, 1 to 9, has other signatures."""
    annotating = draw.one_of((0.0, 0.3, 1.0), "share of annotating")
    signed = draw.one_of(SIGNED, "signed").format(edition)
    lines = [
        orjson.dumps(_annotating(n, signed) if draw.chance(annotating, "type", n) else _tagging(n, signed))
        for n in range(rows)
    ]
    path.write_bytes(b"\n".join(lines) + b"\n")


def _tagging(number: int, signed: str) -> dict[str, object]:
    return {"id": f"row-{number}", "image_url": _image(number, signed), "objects_to_tag": "brands"}


def _annotating(number: int, signed: str) -> dict[str, object]:
    box = {"id": f"box-{number}", "left": number, "top": 2, "width": 30, "height": 40}
    return {
        "id": f"row-{number}",
        "image_url": _image(number, signed),
        "instruction": "Is the logo clear?",
        "annotation_option": ["clear", "hidden"],
        "tags": [box],
    }


def _image(number: int, signed: str) -> str:
    return f"https://images.example.com/{number}.jpg" + (f"?{signed}" if signed else "")
