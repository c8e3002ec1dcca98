"""Hostile requests over raw sockets: each gets its status in time, and never a line into the store."""

import asyncio
import logging
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from filelock import FileLock

from mwbatch.callbacks.common.refusal import Reason
from mwbatch.callbacks.ops.server import serve
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.hostile import bodies, heads, lines, slow
from tests.unit.callbacks.hostile.entry import LIMITS, Hostile, Outcome, played_at
from tests.unit.callbacks.stage import BATCH, Stage, callback, make_home, request, talk

TABLES: Final[list[Mapping[str, Hostile]]] = [
    lines.GREETINGS,
    lines.METHODS,
    lines.VERSIONS,
    lines.PATHS,
    heads.LENGTHS,
    heads.CODINGS,
    heads.KINDS,
    heads.FORMS,
    bodies.CHUNKS,
    bodies.SYNTAX,
    bodies.TEXT,
    bodies.SIZES,
    bodies.TASKS,
    slow.HEADS,
    slow.BODIES,
    slow.HALF_CLOSED,
    slow.MANY,
]
HOSTILE: Final = {name: entry for table in TABLES for name, entry in table.items()}
AT_A_TIME: Final = 24
"""How many are played at once: each must end in time although the others are there."""


@dataclass(frozen=True)
class Played:
    """What came of every entry, and what the receiver logged meanwhile."""

    outcomes: Mapping[str, Outcome]
    log: list[str]


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.messages.append(record.getMessage())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Every entry, played against one receiver, each at an address of its own."""
    folder, run = tmp_path_factory.mktemp("hostile"), os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return play(folder)
    shared = (
        tmp_path_factory.getbasetemp().parent / f"hostile-{run}"
    )  # one worker plays, the others wait for it
    with FileLock(shared.with_suffix(".lock")):
        if not shared.exists():
            shared.write_bytes(pickle.dumps(play(folder)))
    there: Played = pickle.loads(shared.read_bytes())
    return there


def play(folder: Path) -> Played:
    """Play all tables and listen to the log."""
    kept = Kept()
    logging.getLogger("mwbatch").addHandler(kept)
    try:
        return Played(asyncio.run(play_all(folder)), kept.messages)
    finally:
        logging.getLogger("mwbatch").removeHandler(kept)


async def play_all(folder: Path) -> Mapping[str, Outcome]:
    """Play all tables."""
    home, turn = make_home(folder / "home", BATCH), asyncio.Semaphore(AT_A_TIME)
    async with await serve(home, "127.0.0.1", 0, limits=LIMITS) as running, sender() as session:
        stage = Stage(home, running, session)

        async def in_turn(row: int, entry: Hostile) -> Outcome:
            async with turn:
                return await outcome(stage, row, entry)

        outcomes = await asyncio.gather(*(in_turn(*numbered) for numbered in enumerate(HOSTILE.values())))
    return dict(zip(HOSTILE, outcomes, strict=True))


def sender() -> aiohttp.ClientSession:
    """A well-behaved sender; with a new connection each time, since idle ones end soon here."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))


async def outcome(stage: Stage, row: int, entry: Hostile) -> Outcome:
    """Play one entry, look what it left in the store, and send a good callback after it."""
    statuses, seconds = await played_at(stage.running.port, entry, stage.path(row).encode())
    stored = sum(b'"row":%d,' % row in stored for stored in stage.lines())
    reply = await stage.post(stage.address(row), callback(f"good {row}"))
    return Outcome(statuses, seconds, stored, reply.status)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(played: Played, name: str) -> None:
    """A hostile request gets its status, or none, in time; nothing is stored; the next callback is served."""
    entry, came = HOSTILE[name], played.outcomes[name]
    assert came.statuses in entry.statuses
    assert entry.lasting <= came.seconds <= entry.within
    assert (came.stored, came.next) == (0, 200)


async def test_smuggling(start: Start) -> None:
    """A request hidden in the body of another is body, and never a request."""
    stage = await start()
    inner = request(stage.path(), body=callback())
    outer = request("/", f"Content-Length: {len(inner)}", length=False) + inner
    chunked = request("/", "Transfer-Encoding: chunked", length=False) + b"%x\r\n%b\r\n0\r\n\r\n" % (
        len(inner),
        inner,
    )
    for hidden in (outer, chunked):
        assert (await talk(stage.running.port, hidden)).count(b"HTTP/1.1") == 1
    assert not stage.lines()


def test_strangers_write_little_log(played: Played) -> None:
    """Whatever strangers send, and however often, each kind of refusal is one line, and nothing else is:
    none fills our disk.
    """
    once = [line for line in played.log if "this is said once" in line]
    assert len(once) == len({*once}) <= len(Reason) + 1
    assert [line for line in played.log if line not in once and "come too fast" not in line] == []
    assert len(played.log) <= len(once) + 1


def test_the_tables_do_not_shrink() -> None:
    """There are at least 120 entries, each under a name of its own."""
    assert len(HOSTILE) == sum(map(len, TABLES))
    assert len(HOSTILE) >= 120
