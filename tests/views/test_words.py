"""Reports for people: short lines, the next step, and nothing that is zero."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.fold import Status
from mwbatch.core.progress import Report
from mwbatch.views.words import report_text


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


def test_callbacks_that_did_not_fit() -> None:
    """They have a line and a list to be looked at."""
    text = report_text(report(rejected_callbacks=3), 100)
    assert "  bad callbacks           3" in text
    assert "  mwbatch reconcile logos --list rejected    # see the 3 callbacks that did not fit" in text
