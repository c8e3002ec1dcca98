"""The table: a line a tag, nothing lost, and in CSV nothing that a spreadsheet would run."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.json_codec import Json
from mwbatch.core.report.second_stage import SOURCE
from mwbatch.errors import UsageError
from mwbatch.export.formats.csv_lines import harmless, line_writer
from mwbatch.export.formats.table import header
from tests.unit.export.batches import Drawn, batch, sized, tag
from tests.unit.export.conftest import Write, written


def read(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_a_line_a_tag(write: Write, tmp_path: Path) -> None:
    """Each tag has its line, an image without tags one with empty tag columns,
    a row without an answer none.
    """
    rows = [
        Drawn("a", [tag("t1", 1, 2.5, 3, 4, brand="P\u00e9psi"), tag("t2")], sized(campaign="x")),
        Drawn("b", [], {"campaign": "y"}),
        Drawn("c", None),
    ]
    found = write("csv", rows)
    lines = read(tmp_path / "out")
    assert [(line["id"], line["tag_id"], line["campaign"]) for line in lines] == [
        ("a", "t1", "x"), ("a", "t2", "x"), ("b", "", "y"),
    ]  # fmt: skip
    assert [lines[0][name] for name in ("left", "top", "width", "height", "brand")] == [
        "1",
        "2.5",
        "3",
        "4",
        "P\u00e9psi",
    ]
    assert (lines[0]["image_width"], lines[2]["image_width"]) == ("640", "")
    assert (found.images, found.tags, found.without_tags, found.without_size, found.completed) == (
        2,
        2,
        1,
        1,
        2,
    )


def test_lineage_is_joined(write: Write, tmp_path: Path) -> None:
    """An annotating row's tags come with the brand as sent, the label and all else as answered,
    and the columns of lineage.
    """
    sent = [tag("t", brand="Pepsi", brand_id="b1", note="n")]
    source: tuple[Json, ...] = ("logos", 3, "shot-3", "task-3")
    lineage = dict(zip(SOURCE, source, strict=True))
    write("csv", [Drawn("a", [tag("t", label="good", extra=[1])], lineage, sent=sent)])
    (line,) = read(tmp_path / "out")
    told = ("brand", "brand_id", "label", "tag_more", *SOURCE)
    assert [line[name] for name in told] == [
        "Pepsi", "b1", "good", '{"extra":[1],"note":"n"}', "logos", "3", "shot-3", "task-3",
    ]  # fmt: skip
    assert "tags" not in line


def test_a_tag_without_a_box_stays(write: Write, tmp_path: Path) -> None:
    """A tag whose numbers make no box has its line, with the numbers as they came beside it,
    and is counted.
    """
    found = write("csv", [Drawn("a", [tag("t", left="7", brand="B")], sized())])
    (line,) = read(tmp_path / "out")
    assert (found.unplaced, line["left"], line["brand"]) == (1, "", "B")
    assert '"left":"7"' in line["tag_more"]


def test_names_that_clash() -> None:
    """A manifest's column that is called as one of ours gets a prefix, and never that of another."""
    assert header(["row", "brand", "other", "column_row"])[-4:] == [
        "column_column_row",
        "column_brand",
        "other",
        "column_row",
    ]


def test_too_many_columns(write: Write) -> None:
    """JSONL rows that have each their own columns are refused, with what would do."""
    rows = [Drawn(str(n), [], {f"c{n}": 1}) for n in range(1001)]
    with pytest.raises(UsageError, match="results instead of export"):
        write("csv", rows)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1+1",
        "-",
        "=cmd|' /C calc'!A0",
        "+49 171 1",
        "-1;=1",
    ],
)
def test_formulas_are_neutralised(write: Write, tmp_path: Path, text: str) -> None:
    """Whatever cell begins as a formula gets an apostrophe, in headers, ids and answers too."""
    write("csv", [Drawn(text, [tag(text, brand=text)], {text: text})])
    with (tmp_path / "out").open(encoding="utf-8", newline="") as file:
        cells = [cell for line in csv.reader(file, strict=True) for cell in line]
    assert cells.count(f"'{text}") == 5
    assert not any(cell.startswith(tuple("=+-@\t\r\n\uff1d")) for cell in cells)


@pytest.mark.parametrize("cell", ["-5", "+1.5", "-1e-3", "7", "", None, -5, -0.5, "a=1", "'=1"])
def test_numbers_and_plain_text_stay(cell: Any) -> None:
    """A plain number is no formula, whatever its sign."""
    assert harmless(cell) == cell


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_any_text_comes_back(text: str) -> None:
    """Whatever a cell says is read back by another's parser, save for the apostrophe."""
    file = io.StringIO(newline="")
    line_writer(file, [text]).writerow([harmless(text), "end"])
    _, (back, end) = csv.reader(io.StringIO(file.getvalue(), newline=""), strict=True)
    assert (back.removeprefix("'") if back != text else back, end) == (text, "end")


def test_so_many_columns_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table has as many columns of the manifest as may be; one more is refused, with what would do."""
    monkeypatch.setattr("mwbatch.export.batch_survey.MOST_COLUMNS", 3)
    most = {"x": "1", "y": "2", "z": "3"}
    written(batch(tmp_path / "a", [Drawn("a", [], most)]), "csv", tmp_path / "a.csv")
    with pytest.raises(UsageError, match=r"more than 3 different columns.*another --format"):
        written(batch(tmp_path / "b", [Drawn("a", [], most | {"w": "4"})]), "csv", tmp_path / "b.csv")
