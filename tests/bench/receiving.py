"""Receiving callbacks: `mwbatch serve-callbacks`, durable,
beside those who store nothing and those who sync each one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mwbatch.core.api.address import write
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json, encode
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.keys.home_keys import signing_key
from tests.bench.report.figures import Figure, Round, compare
from tests.bench.stand.children import cpu, module, server, tool
from tests.bench.stand.load import load

SECTION: Final = "receiving"
SECONDS: Final = 3.0
PATHS: Final = 60_000
"""More than can be posted to in a round: an address that came again would not be stored again."""

BATCH: Final = "bench23456"
TAG: Final[Json] = {
    "id": "nk5DHouybZD2MvGqX",
    "left": 1408,
    "top": 12,
    "width": 601,
    "height": 121,
    "brand": "Pepsi",
    "brand_id": "ATXsnhDdq5NyQw4qQ",
    "template_url": "http://images.example.com/384551c8730b.png",
}


@dataclass(frozen=True, slots=True)
class Receiver:
    """``start`` takes a folder of its own and a port, and gives the command."""

    name: str
    start: Callable[[Path, int], list[str]]


def _serve(place: Path, port: int) -> list[str]:
    return tool("serve-callbacks", "--home", place / "home", "--port", port, "--quiet")


def _storing(name: str, place: Path, port: int) -> list[str]:
    return module(name, port, place / "callbacks.jsonl")


BARE: Final = Receiver("aiohttp handler, stores nothing", lambda _, port: module("receivers.bare", port))
OURS: Final = Receiver("mwbatch serve-callbacks", _serve)
OTHERS: Final = (
    Receiver("aiohttp handler, one fdatasync a request", partial(_storing, "receivers.bare")),
    Receiver("FastAPI, one fdatasync a request", partial(_storing, "receivers.with_fastapi")),
)


def run(runs: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """All rounds of this section."""
    with TemporaryDirectory(prefix="mwbatch-bench-") as place:
        yard = Yard(Path(place))

        def rounds(size: int, connections: int, *receivers: Receiver) -> Iterator[Figure]:
            template = yard.template(size)
            plays = {one.name: partial(yard.round, one, template, connections) for one in receivers}
            case = f"{size} KB, {connections} connections"
            return compare(SECTION, case, plays, runs, say, {OURS.name: 0.9} if size == 2 else {})

        yield from rounds(2, 64, BARE, OURS, *OTHERS)
        yield from rounds(2, 512, BARE, OURS)
        yield from rounds(20, 64, BARE, OURS)
        yield from rounds(100, 64, BARE, OURS)


class Yard:
    """Where receivers play: a home with one batch, and callbacks for it."""

    def __init__(self, place: Path) -> None:
        self._place, self._numbers = place, count()
        self._key = signing_key(Home(place / "keys"))
        self._paths = place / "paths"
        paths = (write("", self._key, BATCH, RowNumber(row), Attempt(1)) for row in range(PATHS))
        self._paths.write_text("\n".join(paths), encoding="ascii")

    def template(self, size: int) -> Path:
        """A callback of ``size`` KB."""
        path, wanted = self._place / f"callback-{size}.json", size * 1024
        task = {
            "task_id": "@TASK@",
            "type": "tagging",
            "status": "completed",
            "params": {"objects_to_tag": "brands"},
        }
        task |= {"created_at": "2026-11-24T09:10:02.798Z", "completed_at": "2026-11-24T09:12:04.000Z"}
        task |= {"callback_url": "https://labels.example.com@PATH@"}
        tags = [TAG]
        while len(encode({"task": task, "response": {"tags": tags}})) < wanted - 100:
            tags.append(TAG)
        path.write_bytes(encode({"task_id": "@TASK@", "task": task, "response": {"tags": tags}}))
        return path

    def round(self, receiver: Receiver, template: Path, connections: int) -> Round:
        """Load one receiver, in a home of its own, for some seconds."""
        with TemporaryDirectory(dir=self._place) as folder:
            place = Path(folder)
            home = Home(place / "home")
            home.create(BatchInfo("bench", BATCH, "http://127.0.0.1", "bench.csv", None, (self._key.kid,)))
            (home.path / "keys.json").write_bytes((self._place / "keys" / "keys.json").read_bytes())
            (home.path / "keys.json").chmod(0o600)
            with server(partial(receiver.start, place)) as (pid, url):
                before = cpu(pid)
                told = load(url, template, self._paths, connections, SECONDS)
                after = cpu(pid)
        if told["wrong"] or told["requests"] >= PATHS:
            raise RuntimeError(f"{receiver.name}: {told}")
        spent = None if before is None or after is None else after - before
        return Round(told["requests"], told["seconds"], spent, {"p99 ms": told["p99"]})
