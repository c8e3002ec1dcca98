"""Reports for people: short lines, the next step, and nothing that is zero."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.report.progress import Report
from mwbatch.core.spending.budget import Limits, Spent
from mwbatch.core.state.row_status import Status
from mwbatch.views.standing import every
from mwbatch.views.terminal.words import report_text


def report(**counts: int) -> Report:
    """A report with these counts; those of a status by its name."""
    by_status = {status: counts.pop(status.value, 0) for status in Status}
    extra: dict[str, Any] = (
        dict.fromkeys(
            ("in_flight", "surplus", "conflicts", "unknown_tasks", "damaged_lines", "rejected_callbacks"), 0
        )
        | counts
    )
    return Report("logos", "abc", "/home", sum(by_status.values()), by_status, **extra)


COUNTS = st.fixed_dictionaries({status.value: st.integers(0, 10**9) for status in Status})


@given(COUNTS, st.integers(40, 200))
def test_it_fits(counts: dict[str, int], width: int) -> None:
    """No line is wider than the terminal, save a command."""
    lines = report_text(report(**counts), width).splitlines()
    assert all(len(line) <= width for line in lines if not line.startswith("  mwbatch"))


@given(COUNTS)
def test_commands_stay_whole(counts: dict[str, int]) -> None:
    """However narrow the terminal, the same commands are named, each on a line of its own."""
    wide, narrow = (report_text(report(**counts), width) for width in (200, 40))
    commands = [line.partition("    # ")[0] for line in wide.splitlines() if line.startswith("  mwbatch")]
    assert [line for line in narrow.splitlines() if line.startswith("  mwbatch")] == commands


def test_what_is_in_flight_is_not_in_doubt() -> None:
    """Rows whose answer a live submitter awaits are shown as in flight, not as doubt."""
    text = report_text(report(doubt=7, in_flight=7), 100)
    assert "in flight               7" in text
    assert "doubt" not in text


@pytest.mark.parametrize("status", list(Status))
def test_every_status_shows(status: Status) -> None:
    """A count that is not zero has its line."""
    assert f"  {status.value:<13}{1234:>12,}" in report_text(report(**{status.value: 1234}), 100)


def test_what_is_spent_stands_beside_the_limits() -> None:
    """The cost so far, by month where a price says what that is,
    and the limits by the names of their options.
    """
    limits = Limits(max_tasks=5000, price=0.1, max_cost=400)
    spent = Spent(1200, {"2026-10": 200, "2026-11": 1000}, limits)
    text = report_text(replace(report(pending=1200), spent=spent), 100)
    assert text.splitlines()[4:9] == [
        "  tasks so far        1,200  120.00",
        "    in 2026-10          200  20.00",
        "    in 2026-11        1,000  100.00",
        "  --max-tasks         5,000",
        "  --max-cost         400.00",
    ]
    assert "so far" not in report_text(report(planned=1), 100)


def test_what_may_have_a_task_is_not_said_to_have_one() -> None:
    """While rows are in flight or in doubt, of which some may have no task,
    what is spent is told as a bound.
    """
    text = report_text(replace(report(pending=248, doubt=521), in_flight=521, spent=Spent(769)), 100)
    assert "  tasks at most         769" in text.splitlines()


def test_all_batches_together_by_month() -> None:
    """Below the batches stands what they made in each month,
    with its cost where every one of them has a price.
    """
    spent = Spent(2, {"2026-10": 1, "2026-11": 1}, Limits(price=0.1))
    both = [
        replace(report(pending=2), spent=spent),
        replace(report(pending=1), spent=Spent(1, {"2026-11": 1})),
    ]
    assert every("/h", tuple(both)).words.splitlines()[2:] == [
        "in 2026-10: 1 task, about 0.10",
        "in 2026-11: 2 tasks",
    ]
    priced = tuple(one.priced(0.5) for one in both)
    assert every("/h", priced).words.endswith("in 2026-11: 2 tasks, about 1.00")


def test_callbacks_that_did_not_fit() -> None:
    """They have a line and a list to be looked at."""
    text = report_text(report(rejected_callbacks=3), 100)
    assert "  bad callbacks           3" in text
    assert "  mwbatch reconcile logos --list unusable    # see the 3 callbacks that did not fit" in text
