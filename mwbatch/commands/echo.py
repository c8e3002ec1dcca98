"""The echo: does the listing show our callback addresses? Everything about doubt rests on it, so it is proved first."""

import asyncio
from contextlib import suppress
from datetime import datetime
from itertools import cycle
from typing import Final

from mwbatch.client import Client
from mwbatch.commands.desk import Desk
from mwbatch.core.address import find
from mwbatch.core.hint import hint
from mwbatch.core.pace import backoff
from mwbatch.core.task import Task
from mwbatch.core.times import moment
from mwbatch.errors import ApiError
from mwbatch.journal.opened import Opened

PATIENCE: Final = 60.0
"""Seconds within which a task that was just created must be listed with its address."""

NEWEST: Final = 1000
"""Among so many tasks, the newest ones, it is looked for."""


async def prove_echo(batch: Opened, client: Client, desk: Desk, kind: str, row: int) -> bool:
    """Look for the task of a row, the first one of its type, in a listing; keep on the card whether it was there."""
    # Not the one that is kept: whoever knows the address may have answered for another.
    paid = batch.state.row(row).paid
    shown = bool(paid) and await _shown(batch, client, desk, paid[0].task_id, paid[0].created_at)
    if not desk.stopping.is_set():
        batch.keep(echo=batch.card.echo | {kind: shown}, drift=batch.drift.kept)
    if not shown:
        desk.tally.note(
            f"warning: the API's listing does not show the callback address of a {kind} task. The batch goes on, but a "
            f"row in doubt cannot be settled: should one appear, look for it yourself, or take it that it may "
            f"be paid twice: {hint('retry', batch.card.name, '--status', 'doubt')}"
        )
    return shown


async def _shown(batch: Opened, client: Client, desk: Desk, task_id: str, created_at: str) -> bool:
    start = moment(created_at)
    began, waits = desk.ticks(), backoff(0.25, 5.0)
    for dated in cycle((True, False)):  # the API may go by other dates than it shows
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE - (desk.ticks() - began)):
                task = await _found(client, desk, task_id, start if dated else None)
                if task is not None:
                    address = find(task.callback_url or "")
                    return address is not None and address.batch == batch.card.batch_id
        wait = next(waits)
        if desk.ticks() - began + wait > PATIENCE or await desk.sleep(wait):
            break
    return False


async def _found(client: Client, desk: Desk, task_id: str, start: datetime | None) -> Task | None:
    """The task as the listing shows it, among the newest."""
    looked_at = 0
    try:
        async for task in client.tasks(start_time=start, fresh=True):
            if task.task_id == task_id:
                return task
            looked_at += 1
            if looked_at == NEWEST or desk.stopping.is_set():
                break
    except ApiError as error:
        desk.tally.note(f"the listing cannot be read yet: {error}")
    return None
