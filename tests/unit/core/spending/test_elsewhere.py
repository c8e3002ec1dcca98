"""Rows that would be sent, compared with what others asked for."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.facts.digests import SIZE, named
from mwbatch.core.spending.overlaps import COUNTED, Ahead, Overlap, Overlaps, consented
from mwbatch.core.state.row_status import Status


def digest(asked: int) -> bytes:
    """One for each thing that can be asked."""
    return asked.to_bytes(SIZE)


requests = st.integers(0, 6)
ours = st.lists(requests, max_size=8)
theirs = st.lists(st.tuples(requests, st.sampled_from(Status)), max_size=8)


@given(ours, st.lists(theirs, max_size=3), st.integers(0, 8))
def test_it_is_the_naive_comparison(
    rows: list[int], others: list[list[tuple[int, Status]]], end: int
) -> None:
    """A row was asked for before where a row elsewhere asks for the same, counts by its status,
    and was not consented to.
    """
    first = 100
    ahead = Ahead((first + number, digest(asked)) for number, asked in enumerate(rows))
    assert [digest(asked) in ahead for asked in range(7)] == [asked in rows for asked in range(7)]
    overlaps, allowed = Overlaps(len(ahead)), consented({"b0": {"at": 0.0, "rows": first + end}}, "b0")
    for n, other in enumerate(others):
        shared = ahead.among((number, digest(asked)) for number, (asked, _) in enumerate(other))
        one = Overlap(f"o{n}", f"b{n}")
        if n:
            overlaps.take(ahead, one, shared, lambda number, other=other: other[number][1])  # type: ignore[misc]
        else:
            overlaps.take(ahead, one, shared, lambda number, other=other: other[number][1], allowed)  # type: ignore[misc]
    firsts = {asked: rows.index(asked) for asked in rows}
    refused: dict[int, set[int]] = {
        n: {
            number
            for number, asked in enumerate(rows)
            if any(asked == what and status in COUNTED for what, status in other)
            and not (n == 0 and firsts[asked] < end)
        }
        for n, other in enumerate(others)
    }
    assert [one.batch for one in overlaps.there] == [f"o{n}" for n, shared in refused.items() if shared]
    assert [one.rows for one in overlaps.there] == [len(shared) for shared in refused.values() if shared]
    every = set().union(*refused.values())
    assert (overlaps.of, overlaps.rows) == (len(rows), len(every))
    assert list(overlaps.numbers(ahead)) == [first + number for number in sorted(every)]


@given(ours, theirs, st.integers(0, 8))
def test_of_our_own_rows_the_first_is_sent(rows: list[int], kept: list[tuple[int, Status]], end: int) -> None:
    """Of rows of one batch that ask for the same all wait where one counts that is not to be sent,
    else all but the first.
    """
    ahead = Ahead((number, digest(asked)) for number, asked in enumerate(rows))
    overlaps, allowed = Overlaps(len(ahead)), consented({"b": {"at": 0.0, "rows": end}}, "b")
    shared = ahead.among((number, digest(asked)) for number, (asked, _) in enumerate(kept))
    overlaps.take(ahead, Overlap("o", "b"), shared, lambda number: kept[number][1], allowed, own=True)
    counting = {asked for asked, status in kept if status in COUNTED and rows and asked in rows}
    by_others = {n for n, asked in enumerate(rows) if asked in counting and rows.index(asked) >= end}
    by_ours = {n for n, asked in enumerate(rows) if rows.index(asked) < n and n >= end}
    assert set(overlaps.numbers(ahead)) == by_others | by_ours
    assert len(overlaps.there) == bool(by_others | by_ours)


def test_it_says_who_asked() -> None:
    """Another batch is told with its name, its id, how many rows are shared, and where they stand."""
    other = Overlap("week1", "k2", 1_200, Counter({"pending": 1_000, "completed": 200}), (0, 0))
    assert other.text() == "batch week1 (k2): 1,200 rows, 200 completed, 1,000 pending"
    assert other.json() == {
        "batch": "week1",
        "batch_id": "k2",
        "rows": 1_200,
        "by_status": {"completed": 200, "pending": 1_000},
    }


def test_many_digests_are_found_among_more() -> None:
    """Each of many is found by its value wherever its place in the table is taken, and no other one is."""
    digests = [named(str(n)) for n in range(12_000)]
    ahead = Ahead(enumerate(digests[::2]))
    assert list(ahead.among(enumerate(digests))) == [(n // 2, n) for n in range(0, 12_000, 2)]
