"""One export: what is refused, what is left out and counted, and that nothing stands there when it fails."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mwbatch.core.codec.json_codec import Json
from mwbatch.core.manifest.image_size import Frame, Measured
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
    """Where they are to be kept, boxes beyond the image and without area are counted and stay."""
    found = write("coco", [EDGES], "o.json", outside=outside)
    assert boxes(tmp_path / "o.json") == [[0, 0, 640, 480], [-10, 470, 20, 20], [700, 0, 5, 5], [5, 5, 0, 10]]
    assert (found.outside, found.without_area, found.clipped, found.gone) == (2, 1, 0, 0)
    assert (found.tags, found.categories) == (4, ["A", "B"])


def test_boxes_are_dropped(write: Write, tmp_path: Path) -> None:
    """On request boxes beyond the image and without area are left out; a picture that has no other is no
    empty one.
    """
    rows = [EDGES, Drawn("all", [tag("x", 700, 0, 5, 5)], sized()), Drawn("empty", [], sized())]
    found = write("coco", rows, "o.json", outside=Outside.DROP)
    assert boxes(tmp_path / "o.json") == [[0, 0, 640, 480]]
    assert (found.dropped, found.images, found.unusable, found.without_tags) == (4, 2, 1, 1)


@pytest.mark.parametrize("name", BOXES)
def test_training_formats_clip_and_tables_keep(tmp_path: Path, name: str) -> None:
    """Unless something else is said, formats for training have no box beyond its picture,
    and tables have it as people drew it.
    """
    opened = batch(tmp_path, [Drawn("a", [tag("a", -5, 0, 10, 10)], sized())])
    found = written(opened, name, tmp_path / "out")
    assert (found.outside, found.clipped, found.tags) == (1, 1, 1)
    table = written(opened, "csv", tmp_path / "out.csv")
    assert (table.outside, table.clipped) == (1, 0)
    assert ",-5,0,10,10," in (tmp_path / "out.csv").read_text()


UNUSABLE = [
    tag("gone", 700, 0, 5, 5),
    tag("flat", 5, 5, 0, 10),
    tag("text", "5", 5, 1, 1),
    tag("none", None, 5, 1, 1),
]
"""Each of them makes its picture one of which not all is known."""


@pytest.mark.parametrize("unusable", UNUSABLE, ids=lambda tag: str(tag["id"]))
@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("others", [0, 1])
def test_a_picture_with_a_box_that_cannot_be_used(
    tmp_path: Path, name: str, unusable: dict[str, Any], others: int
) -> None:
    """It is left out and counted, whatever else lies in it: there is no empty label file, and nothing that
    says that there is nothing.
    """
    tags = [tag("good")] * others + [unusable]
    opened = batch(tmp_path, [Drawn("bad", tags, sized()), Drawn("empty", [], sized())])
    found = written(opened, name, tmp_path / "out")
    assert (found.images, found.unusable, found.without_tags, found.completed) == (1, 1, 1, 2)
    assert not list((tmp_path / "out").rglob("bad*"))
    assert ",bad," not in (tmp_path / "out" / "images.csv").read_text()


@pytest.mark.parametrize("outside", Outside)
@pytest.mark.parametrize("name", ["coco", "csv"])
def test_a_negative_extent(tmp_path: Path, name: str, outside: Outside) -> None:
    """A box that was drawn to the left and upwards is the same rectangle, turned round, and it is counted."""
    rows = [
        Drawn(str(n), [tag("t", *box, brand="A")], sized())
        for n, box in enumerate([(40, 20, -30, 10), (10, 30, 30, -10), (40, 30, -30, -10), (10, 20, 30, 10)])
    ]
    found = written(batch(tmp_path, rows), name, tmp_path / "o.json", outside=outside)
    assert (found.turned, found.images, found.without_area, found.outside) == (3, 4, 0, 0)
    if name == "coco":
        assert boxes(tmp_path / "o.json") == [[10, 20, 30, 10]] * 4
    else:
        assert (tmp_path / "o.json").read_text().count(",10,20,30,10,") == 4


ASKED = [tag("s", 10, 20, 30, 40, brand="C")]


@pytest.mark.parametrize(
    "answered",
    [
        {"id": "s", "label": "good"},
        tag("s", "10", "20", "30", "40", label="good"),
        tag("s", None, None, None, None, label="good"),
        tag("s", 10, 20, 30, label="good", height=True),
    ],
)
def test_the_box_that_was_asked_about(tmp_path: Path, answered: dict[str, Any]) -> None:
    """An answer without a box, or with numbers as strings, is about the box that was sent under its id."""
    opened = batch(tmp_path, [Drawn("a", [answered], sized(), sent=ASKED)])
    found = written(opened, "coco", tmp_path / "o.json")
    assert (boxes(tmp_path / "o.json"), found.as_sent, found.unusable) == ([[10, 20, 30, 40]], 1, 0)
    (told,) = json.loads((tmp_path / "o.json").read_bytes())["annotations"]
    assert (told["attributes"]["brand"], told["attributes"]["label"]) == ("C", "good")


def test_a_box_of_its_own_goes_first(tmp_path: Path) -> None:
    """Numbers of the answer are never replaced by those that were sent; an unknown id has none."""
    tags: list[dict[str, Json]] = [tag("s", 1, 2, 3, 4), {"id": "other", "label": "good"}]
    opened = batch(
        tmp_path, [Drawn("a", tags[:1], sized(), sent=ASKED), Drawn("b", tags, sized(), sent=ASKED)]
    )
    found = written(opened, "coco", tmp_path / "o.json")
    assert (boxes(tmp_path / "o.json"), found.as_sent, found.unusable) == ([[1, 2, 3, 4]], 0, 1)


def turned(*drawn: tuple[int, int, int, int]) -> list[Drawn]:
    """Rows whose pictures are 400 by 300 as they are stored, and stand upright."""
    return [Drawn(str(n), [tag("t", *box)]) for n, box in enumerate(drawn)]


TALL, WIDE, BOTH = (0, 310, 10, 80), (310, 0, 80, 10), (0, 0, 10, 10)
UPRIGHT = dict.fromkeys(range(9), Measured(400, 300, 6))


@pytest.mark.parametrize(
    ("frame", "size"), [(None, (300, 400)), (Frame.DISPLAYED, (300, 400)), (Frame.STORED, (400, 300))]
)
@pytest.mark.parametrize("name", ["coco", "voc", "yolo", "label-studio"])
def test_sizes_are_those_of_the_picture_as_it_is_displayed(
    tmp_path: Path, name: str, frame: Frame | None, size: tuple[int, int]
) -> None:
    """Unless the stored one is asked for; images.csv names the frame, and turned pictures are counted."""
    opened = batch(tmp_path, [*turned(BOTH), Drawn("told", [], sized(5, 6))])
    found = written(opened, name, tmp_path / "out", UPRIGHT, orientation=frame)
    lines = (tmp_path / "out" / "images.csv").read_text().splitlines()
    assert [line.split(",")[4:] for line in lines] == [
        ["image_width", "image_height", "tags", "frame"],
        [*map(str, size), "1", frame or "displayed"],
        ["5", "6", "0", "told"],
    ]
    assert (found.oriented, found.only_displayed, found.only_stored) == (1, 0, 0)


def test_where_the_boxes_speak_for_the_stored_frame(tmp_path: Path) -> None:
    """It is asked which frame people drew in, with numbers, and nothing is written; either answer does."""
    opened = batch(tmp_path, turned(WIDE, WIDE, TALL, BOTH))
    with pytest.raises(UsageError) as asked:
        written(opened, "coco", tmp_path / "out", UPRIGHT)
    for words in (
        "4 pictures",
        "boxes of 2 fit only the picture as it is stored",
        "of 1 only",
        "--orientation",
    ):
        assert words in str(asked.value)
    assert names(tmp_path) == ["home"]
    stored = written(opened, "coco", tmp_path / "stored", UPRIGHT, orientation=Frame.STORED)
    shown = written(opened, "coco", tmp_path / "shown", UPRIGHT, orientation=Frame.DISPLAYED)
    assert (stored.images, shown.images) == (3, 2)
    assert written(opened, "csv", tmp_path / "table", UPRIGHT).only_stored == 2


def test_where_they_do_not(tmp_path: Path) -> None:
    """As many for each frame, or more for the displayed one: that one is taken, and both are counted."""
    found = written(batch(tmp_path, turned(WIDE, TALL)), "coco", tmp_path / "out", UPRIGHT)
    assert (found.oriented, found.only_displayed, found.only_stored) == (2, 1, 1)


def test_boxes_are_clipped(write: Write, tmp_path: Path) -> None:
    """Clipping leaves what lies within the image."""
    edges = EDGES.tags or ()
    found = write("coco", [Drawn("a", edges[:2], sized())], "o.json", outside=Outside.CLIP)
    assert boxes(tmp_path / "o.json") == [[0, 0, 640, 480], [0, 470, 10, 10]]
    assert (found.outside, found.without_area, found.clipped, found.gone, found.tags) == (1, 0, 1, 0, 2)


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
    found = written(opened, "coco", tmp_path / "o.json", {0: Measured(1, 1), 1: Measured(7, 8)})
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
