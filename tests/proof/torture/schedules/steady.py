"""Makes a schedule the same in every run: names that the program draws by chance are counted instead."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, tzinfo
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson

from mwbatch.journal.files.disk import Disk
from mwbatch.journal.segments.journal import Segments
from tests.proof.torture.world.mortal import owner


@contextmanager
def steady(seed: str) -> Iterator[None]:
    """Put counters in the place of chance, and the disk of whoever runs in the place of the real one."""
    numbers = count()
    random.seed(seed)
    with ExitStack() as stack:
        # Where it is drawn, and not where it is used:
        # a name that moved to another module would be missed here.
        stack.enter_context(patch("secrets.token_hex", lambda size=32: f"{next(numbers):0{2 * size}x}"))
        stack.enter_context(patch("mwbatch.journal.segments.segment.datetime", _Clock))
        stack.enter_context(patch("mwbatch.commands.manifest.planning.new_batch_id", _batch_ids().__next__))
        stack.enter_context(patch("mwbatch.journal.home.home.Segments", _segments))
        stack.enter_context(patch("mwbatch.commands.context.callback_base.probe", _heard))
        yield


def _batch_ids() -> Iterator[str]:
    return (f"batchbatc{letter}" for letter in "habcdefgijkmnopqrstuvwxyz")


def write_keys(path: Path) -> None:
    """The callback keys of every schedule."""
    path.touch(0o600)
    path.write_bytes(orjson.dumps({"keys": [{"kid": "k1", "secret": "5e" * 32}]}))


class _Clock:
    @staticmethod
    def now(_: tzinfo) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


def _segments(folder: Path, writer: str, disk: Disk, *rest: Any, **how: Any) -> Segments:
    mortal = owner()
    return Segments(folder, writer, disk if mortal is None else mortal.disk, *rest, **how)


async def _heard(*_: object) -> str:
    """The probe would open a socket."""
    return ""
