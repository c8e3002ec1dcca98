"""The tie between what was asked and what is shown."""

import pytest

from mwbatch.core.api.task import Task
from mwbatch.core.api.tie import is_at
from mwbatch.core.codec.ids import Attempt, RowNumber

OURS = "https://calls.test/callbacks/v1/k1/b234567890/3-1/0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("url", "there"),
    [
        (OURS, True),
        (OURS.replace("/k1/", "/k2/").replace("0123", "3210"), True),
        (None, True),
        ("", True),
        (OURS.replace("/3-1/", "/4-1/"), False),
        (OURS.replace("/3-1/", "/3-2/"), False),
        (OURS.replace("b234567890", "b234567899"), False),
        ("https://calls.test/elsewhere", False),
    ],
)
def test_a_task_is_where_its_address_says(url: str | None, there: bool) -> None:
    """A task that shows another batch, row, attempt or URL is not ours; one that shows none may be."""
    assert is_at(Task("t", callback_url=url), "b234567890", RowNumber(3), Attempt(1)) is there
