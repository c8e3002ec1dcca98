"""The tie between what was asked and what is shown:
an answer about another task or another address is believed of neither.
"""

from mwbatch.core.api.address import find
from mwbatch.core.api.task import Task
from mwbatch.core.codec.ids import Attempt, RowNumber


def is_at(task: Task, batch: str, row: RowNumber, attempt: Attempt) -> bool:
    """Whether a task that was shown may belong to an attempt: its address names that, or none is shown.

    Which key signed the address does not matter: who shows it is the API, under our own key.
    """
    if not task.callback_url:
        return True
    address = find(task.callback_url)
    return address is not None and (address.batch, address.row, address.attempt) == (batch, row, attempt)
