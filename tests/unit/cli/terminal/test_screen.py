"""What a terminal shows while commands run, at widths that people have."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from mwbatch.simulator import Settings
from tests.e2e.support.stage import COMMAND, KEY, Api, Stage, until
from tests.support.ports import free_port, listens
from tests.unit.cli.terminal.columns import ESCAPES, lines, on_terminal
from tests.unit.cli.terminal.screen import Screen

WIDTHS: Final = (60, 80, 120)
BAR: Final = re.compile("[━╸╺]")
SLOW: Final = Settings(port=0, api_key=KEY, complete_after=(0.0, 0.2), latency=0.25)


@pytest.fixture
def slower(tmp_path: Path, apis: Callable[[Settings], Api]) -> Stage:
    """A stage before a simulator that answers after a quarter of a second, so that every phase is seen."""
    return Stage(tmp_path, apis(SLOW))


def screen(columns: int, shown: str) -> Screen:
    """What a terminal has shown."""
    there = Screen(columns)
    there.feed(shown)
    return there


def drawn(there: Screen) -> list[str]:
    """Every line that was drawn and taken away again."""
    return [frame[-1] for frame in there.frames if frame[-1]]


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_submission(slower: Stage, columns: int) -> None:
    """A question stands below nothing but sentences, the line of progress has whole numbers,
    and at the end it is gone.
    """
    words = ("submit", slower.manifest(400), "--callback-url", "none", "--concurrency", "64")
    ran = on_terminal(slower, columns, *words, answer=b"y\n")
    assert ran.code == 0, ran.out
    there = screen(columns, ran.out)
    creating = [line for line in drawn(there) if line.startswith("creating tasks")]
    assert not [line for line in there.lines if BAR.search(line)]
    assert [line for line in there.lines if line.endswith("[y/N]: y")]
    assert len(creating) > 3
    assert all(re.search(r" \d+/400( |$)", line) for line in creating)
    assert any(re.search(r" 00:0[1-9] left", line) for line in creating)
    assert not [line for line in drawn(there) if "00:00" in line or len(line) > columns - 3]


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("times", [1, 2])
def test_it_is_stopped(slower: Stage, columns: int, times: int) -> None:
    """After Ctrl-C, once or twice, no line of progress is left on the screen,
    and no sentence has half a word.
    """
    words = ("submit", slower.manifest(400), "--callback-url", "none", "--concurrency", "8", "--yes")
    typed = [(b"creating tasks", b"\x03"), (b"stopping: ", b"\x03")][:times]
    ran = on_terminal(slower, columns, *words, typed=typed)
    assert ran.code == 130, ran.out
    there = screen(columns, ran.out.replace("^C", ""))
    assert not [line for line in there.lines if BAR.search(line)]
    assert "stopping: what is in flight is finished first; once more to stop at once" in " ".join(there.lines)


def test_a_mark_of_ctrl_c_breaks_no_line(slower: Stage) -> None:
    """What the terminal itself echoes has room behind the line, so it is taken away with it."""
    words = ("submit", slower.manifest(400), "--callback-url", "none", "--concurrency", "8", "--yes")
    ran = on_terminal(slower, 60, *words, typed=[(b"creating tasks", b"\x03")])
    there = screen(60, ran.out)
    assert not [line for line in there.lines if BAR.search(line) or "creating tasks" in line]


def test_a_manifest_is_read(stage: Stage) -> None:
    """While a long manifest is checked people see how many of its bytes were read."""
    ran = on_terminal(stage, 80, "validate", stage.manifest(150_000))
    lines = [line for line in drawn(screen(80, ran.out)) if line.startswith("checking the manifest")]
    assert ran.code == 0, ran.out
    assert lines
    assert all(re.search(r" \d+\.\d/\d+\.\d MB( |$)", line) for line in lines)


@pytest.mark.parametrize("columns", WIDTHS)
def test_no_connection(stage: Stage, columns: int) -> None:
    """While the API cannot be reached people see why, and when it is tried again;
    nothing looks like progress.
    """
    stage.env["MICROWORK_BASE_URL"] = f"http://127.0.0.1:{free_port()}"
    words = ("submit", stage.manifest(3), "--callback-url", "none")
    typed = [(b"trying again in 2 s", b"\x03"), (b"stopping: ", b"\x03")]
    ran = on_terminal(stage, columns, *words, typed=typed)
    lines = [line for line in drawn(screen(columns, ran.out)) if line.startswith("asking the API")]
    assert ran.code == 130, ran.out
    assert any("no connection, trying again in 2 s" in line for line in lines)
    assert not [line for line in lines if BAR.search(line) or "/" in line]


def test_no_connection_in_a_pipe(stage: Stage) -> None:
    """In a pipe the same stands in the line of progress that comes now and then."""
    stage.env["MICROWORK_BASE_URL"] = f"http://127.0.0.1:{free_port()}"
    with subprocess.Popen(
        [COMMAND, "submit", stage.manifest(3), "--callback-url", "none"],
        cwd=stage.folder,
        env=stage.env,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as started:
        assert started.stderr is not None
        line = next(line for line in started.stderr if line.startswith(b"asking the API"))
        started.kill()
    assert re.fullmatch(rb"asking the API: no connection, trying again( in \d+ s)?\n", line)


@pytest.mark.parametrize("columns", WIDTHS)
def test_watching_requests_in_flight(stuck: Stage, columns: int) -> None:
    """What a live submitter still awaits is in flight, and not in doubt;
    words stand without a stray comma.
    """
    name = stuck.manifest(1)
    with stuck.running("submit", name, "--callback-url", "none"):
        until(lambda: stuck.run("status", "m").code == 0 and "in flight" in stuck.run("status", "m").out)
        typed = [(b"1 in flight", b"\x03")]
        ran = on_terminal(stuck, columns, "status", "m", "--watch", typed=typed)
    lines = drawn(screen(columns, ran.out))
    assert any("1 in flight" in line for line in lines), ran.out
    assert not [line for line in lines if "doubt" in line or "," in line]


def test_logs_stand_above(slower: Stage) -> None:
    """What is logged meanwhile takes the place of the line of progress, which goes on below."""
    words = ("run", slower.manifest(30), "--port", "0", "--yes", "--verbose", "--concurrency", "4")
    ran = on_terminal(slower, 120, *words)
    assert ran.code == 0, ran.out
    assert not [line for line in screen(120, ran.out).lines if BAR.search(line)]


def test_a_terminal_that_stands_still(patient: Stage) -> None:
    """Ctrl-S on a terminal holds up no request: everything is sent, and shown when the terminal goes on."""
    words = ("submit", patient.manifest(150), "--callback-url", "none", "--yes", "--concurrency", "8")
    with standing_still(patient, *words) as (ours, _):
        until(lambda: patient.run("status", "m").code == 0 and "pending" in patient.run("status", "m").out)
        until(lambda: patient.json("status", "m")["by_status"]["pending"] == 150)
        os.write(ours, b"\x11")
        shown = b""
        while b"pending" not in shown:
            shown += os.read(ours, 65536)
    assert "150 tagging" in ESCAPES.sub("", shown.decode())


@contextmanager
def standing_still(stage: Stage, *words: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A command on a terminal that was told to stop; gives the other end of it, and the process."""
    ours, theirs = os.openpty()
    os.write(ours, b"\x13")
    started = subprocess.Popen(
        [COMMAND, *words],
        cwd=stage.folder,
        env=stage.env | {"TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    try:
        yield ours, started
        started.wait(20)
    finally:
        started.send_signal(signal.SIGKILL)
        started.wait(5)
        os.close(ours)
        os.close(theirs)


def test_a_dumb_terminal_gets_lines(slower: Stage) -> None:
    """A terminal that cannot take a line away again gets plain lines."""
    words = ("submit", slower.manifest(30), "--callback-url", "none")
    ran = on_terminal(slower, 80, *words, TERM="dumb")
    assert (ran.code, "\x1b" in ran.out) == (0, False)


def test_a_terminal_that_stands_still_can_be_left(stage: Stage) -> None:
    """One SIGTERM ends a receiver on a terminal that stands still: its last words are not waited for."""
    port = free_port()
    with standing_still(stage, "serve-callbacks", "--port", str(port)) as (_, started):
        until(lambda: listens(port))
        started.terminate()
        assert started.wait(20) == 143


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize(
    "words", [("status",), ("submit", "m.csv", "--max-tasks", "-1"), ("validate", "no.csv")]
)
def test_a_mistake_is_told_in_whole_words(stage: Stage, words: tuple[str, ...], columns: int) -> None:
    """What is wrong with a command is folded between words, whoever found it out."""
    if words[0] == "status":
        stage.env["MWBATCH_HOME"] = "home"
    ran = on_terminal(stage, columns, *words)
    told = [line for line in lines(ran.out) if line and not line.startswith(("home: ", "mwbatch "))]
    assert ran.code == 2
    assert not [line for line in told if len(line) > columns and str(stage.folder) not in line]
