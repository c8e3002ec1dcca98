"""Reports of any kind."""

from typing import Any, Final

from hypothesis import strategies as st

from mwbatch.core.report.progress import Report
from mwbatch.core.state.row_status import Status

_STATUSES: Final = tuple(status.value for status in Status)
_OTHERS: Final = (
    "in_flight",
    "surplus",
    "conflicts",
    "unknown_tasks",
    "damaged_lines",
    "rejected_callbacks",
    "by_callback_only",
)


def standing(**counts: int) -> Report:
    """A report with these counts, by their names in the JSON; 0 for what is not named."""
    by_status = {status: counts.pop(status.value, 0) for status in Status}
    others: dict[str, Any] = dict.fromkeys(_OTHERS, 0) | counts
    return Report("logos", "b234567890", "/home", sum(by_status.values()), by_status, **others)


small = st.integers(0, 3)
reports = st.fixed_dictionaries({}, optional=dict.fromkeys(_STATUSES + _OTHERS, small)).map(
    lambda counts: standing(**counts)
)
"""Any report of a small batch."""
