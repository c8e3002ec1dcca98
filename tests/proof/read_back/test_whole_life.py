"""The whole life of a batch, by the real command: from a manifest with mistakes to what trainers load."""

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pandas as pd
import pyarrow.parquet as pq
import pytest
import supervision as sv
from label_studio_sdk.converter import Converter
from PIL import Image
from pycocotools.coco import COCO

from mwbatch.simulator import Settings
from tests.e2e.support.stage import KEY, Api, Stage
from tests.proof.read_back.drawing import Found
from tests.proof.read_back.test_reading_back import detected, region, same

pytestmark = pytest.mark.exports
WAITING = Settings(port=0, api_key=KEY, complete_after=(3600.0, 3600.0))
ROWS = 14
QUIET = ("--callback-url", "none", "--yes")
QUESTION = ("--instruction", "Is it clear?", "--option", "clear", "--option", "blurred")
SIDES = ("left", "top", "width", "height")


def write_manifest(stage: Stage, url: str) -> None:
    """Fourteen rows; of three the image_url, the type or the number of cells is wrong."""
    lines = [f"shot-{n:02},{url}/pictures/{n:04}.png,spring," for n in range(ROWS)]
    lines[2] = f"shot-02,ftp:{url}/pictures/0002.png,spring,"
    lines[5] = f"shot-05,{url}/pictures/0005.png,spring,drawing"
    lines[9] = f"shot-09,{url}/pictures/0009.png"
    (stage.folder / "shots.csv").write_text("\n".join(["id,image_url,campaign,type", *lines, ""]))


def mend(stage: Stage, url: str) -> None:
    """What a person does with the list of invalid rows."""
    path = stage.folder / "shots.csv.invalid.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["mwbatch_error"].split(":")[0] for row in rows[:2]] == ["image_url", "type"]
    two, five, nine = rows
    two["image_url"], five["type"] = two["image_url"].removeprefix("ftp:"), "tagging"
    name, address = nine["mwbatch_text"].split(",")
    rows[2] = {"id": name, "image_url": address, "campaign": "spring"}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def complete(api: Api) -> None:
    """Let people do their work."""
    urlopen(Request(f"{api.url}/_sim/complete", method="POST"), timeout=10).close()


def counts(stage: Stage, batch: str) -> dict[str, int]:
    """The rows of a batch by status, zeros left out."""
    said = stage.json("status", batch)["by_status"]
    return {status: count for status, count in said.items() if count}


def before_the_money(stage: Stage, api: Api) -> None:
    """Mistakes put aside, a limit that stops, the list mended, the limit raised."""
    assert stage.run("validate", "shots.csv").code == 2
    words = ("submit", "shots.csv", "--skip-invalid", "--price", "0.1", "--max-cost", "0.85", *QUIET)
    assert stage.json(*words, code=3)["skipped"] == 3
    assert counts(stage, "shots") == {"pending": 8, "planned": 3}
    mend(stage, api.url)
    assert stage.run("submit", "shots.csv.invalid.jsonl", "--batch", "shots", *QUIET).code == 3
    assert counts(stage, "shots") == {"pending": 8, "planned": 6}
    assert stage.run("resume", "shots", "--max-cost", "5", *QUIET).code == 0
    assert counts(stage, "shots") == {"pending": ROWS}


def second_thoughts(stage: Stage) -> None:
    """Three rows are canceled, two of them retried."""
    assert stage.run("cancel", "shots", "--id", "shot-01", "--id", "shot-03", "--id", "shot-07").code == 0
    assert counts(stage, "shots") == {"pending": ROWS - 3, "canceled": 3}
    again = ("--status", "canceled", "--id", "shot-01", "--id", "shot-07", "--yes")
    assert stage.run("retry", "shots", *again).code == 0
    assert counts(stage, "shots") == {"pending": ROWS - 1, "canceled": 1}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A batch and its second stage, both answered."""
    with Api(WAITING) as api:
        stage = Stage(tmp_path_factory.mktemp("life"), api)
        write_manifest(stage, api.url)
        before_the_money(stage, api)
        second_thoughts(stage)
        complete(api)
        assert stage.json("reconcile", "shots")["paid_twice"] == 0
        assert counts(stage, "shots") == {"completed": ROWS - 1, "canceled": 1}
        assert stage.run("make-annotating", "shots", *QUESTION, "-o", "clear.jsonl").code == 0
        assert stage.run("submit", "clear.jsonl", *QUIET).code == 0
        complete(api)
        assert stage.json("reconcile", "clear")["complete"]
        for name in ("coco", "yolo", "voc", "label-studio", "csv", "parquet"):
            ran = stage.run("export", "clear", "--format", name, "-o", name, "--measure-images")
            assert ran.code == 0, ran.err
        assert all(len(made) == 1 for made in api.get("/_sim/ledger").values())
    return stage


def results(stage: Stage) -> dict[int, list[dict[str, Any]]]:
    """The tags of each row of the second stage, as `mwbatch results` has them."""
    lines = [json.loads(line) for line in stage.run("results", "clear").out.splitlines()]
    return {line["row"]: line["response"]["tags"] for line in lines}


def wanted(stage: Stage) -> dict[int, Counter[Found]]:
    """What each format must give back."""
    return {
        row: Counter((tag["label"], *(float(tag[side]) for side in SIDES)) for tag in tags)
        for row, tags in results(stage).items()
    }


def test_no_join_is_needed(life: Stage) -> None:
    """Each tag of the second stage carries brand and label, and its row the task it came from."""
    lines = [json.loads(line) for line in life.run("results", "clear").out.splitlines()]
    tagged = {line["row"]: line for line in map(json.loads, life.run("results", "shots").out.splitlines())}
    assert lines
    for line in lines:
        source = tagged[line["columns"]["source_row"]]
        assert line["columns"]["source_task_id"] == source["task_id"]
        brands = {tag["id"]: tag["brand"] for tag in source["response"]["tags"]}
        assert {tag["id"]: tag["brand"] for tag in line["response"]["tags"]} == brands
        assert {tag["label"] for tag in line["response"]["tags"]} <= {"clear", "blurred"}


def by_coco(out: Path) -> dict[int, list[Found]]:
    """By pycocotools."""
    with redirect_stdout(StringIO()):
        coco = COCO(out / "annotations.json")
    return {
        image["row"]: [
            (coco.cats[one["category_id"]]["name"], *one["bbox"])
            for one in coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        ]
        for image in coco.loadImgs(coco.getImgIds())
    }


def painted(out: Path) -> dict[str, int]:
    """Paint the image files that trainers want to see; their rows."""
    (out / "images").mkdir(exist_ok=True)
    files = {}
    for line in pd.read_csv(out / "images.csv").to_dict("records"):
        size = (int(line["image_width"]), int(line["image_height"]))
        Image.new("RGB", size).save(out / "images" / str(line["file"]), "PNG")
        files[str(line["file"])] = int(line["row"])
    return files


def by_yolo(out: Path) -> dict[int, list[Found]]:
    """By supervision."""
    files, data = painted(out), str(out / "data.yaml")
    return detected(sv.DetectionDataset.from_yolo(str(out / "images"), str(out / "labels"), data), files)


def by_voc(out: Path) -> dict[int, list[Found]]:
    """By supervision."""
    files = painted(out)
    return detected(sv.DetectionDataset.from_pascal_voc(str(out / "images"), str(out / "Annotations")), files)


def by_label_studio(out: Path) -> dict[int, list[Found]]:
    """By Label Studio's own converter."""
    converter = Converter(str(out / "label_config.xml"), str(out), download_resources=False)
    return {
        task["input"]["row"]: [region(one) for ones in task["output"].values() for one in ones]
        for task in converter.iter_from_json_file(str(out / "tasks.json"))
    }


def by_lines(lines: list[dict[str, Any]]) -> dict[int, list[Found]]:
    """From a table of tags; an image without tags has a line without a box."""
    found: dict[int, list[Found]] = {}
    for line in lines:
        there = found.setdefault(int(line["row"]), [])
        if line["label"]:
            there.append((line["label"], *(float(line[side]) for side in SIDES)))
            assert "brand" in line
    return found


def by_csv(out: Path) -> dict[int, list[Found]]:
    """By pandas."""
    return by_lines(pd.read_csv(out, keep_default_na=False, dtype=str).to_dict("records"))


def by_parquet(out: Path) -> dict[int, list[Found]]:
    """By pyarrow."""
    return by_lines(pq.read_table(out).to_pylist())


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("coco", by_coco),
        ("yolo", by_yolo),
        ("voc", by_voc),
        ("label-studio", by_label_studio),
        ("csv", by_csv),
        ("parquet", by_parquet),
    ],
)
def test_every_export_is_equal(
    life: Stage, name: str, read: Callable[[Path], dict[int, list[Found]]]
) -> None:
    """What outsiders' libraries read of each export are the boxes and labels that people gave, row by row."""
    found, there = read(life.folder / name), wanted(life)
    assert set(found) == set(there)
    for row, boxes in there.items():
        same(found[row], boxes, 1e-4)
    assert sum(map(len, found.values())) > 0


def test_nothing_was_sent_twice(life: Stage) -> None:
    """The two batches name every row once, and no status is missing."""
    for batch, rows in (("shots", ROWS), ("clear", len(wanted(life)))):
        said = life.json("status", batch)
        assert (said["rows"], sum(said["by_status"].values()), said["surplus"]) == (rows, rows, 0)
    assert re.fullmatch(r"[a-z0-9]{10}", life.json("status", "shots")["batch_id"])
