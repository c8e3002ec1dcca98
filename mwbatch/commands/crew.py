"""Several workers that share one fate: when one fails, the others are stopped, and its error is raised as it is."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any


async def crew(
    workers: Iterable[Coroutine[Any, Any, None]], wind_down: Callable[[], None] | None = None
) -> None:
    """Run all of them to their end; raises the first error, not a group of errors.

    With ``wind_down``, which is called when one fails, the others are not cut short: it MUST make them end by themselves.
    """
    errors: list[Exception] = []

    async def patient(worker: Coroutine[Any, Any, None], wind_down: Callable[[], None]) -> None:
        try:
            await worker
        except Exception as error:  # noqa: BLE001 (it is raised below)
            errors.append(error)
            wind_down()

    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker if wind_down is None else patient(worker, wind_down))
    except BaseExceptionGroup as group_of:
        raise group_of.exceptions[0] from None
    if errors:
        raise errors[0]
