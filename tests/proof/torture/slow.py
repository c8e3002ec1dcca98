"""Hold slow connections open against the real receiver while well-behaved callbacks come;
then let all of them go.

    python -m tests.proof.torture.slow --connections 1000 --seconds 20 --kind heads

Prints how long the callbacks took, what memory the receiver held, and its file descriptors before, during and
after. Exit code 1 unless every callback was answered 200, the slowest hundredth in under a second, with less
than 300 MB held, and as many descriptors after as before.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import uvloop

from mwbatch.callbacks.common.limits import LIMITS
from mwbatch.core.api import address
from mwbatch.core.api.address import Key
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.e2e.support.stage import Stage, until
from tests.support.ports import free_port, listens
from tests.unit.callbacks.stage import BATCH, JSON, add_batch, callback

P99: Final = 1.0
"""Seconds in which all but the slowest hundredth of the callbacks have to be answered."""
MEMORY: Final = 300.0
"""MB that the receiver may hold."""
GONE: Final = 20.0
"""Seconds in which the descriptors have to come back."""
DROP: Final = 2.0
"""Seconds between two drops of a slow sender."""
PAUSE: Final = 1.0
"""Seconds until a slow sender who was cut off begins anew."""
WARM: Final = 8
"""Callbacks at the same time, on connections of their own that are kept."""

HEAD: Final = b"POST /callbacks/v1/k/b234567890/0-1/0 HTTP/1.1\r\nHost: x\r\n"
KINDS: Final[dict[str, tuple[bytes, bytes]]] = {
    "silent": (b"", b""),
    "heads": (HEAD + b"X-A: ", b"b"),
    "fat heads": (HEAD + b"".join(b"X-%d: " % n + b"b" * 4000 + b"\r\n" for n in range(7)), b"X-A: b\r\n"),
    "bodies": (HEAD + b"Content-Length: 100000\r\n\r\n", b"{"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n"),
}
"""What a slow sender begins with, and what he adds a drop at a time."""


@dataclass(frozen=True)
class Figures:
    """What was measured: seconds, MB, descriptors, and how many slow connections were open on average."""

    callbacks: int
    refused: int
    p50: float
    p99: float
    slowest: float
    memory: float
    before: int
    during: int
    after: int
    open: float

    def broken(self) -> list[str]:
        """The laws that did not hold."""
        laws = {
            "no callback was answered": not self.callbacks,
            f"{self.refused} callbacks were not answered 200": bool(self.refused),
            f"the slowest hundredth took {self.p99:.2f} s and more": self.p99 >= P99,
            f"{self.memory:.0f} MB were held": self.memory >= MEMORY,
            f"{self.after - self.before} descriptors did not come back": self.after > self.before,
        }
        return [law for law, broken in laws.items() if broken]

    def text(self) -> str:
        """One line."""
        return (
            f"{self.open:.0f} slow connections open; {self.callbacks:,} callbacks, {self.refused} refused, "
            f"p50 {self.p50 * 1000:.0f} ms, p99 {self.p99 * 1000:.0f} ms, slowest {self.slowest * 1000:.0f} "
            f"ms; {self.memory:.0f} MB; descriptors {self.before} before, {self.during} during, {self.after} "
            "after"
        )


class Crowd:
    """So many slow senders; each begins anew when it is cut off."""

    def __init__(self, port: int, size: int, kind: str) -> None:
        self._port, self._size, (self._first, self._drop) = port, size, KINDS[kind]
        self.open, self._most = 0, asyncio.Event()

    @asynccontextmanager
    async def there(self) -> AsyncIterator[None]:
        """All of them are there while the block runs, and gone after it."""
        senders = [asyncio.create_task(self._stay(DROP * n / self._size)) for n in range(self._size)]
        await self._most.wait()
        try:
            yield
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    async def _stay(self, late: float) -> None:
        await asyncio.sleep(late)  # so that they are a crowd, and no choir
        while True:
            with suppress(ConnectionError):
                await self._once()
            await asyncio.sleep(PAUSE)

    async def _once(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.open += 1
        if self.open >= min(self._size, LIMITS.connections) * 0.9:
            self._most.set()
        try:
            writer.write(self._first)
            while not reader.at_eof():
                with suppress(TimeoutError):
                    async with asyncio.timeout(DROP):
                        await reader.read(1000)
                writer.write(self._drop)
                await writer.drain()
        finally:
            self.open -= 1
            writer.close()


@dataclass
class Sender:
    """Posts good callbacks, one after the other, and notes how long each took."""

    base: str
    key: Key
    took: list[float]
    refused: int = 0

    async def post(self, session: aiohttp.ClientSession, row: int) -> None:
        """Post one."""
        url, began = address.write(self.base, self.key, BATCH, RowNumber(row), Attempt(1)), time.monotonic()
        try:
            async with session.post(url, data=callback(f"t{row}"), headers=JSON) as reply:
                self.refused += reply.status != 200
        except aiohttp.ClientError:
            self.refused += 1
        self.took.append(time.monotonic() - began)

    async def keep_posting(self, seconds: float, again: Callable[[], object]) -> None:
        """Several at a time, half of them on connections of their own; ``again`` is called now and then."""
        end, rows = time.monotonic() + seconds, iter(range(10**9))
        fresh = aiohttp.TCPConnector(force_close=True, limit=0)
        async with aiohttp.ClientSession() as kept, aiohttp.ClientSession(connector=fresh) as new:

            async def stream(session: aiohttp.ClientSession) -> None:
                while time.monotonic() < end:
                    await self.post(session, next(rows))
                    again()
                    await asyncio.sleep(0.05)

            await asyncio.gather(*(stream(session) for session in (kept, new) for _ in range(WARM // 2)))


@contextmanager
def receiving(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, Key]]:
    """The real receiver with one batch; its process, its port, and the key that signs."""
    stage, port = Stage(folder), free_port()
    home = Home(stage.home)
    add_batch(home, BATCH)
    key = keys_of(home).newest
    with stage.running("serve-callbacks", "--port", str(port), "-q") as process:
        until(lambda: listens(port))
        yield process, port, key


def measure(folder: Path, connections: int, seconds: float, kind: str) -> Figures:
    """Measure one kind of slow senders."""
    _allow(connections + 500)
    with receiving(folder) as (process, port, key):
        return uvloop.run(_measured(process.pid, port, key, Crowd(port, connections, kind), seconds))


async def _measured(pid: int, port: int, key: Key, crowd: Crowd, seconds: float) -> Figures:
    sender = Sender(f"http://127.0.0.1:{port}", key, [])
    await sender.keep_posting(0.2, lambda: None)  # what is opened once is open before it is counted
    sender.took.clear()
    before, held, there = await _settled(pid), [0.0], list[int]()

    def note() -> None:
        held.append(memory(pid))
        there.append(crowd.open)

    async with crowd.there():
        await sender.keep_posting(seconds, note)
        during = _descriptors(pid)
    took = sorted(sender.took)
    return Figures(
        callbacks=len(took),
        refused=sender.refused,
        p50=took[len(took) // 2],
        p99=took[len(took) * 99 // 100],
        slowest=took[-1],
        memory=max(held),
        before=before,
        during=during,
        after=await _settled(pid, before),
        open=sum(there) / len(there),
    )


async def _settled(pid: int, wanted: int = 0) -> int:
    """The descriptors once they are as few as ``wanted``, or no longer change."""
    end, last = time.monotonic() + GONE, -1
    while (now := _descriptors(pid)) > wanted and time.monotonic() < end and (wanted or now != last):
        last = now
        await asyncio.sleep(0.2)
    return now


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 (counted, not walked)


def memory(pid: int) -> float:
    """Resident memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _allow(descriptors: int) -> None:
    """Let this process, too, have as many descriptors as it needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(descriptors, hard), hard))


def main(words: Sequence[str]) -> int:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof.torture.slow", description="Hold slow connections open."
    )
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--kind", choices=KINDS, default=None)
    asked, broken = parser.parse_args(words), 0
    for kind in [asked.kind] if asked.kind else KINDS:
        with tempfile.TemporaryDirectory(prefix="mwbatch-slow-") as folder:
            figures = measure(Path(folder), asked.connections, asked.seconds, kind)
        broken += len(figures.broken())
        print(f"{kind}: {figures.text()}: {'; '.join(figures.broken()) or 'ok'}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
