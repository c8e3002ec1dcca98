"""The door to the standard streams, with real pipes behind it."""

import os
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mwbatch.views.terminal.streams import CLEAR, Stream, written

MIB = 1 << 20


def terminal() -> tuple[int, int]:
    """The two ends of a terminal that leaves the ends of lines as they are."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    return ours, theirs


@pytest.fixture(params=[os.pipe, terminal])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """The two ends of a pipe, or of a terminal."""
    read, write = request.param()
    with os.fdopen(read, "rb", buffering=0), os.fdopen(write, "wb", buffering=0):
        yield read, write


def read_all(file: int, size: int) -> bytes:
    """Read so many bytes, in pieces."""
    content = b""
    while len(content) < size:
        content += os.read(file, 7_777)
    return content


@pytest.mark.parametrize("blocking", [True, False])
def test_nothing_is_short(ends: tuple[int, int], blocking: bool) -> None:
    """What is printed by several threads arrives whole, each text in one piece."""
    os.set_blocking(ends[1], blocking)
    stream, texts = Stream(ends[1]), [f"{n}" * 100_000 for n in range(4)]
    threads = [threading.Thread(target=stream.write, args=[f"{text}\n"]) for text in texts]
    for thread in threads:
        thread.start()
    came = read_all(ends[0], 400_004)
    for thread in threads:
        thread.join()
    assert sorted(came.decode().split()) == texts


async def test_a_hurried_stream_waits_for_nobody(ends: tuple[int, int]) -> None:
    """Without patience printing returns at once, and all of it comes once there is room."""
    stream, asked = Stream(ends[1]), 0
    stream.patient = False
    stream.write("x" * MIB)
    assert stream.waits

    async def sleep(_: float) -> bool:
        nonlocal asked
        asked += len(os.read(ends[0], 65_536))
        return False

    assert await written(stream, sleep)
    assert read_all(ends[0], MIB - asked) == b"x" * (MIB - asked)


async def test_waiting_ends_when_asked(ends: tuple[int, int]) -> None:
    """Who asks to stop while nobody reads gets his way; what waited is forgotten."""
    stream = Stream(ends[1])
    stream.patient = False
    stream.write("x" * MIB)

    async def stopped(_: float) -> bool:
        return True

    assert not await written(stream, stopped)
    assert not stream.waits


def test_words_are_bounded(ends: tuple[int, int]) -> None:
    """Words that nobody reads do not fill the memory: beyond the bound they are dropped."""
    stream = Stream(ends[1], most=MIB)
    stream.patient = False
    for _ in range(50):
        stream.write("x" * 100_000)
    assert len(stream._kept) <= MIB + 100_000


def test_a_line_gives_way(ends: tuple[int, int]) -> None:
    """A line that is drawn is taken away before the next one, and before any text;
    the same again costs nothing.
    """
    stream = Stream(ends[1])
    for line in ("one", "one", "two"):
        stream.draw(line)
    stream.write("text\n")
    stream.draw("three")
    stream.draw("")
    told = f"{CLEAR}one{CLEAR}two{CLEAR}text\n{CLEAR}three{CLEAR}"
    assert read_all(ends[0], len(told)).decode() == told


def test_no_line_where_there_is_no_room(ends: tuple[int, int]) -> None:
    """A line is not drawn where it would have to wait."""
    stream = Stream(ends[1])
    stream.patient = False
    stream.write("x" * MIB)
    before = len(stream._kept)
    stream.draw("line")
    assert len(stream._kept) == before


def test_who_is_gone_is_no_failure() -> None:
    """Before a pipe whose reader has left printing is over; before a full disk it has failed.

    Neither raises.
    """
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb"):
        left = Stream(write)
        left.write("x")
        assert (left.gone, left.over, left.failure) == (True, True, None)
    with Path("/dev/full").open("wb") as disk:
        full = Stream(disk.fileno())
        full.write("x")
        assert full.over
        assert full.failure is not None
        assert full.failure.strerror == "No space left on device"


@pytest.mark.parametrize("pair", [os.pipe, os.openpty])
def test_who_leaves_before_all_is_read_is_no_failure(pair: Callable[[], tuple[int, int]]) -> None:
    """What still waits for a reader who leaves, or for a terminal that is closed, is dropped in silence."""
    ours, theirs = pair()
    with os.fdopen(theirs, "wb"):
        os.set_blocking(theirs, False)
        stream = Stream(theirs)
        stream.patient = False
        stream.write("x" * MIB)
        assert stream.waits
        os.close(ours)
        stream.flush()
        assert (stream.waits, stream.gone, stream.failure) == (False, True, None)


@pytest.mark.parametrize(
    ("said", "columns"), [("", 80), ("132", 132), ("-5", 20), ("0", 80), ("3", 20), ("wide", 80)]
)
def test_how_wide_it_is(monkeypatch: pytest.MonkeyPatch, said: str, columns: int) -> None:
    """A terminal is as wide as it says, or as COLUMNS does; what is no width is the usual one,
    and a pipe has none.
    """
    monkeypatch.setenv("COLUMNS", said)
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs, "wb"):
        assert Stream(theirs).columns == columns
    with Path(os.devnull).open("wb") as nowhere:
        assert Stream(nowhere.fileno()).columns is None
