"""The echo: does the listing show our callback addresses? All doubt rests on it, so it is proved first."""

import asyncio
from contextlib import suppress
from datetime import datetime
from itertools import cycle
from typing import Final

from mwbatch.commands.context.session import Session
from mwbatch.core.api.address import find
from mwbatch.core.api.task import Task
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.codec.times import moment
from mwbatch.core.pace.pace import backoff
from mwbatch.core.words.hint import hint
from mwbatch.errors import ApiError

PATIENCE: Final = 60.0
"""Seconds within which a task that was just created must be listed with its address."""

NEWEST: Final = 1000
"""Among so many tasks, the newest ones, it is looked for."""


async def prove_echo(session: Session, kind: str, row: RowNumber) -> bool:
    """Look for a row's task, the first of its type, in a listing; keep in the batch info if it was there."""
    batch = session.batch
    # Not the one that is kept: whoever knows the address may have answered for another.
    paid = session.state.row(row).paid
    shown = bool(paid) and await _shown(session, paid[0].task_id, paid[0].created_at)
    if not session.is_stopping:
        await batch.kept(echo=batch.info.echo | {kind: shown}, drift=batch.drift.kept)
    if not shown:
        session.note(
            f"warning: the API's listing does not show the callback address of a {kind} task. The batch goes "
            "on, but a row in doubt cannot be settled: should one appear, look for it yourself, or take it "
            f"that it may be paid twice: {hint('retry', batch.info.name, '--status', 'doubt')}"
        )
    return shown


async def _shown(session: Session, task_id: str, created_at: str) -> bool:
    start = moment(created_at)
    began, waits = session.ticks(), backoff(0.25, 5.0)
    for dated in cycle((True, False)):  # the API may go by other dates than it shows
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE - (session.ticks() - began)):
                task = await _found(session, task_id, start if dated else None)
                if task is not None:
                    address = find(task.callback_url or "")
                    return address is not None and address.batch == session.batch.info.batch_id
        wait = next(waits)
        if session.ticks() - began + wait > PATIENCE or await session.sleep(wait):
            break
    return False


async def _found(session: Session, task_id: str, start: datetime | None) -> Task | None:
    """The task as the listing shows it, among the newest."""
    looked_at = 0
    try:
        async for task in session.client.tasks(start_time=start, fresh=True):
            if task.task_id == task_id:
                return task
            looked_at += 1
            if looked_at == NEWEST or session.is_stopping:
                break
    except ApiError as error:
        session.note(f"the listing cannot be read yet: {error}")
    return None
