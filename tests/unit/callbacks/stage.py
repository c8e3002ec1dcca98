"""A receiver on loopback with one batch, and a sender that posts to it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from mwbatch.callbacks.ops.server import Running
from mwbatch.core.api import address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json, encode
from mwbatch.core.facts.kinds import Fact
from mwbatch.core.facts.lines import parse
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.journal.segments.unusable_folder import REJECTS

BATCH: Final = "b234567890"
JSON: Final = {"Content-Type": "application/json"}
TAGS: Final[Json] = {"tags": [{"id": "x", "left": 1, "top": 2, "width": 3, "height": 4}]}


@dataclass(frozen=True)
class Reply:
    """One answer of the receiver."""

    status: int
    body: bytes
    retry_after: str | None
    connection: str | None = None


class Stage:
    """The home, the receiver and a sender."""

    def __init__(self, home: Home, running: Running, session: aiohttp.ClientSession) -> None:
        self.home, self.running, self.session = home, running, session
        self.key = keys_of(home).newest

    def address(self, row: int = 0, attempt: int = 1, batch: str = BATCH, prefix: str = "") -> str:
        """A signed address below the receiver's URL."""
        return address.write(self.running.url + prefix, self.key, batch, RowNumber(row), Attempt(attempt))

    def path(self, row: int = 0) -> str:
        """The path of a signed address."""
        return URL(self.address(row)).raw_path

    async def post(self, url: str, body: bytes = b"", **headers: str) -> Reply:
        """Post as the API does; a header's name is written with underscores."""
        named = JSON | {name.replace("_", "-"): text for name, text in headers.items()}
        async with self.session.post(URL(url, encoded=True), data=body, headers=named) as reply:
            return Reply(
                reply.status,
                await reply.read(),
                reply.headers.get("Retry-After"),
                reply.headers.get("Connection"),
            )

    def files(self) -> dict[Path, bytes]:
        """Every segment of facts below the home with what it holds."""
        paths = [path for path in self.home.path.rglob("*.jsonl") if path.parent.name != REJECTS]
        return {path: path.read_bytes() for path in sorted(paths)}

    def lines(self) -> list[bytes]:
        """Every line on disk, oldest segment first."""
        return [line for text in self.files().values() for line in text.splitlines()]

    def facts(self) -> list[Fact]:
        """The same, read."""
        return [parse(line) for line in self.lines()]


def make_home(path: Path, *batches: str) -> Home:
    """A home with batches; each folder is named after its batch id."""
    home = Home(path)
    for batch in batches:
        add_batch(home, batch)
    return home


def add_batch(home: Home, batch: str) -> Path:
    """Make the folder of one more batch."""
    info = BatchInfo(f"named-{batch}", batch, "http://127.0.0.1:1", "/m.csv", None, ())
    return Path(home.create(info).where)


def callback(task_id: str = "t1", response: Json = TAGS, **task: Json) -> bytes:
    """A callback's body."""
    inner = {"task_id": task_id, "status": "completed"} | task
    return encode({"task_id": task_id, "response": response, "task": inner})


def path_below(home: Home, prefix: str = "", row: int = 0, batch: str = BATCH) -> str:
    """The path of a signed address below a prefix."""
    return address.write(prefix, keys_of(home).newest, batch, RowNumber(row), Attempt(1))


async def talk(port: int, *pieces: bytes, pause: float = 0.0, patience: float = 5.0) -> bytes:
    """Send raw bytes, piece by piece, and return all that comes back until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(patience):
            for piece in pieces:
                if writer.is_closing():
                    break
                writer.write(piece)
                await asyncio.sleep(pause)
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def request(path: str, *headers: str, body: bytes = b"", method: str = "POST", length: bool = True) -> bytes:
    """One request on the wire that asks for the connection to be closed."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Content-Type: application/json", "Connection: close"]
    lines += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def status(answer: bytes) -> int:
    """The status of a raw answer; 0 for none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


async def until(true: Callable[[], object]) -> None:
    """Wait until something holds; ``true`` may be asynchronous."""
    end = time.monotonic() + 20
    while not (await told if isawaitable(told := true()) else told):
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.005)


async def turns() -> None:
    """Let the loop, which is the receiver's too, turn often enough to take what was sent,
    however busy the machine.
    """
    for _ in range(20):
        await asyncio.sleep(0.002)
