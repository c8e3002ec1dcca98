"""The state in columns is the plain fold, whichever rows are held in which way, from lines as from facts."""

from collections import defaultdict
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mwbatch.core.batch import Batch
from mwbatch.core.codes import CODES, LIFTED
from mwbatch.core.digests import Digests
from mwbatch.core.facts import Fact, Seen, Started, Via, digest, identity
from mwbatch.core.fold import Row, Status
from mwbatch.core.glances import answered_row, kept_answer, shown_task
from mwbatch.core.lines import BadLine, UnknownFact, line
from mwbatch.core.rows import GAP
from tests.core.facts import (
    ROWS,
    answer,
    facts,
    fail,
    histories,
    link,
    mixed_up,
    plan,
    retry,
    show,
    start,
    steps,
    withdraw,
)

TIMES = [None, "", "2026-11-25T00:00:00.000Z", "2026-11-25T00:00:00.001Z", "0999-01-01T00:00:00.000Z", "noon"]


def straight(
    row: int,
    task: str,
    status: str,
    created: str | None,
    says: str,
    at: str | None,
    via: str = Via.LIST,
) -> Seen:
    """A showing as the API makes them; ``says`` nothing: without an answer."""
    body = b'{"response":"%b"}' % says.encode()
    kept = (digest(says), sha256(body + str(at).encode()).hexdigest(), body) if says else (None, None, None)
    return Seen(0.0, row, 1, task, status, via, created, at, *kept)


showings = st.builds(
    straight,
    st.integers(0, ROWS - 1),
    st.sampled_from(["wjTSaCS9sq5AnvEzM", "wjTSaCS9sq5AnvEzM", "576ba74eec471ff9b01557cc", "é"]),
    st.sampled_from(["pending", "pending", "completed", "canceled", ""]),
    st.sampled_from(TIMES),
    st.sampled_from(["", "yes", "no"]),
    st.sampled_from(TIMES),
    st.sampled_from([*Via, *[Via.CALLBACK] * 4, "word of mouth"]),
)
plain = st.builds(plan, st.integers(0, ROWS - 1)) | st.builds(
    start, st.just(1), st.sampled_from([((0, 1),), ((0, 3),), ((1, 3),)])
)
stories = st.lists(st.one_of(plain, plain, showings, showings, steps), max_size=14) | histories | mixed_up
"""Histories in which most rows are on the straight path for most of their time."""


def folded(history: list[Fact]) -> dict[int, Row]:
    """The rows as the law of one row has them, each an object."""
    rows: defaultdict[int, Row] = defaultdict(Row)
    for fact in history:
        if isinstance(fact, Started):
            for first, end in fact.rows:
                for number in range(first, end):
                    rows[number].started |= 1 << fact.attempt
        else:
            rows[fact.row].join(fact)
    link(rows)
    return dict(rows)


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
def test_questions_are_answered_as_by_objects(history: list[Fact]) -> None:
    """What is asked of a whole batch is what its rows, one by one, would say."""
    batch, rows = Batch(history), folded(history)
    planned = {number: row for number, row in rows.items() if row.planned}
    assert batch.sendable() == sum(row.sendable for row in planned.values())
    assert all(batch.is_sendable(number) is batch.row(number).sendable for number in (*rows, ROWS, GAP + 1))
    assert batch.exhausted() == sum(row.exhausted and row.status is Status.PLANNED for row in rows.values())
    assert batch.belied() == any(row.belied for row in rows.values())
    assert sorted(batch.doubtful()) == sorted((n, a) for n, row in planned.items() for a in row.doubtful)
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
@example([plan(0), straight(0, "a", "completed", TIMES[2], "yes", TIMES[3])])
@example([plan(0), straight(0, "é", "completed", TIMES[2], "yes", TIMES[3]), show(1)])
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


def test_a_day_of_one_row() -> None:
    """Planned, created, answered twice: the earliest time and the least answer stay, by lines and facts."""
    said = [straight(0, "a", "pending", TIMES[3], "", None), straight(0, "a", "pending", TIMES[2], "", None)]
    said += [straight(0, "a", "completed", TIMES[2], "yes", at) for at in (TIMES[3], TIMES[2], TIMES[3])]
    others = [straight(row, f"b{row}", "completed", TIMES[3], "no", TIMES[3]) for row in (1, 2)]
    whole: list[Fact] = [*map(plan, range(3)), start(1), *said, *others]
    batch = Batch()
    for fact in whole:
        batch.add_line(line(fact)[:-1])
    assert dict(batch.rows) == dict(Batch(whole).rows) == folded(whole)
    assert batch._rows.lifted == {}


@pytest.mark.parametrize("created", [None, TIMES[2]])
@pytest.mark.parametrize("completed", [None, TIMES[3]])
@pytest.mark.parametrize("says", ["", "yes"])
@pytest.mark.parametrize("via", [Via.CREATE, Via.CALLBACK])
def test_a_plain_line_may_lack_each_of_the_times(
    created: str | None, completed: str | None, says: str, via: Via
) -> None:
    """A showing in the plain form without a time, or without both, is joined in columns as its fact is."""
    whole: list[Fact] = [plan(0), straight(0, "a", "completed", created, says, completed, via)]
    batch = Batch()
    for fact in whole:
        batch.add_line(line(fact)[:-1])
    assert dict(batch.rows) == dict(Batch(whole).rows) == folded(whole)
    assert batch._rows.lifted == {}


def test_every_bit_of_a_line_counts() -> None:
    """A line that columns can hold is refused where any of its bits is another one."""
    whole = line(straight(0, "wjTSaCS9sq5AnvEzM", "completed", TIMES[2], "yes", TIMES[3]))[:-1]
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
    odd = straight(0, "a", "completed", TIMES[2], "yes", TIMES[3])
    shout = odd._replace(answer=(odd.answer or "").upper())
    for fact in (shout, odd._replace(completed_at=TIMES[4]), odd._replace(sha256="0")):
        batch = Batch([plan(0)])
        batch.add_line(line(fact)[:-1])
        assert dict(batch.rows) == folded([plan(0), fact])


def test_a_line_that_is_damaged_or_unknown_is_refused() -> None:
    """A wrong checksum and a fact of a later version are refused by their errors, and change nothing."""
    batch, good = Batch(), line(plan(0))[:-1]
    with pytest.raises(BadLine, match="checksum"):
        batch.add_line(good.replace(b'"row":0', b'"row":1'))
    with pytest.raises(UnknownFact, match="version 2"):
        batch.add_line(b'{"v":2,"crc":"f3c5c2f2"}')
    assert dict(batch.rows) == {}


def test_plain_rows_are_no_objects() -> None:
    """A row that was planned, started, created and answered stays in columns; one more task takes it out."""
    batch = Batch([plan(0), start(1), straight(0, "a", "pending", TIMES[2], "", None)])
    batch.add(straight(0, "a", "completed", TIMES[2], "yes", TIMES[3]))
    assert batch._rows.lifted == {}
    batch.add(straight(0, "b", "pending", TIMES[2], "", None))
    assert list(batch._rows.lifted) == [0]


def test_two_answers_of_one_task_are_no_straight_path() -> None:
    """A row whose task is answered twice, otherwise, is an object from then on, and in conflict."""
    both = [straight(0, "a", "completed", TIMES[2], says, TIMES[3]) for says in ("yes", "no")]
    batch = Batch([plan(0), *both])
    assert (dict(batch.rows), list(batch._rows.lifted)) == (folded([plan(0), *both]), [0])
    assert [number for number, _ in batch.conflicts()] == [0]


def test_canceled_rows_are_no_objects() -> None:
    """A batch that was canceled, tasks and unsent rows alike, stays in columns, by lines and by facts."""
    shown = straight(0, "a", "pending", TIMES[2], "", None)
    gone = [
        straight(0, "a", "canceled", TIMES[2], "", None),
        straight(0, "a", "completed", TIMES[2], "", None),
    ]
    whole: list[Fact] = [*map(plan, range(2)), start(1, ((0, 1),)), shown, *gone, withdraw(1, row=1)]
    by_lines, by_facts = Batch(), Batch(whole)
    for fact in whole:
        by_lines.add_line(line(fact)[:-1])
    assert dict(by_lines.rows) == dict(by_facts.rows) == folded(whole)
    assert by_lines.by_status()[Status.CANCELED] == 2
    assert by_lines._rows.lifted == by_facts._rows.lifted == {}
    by_facts.add(retry(2, row=1))
    assert (by_facts.row(1).status, list(by_facts._rows.lifted)) == (Status.PLANNED, [1])


def test_far_numbers_make_no_columns() -> None:
    """A number far beyond the last row costs one object, not room for all numbers below."""
    batch = Batch([plan(0), show(1, row=GAP + 10), *(plan(n) for n in range(1, 5)), fail(1, row=3)])
    assert len(batch._rows.columns.codes) < 100
    assert list(batch.rows) == [0, 1, 2, 3, 4, GAP + 10]
    batch.add(start(1, ((GAP - 5, GAP + 12),)))
    batch.add(plan(GAP + 10))
    assert batch.row(GAP + 10).started
    assert batch.end == GAP + 11


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


def test_the_code_of_a_lifted_row_is_no_other_row_s() -> None:
    """No row in columns has the code that says that it is elsewhere, nor that of a row that is nowhere."""
    assert {0, LIFTED}.isdisjoint(CODES)


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
        batch.add(straight(number, f"t{len(met):016}", "pending", None, "", None))
    assert met == [(number, task.task_id) for number, task in Batch(history).open()]


def test_a_task_of_another_row_is_elsewhere() -> None:
    """A task id is somebody else's where it was shown at another row, or at another attempt of this one."""
    rows: list[Fact] = [
        *map(plan, range(3)),
        start(1, ((0, 3),)),
        straight(0, "a" * 17, "pending", None, "", None),
    ]
    batch = Batch(rows)
    assert not batch.stands_at_another("a" * 17, 0, 1)
    assert batch.stands_at_another("a" * 17, 0, 2)
    assert batch.stands_at_another("a" * 17, 1, 1)
    assert not batch.stands_at_another("b" * 17, 1, 1)
    shared = Batch([*rows, straight(1, "a" * 17, "pending", None, "", None)])
    assert all(shared.stands_at_another("a" * 17, number, 1) for number in range(3))


def test_what_callbacks_say_after_the_api_changes_nothing_but_answers() -> None:
    """Once the API itself has shown a task, a callback that calls it canceled is heard nowhere."""
    told = straight(0, "a" * 17, "canceled", TIMES[2], "", None, Via.CALLBACK)
    facts: list[Fact] = [
        plan(0),
        start(1),
        straight(0, "a" * 17, "pending", TIMES[3], "", None, Via.CREATE),
        told,
    ]
    for order in (facts, facts[::-1]):
        batch = Batch(order)
        assert (batch.row(0).status, batch.row(0).tasks["a" * 17].created_at) == (Status.PENDING, TIMES[3])


def test_a_task_that_columns_hold_for_another_row_makes_a_row_of_its_own() -> None:
    """A task id that stands at one row is no straight path for a second one: both are seen in full."""
    two = [straight(row, "a" * 17, "pending", None, "", None) for row in (0, 1)]
    facts: list[Fact] = [*map(plan, range(2)), start(1, ((0, 2),)), *two]
    batch, by_lines = Batch(facts), Batch()
    for fact in facts:
        by_lines.add_line(line(fact)[:-1])
    assert [batch.row(n) for n in (0, 1)] == [by_lines.row(n) for n in (0, 1)]
    assert all(batch.row(n).tasks for n in (0, 1))


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
