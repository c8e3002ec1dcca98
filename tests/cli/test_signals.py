"""Signals, wherever they come: what only reads ends at the first one, and nobody is deaf while somebody thinks."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.cli.terminal import on_terminal
from tests.e2e.stage import COMMAND, Stage
from tests.ports import free_port

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
    """One signal ends a command that reads a manifest, although the file has no end; scripts get an object, too."""
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


DEAF = """
import asyncio, os, signal
from mwbatch.cli.program import perform
from mwbatch.settings import Talk

async def deaf(desk):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

perform(deaf, Talk())
"""
"""A command that does not end when it is told to."""


def test_what_does_not_end_is_ended(stage: Stage) -> None:
    """One signal more than the one that ends all at once ends the process, whatever holds it up."""
    ran = subprocess.run(
        [sys.executable, "-c", DEAF], env=stage.env, capture_output=True, check=False, timeout=60
    )
    assert (ran.returncode, ran.stdout) == (143, b"")
    assert ran.stderr == b"mwbatch: stopped; nothing was in flight, and running it again is safe\n"
