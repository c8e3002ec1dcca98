"""Results that raise what an exit code says."""

import pytest
from hypothesis import given

from mwbatch.core.manifest.entry import Problem
from mwbatch.core.pace.course import INTERRUPTED, Ending
from mwbatch.core.report.checked import Checked
from mwbatch.core.report.command_outcomes import Canceled, Created, Made, Proof, Ran, Reconciled
from mwbatch.core.report.exported import Exported
from mwbatch.core.report.preview import Rehearsal, Validation
from mwbatch.core.report.progress import Report
from mwbatch.errors import SHORTFALLS, Exit, Findings, Shortfall, Unfinished, UsageError
from tests.support.reports import reports, standing

GOOD = Validation("a.csv", 1, {"tagging": 1}, 0, 0, None, 0, ())
WRONG = Validation("a.csv", 1, {"tagging": 1}, 0, 0, None, 3, (Problem(2, "type", "is none"),))
REFUSED = Validation("a.csv", 1, {"tagging": 1}, 0, 0, None, 0, (), refused=UsageError("asked before"))


@given(reports)
def test_what_exits_well_is_returned_and_all_else_raised(report: Report) -> None:
    """`check` returns a result whose exit code is 0; else it raises the class that has this code."""
    for result in (
        Created(report, Ending()),
        Ran(report, Ending(), 0),
        Canceled(report, 0, 0),
        Reconciled(report),
    ):
        if result.exit is Exit.DONE:
            assert result.check() is result
        else:
            with pytest.raises(Shortfall) as raised:
                result.check()
            assert (type(raised.value), raised.value.exit_code) == (SHORTFALLS[result.exit], result.exit)


@given(reports)
def test_a_report_is_checked_for_completeness(report: Report) -> None:
    """A report raises unless every row is final, as `status --require-complete` exits."""
    if report.complete:
        assert report.check() is report
    else:
        with pytest.raises(Unfinished, match=r"^batch logos: \d"):
            report.check()


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (
            Created(standing(planned=2, pending=1), Ending(Exit.UNFINISHED, "a limit"), ("r",), 1),
            "a limit; r; 1 row put aside because of mistakes; batch logos: 2 planned, 1 pending",
        ),
        (Ran(standing(completed=1), Ending(Exit.API, "no"), 0), "no; batch logos: nothing is open"),
        (
            Canceled(standing(doubt=1), 0, 0, 1, ("a",), interrupted=True),
            f"{INTERRUPTED}; 1 row may have a task that has not shown yet; a; batch logos: 1 doubt",
        ),
        (
            Reconciled(standing(conflicts=1), reasons=["r"], proof=Proof(reasons=("r", "no listing"))),
            "r; no listing; batch logos: 1 in conflict",
        ),
        (WRONG, "a.csv:2: type: is none\na.csv: and 2 more problems"),
        (REFUSED, "asked before"),
        (
            Exported("logos", "csv", "a.csv", rows=3, completed=2, unfinished=True),
            "a.csv has 2 of 3 rows of batch logos",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_words_say_why(result: Checked, why: str) -> None:
    """What is raised names the reasons and where the batch stands."""
    assert result.why() == why
    with pytest.raises(Shortfall) as raised:
        result.check()
    assert str(raised.value) == why


@pytest.mark.parametrize(
    "result",
    [
        GOOD,
        Made("logos", "a.jsonl", 1, 1, 0, 0, 0, 0, 0),
        Rehearsal("logos", True, 1, 0, 0, 0, 0, {}, None, 1, None),
    ],
)
def test_what_is_always_done_has_no_reason(result: Checked) -> None:
    """Nothing is said where nothing is open."""
    assert (result.check() is result, result.why()) == (True, "")


def test_findings_are_no_lack() -> None:
    """Rows that were rejected are told apart from rows that are not done."""
    with pytest.raises(Findings, match=r"1 rejected$"):
        Created(standing(rejected=1), Ending()).check()
