"""The state in columns is the plain fold, whichever rows are held in which way, from lines as from facts."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.digests import Digests, identity
from mwbatch.core.facts.kinds import Fact, Seen, Started
from mwbatch.core.facts.line_patterns import answered_row, kept_answer, shown_task
from mwbatch.core.facts.lines import BadLine, UnknownFact, line
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Row, Status
from mwbatch.core.state.row_table import GAP
from tests.support.facts import (
    ROWS,
    answer,
    call,
    facts,
    fail,
    histories,
    plan,
    retry,
    show,
    start,
    steps,
    withdraw,
)
from tests.support.in_columns import TIMES, folded, in_columns, plain, showings, stories


@given(stories)
def test_columns_hold_what_the_fold_says(history: list[Fact]) -> None:
    """Every row is as if each were an object, and so is every count and every list."""
    batch, rows = Batch(history), folded(history)
    assert dict(batch.rows) == rows
    assert list(batch.rows) == sorted(rows)
    assert len(batch.rows) == len(rows)
    assert batch.rows.get(ROWS) is None
    planned = {number: row for number, row in rows.items() if row.planned}
    assert (batch.planned, batch.end) == (len(planned), max(planned, default=-1) + 1)
    for status in Status:
        there = sorted(number for number, row in planned.items() if row.status is status)
        assert (list(batch.numbered(status)), batch.by_status()[status]) == (there, len(there))


@given(stories)
@example([plan(0), withdraw(1), start(1)])
@example([plan(0), *map(fail, range(1, 5))])
@example([plan(0), *map(fail, range(1, 5)), show(5)])
def test_questions_are_answered_as_by_objects(history: list[Fact]) -> None:
    """What is asked of a whole batch is what its rows, one by one, would say."""
    batch, rows = Batch(history), folded(history)
    planned = {number: row for number, row in rows.items() if row.planned}
    assert batch.sendable() == sum(row.sendable for row in planned.values())
    assert all(batch.is_sendable(number) is batch.row(number).sendable for number in (*rows, ROWS, GAP + 1))
    assert batch.exhausted() == sum(row.exhausted and row.status is Status.PLANNED for row in rows.values())
    assert batch.refuted() == any(row.refuted for row in rows.values())
    assert sorted(batch.doubtful()) == sorted((n, a) for n, row in planned.items() for a in row.doubtful)
    again = (n for n, row in planned.items() if row.doubtful or (row.started and row.sendable))
    assert list(batch.unsettled()) == sorted(again)
    assert batch.spent() == sum(row.spent for row in rows.values())
    tasks = [task for row in rows.values() for task in row.tasks.values() if task.confirmed and not task.void]
    assert batch.confirmed() == len(tasks) == len({task.task_id for task in tasks})
    assert batch.by_callback_only() == sum(row.by_callback_only for row in planned.values())
    for number, row in rows.items():
        assert not batch.untouched(number) or (row == Row(planned=True) and row.sendable)
    end = 1 + max((n for n, row in rows.items() if row.planned), default=-1)
    missing = {*range(end), *(n for n, row in rows.items() if row.started)} - set(planned)
    assert batch.unplanned() == len(missing)
    assert batch.begun() == any(row.started for row in rows.values())
    assert batch.unstarted() == sum(bool((row.seen | row.failed) & ~row.started) for row in rows.values())


@given(stories)
def test_tasks_are_listed_as_by_objects(history: list[Fact]) -> None:
    """Open, surplus, conflicting and unknown tasks are those of the rows, one by one."""
    batch, rows = Batch(history), folded(history)
    tasks = [(number, row, task) for number, row in rows.items() for task in row.tasks.values()]
    answered = {number for number, _, task in tasks if task.answered and task.confirmed}
    expected = {
        "tasks": [(n, t) for n, _, t in tasks],
        "open": [(n, t) for n, _, t in tasks if n not in answered and not t.canceled],
        "surplus": [(n, t) for n, row, t in tasks if t in row.surplus],
        "conflicts": [(n, t) for n, row, t in tasks if t in row.conflicts],
        "unknown": [(n, t) for n, row, t in tasks if not row.planned],
    }
    for name, there in expected.items():
        assert sorted(getattr(batch, name)(), key=_by_row_and_id) == sorted(there, key=_by_row_and_id)

    assert all(batch.task(number, task.task_id) == task for number, _, task in tasks)
    assert batch.task(ROWS, "a") is batch.task(0, "of nobody") is None


def _by_row_and_id(found: tuple[int, object]) -> tuple[int, str]:
    return found[0], str(found[1])


@given(st.lists(facts | plain | showings, max_size=8))
@example([plan(0), in_columns(0, "a", "completed", TIMES[2], "yes", TIMES[3])])
@example([plan(0), in_columns(0, "é", "completed", TIMES[2], "yes", TIMES[3]), show(1)])
def test_lines_say_what_facts_say(history: list[Fact]) -> None:
    """Reading lines gives the state that their facts give, and each answer the name that its fact has."""
    batch = Batch()
    near = [
        fact for fact in history if not isinstance(fact, Started) or all(e - f < 99 for f, e in fact.rows)
    ]
    for fact in near:
        batch.add_line(line(fact)[:-1])
        kept = kept_answer(line(fact)[:-1])
        assert (kept and kept.name) == identity(fact)
        assert kept is None or kept[1:] == fact[1:4]  # type: ignore[index]  # it has an answer
        shown = (fact.row, fact.task_id.encode("utf-8", "surrogatepass")) if isinstance(fact, Seen) else None
        assert shown_task(line(fact)[:-1]) == shown
        answers = fact if isinstance(fact, Seen) and fact.answer is not None else None
        assert answered_row(line(fact)[:-1]) == (answers and answers.row)
    assert dict(batch.rows) == dict(Batch(near).rows) == folded(near)


@given(st.lists(showings | steps, min_size=2, max_size=10), st.booleans())
def test_lines_of_planned_rows_go_into_columns(history: list[Fact], first: bool) -> None:
    """Lines of rows that have room in the columns are joined there, and say what their facts say."""
    plans: list[Fact] = [plan(row) for row in range(ROWS)]
    whole = [*plans, *history] if first else [*history, *plans]
    batch = Batch()
    for fact in whole:
        batch.add_line(line(fact)[:-1])
    assert dict(batch.rows) == folded(whole)


def test_a_line_that_is_damaged_or_unknown_is_refused() -> None:
    """A wrong checksum and a fact of a later version are refused by their errors, and change nothing."""
    batch, good = Batch(), line(plan(0))[:-1]
    with pytest.raises(BadLine, match="checksum"):
        batch.add_line(good.replace(b'"row":0', b'"row":1'))
    with pytest.raises(UnknownFact, match="version 2"):
        batch.add_line(b'{"v":2,"crc":"f3c5c2f2"}')
    assert dict(batch.rows) == {}


@pytest.mark.parametrize("history", [[answer(1)], [retry(2)], [withdraw(1)], [fail(1)], [start(2)]])
def test_a_row_that_leaves_the_path_before_it_is_planned(history: list[Fact]) -> None:
    """Whatever comes first, the plan that follows joins it."""
    assert dict(Batch([*history, plan(0)]).rows) == folded([*history, plan(0)])


def test_a_row_that_was_only_planned_is_untouched() -> None:
    """A row is untouched from its plan to its first start; one that no fact has named is not."""
    batch = Batch([plan(0), plan(1)])
    assert [batch.untouched(number) for number in (0, 1, 2, GAP)] == [True, True, False, False]
    batch.add(start(1, ((0, 1),)))
    assert [batch.untouched(number) for number in (0, 1)] == [False, True]


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=20), st.binary(min_size=16, max_size=16))
def test_digests_find_what_was_added(there: list[bytes], other: bytes) -> None:
    """A digest is found by its number, in the order of coming; another is not."""
    digests = Digests()
    for one in there:
        digests.add(one)
    assert list(digests) == list(dict.fromkeys(there))
    assert [digests.find(one) for one in digests] == list(range(len(digests)))
    assert (other in digests) is (other in there)


@given(histories)
def test_idle_is_what_has_nothing_open(history: list[Fact]) -> None:
    """A row is idle where its status is planned, canceled or rejected, and so is one that nobody named."""
    batch = Batch(history)
    for number in range(ROWS + 1):
        idle = batch.row(number).status in (Status.PLANNED, Status.CANCELED, Status.REJECTED)
        assert batch.is_idle(number) is idle


@given(histories)
def test_open_tasks_are_walked_while_more_become_known(history: list[Fact]) -> None:
    """Whoever walks the open tasks and learns of others of the same row meets what was open at first."""
    batch, met = Batch(history), []
    for number, task in batch.open():
        met.append((number, task.task_id))
        batch.add(in_columns(number, f"t{len(met):016}", "pending", None, "", None))
    assert met == [(number, task.task_id) for number, task in Batch(history).open()]


def test_a_task_of_another_row_is_elsewhere() -> None:
    """A task id is somebody else's where it was shown at another row, or at another attempt of this one."""
    rows: list[Fact] = [
        *map(plan, range(3)),
        start(1, ((0, 3),)),
        in_columns(0, "a" * 17, "pending", None, "", None),
    ]
    batch = Batch(rows)
    assert not batch.stands_at_another("a" * 17, 0, Attempt(1))
    assert batch.stands_at_another("a" * 17, 0, Attempt(2))
    assert batch.stands_at_another("a" * 17, 1, Attempt(1))
    assert not batch.stands_at_another("b" * 17, 1, Attempt(1))
    shared = Batch([*rows, in_columns(1, "a" * 17, "pending", None, "", None)])
    assert all(shared.stands_at_another("a" * 17, number, Attempt(1)) for number in range(3))


@given(histories, st.integers(1, 6), st.integers(0, 5))
def test_facts_are_taken_many_at_a_time(history: list[Fact], size: int, first: int) -> None:
    """However many facts are taken in at once, the state is what it is when each is taken in by itself."""
    many = Batch()
    for n in range(0, len(history), size):
        many.add_all(history[n : n + size])
    many.add_all([plan(row) for row in range(first, first + size)])
    assert dict(many.rows) == dict(Batch([*history, *map(plan, range(first, first + size))]).rows)
    many.add_all([plan(9 * GAP), plan(9 * GAP + 1)])
    assert many.end == 9 * GAP + 2


@given(stories, st.integers(1, 3), stories)
def test_who_is_wanted_is_told_as_it_was(history: list[Fact], attempt: int, later: list[Fact]) -> None:
    """Whether a row may be sent, and fits, is told of each number as it was when that was asked for."""
    batch, rows = Batch(history), folded(history)
    wanted = batch.wanted(lambda row: row.next_attempt == attempt)
    batch.add_all(later)
    there = {n for n, row in rows.items() if row.planned and row.sendable and row.next_attempt == attempt}
    assert {number for number in range(ROWS + 2) if wanted(number)} == there


def test_a_task_that_only_callbacks_name_elsewhere_is_its_rows_own() -> None:
    """A task that the API has shown at one place alone is at no other, whatever callbacks say."""
    told = (show(1, task="a"), call(1, task="a", row=1))
    batch = Batch([*map(plan, range(2)), start(1, ((0, 2),)), *told])
    assert not batch.stands_at_another("a", RowNumber(0), Attempt(1))
    assert batch.stands_at_another("a", RowNumber(1), Attempt(1))
