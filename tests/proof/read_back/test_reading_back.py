"""Every export, read back with a library that others use, box by box."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import supervision as sv
import yaml
from label_studio_sdk.converter import Converter
from PIL import Image
from pycocotools.coco import COCO

from tests.proof.read_back.drawing import Found, completed, drawn, expected
from tests.unit.export.batches import Drawn, batch
from tests.unit.export.conftest import written

pytestmark = pytest.mark.exports
SEEDS = (1, 2)


class Exported:
    """A drawn batch and its export in one format."""

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self.rows, self.path = drawn(seed), folder / "out"
        found = written(batch(folder, self.rows), name, self.path)
        self.completed = dict(completed(self.rows))
        assert (found.images, found.tags) == (
            len(self.completed),
            sum(len(row.tags or ()) for row in self.completed.values()),
        )
        assert found.outside == found.unplaced == found.unreadable == 0

    def files(self) -> dict[str, int]:
        """The row of each image file, by `images.csv`; the files are painted, so that readers find them."""
        (self.path / "images").mkdir()
        with (self.path / "images.csv").open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        for line in lines:
            size = int(line["image_width"]), int(line["image_height"])
            # The suffix says nothing of the content: readers look at the bytes.
            Image.new("RGB", size).save(self.path / "images" / line["file"], "PNG")
        return {line["file"]: int(line["row"]) for line in lines}

    def compare(
        self, found: Mapping[int, Iterable[Found]], tolerance: float = 1e-6, least: float = 0.0
    ) -> None:
        """Every completed row is there, with exactly its boxes."""
        assert set(found) == set(self.completed)
        for number, row in self.completed.items():
            same(found[number], expected(row, least), tolerance)


def same(found: Iterable[Found], wanted: Counter[Found], tolerance: float) -> None:
    """Each box has its counterpart, by name and by each of its four numbers."""
    ours, theirs = sorted(wanted.elements()), sorted(found)
    assert [one[0] for one in theirs] == [one[0] for one in ours]
    for mine in ours:
        near = [
            one for one in theirs if one[0] == mine[0] and one[1:] == pytest.approx(mine[1:], abs=tolerance)
        ]
        assert near, (mine, theirs)
        theirs.remove(near[0])
    assert theirs == []


def detected(dataset: sv.DetectionDataset, files: dict[str, int]) -> dict[int, list[Found]]:
    """The boxes of a supervision data set by row."""
    found: dict[int, list[Found]] = {}
    for path, boxes in dataset.annotations.items():
        ids = [] if boxes.class_id is None else boxes.class_id
        edges = [[float(edge) for edge in box] for box in boxes.xyxy]
        found[files[Path(path).name]] = [
            (dataset.classes[number], left, top, right - left, bottom - top)
            for number, (left, top, right, bottom) in zip(ids, edges, strict=True)
        ]
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_coco_by_pycocotools(tmp_path: Path, seed: int) -> None:
    """By pycocotools one finds every image with its size and every box with its category,
    to the last digit.
    """
    export = Exported(tmp_path, "coco", seed)
    with redirect_stdout(StringIO()):
        coco = COCO(export.path / "annotations.json")
    found: dict[int, list[Found]] = {}
    for image in coco.loadImgs(coco.getImgIds()):
        boxes = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        found[image["row"]] = [(coco.cats[one["category_id"]]["name"], *one["bbox"]) for one in boxes]
        row = export.rows[image["row"]]
        assert (image["width"], image["height"]) == (
            row.columns["image_width"],
            int(row.columns["image_height"]),
        )
        assert (image["coco_url"], image["row_id"]) == (row.url, row.id)
    export.compare(found, tolerance=0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["coco", "yolo", "voc"])
def test_by_supervision(tmp_path: Path, name: str, seed: int) -> None:
    """supervision, which trainers load with, finds the same boxes in COCO, YOLO and VOC,
    beside the image files.
    """
    export = Exported(tmp_path, name, seed)
    files, out, images = export.files(), export.path, str(export.path / "images")
    if name == "coco":
        dataset = sv.DetectionDataset.from_coco(images, str(out / "annotations.json"))
    elif name == "yolo":
        dataset = sv.DetectionDataset.from_yolo(images, str(out / "labels"), str(out / "data.yaml"))
    else:
        dataset = sv.DetectionDataset.from_pascal_voc(images, str(out / "Annotations"))
    # It keeps boxes in single precision, and VOC has nothing smaller than a pixel.
    export.compare(detected(dataset, files), tolerance=1e-4, least=1.0 if name == "voc" else 0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_yolo_names(tmp_path: Path, seed: int) -> None:
    """PyYAML reads `data.yaml` with every category by its number, whatever it is called."""
    export = Exported(tmp_path, "yolo", seed)
    said = yaml.safe_load((export.path / "data.yaml").read_text(encoding="utf-8"))
    names = {one[0] for row in export.completed.values() for one in expected(row)}
    assert set(said["names"].values()) >= names
    assert list(said["names"]) == list(range(said["nc"]))


@pytest.mark.parametrize("seed", SEEDS)
def test_label_studio_by_its_converter(tmp_path: Path, seed: int) -> None:
    """Label Studio's own converter turns our tasks into the boxes that people drew."""
    export = Exported(tmp_path, "label-studio", seed)
    converter = Converter(str(export.path / "label_config.xml"), str(tmp_path), download_resources=False)
    converter.convert_to_coco(str(export.path / "tasks.json"), str(tmp_path / "ls"), is_dir=False)
    with redirect_stdout(StringIO()):
        coco = COCO(tmp_path / "ls" / "result.json")
    found: dict[int, list[Found]] = {}
    for image in coco.dataset["images"]:
        boxes = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        found[image_number(image["file_name"])] = [
            (coco.cats[one["category_id"]]["name"], *one["bbox"]) for one in boxes
        ]
    export.compare(found)


def image_number(path: str) -> int:
    """The row of an image, whose address ends in its number; the converter names files after addresses."""
    match = re.search(r"(\d+)\.\w+(\?.*)?$", path)
    assert match, path
    return int(match[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_label_studio_regions(tmp_path: Path, seed: int) -> None:
    """Each region of a task lies where the box lies, by the sizes that it carries itself."""
    export = Exported(tmp_path, "label-studio", seed)
    converter = Converter(str(export.path / "label_config.xml"), str(tmp_path), download_resources=False)
    found: dict[int, list[Found]] = {}
    for task in converter.iter_from_json_file(str(export.path / "tasks.json")):
        found[task["input"]["row"]] = [region(one) for ones in task["output"].values() for one in ones]
    export.compare(found)


def region(one: dict[str, Any]) -> Found:
    """A region as pixels."""
    wide, high = one["original_width"] / 100, one["original_height"] / 100
    return (
        one["rectanglelabels"][0],
        one["x"] * wide,
        one["y"] * high,
        one["width"] * wide,
        one["height"] * high,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_parquet_by_pyarrow(tmp_path: Path, seed: int) -> None:
    """By pyarrow one reads typed columns, a row a tag, and every word that was said of each."""
    export = Exported(tmp_path, "parquet", seed)
    table = pq.read_table(export.path)
    types = {name: str(table.schema.field(name).type) for name in ("row", "left", "brand", "completed_at")}
    assert types == {
        "row": "int64",
        "left": "double",
        "brand": "string",
        "completed_at": "timestamp[ms, tz=UTC]",
    }
    lines = table.to_pylist()
    assert {line["completed_at"].isoformat() for line in lines} == {"2026-01-02T03:04:05.678000+00:00"}
    compare_lines(export, lines)


@pytest.mark.parametrize("seed", SEEDS)
def test_csv_by_pandas(tmp_path: Path, seed: int) -> None:
    """By pandas one reads every line of the CSV, and every word,
    once the apostrophes before formulas are taken off.
    """
    import pandas as pd  # noqa: PLC0415 (slow to import)

    export = Exported(tmp_path, "csv", seed)
    frame = pd.read_csv(export.path, keep_default_na=False, dtype=str)
    lines: list[dict[str, Any]] = [
        {name: bare(cell) for name, cell in line.items()} for line in frame.to_dict("records")
    ]
    for line in lines:
        line |= {
            name: float(line[name]) if line[name] else None for name in ("left", "top", "width", "height")
        }
        line["row"] = int(line["row"])
    compare_lines(export, lines)


def bare(cell: str) -> str | None:
    """A cell without the apostrophe of a formula; None for an empty one."""
    return cell.removeprefix("'") or None


def compare_lines(export: Exported, lines: list[dict[str, Any]]) -> None:
    """The table says of every tag what people and the manifest said."""
    by_row: dict[int, list[dict[str, Any]]] = {}
    for line in lines:
        by_row.setdefault(line["row"], []).append(line)
    assert set(by_row) == set(export.completed)
    for number, row in export.completed.items():
        assert [line["tag_id"] for line in by_row[number]] == (
            [one["id"] for one in row.tags or ()] or [None]
        )
        for line, one in zip(by_row[number], row.tags or (), strict=False):
            check_line(line, row, one)


def check_line(line: dict[str, Any], row: Drawn, one: dict[str, Any]) -> None:
    """One line against its row and tag."""
    sent = {tag["id"]: tag for tag in row.sent or ()}.get(one["id"], {})
    assert [line[side] for side in ("left", "top", "width", "height")] == [
        one[side] for side in ("left", "top", "width", "height")
    ]
    for name in ("brand", "label"):
        said = one.get(name, sent.get(name))
        assert line[name] == (None if said in (None, "") else str(said)) or line[name] == said
    assert (line["id"], line["image_url"], line["column_row"]) == (row.id, row.url, "theirs")
    assert line["campaign"] in (row.columns["campaign"], None)
