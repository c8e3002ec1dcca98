"""The formats byte by byte where no library tells: layout, quoting, precision.

`make test-exports` reads them back.
"""

import json
import sys
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from mwbatch.core.codec.json_codec import Json
from mwbatch.errors import UsageError
from mwbatch.export.formats.yolo import quoted
from tests.unit.export.batches import Drawn, batch, sized, tag
from tests.unit.export.conftest import Write, written

SHELF = Drawn(
    "shelf", [tag("t", 1, 2, 3, 4.5, brand="A & <B>", brand_id="b1")], sized(200, 100, campaign="x")
)
BARE = Drawn("bare", [], sized(200, 100))


def test_coco(write: Write, tmp_path: Path) -> None:
    """COCO carries url, row, columns and everything that was said of a tag; ids begin at 1."""
    write("coco", [SHELF, BARE], "o.json")
    found = json.loads((tmp_path / "o.json").read_bytes())
    assert [image["id"] for image in found["images"]] == [1, 2]
    assert found["images"][0] | {"file_name": "shelf.jpg", "row_id": "shelf", "row": 0} == found["images"][0]
    (one,) = found["annotations"]
    assert (one["id"], one["image_id"], one["category_id"], one["area"]) == (1, 1, 1, 13.5)
    assert one["attributes"] == {"tag_id": "t", "brand": "A & <B>", "brand_id": "b1"}
    assert found["categories"] == [{"id": 1, "name": "A & <B>", "supercategory": ""}]


@pytest.mark.parametrize("name", ["coco", "label-studio"])
def test_a_folder_or_the_json_alone(write: Write, tmp_path: Path, name: str) -> None:
    """A path that ends in .json is that file; any other is a folder with the same JSON and `images.csv`."""
    write(name, [SHELF], "o.json")
    written(batch(tmp_path / "b", [SHELF]), name, tmp_path / "folder")
    (inner,) = (tmp_path / "folder").glob("*.json")
    assert inner.read_bytes() == (tmp_path / "o.json").read_bytes()
    assert (tmp_path / "folder" / "images.csv").exists()


def test_yolo(write: Write, tmp_path: Path) -> None:
    """YOLO has a text a picture, empty for one without tags, and names by number."""
    write("yolo", [SHELF, BARE])
    labels = {path.name: path.read_text() for path in (tmp_path / "out" / "labels").iterdir()}
    assert labels == {"shelf.txt": "0 0.0125 0.0425 0.015 0.045\n", "bare.txt": ""}
    assert (tmp_path / "out" / "data.yaml").read_text().splitlines()[2:] == [
        "nc: 1",
        "names:",
        '  0: "A & <B>"',
    ]


def test_voc(write: Write, tmp_path: Path) -> None:
    """VOC counts pixels from 1 with the last one included, and says what XML cannot as U+FFFD."""
    write("voc", [SHELF, Drawn("odd", [tag(brand="a\x00\u2028b\ud83d\U0001f600")], sized())])
    shelf, odd = (
        fromstring((tmp_path / "out" / "Annotations" / f"{n}.xml").read_bytes()) for n in ("shelf", "odd")
    )
    assert [edge.text for edge in shelf.iterfind("object/bndbox/*")] == ["2", "4", "3", "6.5"]
    assert [shelf.findtext(f"size/{side}") for side in ("width", "height")] == ["200", "100"]
    assert (shelf.findtext("filename"), shelf.findtext("object/name")) == ("shelf.jpg", "A & <B>")
    assert odd.findtext("object/name") == "a\ufffd\u2028b\ufffd\U0001f600"


@pytest.mark.parametrize(
    ("left", "width", "edges"),
    [
        (10, 0.4, ["11", "11"]),
        (10.5, 0.25, ["11.5", "11.5"]),
        (10, 1, ["11", "11"]),
        (10, 1.5, ["11", "11.5"]),
    ],
)
def test_voc_below_a_pixel(write: Write, tmp_path: Path, left: float, width: float, edges: list[str]) -> None:
    """What is less than a pixel wide or high is one pixel: the last one never comes before the first."""
    write("voc", [Drawn("thin", [tag("t", left, left, width, width, brand="a")], sized())])
    thin = fromstring((tmp_path / "out" / "Annotations" / "thin.xml").read_bytes())
    box = {edge.tag: edge.text for edge in thin.iterfind("object/bndbox/*")}
    assert [box["xmin"], box["xmax"]] == [box["ymin"], box["ymax"]] == edges


def test_label_studio(write: Write, tmp_path: Path) -> None:
    """Label Studio has per cent of the image, and an interface with every label."""
    write("label-studio", [SHELF, BARE])
    shelf, bare = json.loads((tmp_path / "out" / "tasks.json").read_bytes())
    (region,) = shelf["annotations"][0]["result"]
    told = {name: region["value"][name] for name in ("x", "y", "width", "height")}
    assert told == {"x": 0.5, "y": 2.0, "width": 1.5, "height": 4.5}
    assert (region["original_width"], region["original_height"]) == (200, 100)
    assert bare["annotations"][0]["result"] == []
    config = fromstring((tmp_path / "out" / "label_config.xml").read_bytes())
    assert [label.get("value") for label in config.iter("Label")] == ["A & <B>"]


def test_quoting() -> None:
    """A YAML scalar stays on one line, whatever it says."""
    assert (
        quoted('a"\\\n\x85\u2028\u65e5\U0001f600')
        == '"a\\"\\\\\\U0000000a\\U00000085\\U00002028\u65e5\U0001f600"'
    )


def test_without_pyarrow(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is missing, one sentence says how to get it, before anything is read or looked at."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="pip install pyarrow"):
        write("parquet", [SHELF], "nowhere/out")
    with pytest.raises(UsageError, match="-o"):
        write("csv", [SHELF], "nowhere/out")


@pytest.mark.parametrize(
    "cell", ["\ud83d", ["\ud83d"], {"\ud83d": "\ud83d"}, [{"a": ["\ud83d"]}], {"a": [{"b": {"c": "\ud83d"}}]}]
)
def test_half_a_character_is_replaced_wherever_it_stands(write: Write, tmp_path: Path, cell: Json) -> None:
    """However deep in a cell of the manifest half a character stands, it is U+FFFD in the export; all else
    stays as it is.
    """
    write(
        "label-studio", [Drawn("a", [tag()], sized(note=cell, other={"b": [1, None, True, "c"]}))], "a.json"
    )
    (task,) = json.loads((tmp_path / "a.json").read_bytes())
    whole = json.dumps(task["data"])
    assert "\\ufffd" in whole
    assert "\\ud83d" not in whole
    assert '{"b": [1, null, true, "c"]}' in whole
