"""Who calls the receivers: wrk where it is installed, else a generator of our own, which does the same.

``python -m tests.bench.stand.load URL TEMPLATE PATHS CONNECTIONS SECONDS`` prints one JSON object. Each path
is posted to once; in the template ``@PATH@`` and ``@TASK@`` become the path and a new task id.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import uvloop
from yarl import URL

from tests.bench.stand.children import module

OK: Final = b"HTTP/1.1 200"


def load(url: str, template: Path, paths: Path, connections: int, seconds: float) -> Any:
    """Post callbacks for so long; returns requests, seconds,
    those not answered 200 (``wrong``) and p99 in ms.
    """
    if shutil.which("wrk"):
        script = Path(__file__).with_name("load.lua")
        measure = ("-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", script)
        command = ["wrk", *map(str, measure), url, "--", str(template), str(paths)]
    else:
        command = module("stand.load", url, template, paths, connections, seconds)
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(told.splitlines()[-1])


class Caller(asyncio.Protocol):
    """One connection: posts, waits for the answer, posts again."""

    def __init__(self, requests: Iterator[bytes], waits: list[float], wrong: list[bytes]) -> None:
        self._requests, self._waits, self._wrong = requests, waits, wrong
        self._heard, self._since = b"", 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._post()

    def data_received(self, data: bytes) -> None:
        """Take the answer, whose body is empty, and go on."""
        self._heard += data
        if self._heard.endswith(b"\r\n\r\n"):
            if not self._heard.startswith(OK):
                self._wrong.append(self._heard)
            self._waits.append(time.perf_counter() - self._since)
            self._heard = b""
            self._post()

    def _post(self) -> None:
        self._since = time.perf_counter()
        self._transport.write(next(self._requests))


def requests(template: Path, paths: Path, host: str) -> Iterator[bytes]:
    """Whole requests, one for each path."""
    text = template.read_bytes()
    for number, path in enumerate(paths.read_bytes().split()):
        body = text.replace(b"@PATH@", path).replace(b"@TASK@", b"t%08d" % number)
        head = b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        yield head % (path, host.encode(), len(body)) + body


async def main(url: str, template: str, paths: str, connections: str, seconds: str) -> None:
    """Load, and tell."""
    where, waits, wrong = URL(url), list[float](), list[bytes]()
    all_requests = requests(Path(template), Path(paths), where.authority)
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    assert where.host is not None
    assert where.port is not None
    for _ in range(int(connections)):
        await loop.create_connection(lambda: Caller(all_requests, waits, wrong), where.host, where.port)
    await asyncio.sleep(float(seconds))
    waits.sort()
    p99 = waits[int(0.99 * len(waits))] * 1000
    spent = time.perf_counter() - began
    print(json.dumps({"requests": len(waits), "seconds": spent, "wrong": len(wrong), "p99": p99}))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
