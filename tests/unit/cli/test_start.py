"""How a command starts: nothing is imported that its verb does not need."""

import json
import subprocess
import sys

import pytest

from mwbatch import __version__
from tests.e2e.support.stage import Stage

PROGRAM = """
import sys
from mwbatch.cli import app
try:
    app(sys.argv[1:])
except SystemExit:
    pass
import json
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
HEAVY = {"PIL", "aiohttp", "pyarrow", "pydantic", "rich", "tenacity", "typer", "uvloop"}
HTTP = {"PIL", "aiohttp", "multidict", "pyarrow", "tenacity", "yarl"}
LOOP = {"asyncio", "concurrent", "email", "orjson", "ssl", "yarl"}
"""What running a verb takes, and asking for help does not."""


def imported(stage: Stage, *words: str, whole: bool = False) -> set[str]:
    """The packages that a command imports, or the ``whole`` names of its modules."""
    program = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(program, env=stage.env, cwd=stage.folder, capture_output=True, check=True)
    names = json.loads(done.stderr.splitlines()[-1])
    return {name if whole else name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "words", ["", "--help", "--version", "submit --help", "keys --help", "simulate --help"]
)
def test_help_is_light(patient: Stage, words: str) -> None:
    """Whoever asks for help waits for none of the libraries."""
    assert not imported(patient, *words.split()) & (HEAVY | LOOP)


@pytest.mark.parametrize("words", ["status", "status m", "results m", "validate m.csv"])
def test_looking_needs_no_http(patient: Stage, words: str) -> None:
    """Verbs that make no request import no HTTP, and into a pipe no drawing of bars."""
    patient.run("submit", patient.manifest(2), "--callback-url", "none")
    assert not imported(patient, *words.split()) & (HTTP | {"pydantic", "rich", "typer"})


@pytest.mark.parametrize("words", ["status", "status m", "status m --rows pending"])
def test_a_glance_needs_no_loop(patient: Stage, words: str) -> None:
    """Where a batch stands is read without an event loop, and all that it would import."""
    patient.run("submit", patient.manifest(2), "--callback-url", "none")
    assert not imported(patient, *words.split()) & (HEAVY | LOOP - {"orjson"} | {"socket", "subprocess"})


@pytest.mark.parametrize("words", ["status", "status m", "results m"])
def test_looking_is_light(patient: Stage, words: str) -> None:
    """Where a batch stands is told without the lock,
    and by no more of our own modules than the journal and its fold.
    """
    patient.run("submit", patient.manifest(2), "--callback-url", "none")
    there = imported(patient, *words.split(), whole=True)
    assert not there & {
        "yarl",
        "aiofiles",
        "mwbatch.client",
        "mwbatch.callbacks",
        "mwbatch.simulator",
    }
    assert {name for name in there if name.startswith("mwbatch.commands.")} <= {
        "mwbatch.commands.context",
        "mwbatch.commands.context.context",
    }


def test_the_version(patient: Stage) -> None:
    """--version names it."""
    assert patient.run("--version").out == f"mwbatch {__version__}\n"
