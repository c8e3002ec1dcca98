"""One export: what is refused, what is left out and counted, and that nothing stands there when it fails."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mwbatch.core.manifest.image_size import Size
from mwbatch.errors import StoreError, UsageError
from mwbatch.export.choices import FormatName, Outside
from mwbatch.export.writing import Export, Order
from tests.unit.export.batches import Drawn, batch, sized, tag
from tests.unit.export.conftest import Write, written

BOXES = ("coco", "yolo", "voc", "label-studio")
EDGES = Drawn(
    "edges",
    [
        tag("within", 0, 0, 640, 480, brand="A"),
        tag("beyond", -10, 470, 20, 20, brand="A"),
        tag("elsewhere", 700, 0, 5, 5, brand="B"),
        tag("flat", 5, 5, 0, 10, brand="A"),
        tag("text", "5", 5, 1, 1, brand="C"),
    ],
    sized(),
)


def names(folder: Path) -> list[str]:
    """What stands in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


def boxes(path: Path) -> list[list[float]]:
    """The boxes of a COCO file."""
    return [one["bbox"] for one in json.loads(path.read_bytes())["annotations"]]


@pytest.mark.parametrize("outside", [Outside.REPORT, Outside.KEEP])
def test_boxes_stay_as_they_were_drawn(write: Write, tmp_path: Path, outside: Outside) -> None:
    """Unless they are to be clipped, boxes beyond the image and without area are counted and kept."""
    found = write("coco", [EDGES], "o.json", outside=outside)
    assert boxes(tmp_path / "o.json") == [[0, 0, 640, 480], [-10, 470, 20, 20], [700, 0, 5, 5], [5, 5, 0, 10]]
    assert (found.outside, found.without_area, found.clipped, found.gone, found.unplaced) == (2, 1, 0, 0, 1)
    assert (found.tags, found.categories) == (4, ["A", "B", "C"])


def test_boxes_are_clipped(write: Write, tmp_path: Path) -> None:
    """Clipping leaves what lies within the image; of what has nothing there, the count."""
    found = write("coco", [EDGES], "o.json", outside=Outside.CLIP)
    assert boxes(tmp_path / "o.json") == [[0, 0, 640, 480], [0, 470, 10, 10]]
    assert (found.outside, found.without_area, found.clipped, found.gone, found.tags) == (2, 1, 1, 2, 2)


@pytest.mark.parametrize("name", BOXES)
def test_an_image_without_a_size_is_refused(write: Write, tmp_path: Path, name: str) -> None:
    """A format that needs sizes says which row has none and what would do, and writes nothing."""
    rows = [Drawn("a", [tag()], sized()), Drawn("b", [], sized("wide")), Drawn("c", None)]
    with pytest.raises(UsageError) as refused:
        write(name, rows)
    for words in (
        name,
        "1 of 2",
        "row 1 (b)",
        "--measure-images",
        "image_width",
        "in 1 row what stands there is no size",
        "--leave-out-unsized",
    ):
        assert words in str(refused.value)
    assert names(tmp_path) == ["home"]


def test_measured_sizes(tmp_path: Path) -> None:
    """A size that was measured stands in for one that the manifest lacks; the manifest's own goes first."""
    opened = batch(tmp_path, [Drawn("a", [], sized()), Drawn("b", [])])
    found = written(opened, "coco", tmp_path / "o.json", {0: Size(1, 1), 1: Size(7, 8)})
    images = json.loads((tmp_path / "o.json").read_bytes())["images"]
    assert [(image["width"], image["height"]) for image in images] == [(640, 480), (7, 8)]
    assert found.without_size == 0


def test_images_without_a_size_are_left_out(write: Write) -> None:
    """On request images of unknown size are left out, and counted."""
    found = write("voc", [Drawn("a", [tag()], sized()), Drawn("b", [tag()])], leave_out_unsized=True)
    assert (found.images, found.tags, found.without_size, found.left_out) == (1, 1, 1, 1)


@pytest.mark.parametrize("said", [{"tags": None}, {}, {"tags": ["x"]}])
def test_an_answer_without_tags_is_no_empty_image(tmp_path: Path, said: Any) -> None:
    """An answer that holds no list of tags is left out and counted:
    as an empty image it would teach a falsehood.
    """
    from tests.unit.export.batches import answer, write  # noqa: PLC0415 (the name is a fixture's elsewhere)

    opened = batch(tmp_path, [Drawn("a", None, sized()), Drawn("b", [], sized())])
    write(opened, [answer(0, said)])
    found = written(opened, "coco", tmp_path / "o.json")
    assert (found.completed, found.images, found.unreadable, found.without_tags) == (2, 1, 1, 1)


def test_a_batch_without_answers(write: Write, tmp_path: Path) -> None:
    """A batch of which nothing is completed gives an empty export."""
    found = write("yolo", [Drawn("a", None)])
    assert (found.images, (tmp_path / "out" / "data.yaml").exists()) == (0, True)


def test_what_is_there_is_refused(tmp_path: Path) -> None:
    """What somebody else wrote is left alone, with --force too;
    what an export wrote needs that to be replaced.
    """
    (tmp_path / "out").write_text("mine")
    opened = batch(tmp_path, [Drawn("a", [], sized())])
    for force in (False, True):
        with pytest.raises(UsageError, match=r"yours: .* choose another path, such as -o .*/out\.2"):
            written(opened, "csv", tmp_path / "out", force=force)
    assert (tmp_path / "out").read_text() == "mine"
    written(opened, "csv", tmp_path / "new")
    with pytest.raises(UsageError, match="--force"):
        written(opened, "coco", tmp_path / "new")
    written(opened, "coco", tmp_path / "new", force=True)
    assert names(tmp_path / "new") == ["annotations.json", "images.csv"]


def test_a_folder_that_no_export_wrote(tmp_path: Path) -> None:
    """--force never replaces a folder of other things, a path that is neither,
    nor makes folders that are missing.
    """
    opened = batch(tmp_path, [Drawn("a", [], sized())])
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "home", tmp_path / "pipe", tmp_path / "nowhere" / "out"):
        with pytest.raises(UsageError):
            written(opened, "yolo", path, force=True)
    assert (Path(opened.where) / "batch.json").exists()


def test_a_file_never_replaces_the_users_images(tmp_path: Path) -> None:
    """A folder with more in it than exports is not replaced by a file."""
    opened = batch(tmp_path, [Drawn("a", [], sized())])
    written(opened, "yolo", tmp_path / "out")
    (tmp_path / "out" / "images").mkdir()
    with pytest.raises(UsageError, match="no export wrote"):
        written(opened, "csv", tmp_path / "out", force=True)
    assert "images" in names(tmp_path / "out")


def test_what_appears_meanwhile(tmp_path: Path) -> None:
    """A file that another process puts there while the export is written is not replaced either."""
    opened = batch(tmp_path, [Drawn("a", [], sized())])
    export = Export("logos", Order(FormatName.CSV, tmp_path / "out"), opened.store)
    survey = export.survey(opened.journal)

    def going(_: int) -> bool:
        (tmp_path / "out").write_text("theirs")
        return True

    with pytest.raises(UsageError, match="is yours"):
        export.write(survey, lambda _: None, going)
    assert ((tmp_path / "out").read_text(), names(tmp_path)) == ("theirs", ["home", "out"])


def test_the_users_own_images_stay(tmp_path: Path) -> None:
    """Replacing an export keeps what the user put beside it, and leaves nothing of the old one,
    whatever its format.
    """
    opened, out = batch(tmp_path, [Drawn("a", [], sized())]), tmp_path / "out"
    written(opened, "voc", out)
    (out / "images").mkdir()
    (out / "images" / "a.jpg").write_text("a picture")
    for _ in range(2):
        written(opened, "yolo", out, force=True)
    assert names(out) == ["data.yaml", "images", "images.csv", "labels"]
    assert (out / "images" / "a.jpg").read_text() == "a picture"
    assert names(tmp_path) == ["home", "out"]


def test_a_file_where_a_folder_was(tmp_path: Path) -> None:
    """A folder and a file may take each other's place."""
    opened, out = batch(tmp_path, [Drawn("a", [], sized())]), tmp_path / "out"
    for name, is_folder in (("coco", True), ("csv", False), ("label-studio", True)):
        written(opened, name, out, force=True)
        assert out.is_dir() is is_folder
    assert names(tmp_path) == ["home", "out"]


@pytest.mark.parametrize("name", ["csv", *BOXES])
def test_stopped_in_the_middle(tmp_path: Path, name: str) -> None:
    """An export that is stopped leaves nothing, and what was there before as it was."""
    opened = batch(tmp_path, [Drawn(str(n), [tag()], sized()) for n in range(5)])
    written(opened, "csv", tmp_path / "out")
    old = (tmp_path / "out").read_text()
    export = Export("logos", Order(FormatName(name), tmp_path / "out", force=True), opened.store)
    found = export.write(export.survey(opened.journal), lambda _: None, lambda done: done < 3)
    assert found.stopped
    assert (tmp_path / "out").read_text() == old
    assert names(tmp_path) == ["home", "out"]


def test_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails is an error that names the path, and leaves nothing."""
    opened = batch(tmp_path, [Drawn("a", [], sized())])

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="out: Input/output error"):
        written(opened, "csv", tmp_path / "out")
    assert names(tmp_path) == ["home"]


def test_damage_is_counted(tmp_path: Path) -> None:
    """Lines that the disk spoiled are counted, and the others exported."""
    opened = batch(tmp_path, [Drawn(str(n), [tag()], sized()) for n in range(3)])
    (segment,) = (Path(opened.where) / "results").glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"task1", b"task9"))
    found = written(opened, "csv", tmp_path / "out")
    assert (found.completed, found.images, found.damaged) == (2, 2, 1)
