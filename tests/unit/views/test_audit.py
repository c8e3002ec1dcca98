"""What people and scripts are shown of an audit."""

from typing import Any

from mwbatch.core.codec.ids import Attempt
from mwbatch.core.facts.digests import SIZE
from mwbatch.core.report.audit import Audit, Audited
from mwbatch.core.state.row_status import Row
from mwbatch.core.state.task_state import TaskState
from mwbatch.views.audit import audited


def test_a_request_of_rows_that_cannot_be_read() -> None:
    """Where none of its rows can be read any more a request is told without what it asks for."""
    audit, digest = Audit(), bytes(SIZE)
    audit.learn([(0, digest), (1, digest)])
    tasks = {0: "t0", 1: "t1"}
    audit.count(
        0,
        [(0, digest), (1, digest)],
        lambda row: Row(tasks={tasks[row]: TaskState(tasks[row], Attempt(1), "pending")}),
        set(),
    )
    audit.finish()
    shown = audited([Audited((("week1", "b1"),), audit, {}, ("week1 cannot be read",))])
    value: Any = shown.value
    assert value["requests"] == [{"tasks": 2, "type": None, "request": None, "rows": [], "account": []}]
    assert "a request: 2 tasks" in shown.words
