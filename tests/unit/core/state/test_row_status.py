"""The laws of the fold, and a table of histories with the status that each one means."""

from collections import defaultdict
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import (
    CONFIRMING,
    Fact,
    Failed,
    Planned,
    Retried,
    Seen,
    Started,
    Verdict,
    Via,
    Withdrawn,
)
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Row, Status
from mwbatch.core.state.task_state import TaskState
from tests.support.facts import (
    ROWS,
    answer,
    answers,
    anybodys_answers,
    call,
    fail,
    histories,
    mixed_up,
    plan,
    retry,
    show,
    start,
    steps,
    unanswered,
    withdraw,
)

History = list[Fact]


def row_of(*facts: Fact) -> Row:
    """Row 0 after these facts."""
    return Batch([plan(0), *facts]).row(0)


def about(history: History, number: int) -> History:
    """The facts that name a row."""
    return [
        fact
        for fact in history
        if (
            any(first <= number < end for first, end in fact.rows)
            if isinstance(fact, Started)
            else fact.row == number
        )
    ]


def made(history: History) -> set[int]:
    """The attempts that left, or that showed a task or its absence."""
    return {fact.attempt for fact in history if isinstance(fact, Started | Seen | Failed)}


@given(histories | mixed_up, st.data())
def test_order_and_repetition_are_forgiven(history: History, draw: st.DataObject) -> None:
    """Facts in any order, any of them told again, fold to the same state."""
    again = draw.draw(st.lists(st.sampled_from(history), max_size=4)) if history else []
    shuffled = draw.draw(st.permutations(history + again))
    one, other = Batch(shuffled), Batch(history)
    assert one.rows == other.rows
    assert {n: (r.status, r.kept) for n, r in one.rows.items()} == {
        n: (r.status, r.kept) for n, r in other.rows.items()
    }
    assert one.by_status() == other.by_status()


@given(mixed_up)
def test_one_task_completes_one_row(history: History) -> None:
    """A task that shows at several rows answers the only one where it is listed, or else confirmed,
    and else none of them.
    """
    batch = Batch(history)
    answered, confirmed = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    shown, listed = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    for fact in history:
        if isinstance(fact, Seen) and fact.via == Via.LIST:
            listed[fact.task_id].add(fact.row)
    for number, task in batch.tasks():
        shown[task.task_id].add(number)
        if task.confirmed:
            confirmed[task.task_id].add(number)
        if task.answered:
            answered[task.task_id].add(number)
    for task_id, rows in answered.items():
        assert len(rows) == 1
        assert rows == confirmed[task_id] or rows == shown[task_id]
        assert rows == listed[task_id] or not listed[task_id]
    completed = {n for n, row in batch.rows.items() if row.status is Status.COMPLETED}
    assert completed == set().union(*answered.values())
    without = {n for n, least in batch.chosen().items() if least is None}
    assert without == {n for n, task in batch.tasks() if task.answers} - completed


@given(mixed_up, answers, st.lists(anybodys_answers, max_size=6))
def test_strangers_cannot_take_an_answer_away(before: History, fact: Seen, calls: list[Seen]) -> None:
    """A row with an answer of a task that is confirmed there stays completed,
    whatever callbacks name that task elsewhere.
    """
    batch = Batch([*before, fact._replace(via=Via.GET, task_id="mine")])
    for told in calls:
        batch.add(told._replace(via=Via.CALLBACK, task_id="mine"))
    assert batch.row(fact.row).status is Status.COMPLETED


@given(mixed_up, st.sampled_from("ab"), st.integers(0, ROWS - 1), st.integers(1, 4))
def test_a_task_is_elsewhere_where_the_api_has_shown_it(
    history: History, task_id: str, number: int, attempt: int
) -> None:
    """A task is at another row or attempt if the API itself has shown it there:
    callbacks say nothing of it.
    """
    batch = Batch(history)
    there = {(n, task.attempt) for n, task in batch.tasks() if task.task_id == task_id and task.by_api}
    assert batch.stands_at_another(task_id, number, Attempt(attempt)) is bool(there - {(number, attempt)})


@given(histories, histories, st.randoms(use_true_random=False))
def test_two_halves_merge_in_any_interleaving(one: History, other: History, random: Random) -> None:
    """Two hosts' facts read in turns mean the same as one host's after the other's."""
    left, right, merged = list(one), list(other), Batch()
    while left or right:
        side = left if left and (not right or random.random() < 0.5) else right
        merged.add(side.pop(0))
    assert merged.rows == Batch(one + other).rows


@given(histories, answers, histories)
def test_a_completed_row_stays_completed(before: History, fact: Seen, after: History) -> None:
    """Once an answer is on disk, nothing that happens takes the row out of completed."""
    assert Batch([*before, fact, *after]).row(fact.row).status is Status.COMPLETED


@given(histories)
def test_every_planned_row_has_one_status(history: History) -> None:
    """The six counts sum to the planned rows, and each row is listed under one status only."""
    batch = Batch(history)
    counts = batch.by_status()
    assert list(counts) == list(Status)
    assert {status: len(list(batch.numbered(status))) for status in Status} == counts
    listed = sorted(number for status in Status for number in batch.numbered(status))
    assert listed == sorted({fact.row for fact in history if isinstance(fact, Planned)})
    assert sum(counts.values()) == batch.planned == len(listed)


@given(histories)
def test_the_status_is_what_the_words_say(history: History) -> None:
    """The status of each row is the first of the six sentences that holds."""
    batch = Batch(history)
    for number in range(ROWS):
        assert batch.row(number).status == in_words(about(history, number))


def in_words(facts: History) -> Status:
    """The six sentences, over plain sets."""
    called = {fact.attempt for fact in facts if isinstance(fact, Seen)}
    seen = [fact for fact in facts if isinstance(fact, Seen) and (fact.answer or fact.via in CONFIRMING)]
    tasks, shown = {fact.task_id for fact in seen}, {fact.attempt for fact in seen}
    missed = {fact.attempt for fact in facts if isinstance(fact, Failed)}
    final = {fact.attempt for fact in facts if isinstance(fact, Failed) and fact.final}
    left = {fact.attempt for fact in facts if isinstance(fact, Started)}
    opened = max((fact.attempt for fact in facts if isinstance(fact, Retried)), default=0)
    forbidden = max((fact.attempt for fact in facts if isinstance(fact, Withdrawn)), default=0)
    last = max(left | called | missed, default=0)
    if any(fact.answer for fact in seen):
        return Status.COMPLETED
    if tasks - {fact.task_id for fact in seen if fact.status == "canceled"}:
        return Status.PENDING
    if (left | called) - shown - missed:
        return Status.DOUBT
    if (forbidden > last and forbidden >= opened) or (shown and opened <= max(shown)):
        return Status.CANCELED
    if last in final - shown and opened <= last:
        return Status.REJECTED
    denied = {fact.attempt for fact in facts if isinstance(fact, Failed) and fact.verdict == "denied"}
    return Status.DOUBT if opened <= max(called - shown - final - denied, default=-1) else Status.PLANNED


@given(unanswered)
def test_final_beats_not_final(history: History) -> None:
    """An attempt that failed finally has failed finally, whatever else is said of its failing."""
    row = Batch([*history, fail(9, final=True), fail(9), start(9)]).row(0)
    assert row.status is not Status.PLANNED
    assert row_of(start(1), fail(1), fail(1, final=True), fail(1)).status is Status.REJECTED


@given(unanswered, st.booleans())
def test_seen_beats_failed(history: History, final: bool) -> None:
    """A task that was seen is there, whatever was said of its attempt before or after."""
    row = Batch([*history, fail(9, final=final), show(9), fail(9, final=final), start(9)]).row(0)
    assert row.status is Status.PENDING
    assert 9 not in row.doubtful


@given(histories)
def test_the_answer_shown_is_the_least(history: History) -> None:
    """The kept task is that of the least (completed_at, task_id, sha256) of the row's answers,
    confirmed tasks first.
    """
    batch = Batch(history)
    for number in range(ROWS):
        seen = [fact for fact in about(history, number) if isinstance(fact, Seen)]
        confirmed = {fact.task_id for fact in seen if fact.via in CONFIRMING}
        places = [
            (fact.task_id not in confirmed, fact.completed_at or "", fact.task_id, fact.sha256)
            for fact in seen
            if fact.answer
        ]
        kept = batch.row(number).kept
        assert not places or (kept and (not kept.confirmed, *min(kept.answers.values())) == min(places))


@given(histories, st.lists(answers, max_size=4))
def test_a_confirmed_answer_stays_shown(before: History, after: list[Seen]) -> None:
    """No answer of a task that is not confirmed takes the place of a confirmed one;
    nor does what came before it.
    """
    batch = Batch(before)
    shown = {number: row.kept for number, row in batch.rows.items()}
    for fact in after:
        batch.add(fact._replace(via=Via.CALLBACK, task_id="of a stranger", completed_at=""))
    for number, kept in shown.items():
        now = batch.row(number).kept
        assert not (kept and kept.confirmed and kept.answered) or now == kept


@given(
    histories,
    st.lists(st.builds(call, st.integers(1, 4), st.sampled_from(["canceled", "pending", "completed"]))),
)
def test_callbacks_without_an_answer_tell_nothing_of_what_the_api_showed(
    history: History, calls: list[Seen]
) -> None:
    """A bare callback changes no confirmed task, cancels none, makes no surplus,
    and completes or plans no row.
    """
    before, after = Batch(history), Batch([*calls, *history])
    for tasks in (Batch.tasks, Batch.surplus):
        there = {(number, str(task)) for number, task in tasks(before) if task.confirmed}
        assert there == {(number, str(task)) for number, task in tasks(after) if task.confirmed}
    was, now = before.row(0).status, after.row(0).status
    assert now is was or (now is Status.DOUBT and was in (Status.PLANNED, Status.CANCELED, Status.REJECTED))


@given(histories)
def test_surplus_is_every_other_task_that_costs(history: History) -> None:
    """Surplus is all confirmed tasks but the one kept and the canceled ones;
    none is kept while others are live.
    """
    batch = Batch(history)
    surplus = {(number, task.task_id) for number, task in batch.surplus()}
    for number, row in batch.rows.items():
        live = {(number, task.task_id) for task in row.tasks.values() if task.confirmed and not task.canceled}
        if row.kept and row.kept.confirmed:
            assert live & surplus == live - {(number, row.kept.task_id)}
        assert len(live & surplus) == max(0, len(live) - 1)
    assert all(task.confirmed and not task.canceled for _, task in batch.surplus())


@given(histories)
def test_a_row_with_a_task_is_planned_only_by_retry(history: History) -> None:
    """A row of which a task was seen is never sent again unless the user opened a later attempt."""
    batch = Batch(history)
    for number in range(ROWS):
        row, facts = batch.row(number), about(history, number)
        shown = max((fact.attempt for fact in facts if isinstance(fact, Seen)), default=0)
        opened = max((fact.attempt for fact in facts if isinstance(fact, Retried)), default=0)
        assert not (shown and row.sendable) or opened > shown


@given(histories)
def test_the_next_attempt_was_never_made(history: History) -> None:
    """The next attempt is beyond every attempt that a fact made, and what may be sent is not forbidden."""
    batch = Batch(history)
    for number in range(ROWS):
        row, facts = batch.row(number), about(history, number)
        assert row.next_attempt > max(made(facts), default=0)
        assert row.next_attempt == max([row.last + 1, *(f.attempt for f in facts if isinstance(f, Retried))])
        assert not row.sendable or row.next_attempt > row.forbidden


@given(unanswered)
def test_what_the_user_did_last_holds(history: History) -> None:
    """Withdrawn after all else a row is not sent; retried after that it is, unless a task may be at work."""
    row = Batch([plan(0), *history]).row(0)
    settled = row.status not in {Status.PENDING, Status.DOUBT}
    row.join(withdraw(row.fresh_attempt))
    assert not row.sendable
    assert row.status is Status.CANCELED or not settled
    row.join(retry(row.fresh_attempt))
    assert row.sendable is (row.status is not Status.PENDING)
    assert row.status is Status.PLANNED or not settled


@given(unanswered, st.lists(steps, max_size=4))
def test_a_fresh_attempt_is_named_by_no_fact(history: History, more: History) -> None:
    """A new retried or withdrawn names an attempt that no fact has named."""
    facts = about(history + more, 0)
    named = {fact.attempt for fact in facts if not isinstance(fact, Planned | Started)}
    assert Batch(facts).row(0).fresh_attempt > max(named | made(facts), default=0)


def test_a_withdrawn_retry_leaves_its_number_unused() -> None:
    """Withdrawn at 1 and retried at 2, the next attempt is 2: a forbidden attempt is never made."""
    assert row_of(withdraw(1), retry(2)).next_attempt == 2


def test_one_task_at_two_attempts_uses_up_both() -> None:
    """A task that shows at attempts 3 and 1 belongs to 1, and the next attempt is 4."""
    row = row_of(show(3, task="a"), show(1, task="a"))
    assert (row.tasks["a"].attempt, row.next_attempt, row.seen) == (1, 4, 0b1010)


@pytest.mark.parametrize(
    ("showings", "status"),
    [
        ([show(1), show(1, "in review")], "in review"),
        ([show(1, "in review"), show(1, "completed")], "completed"),
        ([show(1, "completed"), show(1, "canceled")], "canceled"),
        ([show(1, "canceled"), answer(1)], "completed"),
    ],
)
def test_an_answer_beats_canceled_beats_the_rest(showings: list[Seen], status: str) -> None:
    """A task's showings join to the strongest of them."""
    for told in (showings, showings[::-1]):
        assert row_of(*told).tasks["task-1"].status == status


def test_the_earliest_creation_time_stands() -> None:
    """A task's created_at is the least that is not empty."""
    for told in ([None, "", "2", "1"], ["1", "2", "", None]):
        row = row_of(*(show(1, created=time) for time in told))
        assert row.tasks["task-1"].created_at == "1"


def test_kept_is_answered_then_live_then_earliest() -> None:
    """The kept task is the answered one, else the earliest that is not canceled, else the earliest;
    or none.
    """
    tasks: History = [show(1, "canceled", created="1"), show(2, created="3"), show(3, created="2")]
    assert row_of().kept is None
    assert row_of(tasks[0], show(4, "canceled", created="0")).kept == TaskState(
        "task-4", Attempt(4), "canceled", "0", by_api=True, listed=True
    )
    # there are tasks
    assert [row_of(*tasks).kept.task_id, row_of(*tasks, answer(2)).kept.task_id] == ["task-3", "task-2"]  # type: ignore[union-attr]


def test_a_task_of_which_nobody_can_tell_whose_it_is_is_in_conflict() -> None:
    """Two rows that only callbacks tell of, or that the API shows both, are in conflict;
    one confirmed row is not.
    """
    batch = Batch([plan(0), plan(1), answer(1, task="a"), answer(1, task="a", row=1)])
    assert [number for number, _ in batch.conflicts()] == [0, 1]
    batch.add(show(1, task="a", row=1))
    assert (list(batch.conflicts()), batch.row(1).status) == ([], Status.COMPLETED)
    batch.add(show(1, task="a"))
    assert [number for number, _ in batch.conflicts()] == [0, 1]
    assert [batch.row(n).status for n in (0, 1)] == [Status.PENDING] * 2
    assert list(batch.surplus()) == []


MISLED = start(1, ((0, 2),)), show(1, task="a", row=1, via=Via.CREATE)
"""Two rows were sent, and the create of row 1 was answered with a task's id."""


@pytest.mark.parametrize("first", [(), (show(1, task="a", via=Via.CREATE),), (call(1, task="a"),)])
def test_the_listing_says_whose_a_task_is(first: tuple[Fact, ...]) -> None:
    """A task that is listed at one row is no other's, whatever its create was answered:
    that row is in doubt again.
    """
    batch = Batch([plan(0), plan(1), *MISLED, *first])
    assert batch.row(1).status is Status.PENDING
    batch.add(show(1, task="a"))
    batch.add(answer(1, task="a", via=Via.GET))
    assert [batch.row(n).status for n in (0, 1)] == [Status.COMPLETED, Status.DOUBT]
    assert (list(batch.doubtful()), list(batch.conflicts()), list(batch.surplus())) == ([(1, 1)], [], [])
    assert (batch.spent(), batch.row(1).misled, batch.row(0).misled) == (2, True, False)
    batch.add(show(1, task="own", row=1))
    assert (batch.row(1).status, batch.spent()) == (Status.PENDING, 2)


def test_a_row_that_was_misled_is_sent_again_once_it_is_denied() -> None:
    """The task of another row belies no sweep, and holds no row back for ever; its own, should it show,
    does.
    """
    batch = Batch([plan(0), plan(1), *MISLED, show(1, task="a"), fail(1, row=1, denied=True)])
    assert (batch.row(1).status, batch.row(1).sendable, batch.refuted()) == (Status.PLANNED, True, False)
    batch.add(show(1, task="own", row=1))
    assert batch.refuted()


def test_a_task_that_is_listed_at_two_rows_is_neithers() -> None:
    """Where the listing contradicts itself nobody can tell: both rows wait, and it is a conflict."""
    batch = Batch([plan(0), plan(1), show(1, task="a"), *MISLED, show(1, task="a", row=1)])
    assert {number for number, _ in batch.conflicts()} == {0, 1}
    assert [batch.row(n).status for n in (0, 1)] == [Status.PENDING] * 2


def test_a_conflict_is_two_answers_of_one_task() -> None:
    """Two answers of one task that differ conflict; the same one twice, and two tasks' answers, do not."""
    batch = Batch(
        [plan(0), answer(1, "x"), answer(1, "x", at="2025"), answer(2, "y", row=1), answer(1, "y", row=1)]
    )
    assert list(batch.conflicts()) == []
    batch.add(answer(1, "y"))
    assert [(number, task.task_id) for number, task in batch.conflicts()] == [(0, "task-1")]


def test_a_task_without_a_row_is_unknown() -> None:
    """A task at an address whose row was never planned is unknown, and counts in no status."""
    batch = Batch([plan(0), show(1), show(1, row=7)])
    assert [number for number, _ in batch.unknown()] == [7]
    assert sum(batch.by_status().values()) == 1


def test_what_was_answered_is_in_no_doubt() -> None:
    """Whoever brought the answer, and however late: its attempt is not doubtful, though the API itself
    has not shown the task.
    """
    history: History = [start(1), start(2), answer(2)]
    for facts in (history, history[::-1]):
        row = row_of(*facts)
        assert (row.status, row.doubtful) == (Status.COMPLETED, [1])


def test_who_tells_whose_a_task_is() -> None:
    """Of a task that the API has shown here the listing alone tells more, once,
    and only where another row has it, too.
    """
    facts: History = [plan(0), plan(1), show(1, task="a", via=Via.GET)]

    def told(*more: Fact) -> list[bool]:
        task = Batch([*facts, *more]).row(0).tasks["a"]
        return [task.is_told_by(via) for via in (Via.LIST, Via.GET, Via.CALLBACK)]

    elsewhere = call(1, task="a", row=1)
    assert told() == [False, False, False]
    assert told(elsewhere) == [True, False, False]
    assert told(elsewhere, show(1, task="a")) == [False, False, False]


def test_all_doubtful_attempts_are_named() -> None:
    """The doubtful attempts are those started of which nothing is known, ascending."""
    assert row_of(start(3), start(1), start(2), start(4), fail(2), show(4, "canceled")).doubtful == [1, 3]


def test_four_absences_exhaust_a_row() -> None:
    """After doubt a row gets three new attempts of its own accord; then it waits for the user,
    who opens three more.
    """
    rows = [row_of(plan(0), *map(fail, range(1, tried + 1))) for tried in (1, 2, 3, 4)]
    assert [row.sendable for row in rows] == [True, True, True, False]
    assert [row.exhausted for row in rows] == [False, False, False, True]
    opened = row_of(plan(0), *map(fail, (1, 2, 3, 4)), retry(5), *map(fail, (5, 6, 7)))
    assert (opened.sendable, opened.exhausted) == (True, False)


def test_a_callback_undoes_a_failure_until_the_api_has_denied_it() -> None:
    """An attempt that is thought to have failed and is called back about is sent again only by the user,
    or once denied.
    """
    row = row_of(start(1), fail(1), call(1))
    assert (row.status, row.sendable, row.doubtful) == (Status.DOUBT, False, [])
    denied = Failed(0.0, RowNumber(0), Attempt(1), Verdict.DENIED, final=False)
    settled: list[History] = [[fail(1), call(1), denied], [denied, call(1)], [start(1), call(1), denied]]
    for facts in settled:
        row = row_of(*facts)
        assert (row.status, row.sendable) == (Status.PLANNED, True)
    assert row_of(denied, answer(1)).status is Status.COMPLETED
    assert row_of(denied, show(1)).refuted
    assert not row_of(denied, answer(1)).refuted
    assert row_of(start(1), fail(1), call(1), retry(2)).sendable
    assert row_of(start(1), fail(1), call(1), withdraw(2)).status is Status.CANCELED


def test_a_task_of_an_absent_attempt_belies_the_sweeps() -> None:
    """An attempt that was not found and then seen shows that sweeps were believed too soon;
    a refusal shows nothing.
    """
    assert row_of(plan(0), fail(1), show(1)).refuted
    assert not row_of(plan(0), fail(1), show(2)).refuted
    assert not row_of(plan(0), fail(1, final=True), show(1)).refuted
