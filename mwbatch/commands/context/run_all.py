"""Several workers that share one fate: when one fails, the others are stopped, and its error is raised."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def run_all(workers: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all of them to their end; raises the first error, not a group of errors."""
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker)
    except BaseExceptionGroup as group_of:
        raise group_of.exceptions[0] from None
