"""Errors and deaths at forty calls of the real receiver, and at a dozen of the real submitter."""

from pathlib import Path
from typing import Final

import pytest

from tests.e2e.support.stage import COMMAND, Stage
from tests.proof.system.receiver import Receiving, ended
from tests.proof.system.strace import Point, befallen, met

pytestmark = pytest.mark.system

ROWS: Final = 20
POISONED: Final = 6
KILLED: Final = -9

RECEIVER: Final = [
    *(Point("write", "EIO", nth, POISONED) for nth in (1, 2, 3, 4, 5)),
    *(Point("write", "ENOSPC", nth, None) for nth in (1, 2, 3, 4, 5)),
    *(Point("fdatasync", "EIO", nth, POISONED) for nth in (1, 2, 3, 4, 5)),
    *(Point("fdatasync", "ENOSPC", nth, POISONED) for nth in (1, 2, 4)),
    *(Point("fdatasync", "KILL", nth, KILLED) for nth in range(1, 9)),
    *(Point("fsync", "EIO", nth, POISONED) for nth in (1, 2, 3)),
    *(Point("fsync", "ENOSPC", nth, None) for nth in (1, 2)),  # of folders above, before there is a segment
    Point("fsync", "ENOSPC", 3, POISONED),
    *(Point("openat", "EIO", nth, POISONED) for nth in (1, 2, 3, 4)),
    *(Point("openat", "EMFILE", nth, None) for nth in (1, 3)),
    *(Point("openat", "ENOSPC", nth, None) for nth in (3, 4)),  # nothing was written into it yet
]
"""The first calls of the thread that commits: folders, the segment,
then a write and a sync for each commit.
"""

SUBMITTER: Final = [
    *(Point("fdatasync", "EIO", nth, POISONED) for nth in range(1, 6)),
    Point("fsync", "EIO", 1, POISONED),
    *(Point("fdatasync", "KILL", nth, KILLED) for nth in range(1, 7)),
]


def test_there_are_forty() -> None:
    """The receiver meets its fate at forty different calls."""
    assert len(set(RECEIVER)) == 40


@pytest.mark.parametrize("point", RECEIVER, ids=str)
def test_the_receiver(tmp_path: Path, point: Point) -> None:
    """Whatever fails or kills it: 200 is on disk, all else is 503 or no answer,
    and its exit code says what it was.
    """
    receiving, log = Receiving(tmp_path), tmp_path / "log"
    with receiving.running() as process:
        segment = made(receiving) if point.call == "write" else None  # other writes wake the event loop
        with befallen(process.pid, point, log, segment):
            receiving.post(range(ROWS), at_once=2)
            code = ended(process, 5 if point.code is not None else 0)
        assert met(log), f"{point} never came"
        assert code == point.code
        assert {*receiving.statuses} <= {200, 503, 0}
        assert not receiving.lost
        if code is None:
            assert {*receiving.post(range(ROWS))} == {200}, "it does not go on by itself"
    with receiving.running():
        assert {*receiving.post(range(ROWS))} == {200}
    assert receiving.stored() == dict.fromkeys(range(ROWS), 1)


def made(receiving: Receiving) -> Path:
    """The segment, made for a first callback."""
    assert receiving.post([0]) == [200]
    [path] = receiving.stage.home.glob("*/results/*.jsonl")
    return path


@pytest.mark.parametrize("point", SUBMITTER, ids=str)
def test_the_submitter(slow: Stage, point: Point) -> None:
    """Whatever fails or kills it: by the API's own ledger no row is paid twice,
    then or when it is run again.
    """
    log = slow.folder / "log"
    words = ["submit", slow.manifest(ROWS), "--callback-url", "none", "--concurrency", "4", "--settle", "0.2"]
    code = _traced(slow, point, log, words)
    assert met(log), f"{point} never came"
    assert code == point.code
    again = slow.run(*words, "--yes")
    assert again.code == 0, again.err
    assert slow.api is not None
    batch = slow.json("status", "m")["batch_id"]
    assert slow.api.creations(batch) == dict.fromkeys(range(ROWS), 1)


def _traced(stage: Stage, point: Point, log: Path, words: list[str]) -> int:
    """Run a command from its beginning under strace; its exit code is strace's, but for SIGKILL,
    which both die of.
    """
    started = stage.start(*words, "--yes", command=["strace", *point.options(log), COMMAND])
    started.communicate(timeout=60)
    return started.returncode
