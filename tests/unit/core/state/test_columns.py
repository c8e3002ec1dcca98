"""Which rows are in columns, which are objects, and that nothing is lost on the way from one to the other;
the index beside them: the first row at which each task was shown.
"""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.facts.kinds import Fact, Via
from mwbatch.core.facts.lines import BadLine, line
from mwbatch.core.state import columns
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.codes import CODES, DETACHED
from mwbatch.core.state.columns import Holders
from mwbatch.core.state.row_status import Status
from mwbatch.core.state.row_table import GAP
from tests.support.facts import fail, plan, retry, show, start, withdraw
from tests.support.in_columns import TIMES, folded, in_columns


def test_a_day_of_one_row() -> None:
    """Planned, created, answered twice: the earliest time and the least answer stay, by lines and facts."""
    said = [
        in_columns(0, "a", "pending", TIMES[3], "", None),
        in_columns(0, "a", "pending", TIMES[2], "", None),
    ]
    said += [in_columns(0, "a", "completed", TIMES[2], "yes", at) for at in (TIMES[3], TIMES[2], TIMES[3])]
    others = [in_columns(row, f"b{row}", "completed", TIMES[3], "no", TIMES[3]) for row in (1, 2)]
    whole: list[Fact] = [*map(plan, range(3)), start(1), *said, *others]
    batch = Batch()
    for fact in whole:
        batch.add_line(line(fact)[:-1])
    assert dict(batch.rows) == dict(Batch(whole).rows) == folded(whole)
    assert batch._rows.detached == {}


@pytest.mark.parametrize("order", list(permutations([TIMES[3], TIMES[2], None])))
def test_the_earliest_moment_of_creation_stays(order: tuple[str | None, ...]) -> None:
    """Whichever of several showings comes first, a row in columns has the earliest moment that any named."""
    facts: list[Fact] = [plan(0), *(in_columns(0, "a", "pending", at, "", None) for at in order)]
    by_lines, by_facts = Batch(), Batch(facts)
    for fact in facts:
        by_lines.add_line(line(fact)[:-1])
    for batch in (by_lines, by_facts):
        assert batch.row(0).tasks["a"].created_at == TIMES[2]
        assert batch._rows.detached == {}


@pytest.mark.parametrize("created", [None, TIMES[2]])
@pytest.mark.parametrize("completed", [None, TIMES[3]])
@pytest.mark.parametrize("says", ["", "yes"])
@pytest.mark.parametrize("via", [Via.CREATE, Via.CALLBACK])
def test_a_plain_line_may_lack_each_of_the_times(
    created: str | None, completed: str | None, says: str, via: Via
) -> None:
    """A showing in the plain form without a time, or without both, is joined in columns as its fact is."""
    whole: list[Fact] = [plan(0), in_columns(0, "a", "completed", created, says, completed, via)]
    batch = Batch()
    for fact in whole:
        batch.add_line(line(fact)[:-1])
    assert dict(batch.rows) == dict(Batch(whole).rows) == folded(whole)
    assert batch._rows.detached == {}


def test_every_bit_of_a_line_counts() -> None:
    """A line that columns can hold is refused where any of its bits is another one."""
    whole = line(in_columns(0, "wjTSaCS9sq5AnvEzM", "completed", TIMES[2], "yes", TIMES[3]))[:-1]
    batch = Batch([plan(0)])
    for place in range(len(whole)):
        for bit in range(8):
            harmed = bytearray(whole)
            harmed[place] ^= 1 << bit
            with pytest.raises(BadLine):
                batch.add_line(bytes(harmed))
    assert dict(batch.rows) == folded([plan(0)])


def test_times_and_digests_in_another_spelling_are_kept_as_they_are() -> None:
    """What columns could not give back letter by letter goes into no column."""
    odd = in_columns(0, "a", "completed", TIMES[2], "yes", TIMES[3])
    shout = odd._replace(answer=(odd.answer or "").upper())
    for fact in (shout, odd._replace(completed_at=TIMES[4]), odd._replace(sha256="0")):
        batch = Batch([plan(0)])
        batch.add_line(line(fact)[:-1])
        assert dict(batch.rows) == folded([plan(0), fact])


def test_plain_rows_are_no_objects() -> None:
    """A row that was planned, started, created and answered stays in columns; one more task takes it out."""
    batch = Batch([plan(0), start(1), in_columns(0, "a", "pending", TIMES[2], "", None)])
    batch.add(in_columns(0, "a", "completed", TIMES[2], "yes", TIMES[3]))
    assert batch._rows.detached == {}
    batch.add(in_columns(0, "b", "pending", TIMES[2], "", None))
    assert list(batch._rows.detached) == [0]


def test_two_answers_of_one_task_are_no_straight_path() -> None:
    """A row whose task is answered twice, otherwise, is an object from then on, and in conflict."""
    both = [in_columns(0, "a", "completed", TIMES[2], says, TIMES[3]) for says in ("yes", "no")]
    batch = Batch([plan(0), *both])
    assert (dict(batch.rows), list(batch._rows.detached)) == (folded([plan(0), *both]), [0])
    assert [number for number, _ in batch.conflicts()] == [0]


def test_canceled_rows_are_no_objects() -> None:
    """A batch that was canceled, tasks and unsent rows alike, stays in columns, by lines and by facts."""
    shown = in_columns(0, "a", "pending", TIMES[2], "", None)
    gone = [
        in_columns(0, "a", "canceled", TIMES[2], "", None),
        in_columns(0, "a", "completed", TIMES[2], "", None),
    ]
    whole: list[Fact] = [*map(plan, range(2)), start(1, ((0, 1),)), shown, *gone, withdraw(1, row=1)]
    by_lines, by_facts = Batch(), Batch(whole)
    for fact in whole:
        by_lines.add_line(line(fact)[:-1])
    assert dict(by_lines.rows) == dict(by_facts.rows) == folded(whole)
    assert by_lines.by_status()[Status.CANCELED] == 2
    assert by_lines._rows.detached == by_facts._rows.detached == {}
    by_facts.add(retry(2, row=1))
    assert (by_facts.row(1).status, list(by_facts._rows.detached)) == (Status.PLANNED, [1])


def test_far_numbers_make_no_columns() -> None:
    """A number far beyond the last row costs one object, not room for all numbers below."""
    batch = Batch([plan(0), show(1, row=GAP + 10), *(plan(n) for n in range(1, 5)), fail(1, row=3)])
    assert len(batch._rows.columns.codes) < 100
    assert list(batch.rows) == [0, 1, 2, 3, 4, GAP + 10]
    batch.add(start(1, ((GAP - 5, GAP + 12),)))
    batch.add(plan(GAP + 10))
    assert batch.row(GAP + 10).started
    assert batch.end == GAP + 11


def test_the_code_of_a_lifted_row_is_no_other_row_s() -> None:
    """No row in columns has the code that says that it is elsewhere, nor that of a row that is nowhere."""
    assert {0, DETACHED}.isdisjoint(CODES)


def test_what_callbacks_say_after_the_api_changes_nothing_but_answers() -> None:
    """Once the API itself has shown a task, a callback that calls it canceled is heard nowhere."""
    told = in_columns(0, "a" * 17, "canceled", TIMES[2], "", None, Via.CALLBACK)
    facts: list[Fact] = [
        plan(0),
        start(1),
        in_columns(0, "a" * 17, "pending", TIMES[3], "", None, Via.CREATE),
        told,
    ]
    for order in (facts, facts[::-1]):
        batch = Batch(order)
        assert (batch.row(0).status, batch.row(0).tasks["a" * 17].created_at) == (Status.PENDING, TIMES[3])


def test_a_task_that_columns_hold_for_another_row_makes_a_row_of_its_own() -> None:
    """A task id that stands at one row is no straight path for a second one: both are seen in full."""
    two = [in_columns(row, "a" * 17, "pending", None, "", None) for row in (0, 1)]
    facts: list[Fact] = [*map(plan, range(2)), start(1, ((0, 2),)), *two]
    batch, by_lines = Batch(facts), Batch()
    for fact in facts:
        by_lines.add_line(line(fact)[:-1])
    assert [batch.row(n) for n in (0, 1)] == [by_lines.row(n) for n in (0, 1)]
    assert all(batch.row(n).tasks for n in (0, 1))


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=2), st.integers(0, 5)), max_size=40))
def test_the_first_row_of_each_task_is_found(came: list[tuple[bytes, int]]) -> None:
    """The first row at which a task was shown has it, however often it is shown, and where."""
    first: dict[bytes, int] = {}
    holders = Holders(lambda row, task_id: first.get(task_id) == row)
    for task_id, row in came:
        assert holders.find(task_id) == first.get(task_id)
        assert holders.claim(task_id, row) == first.setdefault(task_id, row)
        assert holders.find(task_id) == first[task_id]


def test_many_are_found_again() -> None:
    """Thousands are told apart and found while the table grows; a task that nobody has is at no row."""
    ids = [b"task-%d" % number for number in range(5000)]
    holders = Holders(lambda row, task_id: ids[row] == task_id)
    assert [holders.claim(task_id, row) for row, task_id in enumerate(ids)] == list(range(5000))
    assert [holders.find(task_id) for task_id in ids] == list(range(5000))
    assert [holders.claim(task_id, 7) for task_id in ids] == list(range(5000))
    assert holders.find(b"of nobody") is None


def test_a_number_beyond_all_rows_is_not_kept() -> None:
    """A row's number that no entry can hold is passed over: its task is at no row."""
    holders = Holders(lambda _row, _task_id: False)
    assert holders.claim(b"a", 1 << 40) == 1 << 40
    assert holders.find(b"a") is None


def test_ids_whose_hashes_agree_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever part of an id's hash is kept, a task is found at its own row, and all rows stay in columns."""
    monkeypatch.setattr(columns, "_PART", 1)
    whole: list[Fact] = [*map(plan, range(20)), start(1, ((0, 20),))]
    whole += [in_columns(row, f"task-{row:02}", "pending", TIMES[2], "", None) for row in range(20)]
    batch = Batch(whole)
    assert batch._rows.detached == {}
    assert dict(batch.rows) == folded(whole)
    ids = [b"task-%d" % number for number in range(50)]
    holders = Holders(lambda row, task_id: ids[row] == task_id)
    assert [holders.claim(task_id, row) for row, task_id in enumerate(ids)] == list(range(50))
    assert [holders.find(task_id) for task_id in ids] == list(range(50))


def test_a_row_that_was_taken_out_names_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns have a task only at a row that stands in them."""
    batch = Batch([plan(0), plan(1), in_columns(0, "a" * 17, "pending", TIMES[2], "", None)])
    there = batch._rows.columns
    assert [there.has(row, b"a" * 17) for row in (0, 1)] == [True, False]
    assert not there.has(0, b"b" * 17)
