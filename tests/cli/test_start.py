"""How a command starts: nothing is imported that its verb does not need."""

import json
import subprocess
import sys

import pytest

from mwbatch import __version__
from tests.e2e.stage import Stage

PROGRAM = """
import sys
from mwbatch.cli import app
try:
    app(sys.argv[1:])
except SystemExit:
    pass
import json
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""
HEAVY = {"PIL", "aiohttp", "pyarrow", "pydantic", "rich", "tenacity", "uvloop"}


def imported(stage: Stage, *words: str) -> set[str]:
    """The packages that a command imports."""
    program = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(program, env=stage.env, cwd=stage.folder, capture_output=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", ["", "--help", "--version"])
def test_help_is_light(patient: Stage, words: str) -> None:
    """Whoever asks for help waits for none of the libraries."""
    assert not imported(patient, *words.split()) & HEAVY


@pytest.mark.parametrize("words", ["submit --help", "simulate --help"])
def test_the_help_of_a_verb_is_light(patient: Stage, words: str) -> None:
    """The help of a verb imports no more than typer does for its options, which may be pydantic."""
    assert not imported(patient, *words.split()) & (HEAVY - {"pydantic"})


@pytest.mark.parametrize("words", ["status", "status m", "results m", "validate m.csv"])
def test_looking_needs_no_http(patient: Stage, words: str) -> None:
    """Verbs that make no request import no HTTP, and into a pipe no drawing of bars."""
    patient.run("submit", patient.manifest(2), "--callback-url", "none")
    assert not imported(patient, *words.split()) & {"PIL", "aiohttp", "pyarrow", "rich", "tenacity"}


def test_the_version(patient: Stage) -> None:
    """--version names it."""
    assert patient.run("--version").out == f"mwbatch {__version__}\n"
