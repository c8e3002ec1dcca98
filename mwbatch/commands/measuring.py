"""Measuring images whose size nobody told: one or two small requests each, many at a time,
and never twice.
"""

import logging
from collections.abc import Iterator
from typing import Final

from mwbatch.client.images import Images
from mwbatch.commands.crew import crew
from mwbatch.commands.desk import Desk
from mwbatch.core.facts import Planned
from mwbatch.core.image_size import Size
from mwbatch.journal.belongings import Sizes

AT_ONCE: Final = 32
_FLUSH: Final = 256
_NAMED: Final = 5
_log = logging.getLogger("mwbatch.images")


async def measure(rows: Iterator[Planned], total: int, sizes: Sizes, desk: Desk) -> int:
    """Measure the image of each row and keep its size; returns how many could not be measured,
    which are told of.

    Raises:
        StoreError: the sizes cannot be kept.
    """
    tally, failed, since = desk.tally, 0, 0
    tally.begin("measuring images", total)

    async def work(images: Images) -> None:
        nonlocal failed, since
        for planned in rows:
            if desk.stopping.is_set():
                return
            size = await images.measure(str(planned.request["image_url"]))
            tally.done += 1
            if isinstance(size, Size):
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
        async with Images(AT_ONCE, desk.proxies) as images:
            await crew([work(images) for _ in range(min(AT_ONCE, total))])
    finally:
        sizes.flush()
    if failed > _NAMED:
        tally.note(f"{failed:,} images could not be measured; with --verbose each is named")
    return failed
