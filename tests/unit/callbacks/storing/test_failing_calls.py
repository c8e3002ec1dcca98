"""Every call of the disk fails once, twice and for good: what is answered then,
and what another reader finds on disk.
"""

import asyncio
import errno
import io
import json
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from mwbatch.callbacks.ops.server import serve
from mwbatch.core.facts.kinds import Seen
from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import DISK, Disk
from mwbatch.journal.home.home import Home
from tests.support.disks import FAULTS, Befallen, Fate, Fault
from tests.unit.callbacks.stage import BATCH, Stage, callback, make_home

PATIENCE: Final = 10.0
"""Seconds in which anything must have an answer."""

WAVES: Final[Sequence[Sequence[tuple[int, str, bytes]]]] = [
    [(0, BATCH, callback("t0"))],
    [(1, BATCH, callback("t1")), (1, BATCH, callback("t1")), (2, BATCH, callback("t2"))],
    [(1, BATCH, callback("t1", completed_at="later")), (3, "elsewhere", callback("t3"))],
    [(2, BATCH, callback("t2", {"tags": []}))],
]
"""Row, batch and body of what is posted: at once, and one after the other; a copy, another time stamp,
a conflict.
"""

EARLIER: Final = {(9, "t9", "true")}
"""What an earlier receiver has stored."""

Known = set[tuple[int, str, str]]


class Sender:
    """Posts callbacks; ``acknowledged`` are those of which it was told that they are safe."""

    def __init__(self) -> None:
        self.acknowledged: Known = set()
        self.statuses: Counter[int] = Counter()

    async def post(self, stage: Stage) -> None:
        """Post everything, wave by wave."""
        for wave in WAVES:
            await asyncio.gather(*(self._post(stage, *each) for each in wave))

    async def _post(self, stage: Stage, row: int, batch: str, body: bytes) -> None:
        reply = await stage.post(stage.address(row, batch=batch), body)
        self.statuses[reply.status] += 1
        if reply.status == 200:
            sent = json.loads(body)
            self.acknowledged.add((row, sent["task_id"], json.dumps(sent["response"])))


def stored(home: Home) -> Counter[tuple[int, str, str]]:
    """Row, task and response of every whole line, as any script would read it."""
    found: Counter[tuple[int, str, str]] = Counter()
    for path in home.path.rglob("*.jsonl"):
        for line in path.read_bytes().split(b"\n")[:-1]:
            fact: Any = json.loads(line)
            found[fact["row"], fact["task_id"], json.dumps(fact["body"]["response"])] += 1
    return found


@asynccontextmanager
async def receiving(home: Home, disk: Disk, told: list[str]) -> AsyncIterator[Stage]:
    """A receiver, and who posts to it."""

    def listen(_: str, fact: Seen) -> None:
        told.append(fact.task_id)

    async with (
        asyncio.timeout(PATIENCE),
        aiohttp.ClientSession() as session,
        await serve(Home(home.path, disk=disk), "127.0.0.1", 0, on_stored=listen) as running,
    ):
        yield Stage(home, running, session)


async def befall(home: Home, fault: Fault) -> list[str]:
    """Receive on a disk that fails, then on one that does not; returns the calls of the former."""
    disk, sender, told = Befallen(fault), Sender(), list[str]()
    try:
        async with receiving(home, disk, told) as stage:
            await sender.post(stage)
            assert stage.running.counts.received == sender.statuses[200]
    except StoreError:
        assert not sender.statuses, "it stopped while it received"
    assert {*sender.statuses} <= {200, 503}, f"{fault}: {sender.statuses}"
    assert sender.acknowledged <= {*stored(home)}, f"{fault}: acknowledged and not on disk"
    assert {*told} <= {task for _, task, _ in sender.acknowledged}, f"{fault}: told of what was refused"
    async with receiving(home, DISK, []) as stage:
        again = Sender()
        await again.post(stage)
    assert {*again.statuses} == {200}, f"{fault}: still failing"
    assert stored(home) == Counter(again.acknowledged | EARLIER), f"{fault}"
    return disk.calls


@pytest.fixture
async def left(memory: Path) -> Path:
    """A home in which an earlier receiver stored an answer."""
    home = make_home(memory / "left", BATCH)
    async with receiving(home, DISK, []) as stage:
        await stage.post(stage.address(9), callback("t9", True))
    return home.path


@pytest.mark.parametrize(("fate", "lasting"), FAULTS)
async def test_every_call_fails(left: Path, fate: Fate, lasting: float) -> None:
    """Whichever call of the disk fails: 200 only for what is on disk, else 503,
    and afterwards each answer stands once.
    """
    calls = await befall(copy_of(left, 0), Fault(0, None))
    assert {*calls} == {"create", "write", "sync", "look", "settle", "forget", "close"}
    for nth, name in enumerate(calls, 1):
        if fate != "short" or name == "write":
            await befall(copy_of(left, nth), Fault(nth, fate, lasting))


def copy_of(home: Path, number: int) -> Home:
    """One more home like this one."""
    return Home(shutil.copytree(home, home.with_name(f"{number}")))


@pytest.mark.parametrize("call", ["open", "read"])
async def test_what_cannot_be_read_is_not_touched(
    left: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """What cannot be read is never taken for empty: callbacks go to the inbox,
    and to their batch once it can be read.
    """
    folder = left / f"named-{BATCH}" / "results"
    before = sorted(folder.iterdir())

    def fail_to_open(path: Path, *_: Any) -> Any:
        _fail_if(call == "open")
        return io.BufferedReader(_Unreadable(path))

    with monkeypatch.context() as patched:
        patched.setattr("mwbatch.journal.segments.scan.read_own", fail_to_open)
        async with receiving(Home(left), DISK, []) as stage:
            for _ in range(2):
                assert (await stage.post(stage.address(9), callback("t9", True))).status == 200
                assert (await stage.post(stage.address(1), callback("t1", True))).status == 200
        assert sorted(folder.iterdir()) == before
    async with receiving(Home(left), DISK, []):
        pass
    assert stored(Home(left)) == Counter(EARLIER | {(1, "t1", "true")})
    assert not list((Home(left).path / "inbox" / BATCH).glob("*/*.jsonl"))


class _Unreadable(io.FileIO):
    """A file whose bytes the disk does not give."""

    def readinto(self, _: Any) -> int:
        """Fail."""
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def _fail_if(now: bool) -> None:
    if now:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
