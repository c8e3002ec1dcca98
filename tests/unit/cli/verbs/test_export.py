"""`mwbatch export`, from the simulator's pictures to files: the real command over real HTTP."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mwbatch.simulator import Settings
from tests.e2e.support.fixtures import FAST
from tests.e2e.support.stage import ROOT, Api, Stage
from tests.unit.cli.terminal.test_sentences import told

SUMMARY = {
    "batch", "format", "path", "rows", "completed", "images", "tags", "without_tags", "without_size",
    "left_out", "outside",
    "without_area", "clipped", "dropped", "turned", "as_sent", "gone", "unplaced", "unusable", "unreadable",
    "oriented", "only_displayed", "only_stored", "damaged_lines", "categories",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, apis: Callable[[Settings], Api]) -> Stage:
    """Batch `shop` of twelve pictures that the simulator draws, complete, its manifest without sizes."""
    stage = Stage(tmp_path_factory.mktemp("shop"), apis(FAST))
    assert stage.api is not None
    lines = [f"shelf-{n},{stage.api.url}/pictures/{n:04d}.png,c{n}" for n in range(12)]
    (stage.folder / "shop.csv").write_text("\n".join(["id,image_url,campaign", *lines, ""]))
    assert stage.run("run", "shop.csv", "--port", "0").code == 0
    return stage


def results(stage: Stage, batch: str) -> list[dict[str, Any]]:
    """The lines of `results`."""
    return [json.loads(line) for line in stage.run("results", batch).out.splitlines()]


def test_measured_from_the_pictures(shop: Stage) -> None:
    """Without sizes COCO is refused; measured, every box of `results` is there,
    and afterwards no server is needed.
    """
    told(shop.run("export", "shop", "--format", "coco", "-o", "c.json"), 2, "12 of 12", "--measure-images")
    said = shop.json("export", "shop", "--format", "coco", "-o", "c.json", "--measure-images")
    assert set(said) == SUMMARY
    coco = json.loads((shop.folder / "c.json").read_bytes())
    names = {one["id"]: one["name"] for one in coco["categories"]}
    found = [(one["image_id"] - 1, names[one["category_id"]], *one["bbox"]) for one in coco["annotations"]]
    sides = ("left", "top", "width", "height")
    wanted = [
        (line["row"], tag["brand"] or "unknown", *(tag[side] for side in sides))
        for line in results(shop, "shop")
        for tag in line["response"]["tags"]
    ]
    assert found == wanted
    assert [(image["width"], image["height"]) for image in coco["images"][:3]] == [
        (640, 480),
        (800, 600),
        (480, 640),
    ]
    again = shop.json("export", "shop", "--format", "yolo", "-o", "yolo")
    assert (again["images"], again["tags"], again["categories"]) == (12, len(wanted), said["categories"])


def test_annotating_rows(stage: Stage) -> None:
    """Rows of labels are exported by their labels, and on request by the brands that they were sent with."""
    lines = (ROOT / "sample_manifests" / "annotating.jsonl").read_text().splitlines()[20:24]
    rows = [json.loads(line) | {"image_width": 640, "image_height": 640} for line in lines]
    (stage.folder / "checks.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert stage.run("run", "checks.jsonl", "--port", "0").code == 0
    for name in ("coco", "voc"):
        said = stage.json("export", "checks", "--format", name, "-o", name)
        assert said["categories"] == rows[0]["annotation_option"]
    said = stage.json("export", "checks", "--format", "yolo", "-o", "yolo", "--category", "brand")
    brands = {tag["brand"] for row in rows for tag in row["tags"]}
    assert set(said["categories"]) == brands
    assert stage.run("export", "checks", "--format", "csv", "-o", "csv").code == 0
    with (stage.folder / "csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert {line["brand"] for line in table} == brands
    assert {line["label"] for line in table} <= set(rows[0]["annotation_option"])


def test_boxes_beyond_the_image(stage: Stage) -> None:
    """Boxes beyond the image are counted aloud, named with --verbose, silent with keep, gone with drop,
    and cut by default and with clip.
    """
    assert stage.api is not None
    (stage.folder / "m.csv").write_text(
        f"image_url,image_width,image_height\n{stage.api.url}/pictures/0050.png,300,200\n"
    )
    assert stage.run("run", "m.csv", "--port", "0").code == 0
    aloud = stage.run("export", "m", "--format", "coco", "-o", "1.json", "-v", "--outside", "report")
    assert (aloud.code, "boxes that reach beyond their image (kept" in aloud.out) == (0, True)
    assert "row 0 (" in aloud.err
    kept = stage.run("export", "m", "--format", "coco", "-o", "2.json", "--outside", "keep")
    assert "beyond" not in kept.out
    clip = stage.json("export", "m", "--format", "coco", "-o", "3.json")
    said = stage.json("export", "m", "--format", "coco", "-o", "4.json", "--outside", "clip")
    assert said == clip | {"path": "4.json"}
    drop = stage.json("export", "m", "--format", "coco", "-o", "5.json", "--outside", "drop")
    assert drop["dropped"] == clip["outside"]
    assert clip["outside"] == clip["clipped"] + clip["gone"] > 0
    one, two, three = (
        json.loads((stage.folder / f"{n}.json").read_bytes())["annotations"] for n in (1, 2, 3)
    )
    assert one == two
    for box in (each["bbox"] for each in three):
        assert min(box[:2]) >= 0
        assert (box[0] + box[2] <= 300, box[1] + box[3] <= 200) == (True, True)


def test_what_cannot_be_meant(shop: Stage) -> None:
    """A path that exists, a folder that does not, another batch or format: one sentence each,
    and the next step.
    """
    words = ("export", "shop", "--format", "csv", "-o")
    (shop.folder / "there").touch()
    told(shop.run(*words, "there"), 2, "there is there already", "is yours", "-o there.2")
    told(shop.run(*words, "no/where"), 2, "no/where", "make it")
    told(shop.run("export", "nope", "--format", "csv", "-o", "x"), 2, "no batch nope", "shop")
    assert shop.run("export", "shop", "--format", "xls", "-o", "x").code == 2
    assert shop.run(*words, "there", "--force").code == 2
    assert (shop.folder / "there").read_bytes() == b""


def test_a_batch_that_is_not_complete(patient: Stage) -> None:
    """What is completed is exported at any time; --require-complete says 3."""
    patient.run("submit", patient.manifest(2), "--callback-url", "none")
    assert patient.json("export", "m", "--format", "csv", "-o", "a")["completed"] == 0
    assert (
        patient.json("export", "m", "--format", "csv", "-o", "b", "--require-complete", code=3)["rows"] == 2
    )


def test_looking_needs_no_http(shop: Stage, tmp_path: Path) -> None:
    """An export that measures nothing imports neither HTTP nor Pillow."""
    from tests.unit.cli.test_start import imported  # noqa: PLC0415 (here alone)

    needed = imported(shop, "export", "shop", "--format", "csv", "-o", str(tmp_path / "x"))
    assert not needed & {"PIL", "aiohttp", "pyarrow", "tenacity"}
