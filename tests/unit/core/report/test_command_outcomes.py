"""What commands came to: their exit codes and their sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.pace.course import Ending
from mwbatch.core.report.agreement import Differing
from mwbatch.core.report.command_outcomes import Created, Proof, Ran, Reconciled
from mwbatch.core.report.progress import Report
from mwbatch.errors import Exit
from tests.support.reports import reports, standing

endings = st.builds(Ending, st.sampled_from([Exit.DONE, Exit.UNFINISHED, Exit.API, Exit.MACHINE]), st.text())
PROVED = Proof(0, 7, "2026-11-24T00:00:00.000Z")


@given(st.lists(st.tuples(st.sampled_from(Exit), st.text()), min_size=1))
def test_the_gravest_reason_is_kept(reasons: list[tuple[Exit, str]]) -> None:
    """An ending keeps the greatest exit code, with the first reason that was given for it."""
    ending = Ending()
    for code, reason in reasons:
        ending.because(code, reason)
    greatest = max(code for code, _ in reasons)
    first = "" if greatest is Exit.DONE else next(reason for code, reason in reasons if code is greatest)
    assert (ending.exit, ending.reason) == (greatest, first)


@given(reports, endings)
def test_a_run_ends_with_the_greatest_code(report: Report, ending: Ending) -> None:
    """Creating is done when each row has a task or is final, `run` when nothing is open;
    an early end counts too.
    """
    created, ran = Created(report, ending), Ran(report, ending, 0)
    assert min(created.exit, ran.exit) >= ending.exit
    assert (created.exit >= Exit.UNFINISHED) is (
        ending.exit >= Exit.UNFINISHED or report.damaged_lines > 0 or not report.submitted
    )
    assert (ran.exit >= Exit.UNFINISHED) is (
        ending.exit >= Exit.UNFINISHED or report.damaged_lines > 0 or report.unfinished > 0
    )


def test_pending_rows_are_done_for_submit_alone() -> None:
    """A row that waits for its answer ends `submit` well, and `run` unfinished."""
    report = standing(pending=1)
    assert (Created(report, Ending()).exit, Ran(report, Ending(), 0).exit) == (Exit.DONE, Exit.UNFINISHED)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Reconciled(standing(completed=1)), Exit.DONE),
        (Reconciled(standing(completed=1), proof=PROVED), Exit.DONE),
        (Reconciled(standing(completed=1), proof=Proof(reasons=("no",))), Exit.UNFINISHED),
        (Reconciled(standing(completed=1), proof=Proof(reasons=("no",)), unproved=True), Exit.DONE),
        (Reconciled(standing(pending=1), proof=Proof(reasons=("no",)), unproved=True), Exit.UNFINISHED),
        (Reconciled(standing(completed=1, differing=1), proof=PROVED), Exit.ROWS),
        (Reconciled(standing(completed=1), proof=PROVED, distrusted=True), Exit.UNFINISHED),
        (
            Reconciled(
                standing(completed=1, differing=1), proof=PROVED, unanswered=(Differing(RowNumber(0), "t"),)
            ),
            Exit.UNFINISHED,
        ),
        (Reconciled(standing(pending=1), proof=PROVED), Exit.UNFINISHED),
        (Reconciled(standing(completed=1, surplus=1), proof=PROVED), Exit.ROWS),
        (Reconciled(standing(completed=1, damaged_lines=1), proof=PROVED), Exit.MACHINE),
    ],
)
def test_a_reconciliation_is_done_when_it_is_proved(told: Reconciled, code: Exit) -> None:
    """Nothing open, nothing distrusted, and a listing that could be believed where one was asked for."""
    assert told.exit is code


def test_a_proof_of_nothing_claims_nothing() -> None:
    """Where nothing was listed nothing is covered, and nobody knows whether anything was paid twice."""
    proof = Proof()
    assert (proof.paid_twice, proof.listed, proof.covers, proof.known) == (None, 0, 0, 0)
