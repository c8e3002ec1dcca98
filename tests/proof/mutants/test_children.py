"""What a process does that a test has started is the test's: noted as such, and changed with the rest."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from coverage import CoverageData

from tests.proof.mutants.covering import CONFIG
from tests.proof.mutants.noting import FOLDER
from tests.proof.mutants.playing import play

ROOT: Final = Path(__file__).parents[3]

PACKAGE: Final = """\
def here():
    return 1


def elsewhere():
    return 1
"""

TESTS: Final = """\
import subprocess
import sys

import there


def test_here():
    assert there.here() == 1


def test_elsewhere(tmp_path):
    words = [sys.executable, "-c", "import there; raise SystemExit(there.elsewhere() - 1)"]
    assert subprocess.run(words, env={"PYTHONPATH": "WHERE"}).returncode == 0
"""
"""A test that starts a process with an environment of its own, as those of the command line do."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with two functions and a test of each."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "there.py").write_text(PACKAGE)
    (tree / "test_there.py").write_text(TESTS.replace("WHERE", str(tree)))
    return tree


def test_a_line_that_a_child_passes_is_its_tests(tree: Path, tmp_path: Path) -> None:
    """Coverage notes for each line the test that passed it, be it in a process of its own
    and in an environment without ours.
    """
    config, data = tmp_path / "coveragerc", tmp_path / "coverage"
    config.write_text(CONFIG.replace("mwbatch", str(tree)))
    env = os.environ | {FOLDER: str(tmp_path), "PYTHONPATH": f"{tree}:{ROOT}"}
    coverage = [sys.executable, "-m", "coverage"]
    options = [f"--rcfile={config}", f"--data-file={data}"]
    pytests = ["-m", "pytest", "-q", "-p", "tests.proof.mutants.noting", "-p", "no:cacheprovider", str(tree)]
    subprocess.run([*coverage, "run", *options, *pytests], cwd=tree, env=env, check=True)
    subprocess.run([*coverage, "combine", "-q", *options], cwd=tree, check=True)
    noted = CoverageData(str(data))
    noted.read()
    lines = noted.contexts_by_lineno(str(tree / "there.py"))
    assert [lines[line] for line in (2, 6)] == [
        ["test_there.py::test_here"],
        ["test_there.py::test_elsewhere"],
    ]
    assert json.loads((tmp_path / "failed.json").read_text()) == []


@pytest.mark.parametrize("changed", ["here", "elsewhere", None])
def test_a_child_runs_the_changed_code(tree: Path, changed: str | None) -> None:
    """A change is noticed by the test that passes it, be it in a process of its own; else none fails."""
    (tree / "test_there.py").write_text(TESTS.replace('"PYTHONPATH": "WHERE"', ""))
    (tree / "there.py").write_text(
        PACKAGE.replace(f"{changed}():\n    return 1", f"{changed}():\n    return 2")
    )
    assert play(tree, {"test_there.py": 1.0}).failed == (
        f"test_there.py::test_{changed}" if changed else None
    )
