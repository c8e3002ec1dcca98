import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.digests import Digests, digest_id, request_digest
from mwbatch.core.facts.kinds import Planned, Request
from mwbatch.core.manifest.entry import Entry
from mwbatch.core.manifest.row_identity import Decision, Identity, RowKind


def entry(line: int, picture: str, id_: str | None = None) -> Entry:
    request: Request = {"image_url": f"https://images.example.com/{picture}", "objects_to_tag": "brands"}
    return Entry(line, id_ or digest_id("tagging", request), "tagging", request, {}, id_ is not None)


def batch(id_column: str | None, *rows: Entry, allow_duplicates: bool = False) -> Identity:
    """A batch that holds ``rows``."""
    identity = Identity(id_column, allow_duplicates=allow_duplicates)
    for number, row in enumerate(rows):
        identity.know(Planned(0.0, RowNumber(number), row.id, row.line, row.type, row.request, {}))
    return identity


def test_rows_without_ids() -> None:
    """By digest a row is known once from the batch, repeated from then on, and new only if its request is."""
    identity = batch(None, entry(1, "a"), entry(2, "b"))
    assert identity.free == 2
    assert identity.judge(entry(2, "b")) == Decision(RowKind.KNOWN, 1)
    assert identity.judge(entry(3, "c")) == Decision(RowKind.NEW, 2)
    assert identity.judge(entry(4, "b")) == Decision(RowKind.REPEATED, 1, 2)
    assert identity.judge(entry(5, "c")) == Decision(RowKind.REPEATED, 2, 3)
    assert len(identity) == 3


def test_rows_with_ids() -> None:
    """With ids a row is known by its id, changed if its request is another, a copy if only its id is new."""
    identity = batch("id", entry(1, "a", "x"))
    assert identity.judge(entry(2, "a", "x")) == Decision(RowKind.KNOWN, 0)
    assert identity.judge(entry(3, "a", "x")) == Decision(RowKind.REPEATED, 0, 2)
    assert identity.judge(entry(4, "b", "x")) == Decision(RowKind.CHANGED, 0, 2)
    assert identity.judge(entry(5, "b", "y")) == Decision(RowKind.NEW, 1)
    assert identity.judge(entry(6, "b", "z")) == Decision(RowKind.COPY, 1, 5)


def test_duplicates_may_be_allowed() -> None:
    """Where duplicates are allowed a new id is a new row whatever it asks for,
    and a changed request still is not.
    """
    identity = batch("id", entry(1, "a", "x"), allow_duplicates=True)
    assert identity.judge(entry(1, "a", "y")) == Decision(RowKind.NEW, 1)
    assert identity.judge(entry(2, "b", "y")) == Decision(RowKind.CHANGED, 1, 1)


def test_a_row_is_known_once() -> None:
    """A row that the batch tells twice is one row."""
    assert len(batch("id", entry(1, "a", "x"), entry(1, "a", "x"))) == 1


def test_rows_that_were_told_apart_before_stay_apart() -> None:
    """Two rows of an older batch that differ in their signatures alone are found one after the other,
    then repeated.
    """
    query = "x.jpg?Key-Pair-Id=k&Signature="
    identity = batch(None, entry(1, f"{query}1"), entry(2, f"{query}2"), entry(3, "b"))
    lines = [entry(n, f"{query}{n}") for n in (7, 8, 9)]
    assert [identity.judge(line)[:2] for line in lines] == [
        (RowKind.KNOWN, 0),
        (RowKind.KNOWN, 1),
        (RowKind.REPEATED, 0),
    ]
    assert identity.judge(entry(9, "new")).row == 3
    twins = batch(None, entry(1, f"{query}1"), entry(2, f"{query}2"))
    assert twins.judge(entry(9, "new")).row == 2


@pytest.mark.parametrize("column", [None, "id"])
def test_an_idle_row_is_renewed_by_a_fresh_signature_alone(column: str | None) -> None:
    """An idle row with another signature is renewed, with the same one known; a row that is open is known."""
    name, query = column and "x", "x.jpg?sv=1&sig="
    for idle, signature, kind in (
        (True, "1", RowKind.KNOWN),
        (True, "2", RowKind.RENEWED),
        (False, "2", RowKind.KNOWN),
    ):
        identity, row = Identity(column), entry(1, f"{query}1", name)
        identity.know(Planned(0.0, RowNumber(0), row.id, 1, row.type, row.request, {}), idle=idle)
        assert identity.judge(entry(5, f"{query}{signature}", name)) == Decision(kind, 0)
        assert identity.judge(entry(6, f"{query}{signature}", name)) == Decision(RowKind.REPEATED, 0, 5)


def test_only_idle_rows_may_be_renewed() -> None:
    """Among rows of one batch it is told for each, whatever the order in which they are known."""
    identity = Identity(None)
    rows = [entry(n, f"{n}.jpg?sv=1&sig=1") for n in range(3)]
    for number in (2, 0, 1):
        row = rows[number]
        identity.know(Planned(0.0, RowNumber(number), row.id, 1, row.type, row.request, {}), idle=number != 1)
    fresh = [identity.judge(entry(9, f"{n}.jpg?sv=1&sig=2")).kind for n in range(3)]
    assert fresh == [RowKind.RENEWED, RowKind.KNOWN, RowKind.RENEWED]


def test_digests_among_others() -> None:
    """Each pair whose digest is here gives both numbers,
    also where two digests wanted one place in the table.
    """
    index = Digests()
    here = [request_digest("", {"n": n}) for n in range(9_000)]
    for digest in here:
        index.add(digest)
    pairs = [
        (n + 7, digest)
        for n, digest in enumerate([*here, *(request_digest("", {"m": n}) for n in range(9_000))])
    ]
    assert list(index.among(pairs)) == [(n, n + 7) for n in range(9_000)]


def test_what_the_user_calls_volatile_tells_no_rows_apart() -> None:
    """A parameter by that name counts for nothing, in what the batch has and in what the manifest says."""
    identity, row = Identity(None, volatile=("t",)), entry(1, "x.jpg?t=1")
    identity.know(Planned(0.0, RowNumber(0), row.id, 1, row.type, row.request, {}))
    assert identity.judge(entry(2, "x.jpg?t=2")) == Decision(RowKind.KNOWN, 0)
    assert identity.judge(entry(3, "x.jpg?s=2")).kind is RowKind.NEW


def test_changed_request_shows_both() -> None:
    """A known id with another request is refused with what was and what is now, around the difference."""
    identity, new = (
        batch("id", entry(1, "old.jpg", "x")),
        entry(9, "new.jpg", "x")._replace(type="annotating"),
    )
    old = Planned(0.0, RowNumber(0), "x", 1, "tagging", entry(1, "old.jpg").request, {})
    told = identity.problem(new, identity.judge(new), {0: old}.get).text("m.csv")
    assert told == (
        "m.csv:9: id: 'x' is row 0 of the batch with another request: "
        'type was "tagging", is now "annotating"; '
        'image_url was "https://images.example.com/old.jpg", is now "https://images.example.com/new.jpg" '
        "(give the new request a new id)"
    )


def test_difference_in_a_long_value_is_found() -> None:
    """Of two long values the part that differs is shown."""
    identity, new = (
        batch("id", entry(1, "x" * 99 + "1" + "y" * 99, "x")),
        entry(2, "x" * 99 + "2" + "y" * 99, "x"),
    )
    old = Planned(0.0, RowNumber(0), "x", 1, "tagging", entry(1, "x" * 99 + "1" + "y" * 99).request, {})
    told = identity.problem(new, identity.judge(new), lambda _: old).message
    assert f"was …{'x' * 30}1{'y' * 29}…, is now …{'x' * 30}2{'y' * 29}…" in told


def test_twice_in_one_file_names_both_lines() -> None:
    """Two rows of one file that contradict each other are told by their lines."""
    identity = batch("id")
    identity.judge(entry(3, "a", "x"))
    changed, copy = entry(7, "b", "x"), entry(8, "a", "y")
    assert identity.problem(changed, identity.judge(changed)).text("m") == (
        "m:7: id: 'x' is line 3 with another request (give the new request a new id)"
    )
    assert identity.problem(copy, identity.judge(copy)).text("m") == (
        "m:8: id: 'y' asks for exactly what line 3 asks for (keep the old ids, or leave these rows "
        "out: --only-new)"
    )


def test_copy_of_a_planned_row_names_its_id() -> None:
    """A new id for a request of the batch is told with the id that has it."""
    identity, copy = batch("id", entry(1, "a", "x")), entry(2, "a", "y")
    planned = Planned(0.0, RowNumber(0), "x", 1, "tagging", copy.request, {})
    told = identity.problem(copy, identity.judge(copy), lambda _: planned).message
    assert (
        told
        == "'y' asks for exactly what row 0 of the batch ('x') asks for (keep the old ids, or leave these "
        "rows out: --only-new)"
    )


@given(st.lists(st.integers(0, 50)), st.booleans())
def test_index_finds_the_first(numbers: list[int], unique: bool) -> None:
    """An index behaves as a dict of first places does."""
    index, first, kept = Digests(), dict[int, int](), list[bytes]()
    for number in numbers:
        digest = number.to_bytes(16, "big")
        place = first.setdefault(number, len(kept))
        assert (index.add if unique else index.append)(digest) == place
        if place == len(kept) or not unique:
            kept.append(digest)
    assert [index[n] for n in range(len(index))] == kept


@pytest.mark.timeout(10)
def test_an_index_of_one_digest_again_and_again() -> None:
    """Copies take no place in the table, however many there are when it grows."""
    index, copy = Digests(), request_digest("", {})
    assert {index.append(copy) for _ in range(70_000)} == {0}
    others = [request_digest("", {"n": n}) for n in range(50_000)]
    assert [index.append(digest) for digest in others] == list(range(70_000, 120_000))
    assert index.find(copy) == 0


def test_index_grows() -> None:
    """An index that grew still finds every digest where it came first."""
    index, digests = Digests(), [request_digest("", {"n": n % 15_000}) for n in range(30_000)]
    places = [index.append(digest) for digest in digests]
    assert places == [n % 15_000 for n in range(30_000)]
    assert [index.add(digest) for digest in digests] == places
    assert [index.find(digest) for digest in digests] == places
    assert len(index) == 30_000


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz"), st.integers(0, 1)), max_size=30),
    st.integers(1, 9),
    st.sampled_from([None, "id"]),
    st.booleans(),
)
def test_rows_are_judged_many_at_a_time(
    rows: list[tuple[str, str, int]], size: int, column: str | None, allowed: bool
) -> None:
    """However many rows are judged at once, each is what it would be if it were judged by itself."""
    lines = [
        entry(n, f"{picture}.jpg?sv=1&sig={signed}", column and name)
        for n, (picture, name, signed) in enumerate(rows, 1)
    ]
    one, many = (batch(column, *lines[:3], allow_duplicates=allowed) for _ in range(2))
    decided = list[Decision]()
    for n in range(0, len(lines), size):
        judged = many.judge_all(lines[n : n + size])
        new = iter(judged.rows)
        decided += [
            judged.others.get(place) or Decision(RowKind.NEW, next(new)) for place in range(len(judged.asked))
        ]
    assert decided == list(map(one.judge, lines))
    assert (many.free, len(many)) == (one.free, len(one))
