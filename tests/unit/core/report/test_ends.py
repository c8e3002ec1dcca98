"""What commands came to means one exit code."""

import pytest

from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.digests import digest_id
from mwbatch.core.facts.kinds import Planned, Request
from mwbatch.core.manifest.entry import Entry, Problem, cells_of, with_cells
from mwbatch.core.manifest.parsing import read_csv, read_jsonl
from mwbatch.core.manifest.row_identity import Identity
from mwbatch.core.report.command_outcomes import Canceled, Made
from mwbatch.core.report.exported import Exported
from mwbatch.core.state.batch import Batch
from mwbatch.errors import Exit
from tests.support.reports import standing


@pytest.mark.parametrize(
    ("found", "exit_code"),
    [
        (Canceled(standing(), 3, 2), Exit.DONE),
        (Canceled(standing(), 3, 2, kept=("row a is completed",)), Exit.ROWS),
        (Canceled(standing(), 3, 2, doubtful=1, kept=("row a is completed",)), Exit.UNFINISHED),
        (Canceled(standing(), 3, 2, interrupted=True), Exit.UNFINISHED),
        (Canceled(standing(damaged_lines=1), 3, 2), Exit.MACHINE),
        (Made("b", "m.jsonl", 1, 2, 0, 0, 0, 0, 0), Exit.DONE),
        (Exported("b", "csv", "out.csv"), Exit.DONE),
        (Exported("b", "csv", "out.csv", unfinished=True), Exit.UNFINISHED),
    ],
)
def test_what_it_means(found: Canceled | Made | Exported, exit_code: Exit) -> None:
    """Damage is the gravest, then what is unfinished, then rows that could not be given up."""
    assert found.exit is exit_code


def test_an_export_that_was_stopped_has_no_path() -> None:
    """Scripts are told of a path only where there is one."""
    assert Exported("b", "csv", "out.csv").json()["path"] == "out.csv"
    assert Exported("b", "csv", "out.csv", stopped=True).json()["path"] is None


def test_problems_get_the_row_that_they_were_found_in() -> None:
    """Every problem of a row carries all of its cells."""
    (problem,) = with_cells([Problem(2, "id", "is empty")], {"id": ""})
    assert isinstance(problem, Problem)
    assert problem.cells == {"id": ""}


@pytest.mark.parametrize("id_column", ["id", None])
def test_a_good_row_can_be_written_again(id_column: str | None) -> None:
    """The cells of an entry are read as the same entry, with or without an id of its own."""
    row = {"image_url": "https://images.example.com/x.jpg", "shop": 7} | ({"id": "x"} if id_column else {})
    (entry,) = read_jsonl([encode(row)])
    assert isinstance(entry, Entry)
    assert list(read_jsonl([encode(cells_of(entry, id_column))])) == [entry]


def test_where_csv_is_no_csv_any_more() -> None:
    """After too many quotes that never close reading stops,
    with a problem that no row can be put aside for.
    """
    found = list(read_csv([b"id,image_url\n", b'a","\n' * 20_000]))
    last = found[-1]
    assert isinstance(last, Problem)
    assert (last.cells, "so many quotes" in last.message) == (None, True)


def test_rows_known_in_any_order() -> None:
    """A new row gets the number after the greatest, in whatever order the known ones were read."""
    identity, (entry,) = Identity(None), read_jsonl([b'{"image_url":"https://a/new"}'])
    for number in (5, 2):
        request: Request = {"image_url": f"https://a/{number}"}
        identity.know(
            Planned(0.0, RowNumber(number), digest_id("tagging", request), 1, "tagging", request, {})
        )
    assert isinstance(entry, Entry)
    assert identity.judge(entry).row == 6


def test_a_row_that_nothing_names() -> None:
    """Asking for a row of which no fact is known raises KeyError, as a mapping does."""
    with pytest.raises(KeyError):
        Batch().rows[0]
