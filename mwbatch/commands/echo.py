"""The echo: does the listing show our callback addresses? Everything about doubt rests on it, so it is proved first."""

from typing import Final

from mwbatch.client import Client
from mwbatch.commands.desk import Desk
from mwbatch.core.address import find
from mwbatch.core.pace import backoff
from mwbatch.core.times import moment
from mwbatch.errors import ApiError
from mwbatch.journal.opened import Opened

PATIENCE: Final = 60.0
"""Seconds within which a task that was just created must be listed with its address."""


async def prove_echo(batch: Opened, client: Client, desk: Desk, kind: str, row: int) -> bool:
    """Look for the task of a row, the first one of its type, in a listing; keep on the card whether it was there."""
    kept = batch.state.row(row).kept
    shown = kept is not None and await _shown(batch, client, desk, kept.task_id, kept.created_at)
    if not desk.stopping.is_set():
        batch.keep(echo=batch.card.echo | {kind: shown})
    if not shown:
        desk.tally.note(
            f"warning: the API's listing does not show the callback address of a {kind} task. The batch goes on, but a "
            f"row in doubt cannot be settled: should one appear, look for it yourself, or mwbatch retry --status doubt"
        )
    return shown


async def _shown(batch: Opened, client: Client, desk: Desk, task_id: str, created_at: str) -> bool:
    start = moment(created_at)
    began, waits = desk.ticks(), backoff(0.25, 5.0)
    while True:
        try:
            async for task in client.tasks(start_time=start, fresh=True):
                if task.task_id == task_id:
                    address = find(task.callback_url or "")
                    return address is not None and address.batch == batch.card.batch_id
        except ApiError as error:
            desk.tally.note(f"the listing cannot be read yet: {error}")
        wait = next(waits)
        if desk.ticks() - began + wait > PATIENCE or await desk.sleep(wait):
            return False
