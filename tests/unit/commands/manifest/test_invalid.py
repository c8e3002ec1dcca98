"""Rows with mistakes: put aside whole, mended there, and submitted into the same batch."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.commands.manifest.invalid import _put
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.verbs.submit import submit
from mwbatch.commands.verbs.validate import validate
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.manifest.entry import OUR_ERROR, OUR_TEXT, Entry, Problem, cells_of
from mwbatch.core.manifest.parsing import read_csv, read_jsonl
from mwbatch.core.report.command_outcomes import Created
from mwbatch.errors import Exit, ManifestError
from mwbatch.journal.files.replacing import aside as staged
from mwbatch.views.preview import validated
from tests.conftest import Synced
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, silent

HEADER = "id,image_url,tags,annotation_option,instruction,shop"
BAD = [
    "a,ftp://images.example.com/a.jpg,,,,Köln",
    'b,https://images.example.com/b.jpg,"[{""left"":1}]",good|bad,Is it?,Bonn',
    "c,https://images.example.com/c.jpg",
]
GOOD = ["d,https://images.example.com/d.jpg,,,,Trier", "e,https://images.example.com/e.jpg,,,,"]


async def sent(stage: Stage, *lines: str, skip: bool = True, name: str = "logos.csv") -> Created:
    """Submit a manifest of these lines into the batch `logos`."""
    source = ManifestSource(stage.manifest(name=name).path, skip_invalid=skip, batch="logos")
    stage.write(source, *lines)
    return await submit(stage.home, stage.client, source, silent(), stage.new_context())


def aside(stage: Stage) -> Path:
    """Where the bad rows are."""
    return stage.folder / "logos.csv.invalid.jsonl"


def put_aside(stage: Stage) -> list[dict[str, object]]:
    """The bad rows."""
    return [json.loads(line) for line in aside(stage).read_bytes().splitlines()]


@virtual
async def test_bad_rows_never_block_good_ones(stage: Stage) -> None:
    """The good rows are sent, the bad ones stand aside with their cells and what is wrong;
    the exit code tells.
    """
    created = await sent(stage, HEADER, *BAD, *GOOD)
    assert (created.skipped, created.exit, stage.statuses()) == (3, Exit.ROWS, {"pending": 2})
    a, b, c = put_aside(stage)
    assert (a["id"], a["image_url"], a["shop"]) == ("a", "ftp://images.example.com/a.jpg", "Köln")
    assert "must begin with http" in str(a[OUR_ERROR])
    assert (b["tags"], str(b[OUR_ERROR]).count("tag 0: ")) == ('[{"left":1}]', 3)
    assert c[OUR_TEXT] == BAD[2]


@virtual
async def test_bad_rows_are_durable(stage: Stage, synced: Synced) -> None:
    """Before the good rows are sent the list of bad ones is on disk, and so is its name."""
    await sent(stage, HEADER, *BAD, *GOOD)
    there = [path for path, _ in synced]
    assert [path for path in there if path.name.startswith(f".{aside(stage).name}.")]
    assert any(path == stage.folder and aside(stage).name in names for path, names in synced)


@virtual
async def test_nobody_can_foretell_where_it_is_written(stage: Stage) -> None:
    """A link that stands beside the manifest already leads the list
    of bad rows into no file of the user's.
    """
    mine = stage.folder / "mine.txt"
    mine.write_text("mine")
    aside(stage).with_name(f".{aside(stage).name}.new").symlink_to(mine)
    await sent(stage, HEADER, *BAD, *GOOD)
    assert (mine.read_text(), len(put_aside(stage))) == ("mine", 3)


@virtual
async def test_the_printed_command_takes_any_name(stage: Stage) -> None:
    """A file with blanks and an apostrophe in its name is named so that a shell finds it."""
    source = ManifestSource(stage.manifest(name="bob's week 1.csv").path, skip_invalid=True, batch="logos")
    stage.write(source, HEADER, *BAD, *GOOD)
    await submit(stage.home, stage.client, source, silent(), stage.context)
    (told,) = (note for note in stage.context.tally.notes if "mistakes" in note)
    assert shlex.split(told.partition("then: ")[2]) == [
        "mwbatch",
        "submit",
        str(stage.folder / "bob's week 1.csv.invalid.jsonl"),
    ]


@virtual
async def test_without_the_wish_nothing_is_sent(stage: Stage) -> None:
    """Unless the user says so one bad row holds up all, and nothing is put aside."""
    with pytest.raises(ManifestError):
        await sent(stage, HEADER, *BAD, *GOOD, skip=False)
    assert (stage.tasks, aside(stage).exists()) == (0, False)


@virtual
async def test_mended_and_submitted(stage: Stage) -> None:
    """Mended in place, the list is a manifest of the same batch: each row is sent once, with its columns."""
    await sent(stage, HEADER, BAD[0], *GOOD)
    (row,) = put_aside(stage)
    aside(stage).write_bytes(encode(row | {"image_url": "https://images.example.com/a.jpg"}))
    mended = ManifestSource(str(aside(stage)), batch="logos")
    await submit(stage.home, stage.client, mended, silent(), stage.new_context())
    batch = await stage.opened()
    rows = {planned.id: planned.columns for planned in batch.journal.rows()}
    assert (stage.tasks, rows) == (3, {"a": {"shop": "Köln"}, "d": {"shop": "Trier"}, "e": {"shop": ""}})


@virtual
async def test_run_again_it_says_the_same(stage: Stage) -> None:
    """The same manifest again puts the same rows aside, and sends nothing twice."""
    for _ in range(2):
        assert (await sent(stage, HEADER, *BAD, *GOOD)).skipped == 3
    assert stage.tasks == 2


def second(stage: Stage) -> Path:
    """Where bad rows go that the first list does not have."""
    return stage.folder / "logos.csv.invalid.2.jsonl"


@virtual
async def test_mended_in_place_it_runs_again(stage: Stage) -> None:
    """A list that was mended, as it says, and submitted stays as it is;
    only rows that are new in the manifest go to another.
    """
    await sent(stage, HEADER, BAD[0], *GOOD)
    (row,) = put_aside(stage)
    mended = encode(row | {"image_url": "https://images.example.com/a.jpg"}) + b"\n"
    aside(stage).write_bytes(mended)
    await submit(stage.home, stage.client, ManifestSource(str(aside(stage))), silent(), stage.new_context())
    for _ in range(2):
        created = await sent(stage, HEADER, BAD[0], *GOOD, BAD[1], "g,https://images.example.com/g.jpg,,,,")
        assert (created.skipped, created.exit, stage.tasks) == (2, Exit.ROWS, 4)
    assert aside(stage).read_bytes() == mended
    assert [json.loads(line)["id"] for line in second(stage).read_bytes().splitlines()] == ["b"]
    assert len(list(stage.folder.glob("*.invalid*"))) == 2


@virtual
async def test_lists_of_other_batches_do_not_count(stage: Stage) -> None:
    """A row that stands in the list of another batch is put aside for its own one all the same."""
    await sent(stage, HEADER, BAD[0], GOOD[0])
    source = ManifestSource(stage.manifest().path, skip_invalid=True, batch="other")
    stage.write(source, HEADER, BAD[0], GOOD[1])
    assert (await submit(stage.home, stage.client, source, silent(), stage.new_context())).skipped == 1
    assert [json.loads(line)["id"] for line in second(stage).read_bytes().splitlines()] == ["a"]


@virtual
async def test_rows_put_aside_before_are_told(stage: Stage) -> None:
    """Where the bad rows stand is said each time, with the command that sends them once they are mended."""
    for when in ("put aside in", "put aside before in"):
        source, context = ManifestSource(stage.manifest().path, skip_invalid=True), stage.new_context()
        stage.write(source, HEADER, *BAD, *GOOD)
        await submit(stage.home, stage.client, source, silent(), context)
        (told,) = (note for note in context.tally.notes if "mistakes" in note)
        assert told.startswith(f"{when} {aside(stage)}, because of their mistakes: 3 rows.")
        assert told.endswith(f"mwbatch submit {aside(stage)}")


@virtual
async def test_what_somebody_has_there_is_kept(stage: Stage) -> None:
    """What is called like the list, and is none of this batch, is never overwritten:
    the bad rows go to the next name.
    """
    aside(stage).write_text("mine")
    assert (await sent(stage, HEADER, *BAD, *GOOD)).skipped == 3
    assert (aside(stage).read_text(), len(second(stage).read_bytes().splitlines())) == ("mine", 3)
    assert [path.name for path in stage.folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("target", ["mine.txt", "nowhere"])
@virtual
async def test_never_through_a_link(stage: Stage, target: str) -> None:
    """A link under the name of the list stays, and so does what it leads to."""
    (stage.folder / "mine.txt").write_text("mine")
    aside(stage).symlink_to(stage.folder / target)
    await sent(stage, HEADER, *BAD, *GOOD)
    assert (aside(stage).readlink(), len(second(stage).read_bytes().splitlines())) == (
        stage.folder / target,
        3,
    )
    assert ((stage.folder / "mine.txt").read_text(), (stage.folder / "nowhere").exists()) == ("mine", False)


@virtual
async def test_a_row_that_disputes_another(stage: Stage) -> None:
    """The second of two rows with one id, and the copy of a request, are put aside as they stood."""
    rows = [GOOD[0], "d,https://images.example.com/other.jpg,,,,x", "f,https://images.example.com/d.jpg,,,,y"]
    assert (await sent(stage, HEADER, *rows)).skipped == 2
    assert [(row["id"], row["image_url"], row["shop"]) for row in put_aside(stage)] == [
        ("d", "https://images.example.com/other.jpg", "x"),
        ("f", "https://images.example.com/d.jpg", "y"),
    ]


@pytest.mark.parametrize(
    "lines",
    [["id,picture", "a,https://images.example.com/a.jpg"], ["id,id,image_url", "a,b,c"], [HEADER, *BAD]],
)
@virtual
async def test_what_cannot_be_skipped(stage: Stage, lines: list[str]) -> None:
    """A header that is wrong, and a manifest without one good row, are refused as ever."""
    with pytest.raises(ManifestError):
        await sent(stage, *lines)
    assert not aside(stage).exists()


cells = st.sampled_from(
    ["", "a", "https://images.example.com/1.jpg", "good|bad", '[{"left":1}]', "é\u2028", '"']
)


@given(st.lists(cells, min_size=6, max_size=6))
def test_a_problem_keeps_its_row(row: list[str]) -> None:
    """Each problem of a CSV row carries the cells; read again as JSONL they have the same problems."""
    text = ",".join('"' + cell.replace('"', '""') + '"' for cell in row)
    found = list(read_csv([f"{HEADER}\n{text}\n".encode()]))
    problems = [one for one in found if isinstance(one, Problem)]
    assert all(one.cells == dict(zip(HEADER.split(","), row, strict=True)) for one in problems)
    if problems:
        again = list(read_jsonl([encode(problems[0].cells)]))
        assert [(p.column, p.message) for p in again if isinstance(p, Problem)] == [
            (p.column, p.message) for p in problems
        ]


def test_lines_without_cells_are_kept_as_text() -> None:
    """A quote that never closes, JSON that is none, and a value that is no object keep their line."""
    csv = f'{HEADER}\na,"https://images.example.com/a.jpg\n'
    jsonl = b'{"image_url":"https://a/1"}\n{"image_url":\n[1]\n'
    problems = [one for one in [*read_csv([csv.encode()]), *read_jsonl([jsonl])] if isinstance(one, Problem)]
    assert [(one.cells or {}).get(OUR_TEXT) for one in problems] == [
        'a,"https://images.example.com/a.jpg',
        '{"image_url":',
        "[1]",
    ]


def test_a_good_row_can_be_written_again() -> None:
    """The cells of an entry are read as the same entry, request and columns alike,
    whatever our own columns say.
    """
    row = {
        "id": "x",
        "image_url": "https://images.example.com/x.jpg",
        "instruction": "Is it?",
        "annotation_option": ["good", "bad"],
        "tags": [{"left": 1, "top": 2, "width": 3, "height": 4, "brand": "Umber"}],
        "shop": 7,
    }
    (entry,) = read_jsonl([encode(row)])
    assert isinstance(entry, Entry)
    (again,) = read_jsonl([encode(cells_of(entry, "id") | {OUR_ERROR: "none", OUR_TEXT: "any"})])
    assert again == entry


@virtual
async def test_identical_rows_are_named_with_both_lines(stage: Stage) -> None:
    """Validation names each identical row with the line of its first."""
    source = stage.manifest()
    stage.write(source, "image_url", *["https://a/1", "https://a/2", "https://a/1", "https://a/1"])
    found = await validate(source.path)
    assert found.repeats == ((4, 2), (5, 2))
    assert f"{source.path}:4: the same as line 2" in validated(found).words
    value: Any = validated(found).value
    assert value["repeats"] == [{"line": 4, "first_line": 2}, {"line": 5, "first_line": 2}]


@virtual
async def test_no_gap_is_left(stage: Stage) -> None:
    """Rows that are put aside before others leave no gap in the batch,
    which would look like rows that were lost.
    """
    copied = [GOOD[0], "f,https://images.example.com/d.jpg,,,,y", GOOD[1]]
    assert (await sent(stage, HEADER, *copied)).skipped == 1
    assert stage.statuses() == {"pending": 2}


@virtual
async def test_a_list_that_begins_with_a_line_without_cells(stage: Stage) -> None:
    """What cannot be read as a row says nothing about the others: mended,
    they are sent by the ids that they have.
    """
    await sent(stage, HEADER, BAD[2], BAD[0], *GOOD)
    torn, row = put_aside(stage)
    aside(stage).write_bytes(
        encode(torn) + b"\n" + encode(row | {"image_url": "https://images.example.com/a.jpg"})
    )
    mended = ManifestSource(str(aside(stage)), skip_invalid=True)
    created = await submit(stage.home, stage.client, mended, silent(), stage.new_context())
    assert (created.skipped, stage.statuses()) == (1, {"pending": 3})


row_names = st.sampled_from(
    ["Tags", "type", "Type", "tags", "objects_to_tag", "ObjectsToTag", "ID", "id", "shop"]
)


@given(st.dictionaries(row_names, st.sampled_from([None, "", "x"]), max_size=6))
def test_put_aside_nothing_else_is_wrong(columns: dict[str, str | None]) -> None:
    """A row that is written again is told for the same names as before, and for no others."""
    row = {**columns, "image_url": "https://a/1", "id": columns.get("id") or "1"}
    for entry in read_jsonl([encode(row)]):
        if isinstance(entry, Entry):
            (again,) = read_jsonl([encode(cells_of(entry, "id"))])
            assert again == entry


def test_each_list_has_a_name_of_its_own(tmp_path: Path) -> None:
    """The lists of a manifest are counted from 2, and none takes the place of another."""
    for name in ("m.jsonl", "m.2.jsonl", "m.3.jsonl", "m.4.jsonl"):
        with staged(tmp_path / "m.jsonl") as new:
            new.write(b"{}")
            assert _put(new) == tmp_path / name
    assert len(list(tmp_path.iterdir())) == 4
