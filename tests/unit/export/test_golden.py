"""Each format as a whole, byte by byte: a field that is dropped, renamed or written otherwise shows here.

Whoever means it writes them anew: ``python -m tests.unit.export.test_golden``.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tests.unit.export.batches import Drawn, batch, sized, tag
from tests.unit.export.conftest import written

GOLDEN: Final = Path(__file__).parent / "golden"
FORMATS: Final = ("csv", "coco", "yolo", "voc", "label-studio")
ROWS: Final = (
    Drawn("shelf", [tag("t", 1, 2, 3, 4.5, brand="A & <B>", brand_id="b1")], sized(200, 100, campaign="x")),
    Drawn("bare", [], sized(200, 100)),
    Drawn("waiting", None, sized(20, 10)),
    Drawn(
        "two",
        [
            tag("u", 0, 0, 20, 10, brand=None),
            tag("v", 5, 5, 0.5, 0.5, brand="\u00dcber", template_url="https://a.example/t.png"),
        ],
        sized(20, 10),
        url="https://images.example.com/two.png",
    ),
)
ANNOTATED: Final = (
    Drawn(
        "asked",
        [tag("s", 1, 2, 3, 4, label="bad")],
        sized(),
        sent=[{"id": "s", "left": 1, "top": 2, "width": 3, "height": 4, "brand": "C"}],
    ),
)
CASES: Final = {"tagged": ROWS, "annotated": ANNOTATED}


def exported(folder: Path, case: str, name: str) -> dict[str, bytes]:
    """Every file that an export writes, by its path."""
    out = folder / "out"
    written(batch(folder, CASES[case]), name, out.with_suffix(".csv") if name == "csv" else out)
    if name == "csv":
        return {"out.csv": out.with_suffix(".csv").read_bytes()}
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }


def kept(case: str, name: str) -> dict[str, bytes]:
    """What it wrote when it was looked at last."""
    there = GOLDEN / case / name
    return {
        str(path.relative_to(there)): path.read_bytes() for path in sorted(there.rglob("*")) if path.is_file()
    }


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", FORMATS)
def test_every_byte_is_as_it_was(tmp_path: Path, case: str, name: str) -> None:
    """The same rows give the same files, whole."""
    assert exported(tmp_path, case, name) == kept(case, name)


if __name__ == "__main__":
    for one in CASES:
        for format_ in FORMATS:
            with TemporaryDirectory() as place:
                for relative, content in exported(Path(place), one, format_).items():
                    path = GOLDEN / one / format_ / relative
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
