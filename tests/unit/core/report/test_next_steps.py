"""What the user should do next."""

from dataclasses import replace

import pytest
from hypothesis import given

from mwbatch.core.report.next_steps import next_steps
from mwbatch.core.report.progress import Report
from mwbatch.core.state.row_status import Status
from mwbatch.core.words.plural import counted, rows
from tests.support.reports import reports, standing


@given(reports)
def test_advice_is_a_command_with_a_reason(report: Report) -> None:
    """Each step begins with a command of mwbatch, and says after a # why."""
    for step in next_steps(report):
        command, _, reason = step.partition("    # ")
        assert command.startswith("mwbatch ")
        assert reason


@given(reports)
def test_there_is_a_step_unless_all_was_given_up(report: Report) -> None:
    """A batch that is not complete, and one with answers, has a next step."""
    steps = list(next_steps(report))
    assert steps or (report.complete and not report.by_status[Status.COMPLETED]) or report.in_flight


@pytest.mark.parametrize(
    ("there", "step"),
    [
        (standing(damaged_lines=1), "mwbatch reconcile logos --list damaged    # see what the disk lost"),
        (
            standing(),
            "mwbatch status    # this batch has no row of its own: see the batches that were asked before",
        ),
        (standing(planned=2), "mwbatch resume logos    # send the 2 rows not sent yet"),
        (
            standing(planned=2, exhausted=2),
            "mwbatch retry logos    # send the 2 rows again that were sent four times in vain",
        ),
        (standing(doubt=1), "mwbatch reconcile logos    # find out about the 1 row in doubt"),
        (standing(pending=1), "mwbatch reconcile logos --wait    # fetch the 1 row still pending"),
        (
            replace(standing(pending=2), is_heard=True),
            "mwbatch status logos --watch    # see the answers of 2 rows come in",
        ),
        (
            standing(pending=2, doubt=1, in_flight=1),
            "mwbatch status logos --watch    # see the answers of 2 rows come in",
        ),
        (standing(rejected=1), "mwbatch status logos --rows rejected    # see why 1 row was refused"),
        (standing(surplus=1, conflicts=1), "mwbatch reconcile logos --list surplus    # see each"),
        (standing(conflicts=1), "mwbatch reconcile logos --list conflicts    # see each"),
        (
            standing(unknown_tasks=1),
            "mwbatch reconcile logos --list unknown    # see the tasks of rows that the batch does not have",
        ),
        (
            standing(rejected_callbacks=1),
            "mwbatch reconcile logos --list unusable    # see the 1 callback that did not fit",
        ),
        (
            standing(completed=1),
            "mwbatch results logos -o logos.results.jsonl    # the answers, in the manifest's order",
        ),
        (standing(canceled=2), "mwbatch status logos --rows canceled    # see the 2 rows that you gave up"),
        (
            replace(standing(planned=2), raised="--max-tasks 9"),
            (
                "mwbatch resume logos --max-tasks 9    # the limit is reached: raise it, and send the 2 "
                "rows not sent yet"
            ),
        ),
    ],
)
def test_each_trouble_has_its_command(there: Report, step: str) -> None:
    """What is wrong decides the first step."""
    assert next(next_steps(there)) == step


def test_a_live_submitter_is_left_alone() -> None:
    """Rows that a live submitter is sending need neither a resume nor a reconcile."""
    assert list(next_steps(standing(planned=5, doubt=3, in_flight=3))) == []


def test_rows_in_words() -> None:
    """One row, a thousand rows."""
    assert [rows(count) for count in (0, 1, 1000)] == ["0 rows", "1 row", "1,000 rows"]
    assert [counted(count, "task") for count in (0, 1, 2.0)] == ["0 tasks", "1 task", "2 tasks"]


@given(reports)
def test_no_step_overwrites_a_manifest(report: Report) -> None:
    """A batch is called like its manifest, so that NAME.jsonl is often the manifest:
    nothing is written there.
    """
    assert not any(">" in step or f"-o {report.batch}.jsonl" in step for step in next_steps(report))
