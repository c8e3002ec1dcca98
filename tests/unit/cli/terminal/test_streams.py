"""Standard output and standard error as they really come: slow, full, closed, gone, without a disk,
without letters.
"""

import array
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import IO, Final

import pytest

from mwbatch.simulator import Settings
from tests.e2e.support.fixtures import FAST
from tests.e2e.support.stage import COMMAND, Api, Stage, until

ROWS: Final = 600
"""Rows whose results are more than a pipe holds (64 KiB)."""

WIDE: Final = "ß" * 200
"""A column that makes each result long, and is no ASCII."""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, apis: Callable[[Settings], Api]) -> Stage:
    """A stage with a complete batch ``m``, which is only looked at."""
    stage = Stage(tmp_path_factory.mktemp("full"), apis(FAST))
    lines = [f"r{n},{stage.pictures}/{n}.jpg,{WIDE}" for n in range(ROWS)]
    (stage.folder / "m.csv").write_text("\n".join(["id,image_url,campaign", *lines, ""]))
    assert stage.run("run", "m.csv", "--port", "0", "--yes").code == 0
    return stage


@contextmanager
def launched(
    stage: Stage,
    *words: str,
    out: int | IO[bytes] | FileIO = subprocess.DEVNULL,
    err: int | FileIO = subprocess.PIPE,
    **env: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """A command with a standard output of our own."""
    command = [COMMAND, *words]
    with subprocess.Popen(
        command, cwd=stage.folder, env=stage.env | env, stdin=subprocess.DEVNULL, stdout=out, stderr=err
    ) as started:
        try:
            yield started
        finally:
            started.kill()


@contextmanager
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """The two ends of a pipe, which may be closed before."""
    ends = os.pipe()
    with FileIO(ends[0], "rb") as read, FileIO(ends[1], "wb") as write:
        yield read, write


def shell(stage: Stage, command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell."""
    return subprocess.run(
        ["bash", "-c", command], cwd=stage.folder, env=stage.env, capture_output=True, check=False
    )


def read_slowly(pipe: FileIO) -> bytes:
    """Read all that comes, in pieces that are no multiple of a page, with a rest at first."""
    time.sleep(0.3)
    read = b""
    while block := pipe.read(5_000):
        read += block
    return read


LOOKS: Final = [
    ("results", "m"),
    ("results", "m", "--follow"),
    ("tasks", "list"),
    ("status", "m", "--rows", "completed", "--json"),
]


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", LOOKS)
def test_a_slow_reader_gets_all(full: Stage, words: tuple[str, ...], unbuffered: str, blocking: bool) -> None:
    """Whatever Python buffers and whether the pipe blocks or not, a reader who is slow gets every byte."""
    with pipe() as (read, write):
        os.set_blocking(write.fileno(), blocking)
        with launched(full, *words, out=write, PYTHONUNBUFFERED=unbuffered) as started:
            write.close()
            values = [json.loads(line) for line in read_slowly(read).splitlines()]
            assert started.wait(20) == 0
    assert len(values) >= ROWS or len(values[0]["completed_rows"]) == ROWS


@pytest.mark.parametrize("words", LOOKS[:3])
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_nobody_reads(full: Stage, words: tuple[str, ...], asked: signal.Signals) -> None:
    """Before a full pipe that nobody reads a command ends when it is asked to."""
    with pipe() as (read, write), launched(full, *words, out=write) as started:
        write.close()
        until(lambda: filled(read) >= 40_000)
        assert started.poll() is None
        started.send_signal(asked)
        _, told = started.communicate(timeout=10)
        assert started.returncode in {0, -asked, 128 + asked}
        assert b"Traceback" not in told


def filled(pipe: FileIO) -> int:
    """How many bytes wait in a pipe."""
    size = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, size)
    return size[0]


@pytest.mark.parametrize("words", LOOKS)
def test_a_reader_who_leaves(full: Stage, words: tuple[str, ...]) -> None:
    """Who has read enough leaves, and the command ends at once, with 0 and without a word about it."""
    with pipe() as (read, write), launched(full, *words, out=write) as started:
        write.close()
        read.read(1)
        read.close()
        _, told = started.communicate(timeout=10)
        assert (started.returncode, b"rror" in told, b"roken" in told) == (0, False, False), told


def test_a_reader_of_a_follower_leaves(patient: Stage) -> None:
    """A follower that has nothing more to print notices, too, that nobody reads."""
    patient.run("submit", patient.manifest(1), "--callback-url", "none")
    with pipe() as (read, write), launched(patient, "results", "m", "--follow", out=write) as started:
        write.close()
        assert started.stderr is not None
        started.stderr.readline()
        read.close()
        assert started.wait(10) == 0


def test_work_goes_on_without_a_reader(stage: Stage) -> None:
    """Who reads the words of a submission may leave: every row is sent,
    and the exit code is that of the work.
    """
    words = ("submit", stage.manifest(20), "--callback-url", "none", "--max-tasks", "15", "--json")
    with pipe() as (read, write):
        read.close()
        with launched(stage, *words, out=write, err=write) as started:
            assert started.wait(20) == 3
    assert stage.json("status", "m")["by_status"]["planned"] == 5


def test_work_goes_on_before_a_full_pipe(stage: Stage) -> None:
    """Words that nobody reads hold up no request: all rows are sent while standard error stands still."""
    words = ("submit", stage.manifest(20), "--callback-url", "none")
    with pipe() as (read, write):
        os.set_blocking(write.fileno(), False)
        while write.write(bytes(4096)) is not None:
            pass
        os.set_blocking(write.fileno(), True)
        with launched(stage, *words, err=write) as started:
            write.close()
            until(lambda: "pending" in stage.run("status").out or "20 of 20" in stage.run("status").out)
            until(lambda: sent(stage) == 20)
            assert b"is new, in" in read_slowly(read)
            assert started.wait(20) == 0


def sent(stage: Stage) -> int:
    """How many rows of ``m`` have a task."""
    counts = stage.json("status", "m")["by_status"]
    return int(counts["pending"] + counts["completed"])


@pytest.mark.parametrize(
    "words", [("results", "m"), ("status", "m", "--json"), ("tasks", "list"), ("--help",), ("status",)]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk(full: Stage, words: tuple[str, ...], unbuffered: str) -> None:
    """Where the disk does not take what is printed, the exit code is 6 and one sentence says why."""
    with (
        Path("/dev/full").open("wb") as disk,
        launched(full, *words, out=disk, PYTHONUNBUFFERED=unbuffered) as started,
    ):
        _, told = started.communicate(timeout=20)
    assert started.returncode == 6, told
    assert told.decode().count("cannot write standard output: No space left on device") == 1
    assert b"Traceback" not in told


def test_a_file_of_a_bounded_size(full: Stage) -> None:
    """What fits is whole lines up to the limit, and the exit code tells that the rest is missing."""
    ran = shell(full, f"ulimit -f 32; exec {COMMAND} results m > out.jsonl")
    assert ran.returncode == 6, ran.stderr
    assert b"File too large" in ran.stderr
    assert (full.folder / "out.jsonl").stat().st_size == 32 * 1024


def test_words_on_a_full_disk(stage: Stage) -> None:
    """Words that standard error does not take change nothing about the work."""
    words = ("submit", stage.manifest(3), "--callback-url", "none", "-v", "--json")
    with (
        Path("/dev/full").open("wb") as disk,
        launched(stage, *words, out=subprocess.PIPE, err=disk.fileno()) as started,
    ):
        out, _ = started.communicate(timeout=20)
    assert (started.returncode, json.loads(out)["rows"]) == (0, 3)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(stage: Stage, closed: str) -> None:
    """With any of the three streams closed all is sent, and no file gets a word that was not meant for it."""
    name = stage.manifest(20)
    command = f"exec {COMMAND} submit {name} --callback-url none {closed}"
    ran = shell(stage, command)
    assert ran.returncode == 0, ran
    standing = stage.json("status", "m")
    assert standing["by_status"]["pending"] + standing["by_status"]["completed"] == 20
    assert standing["damaged_lines"] == 0


@pytest.mark.parametrize("hung", ["", "nohup "])
def test_a_receiver_without_streams(stage: Stage, hung: str) -> None:
    """A service that is started with no stream at all answers, and ends well."""
    command = f"{hung}{COMMAND} run {stage.manifest(5)} --port 0 <&- >out 2>&- & wait $!"
    ran = shell(stage, command)
    assert ran.returncode == 0, ran
    assert "completed" in (stage.folder / "out").read_text()


def test_a_closed_input_is_empty(stage: Stage) -> None:
    """A manifest from a closed standard input is an empty one."""
    command = f"exec {COMMAND} submit - --batch b --callback-url none <&-"
    ran = shell(stage, command)
    assert ran.returncode == 2
    assert b"is empty" in ran.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_an_ascii_stream(full: Stage, encoding: str) -> None:
    """A stream that has no letters but ASCII gets escapes, and what was JSON is the same JSON."""
    for words in LOOKS:
        with launched(full, *words, out=subprocess.PIPE, PYTHONIOENCODING=encoding) as started:
            out, told = started.communicate(timeout=20)
        assert started.returncode == 0, told
        assert encoding != "ascii" or out.isascii()
        values = [json.loads(line) for line in out.decode(encoding).splitlines()]
        assert words[0] != "results" or values[0]["columns"]["campaign"] == WIDE


def test_an_ascii_stream_gets_words(stage: Stage) -> None:
    """A name without ASCII in a message is escaped there."""
    with launched(stage, "validate", "größe.csv", PYTHONIOENCODING="ascii") as started:
        _, told = started.communicate(timeout=20)
    assert started.returncode == 2, told
    assert b"there is no file gr\\u00f6\\u00dfe.csv" in told


NOBODY: Final = """
import pwd, sys

def nobody(uid):
    raise KeyError(uid)

pwd.getpwuid = nobody
from mwbatch.cli import main
sys.argv = ["mwbatch", "status"]
main()
"""


@pytest.mark.parametrize("env", [{}, {"HOME": "home"}, {"HOME": "", "XDG_DATA_HOME": "here"}])
def test_nobodys_home(stage: Stage, env: dict[str, str]) -> None:
    """Who has no home, or one in each directory, is told to name one;
    nothing is made in the working directory.
    """
    there = {name: value for name, value in stage.env.items() if name not in {"HOME", "MWBATCH_HOME"}} | env
    ran = subprocess.run(
        [sys.executable, "-c", NOBODY], cwd=stage.folder, env=there, capture_output=True, check=False
    )
    assert ran.returncode == 2, ran.stderr
    assert b"--home" in ran.stderr
    assert b"MWBATCH_HOME" in ran.stderr
    assert not list(stage.folder.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("export", "m", "--format", "csv"),
        ("export", "m", "--format", "yolo", "--leave-out-unsized"),
        ("make-annotating", "m", "--instruction", "Is it?", "--option", "yes", "--option", "no"),
    ],
)
def test_no_file_is_called_minus(full: Stage, words: tuple[str, ...]) -> None:
    """What is whole or not there goes to no stream:
    -o - is refused with the word that makes a file of that name.
    """
    ran = full.run(*words, "-o", "-")
    assert (ran.code, "./-" in ran.err) == (2, True)
    assert not (full.folder / "-").exists()


def test_a_file_that_is_called_minus(stage: Stage) -> None:
    """Who means a file of that name says so by its path."""
    stage.run("run", stage.manifest(2), "--port", "0")
    assert stage.run("export", "m", "--format", "csv", "-o", "./-").code == 0
    assert (stage.folder / "-").read_text().startswith("row,id,")
