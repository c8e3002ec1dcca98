"""Signals, wherever they come: what only reads ends at the first one,
and nobody is deaf while somebody thinks.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from mwbatch.cli.wiring import asked
from mwbatch.views.terminal.streams import Stream
from tests.e2e.support.stage import COMMAND, Stage, until
from tests.support.ports import free_port
from tests.unit.cli.terminal.columns import on_terminal

ENDINGS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}


def endless(stage: Stage) -> Path:
    """A manifest that never comes to its end."""
    there = stage.folder / "endless.csv"
    os.mkfifo(there)
    return there


def begun(there: Path) -> IO[bytes]:
    """The end of it into which rows are written; somebody reads at the other one when this returns."""
    file = there.open("wb", buffering=0)
    file.write(b"id,image_url\na,https://example.com/a.jpg\n")
    return file


@pytest.mark.parametrize("number", ENDINGS)
@pytest.mark.parametrize("words", [["validate"], ["submit", "--batch", "b", "--callback-url", "none"]])
def test_reading_ends_at_once(stage: Stage, number: signal.Signals, words: list[str]) -> None:
    """One signal ends a command that reads a manifest, although the file has no end;
    scripts get an object, too.
    """
    started = stage.start(words[0], str(there := endless(stage)), *words[1:], "--json")
    with begun(there):
        started.send_signal(number)
        out, err = started.communicate(timeout=30)
    assert started.returncode == ENDINGS[number], err
    assert json.loads(out)["exit"] == ENDINGS[number]
    assert b"in doubt" not in err


@pytest.mark.parametrize("number", ENDINGS)
def test_no_answer_to_come_is_waited_for(stage: Stage, number: signal.Signals) -> None:
    """One signal ends a read that waits to be tried again."""
    stage.env["MICROWORK_BASE_URL"] = f"http://127.0.0.1:{free_port()}"
    ran = on_terminal(stage, 80, "tasks", "list", typed=[(b"trying again in", number)])
    assert ran.code == ENDINGS[number], ran.out
    assert "in doubt" not in ran.out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_question_is_no_shelter(patient: Stage, number: signal.Signals) -> None:
    """Who is told to end while somebody thinks about a question ends, and sends nothing."""
    words = ("submit", patient.manifest(101), "--callback-url", "none")
    ran = on_terminal(patient, 200, *words, typed=[(b"[y/N]", number)])
    assert ran.code == 143, ran.out
    assert patient.json("status", "m")["by_status"]["planned"] == 101


def test_a_program_that_is_still_loading(stage: Stage) -> None:
    """Ctrl-C before the program is loaded ends it without a trace."""
    (stage.folder / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    ran = subprocess.run(
        [COMMAND, "status"],
        env=stage.env | {"PYTHONPATH": str(stage.folder)},
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (-signal.SIGINT, b"")


@pytest.mark.parametrize(
    "words",
    [["submit"], ["nosuch"], ["submit", "--nosuch"], ["validate", "m.csv", "--price", "x"], ["tasks"]],
)
def test_misuse_is_told_to_scripts_too(stage: Stage, words: list[str]) -> None:
    """A command that cannot be prints an object for scripts, whoever found it out."""
    ran = stage.run(*words, "--json")
    assert (ran.code, ran.json["exit"]) == (2, 2)
    assert ran.json["error"]
    assert "Usage: " in ran.err


@pytest.mark.parametrize("number", ENDINGS)
@pytest.mark.parametrize("words", [["results", "m", "--all"], ["results", "m", "--all", "--json"]])
def test_what_is_not_read_is_not_waited_for(patient: Stage, number: signal.Signals, words: list[str]) -> None:
    """One signal ends a command that only looks at the disk, with its own exit code and a sentence,
    whoever reads it or not.
    """
    patient.run("submit", patient.manifest(100), "--callback-url", "none")
    with patient.start(*words) as started:
        assert started.stdout is not None
        fcntl.fcntl(started.stdout, fcntl.F_SETPIPE_SZ, 4096)
        until(lambda: waiting_in(started.stdout) > 3000)  # type: ignore[arg-type] # it is a pipe
        started.send_signal(number)
        assert started.wait(30) == ENDINGS[number]
        _, err = started.communicate()
    assert err.endswith(b"mwbatch: stopped\n")


def waiting_in(pipe: IO[bytes]) -> int:
    """The bytes that wait in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


DEAF = """
import asyncio, os, signal, sys
from mwbatch.cli.program import perform
from mwbatch.library.settings.groups import OutputOptions

async def deaf(context):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

perform(deaf, OutputOptions(json=bool(sys.argv[1:])))
"""
"""A command that does not end when it is told to."""


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_what_does_not_end_is_ended(stage: Stage, words: tuple[str, ...]) -> None:
    """One signal more than the one that ends all at once ends the process, whatever holds it up;
    scripts get an object, too.
    """
    ran = subprocess.run(
        [sys.executable, "-c", DEAF, *words], env=stage.env, capture_output=True, check=False, timeout=60
    )
    said = "stopped; nothing was in flight, and running it again is safe"
    assert (ran.returncode, ran.stderr) == (143, f"mwbatch: {said}\n".encode())
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [{"error": said, "exit": 143}] * len(
        words
    )


def test_what_was_typed_before_a_question_is_no_answer(patient: Stage) -> None:
    """A y that was typed for something else agrees to nothing: only who has read the question is asked."""
    words = ("submit", patient.manifest(101), "--callback-url", "none")
    ran = on_terminal(patient, 200, *words, ahead=b"y\ny\n", answer=b"n\n")
    assert ran.code == 2, ran.out
    assert patient.json("status", "m")["by_status"]["planned"] == 101


class Interrupted(Stream):
    """A terminal to which something is printed as a signal comes."""

    def write(self, text: str) -> int:
        """Print, and be interrupted."""
        signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_a_question_is_printed_whole_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes while a question is printed says no to it, and does not break what is printed."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with Interrupted(theirs) as err:
            monkeypatch.setattr(sys, "stderr", err)
            os.write(ours, b"y\n")
            assert not asked("create 101 tasks?")
    shown = b""
    with suppress(OSError):  # Linux says EIO when all has been read
        while block := os.read(ours, 65536):
            shown += block
    os.close(ours)
    assert shown.count(b"create 101 tasks? [y/N]: ") == 1, shown
