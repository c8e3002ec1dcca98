"""What counts something begins at nothing: no report tells of what nobody saw."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from mwbatch.core.manifest.entry import Rows
from mwbatch.core.pace.course import Ending
from mwbatch.core.pace.pace import Breaker
from mwbatch.core.report.command_outcomes import Canceled, Created, Made, Proof, Ran, Reconciled
from mwbatch.core.report.exported import Exported
from mwbatch.core.report.progress import Report, Tally
from mwbatch.core.spending.overlaps import Overlap
from mwbatch.core.state.row_status import Row, Status
from mwbatch.core.state.task_state import Shared
from mwbatch.errors import Exit

EMPTY = Report("logos", "b234567890", "/home", 0, dict.fromkeys(Status, 0), 0, 0, 0, 0, 0)

FRESH: list[tuple[Any, Callable[[Any], object], object]] = [
    (EMPTY, lambda report: report.exit(done=True), Exit.DONE),
    (Canceled(EMPTY, 0, 0), lambda canceled: canceled.exit, Exit.DONE),
    (Created(EMPTY, Ending()), lambda created: created.exit, Exit.DONE),
    (Exported("logos", "coco", "/e.json"), lambda exported: exported.exit, Exit.DONE),
    (Made("logos", "/m.jsonl", 0, 0, 0, 0, 0, 0, 0), lambda made: made.exit, Exit.DONE),
    (Overlap("logos", "b2"), Overlap.text, "batch logos (b2): 0 rows, "),
    (Proof(), lambda proof: proof.paid_twice, None),
    (Ran(EMPTY, Ending(), 0), lambda ran: ran.exit, Exit.DONE),
    (Reconciled(EMPTY), lambda reconciled: reconciled.exit, Exit.DONE),
    (Row(), lambda row: row.tasks, {}),
    (Rows(None), lambda rows: rows.settle(1, ()), []),
    (Shared(), lambda shared: shared.is_one_rows, False),
    (Tally(), lambda tally: tally.wait(""), None),
    (Breaker(), Breaker.calmed, None),
]


@pytest.mark.parametrize(
    ("fresh", "told", "says"), FRESH, ids=[type(fresh).__name__ for fresh, _, _ in FRESH]
)
def test_what_counts_begins_at_nothing(fresh: Any, told: Callable[[Any], object], says: object) -> None:
    """As long as nothing was counted every number is 0, and what is told by them is that nothing was."""
    counts = {field.name for field in fields(fresh) if type(field.default) is int}
    assert counts
    assert {getattr(fresh, name) for name in counts} == {0}
    assert told(fresh) == says
