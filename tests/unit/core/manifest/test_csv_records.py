"""CSV records from lines in portions: whatever the quotes,
nothing is read again more often than was promised.
"""

from collections.abc import Iterator

import pytest

from mwbatch.core.manifest import csv_records as records
from mwbatch.core.manifest.csv_records import MAX_CELL, MAX_RECORD, SPARE, Record, Records, Torn

OPENING = 'a","\n'
"""Opens a quote wherever reading begins, also inside of one, with cells that stay short."""

LINES = 20_000


def read(lines: list[str], portion: int) -> Iterator[tuple[int, Record]]:
    """Read lines in portions of so many."""
    records = Records()
    for first in range(0, len(lines), portion):
        yield from records.read(lines[first : first + portion])
    yield from records.read([], last=True)


@pytest.mark.parametrize("portion", [1, 2, 7, 1000])
def test_portions_do_not_matter(portion: int) -> None:
    """A record over many lines is one record, with the line that it begins on, whatever the portions."""
    lines = ["a,b\n", 'c,"', *["x\n"] * 40, '"\n', "d,e\n", '"f\n', "g\n"]
    assert list(read(lines, portion)) == [
        (1, ["a", "b"]),
        (2, ["c", "x\n" * 40]),
        (44, ["d", "e"]),
        (
            45,
            Torn(
                'a quote (") is opened that nothing closes (close it, or double a quote that is meant)', '"f'
            ),
        ),
        (46, ["g"]),
    ]


@pytest.mark.parametrize("portion", [1000, 10**6])
def test_quotes_that_never_close(portion: int) -> None:
    """Where every line opens a quote that nothing closes, reading stops after a bounded effort,
    and says where.
    """
    found = list(read([OPENING] * LINES, portion))
    *wrong, (line, told) = found
    assert [number for number, _ in found] == list(range(1, line + 1))
    assert {type(record) for _, record in wrong} == {Torn}
    assert told == "so many quotes are opened and never closed that the rest was not read (is this CSV?)"
    assert len(wrong) < 2 * SPARE / (LINES * len(OPENING))


def test_after_too_many_nothing_is_read() -> None:
    """Once reading stopped, it does not begin again."""
    records = Records()
    found = list(records.read([OPENING] * LINES, last=True))
    assert records.over
    assert str(found[-1][1]).startswith("so many quotes")
    assert not list(records.read(["a,b\n"], last=True))


def test_a_record_without_end_is_not_kept() -> None:
    """A record that goes on and on is given up before the file ends, and the next line is read for itself."""
    records = Records()
    line = f'a","{"x" * 1000}\n'
    portions = [[line] * 100] * (2 * MAX_RECORD // (100 * len(line)) + 2)
    told = [found for lines in portions for found in records.read(lines)]
    number, torn = told[0]
    assert isinstance(torn, Torn)
    assert (number, torn.reason[:17], torn.text) == (1, 'a quote (") is op', line.rstrip())


@pytest.mark.parametrize("portion", [5, 7, 30])
def test_what_a_record_without_end_has_taken_is_read_once(
    portion: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a record grows too long for one, each line behind its first is a record of its own,
    and none before it comes again.
    """
    monkeypatch.setattr(records, "MAX_RECORD", 6)
    lines = ["a\n", "b\n", '"c\n', *(f"{number}\n" for number in range(10, 30))]
    found = list(read(lines, portion))
    assert [number for number, _ in found] == list(range(1, len(lines) + 1))
    assert [told for _, told in found if not isinstance(told, Torn)] == [
        [line.strip()] for line in lines if '"' not in line
    ]


def test_one_stray_quote_costs_its_own_line_alone() -> None:
    """After a quote that never closes every other line is read, however long the file is."""
    cell, count = "x" * 1000, MAX_CELL // 900
    first, *others = read(['stray,"quote\n', *[f"{cell},y\n"] * count], 500)
    assert isinstance(first[1], Torn)
    assert first[1].text == 'stray,"quote'
    assert others == [(number + 2, [cell, "y"]) for number in range(count)]
