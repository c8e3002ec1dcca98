"""Reports and tallies: plain values, and the exit code that each report means."""

from dataclasses import replace

import pytest
from hypothesis import given

from mwbatch.core.facts.kinds import Fact
from mwbatch.core.report.progress import Report, Tally, report
from mwbatch.core.spending.budget import Limits
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.errors import Exit
from tests.support.facts import answer, histories, plan, show
from tests.support.reports import standing


@pytest.mark.parametrize(
    ("there", "done", "code"),
    [
        (standing(completed=2), True, Exit.DONE),
        (standing(canceled=2), True, Exit.DONE),
        (standing(completed=2), False, Exit.UNFINISHED),
        (standing(rejected=1), True, Exit.ROWS),
        (standing(rejected=1), False, Exit.UNFINISHED),
        (standing(surplus=1), True, Exit.ROWS),
        (standing(conflicts=1), True, Exit.ROWS),
        (standing(unknown_tasks=1), True, Exit.DONE),
        (standing(rejected_callbacks=1), True, Exit.DONE),
        (standing(damaged_lines=1), True, Exit.MACHINE),
        (standing(damaged_lines=1, rejected=1), False, Exit.MACHINE),
    ],
)
def test_exit_codes(there: Report, done: bool, code: Exit) -> None:
    """Damage, then not done, then rejected rows, conflicts and surplus: the greatest code wins."""
    assert there.exit(done=done) is code


@pytest.mark.parametrize("status", Status)
def test_complete_and_submitted(status: Status) -> None:
    """Complete: nothing planned, doubtful or pending. Submitted: nothing planned or doubtful."""
    there = standing(**{status.value: 1})
    assert there.complete is (status in (Status.COMPLETED, Status.CANCELED, Status.REJECTED))
    assert there.submitted is (status not in (Status.PLANNED, Status.DOUBT))
    assert there.unfinished == (not there.complete)


@pytest.mark.parametrize(("planned", "doubt"), [(1, 1), (2, 2), (1, 2), (2, 1)])
def test_what_is_planned_and_what_is_in_doubt_are_both_open(planned: int, doubt: int) -> None:
    """As many rows planned as in doubt do not make up for each other."""
    there = standing(planned=planned, doubt=doubt, completed=3)
    assert (there.submitted, there.unfinished) == (False, planned + doubt)


def test_conflicts_and_damage_are_not_complete() -> None:
    """A conflict or a damaged line keeps a batch from being complete."""
    assert not standing(completed=1, conflicts=1).complete
    assert not standing(completed=1, damaged_lines=1).complete
    assert standing(completed=1, rejected_callbacks=1).complete


@given(histories)
def test_the_object_for_scripts(history: list[Fact]) -> None:
    """The JSON has the promised names, all six statuses, and the counts of the fold."""
    batch = Batch(history)
    shown = report(batch, batch="logos", batch_id="b1", home="/h", in_flight=1, damaged=2).json()
    assert list(shown) == [
        "batch", "batch_id", "home", "rows", "by_status", "in_flight", "surplus", "conflicts",
        "unknown_tasks",
        "damaged_lines", "complete", "rejected_callbacks", "by_callback_only", "limits", "spent",
    ]  # fmt: skip
    assert shown["by_status"] == {status.value: count for status, count in batch.by_status().items()}
    assert shown["rows"] == sum(shown["by_status"].values()) == batch.planned
    assert (shown["in_flight"], shown["damaged_lines"], shown["complete"]) == (1, 2, False)


def test_surplus_conflicts_and_unknown_tasks_are_counted() -> None:
    """Each kind of irregular task is counted once."""
    twice: list[Fact] = [answer(1, "x"), answer(1, "y"), show(1), show(2)]
    batch = Batch([plan(0), *twice, show(1, task="z", row=9)])
    there = report(batch, batch="logos", batch_id="b1", home="/h")
    assert (there.surplus, there.conflicts, there.unknown_tasks) == (1, 1, 1)
    assert replace(there, conflicts=0).complete


def test_an_answer_that_only_a_callback_brought_is_counted_and_complete() -> None:
    """A row whose answer belongs to no confirmed task is completed, counted apart,
    and makes no batch less done.
    """
    there = report(Batch([plan(0), answer(1)]), batch="logos", batch_id="b1", home="/h")
    assert (there.by_callback_only, there.complete, there.exit(done=True)) == (1, True, Exit.DONE)
    shown = report(Batch([plan(0), answer(1), show(1)]), batch="logos", batch_id="b1", home="/h")
    assert (shown.by_callback_only, shown.complete) == (0, True)


def test_a_report_at_another_price() -> None:
    """What is spent may be said at a price that the batch does not keep;
    without one the batch's own stands.
    """
    batch = Batch([plan(0), show(1)])
    there = report(batch, batch="logos", batch_id="b1", home="/h", spent=Limits(price=0.5).spent(batch))
    assert there.priced(None) is there
    assert [one.json()["spent"]["cost"] for one in (there, there.priced(0.08))] == [0.5, 0.08]


def test_a_note_is_told_once() -> None:
    """The same sentence stands in the notes once, in the order in which it came first."""
    tally = Tally()
    for sentence in ("one", "two", "one"):
        tally.note(sentence)
    assert tally.notes == ["one", "two"]


def test_a_phase_begins_afresh() -> None:
    """Nothing of the phase before is left in the next: no count, no unit, no trouble;
    what needs attention stays.
    """
    tally = Tally("planning rows", 7, 7, of_bytes=True, doubt=1, listed=3)
    tally.wait("no connection", 12.0)
    tally.begin("asking the API")
    assert tally == Tally("asking the API", doubt=1, until=12.0)
    tally.begin("creating tasks", 9, done=2)
    assert (tally.done, tally.total) == (2, 9)


def test_a_note_is_heard_at_once() -> None:
    """Whoever listens hears a note the moment it is made, and once."""
    heard = list[str]()
    tally = Tally(hear=heard.append)
    tally.note("first")
    tally.note("first")
    assert heard == ["first"]


def test_notes_cost_what_they_are() -> None:
    """A sentence is told once, and however many there are, each is compared with hardly any other."""
    compared = 0

    class Sentence(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    tally, heard = Tally(), list[str]()
    tally.hear = heard.append
    for _ in range(2):
        for number in range(1000):
            tally.note(Sentence(number))
    assert tally.notes == heard == [str(number) for number in range(1000)]
    assert compared < 10_000
