"""Measuring images whose size nobody told: one or two small requests each, many at a time,
and never twice.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Generator
from contextlib import closing
from itertools import islice
from typing import Final

from mwbatch.client.images import Images
from mwbatch.commands.context.context import Context
from mwbatch.commands.context.run_all import run_all
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.image_size import Measured
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.belongings import Sizes

AT_ONCE: Final = 32
_FLUSH: Final = 256
_PORTION: Final = 256
_NAMED: Final = 5
_log = logging.getLogger("mwbatch.images")


class _Rows:
    """Rows for several workers, read in a thread; where nothing may be read any more, `close` them."""

    def __init__(self, there: Generator[Planned, None, None]) -> None:
        self._there, self._read, self._turn = there, deque[Planned](), asyncio.Lock()

    async def next(self) -> Planned | None:
        """The next one; None after the last."""
        async with self._turn:
            if not self._read:
                self._read.extend(await in_thread(lambda: list(islice(self._there, _PORTION))))
            return self._read.popleft() if self._read else None

    def close(self) -> None:
        """Close what they are read from."""
        self._there.close()


async def measure(there: Generator[Planned, None, None], total: int, sizes: Sizes, context: Context) -> int:
    """Measure the image of each row and keep its size; returns how many could not be measured,
    which are told of. Nothing is left open of what the rows are read from.

    Raises:
        StoreError: the sizes cannot be kept.
    """
    tally, failed, since = context.tally, 0, 0
    tally.begin("measuring images", total)

    async def work(images: Images) -> None:
        nonlocal failed, since
        while not context.stopping.is_set() and (planned := await rows.next()):
            size = await images.measure(str(planned.request["image_url"]))
            tally.done += 1
            if isinstance(size, Measured):
                sizes.add(planned.row, size)
                since += 1
            else:
                failed += 1
                _log.info("the image of row %d cannot be measured: %s", planned.row, size)
                if failed <= _NAMED:
                    tally.note(f"the image of row {planned.row} ({planned.id}) cannot be measured: {size}")
            if since >= _FLUSH:
                since = 0
                sizes.flush()

    try:
        with closing(_Rows(there)) as rows:
            async with Images(AT_ONCE, context.proxies) as images:
                await run_all([work(images) for _ in range(min(AT_ONCE, total))])
    finally:
        sizes.flush()
    if failed > _NAMED:
        tally.note(f"{failed:,} images could not be measured; with --verbose each is named")
    return failed
