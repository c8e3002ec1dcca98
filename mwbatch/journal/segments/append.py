"""What is handed in to be written: lines that belong together, and whoever waits until they are durable."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from mwbatch.core.facts.kinds import Started
from mwbatch.journal.interface.journal import After

Key = bytes | Started
"""What must not be there twice: an answer, by its name, or a start."""

Waiting = asyncio.Future[None]


@dataclass(slots=True)
class Append:
    """Lines by folder that were handed in together, what they claim, and who waits for them."""

    lines: Mapping[str, bytes]
    size: int
    count: int
    claims: list[Key]
    done: Waiting
    after: After | None = None
