"""The real receiver as a process, a sender that counts what was acknowledged,
and a reader that trusts nobody.
"""

import asyncio
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from yarl import URL

from mwbatch.core.api.address import write
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.keys.home_keys import keys_of
from tests.e2e.support.stage import COMMAND, Stage, until
from tests.support.ports import free_port, listens
from tests.unit.callbacks.stage import BATCH, JSON, callback, make_home

PATIENCE: Final = aiohttp.ClientTimeout(total=20)


class Receiving:
    """A home with one batch, the real ``serve-callbacks`` on it, and the sender of its callbacks.

    ``acknowledged`` are the rows of which the sender was told 200; ``statuses`` counts the answers, 0 for
    none.
    """

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder)
        self.home = make_home(self.stage.home, BATCH)
        self.key = keys_of(self.home).newest
        self.port = free_port()
        self.acknowledged: set[int] = set()
        self.statuses: Counter[int] = Counter()
        self.retry_after: set[str | None] = set()

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """The process, once it listens; it is asked to end with the block.

        ``command`` runs in the place of mwbatch.
        """
        words = ("serve-callbacks", "--port", str(self.port))
        started = self.stage.start(*words, command=command or (COMMAND,))
        try:
            until(lambda: listens(self.port) or started.poll() is not None)
            assert started.poll() is None, started.communicate()[1].decode()
            yield started
        finally:
            if started.poll() is None:
                started.terminate()
            started.communicate(timeout=20)

    def post(self, rows: Iterable[int], at_once: int = 3, spaces: int = 0) -> list[int]:
        """Post the callbacks of these rows, with spaces behind them; the statuses,
        0 where the connection broke.
        """
        return asyncio.run(self._post(list(rows), at_once, spaces))

    async def _post(self, rows: list[int], at_once: int, spaces: int) -> list[int]:
        async with aiohttp.ClientSession(timeout=PATIENCE) as session:
            found: list[int] = []
            for first in range(0, len(rows), at_once):
                some = rows[first : first + at_once]
                found += await asyncio.gather(*(self._send(session, row, spaces) for row in some))
            return found

    async def _send(self, session: aiohttp.ClientSession, row: int, spaces: int) -> int:
        url = write(f"http://127.0.0.1:{self.port}", self.key, BATCH, RowNumber(row), Attempt(1))
        body = callback(f"t{row}") + b" " * spaces
        status = 0
        try:
            async with session.post(URL(url, encoded=True), data=body, headers=JSON) as reply:
                status = reply.status
                if status == 503:
                    self.retry_after.add(reply.headers.get("Retry-After"))
        except aiohttp.ClientError:
            pass
        if status == 200:
            self.acknowledged.add(row)
        self.statuses[status] += 1
        return status

    def stored(self) -> Counter[int]:
        """How often each row's answer is on disk, by whole lines of JSON."""
        found: Counter[int] = Counter()
        for path in self.stage.home.glob("*/results/*.jsonl"):
            for line in path.read_bytes().split(b"\n")[:-1]:
                fact: Any = json.loads(line)
                found[fact["row"]] += fact["body"]["task_id"] == f"t{fact['row']}"
        return found

    @property
    def lost(self) -> set[int]:
        """Rows that were acknowledged and are not on disk."""
        return self.acknowledged - {*self.stored()}


def ended(started: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The exit code of a process that ends by itself within so many seconds, else None."""
    end = time.monotonic() + seconds
    while started.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    return started.returncode
