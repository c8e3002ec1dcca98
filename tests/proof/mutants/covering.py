"""Which tests pass which line, by coverage; kept in a folder until the code changes."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from coverage import CoverageData

from tests.proof.mutants.changes import Change
from tests.proof.mutants.noting import FOLDER

ROOMS: Final = (
    "core", "journal", "commands", "callbacks", "client", "library", "export", "views", "simulator", "cli",
)  # fmt: skip
PATIENCE_S: Final = 60.0
"""The most seconds of tests that are played for one change, by what they took when nothing was changed."""

CONFIG: Final = """\
[run]
branch = false
source = mwbatch
parallel = true
patch = subprocess, _exit
"""


class Covering:
    """The tests that pass each line, the quickest first."""

    def __init__(self, root: Path, folder: Path, sources: dict[str, bytes]) -> None:
        self._called = {path: set(_called(source)) for path, source in sources.items()}
        self._seconds: dict[str, float] = json.loads((folder / "seconds.json").read_text(encoding="utf-8"))
        data = CoverageData(str(folder / "coverage"))
        data.read()
        self._killers: dict[str, dict[str, None]] = {}
        self._lines = {
            str(Path(name).relative_to(root)): {
                line: {test for test in tests if test}
                for line, tests in data.contexts_by_lineno(name).items()
            }
            for name in data.measured_files()
        }

    def tests(self, change: Change) -> list[str]:
        """The tests to play for a change: those that pass its line; of a line that runs at import,
        those of its file. First those that noticed another change of the file, the last one first;
        then those that are named after it; then the rest, the quickest first.
        """
        lines = self._lines.get(change.path, {})
        own_line = lines.get(change.line) if change.line in self._called[change.path] else None
        there = own_line or set().union(*lines.values())
        killers = list(self._killers.get(change.path, ()))
        own = f"/test_{Path(change.path).stem}"

        def order(test: str) -> tuple[int, bool, float]:
            when = killers.index(test) if test in killers else -1
            return -when, own not in test, self.seconds([test])

        return list(self._within(sorted(there, key=order)))

    def seconds(self, tests: Iterable[str]) -> float:
        """What tests take together where nothing is changed."""
        return sum(self._seconds.get(test, 0.0) for test in tests)

    def noticed(self, change: Change, test: str) -> None:
        """Learn that a test noticed a change."""
        killers = self._killers.setdefault(change.path, {})
        killers.pop(test, None)
        killers[test] = None

    def _within(self, tests: Iterable[str]) -> Iterable[str]:
        left = PATIENCE_S
        for test in tests:
            left -= self.seconds([test])
            if left < 0:
                return
            yield test


def learned(root: Path, folder: Path, sources: dict[str, bytes]) -> Covering:
    """What passes what, learned anew where code or tests are others than last time. Takes minutes."""
    digest = sha256(b"".join(sources.values()))
    for file in sorted((root / "tests").rglob("*.py")):
        if file.parent != Path(__file__).parent:
            digest.update(file.read_bytes())
    mark = folder / "of"
    if not mark.exists() or mark.read_text(encoding="utf-8") != digest.hexdigest():
        _learn(root, folder)
        mark.write_text(digest.hexdigest(), encoding="utf-8")
    return Covering(root, folder, sources)


def _called(source: bytes) -> Iterator[int]:
    """The lines that run when somebody calls them: those in the body of a function, not those that run
    at import, which is in whatever test imports the file first.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)


def _learn(root: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for old in folder.glob("coverage*"):
        old.unlink()
    config = folder / "coveragerc"
    config.write_text(CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "coverage"]
    data = f"--data-file={folder / 'coverage'}"
    tests = [
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "-p",
        "tests.proof.mutants.noting",
        "-m",
        "not system and not exports",
        "tests/unit",
    ]
    env = os.environ | {FOLDER: str(folder)}
    run = [*command, "run", f"--rcfile={config}", data, *tests]
    if (code := subprocess.run(run, cwd=root, env=env, check=False).returncode) not in {0, 1}:
        raise subprocess.CalledProcessError(
            code, run
        )  # nothing was learned, so that every change would survive
    if failed := json.loads((folder / "failed.json").read_text(encoding="utf-8")):
        # not all can pass where they are measured; where they are not, they must
        subprocess.run([sys.executable, "-m", "pytest", "-q", *failed], cwd=root, check=True)
    subprocess.run([*command, "combine", f"--rcfile={config}", "-q", data], cwd=root, check=True)
