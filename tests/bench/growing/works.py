"""What is measured: each work is one process over a generated batch, or over a copy of it where it writes."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mwbatch.journal.segments.folders import RESULTS
from tests.bench.growing.batches import NAME, Grown
from tests.bench.growing.processes import Taken, run
from tests.bench.growing.tasks import API_KEY
from tests.e2e.support.stage import ROOT

COMMAND: Final = str(Path(sys.executable).with_name("mwbatch"))
LOOP: Final = "loop of orjson.loads"
"""The yardstick of all others."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A generated batch, and its null API, which listens while it is measured."""

    grown: Grown
    port: int

    @property
    def origin(self) -> str:
        """Where the null API is."""
        return f"http://127.0.0.1:{self.port}"

    def env(self, home: Path) -> dict[str, str]:
        """The environment of a command: nothing of this machine's user in it."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.grown.folder),
            "LANG": "C.UTF-8",
            "MWBATCH_HOME": str(home),
            "MICROWORK_API_KEY": API_KEY,
            "MICROWORK_BASE_URL": self.origin,
        }

    def take(self, words: Sequence[str], home: Path | None = None, **how: object) -> Taken:
        """Run one process."""
        return run(words, self.env(home or self.grown.home), **how)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Work:
    """One line of the table.

    ``bounded``: its memory has a goal; ``opens``: it has one of at most 2 loops of loads.
    """

    name: str
    take: Callable[[Batch], Taken]
    bounded: bool = False
    opens: bool = False
    is_there: Callable[[], bool] = lambda: True


@contextmanager
def api(batch: Batch) -> Iterator[None]:
    """The null API, in a process of its own."""
    words = [
        sys.executable,
        "-m",
        "tests.bench.growing.null_api",
        str(batch.grown.rows),
        str(batch.port),
    ]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as serving:
        assert serving.stdout is not None
        serving.stdout.readline()
        try:
            yield
        finally:
            serving.terminate()


def verb(*words: str) -> Callable[[Batch], Taken]:
    """A verb that only looks."""
    return lambda batch: batch.take([COMMAND, *words])


def writing(*words: str, but: str = "", **how: object) -> Callable[[Batch], Taken]:
    """A verb that writes: on a copy that is thrown away."""

    def take(batch: Batch) -> Taken:
        with tempfile.TemporaryDirectory(dir=batch.grown.folder) as folder:
            copy = batch.grown.copied(Path(folder), but=but)
            return batch.take([COMMAND, *words], copy.home, **how)

    return take


def fresh(*words: str) -> Callable[[Batch], Taken]:
    """A verb that begins a batch of the manifest in a home of its own."""

    def take(batch: Batch) -> Taken:
        with tempfile.TemporaryDirectory(dir=batch.grown.folder) as folder:
            return batch.take(
                [COMMAND, words[0], str(batch.grown.manifest), *words[1:]], Path(folder), exits=None
            )

    return take


def loop(batch: Batch) -> Taken:
    """The yardstick."""
    script = Path(__file__).with_name("loads.py")
    return batch.take([sys.executable, str(script), *map(str, batch.grown.segments())])


def duck(what: str) -> Callable[[Batch], Taken]:
    """DuckDB at the same files."""
    script = Path(__file__).with_name("duck.py")
    return lambda batch: batch.take([sys.executable, str(script), str(batch.grown.home / NAME), what])


def _has_duckdb() -> bool:
    return find_spec("duckdb") is not None


def _has_export() -> bool:
    return not subprocess.run([COMMAND, "export", "--help"], capture_output=True, check=False).returncode


def _validate(batch: Batch) -> Taken:
    """In the home that has its rows already: it says how many of them are known."""
    return batch.take([COMMAND, "validate", str(batch.grown.manifest)])


def _export(batch: Batch) -> Taken:
    with tempfile.TemporaryDirectory(dir=batch.grown.folder) as folder:
        return batch.take([COMMAND, "export", NAME, "--format", "csv", "-o", f"{folder}/tags.csv"])


SENDING: Final = ("--callback-url", "none", "--yes", "--settle", "0", "--max-tasks", "1")
LISTENING: Final = "receiving callbacks at"

WORKS: Final = (
    Work(LOOP, loop),
    Work("validate", fresh("validate")),
    Work("validate, its batch is there", _validate),
    Work("submit --dry-run, a new batch", fresh("submit", "--dry-run")),
    Work("submit, the planning", fresh("submit", *SENDING), bounded=True),
    Work("status", verb("status", NAME), opens=True),
    Work("resume, nothing left to send", writing("resume", NAME), bounded=True, opens=True),
    Work("reconcile --offline", writing("reconcile", NAME, "--offline"), bounded=True),
    Work("reconcile", writing("reconcile", NAME), bounded=True),
    Work("reconcile, answers in the listing", writing("reconcile", NAME, but=RESULTS), bounded=True),
    Work("results", verb("results", NAME)),
    Work("receiver, opening", writing("serve-callbacks", "--port", "0", until=LISTENING), bounded=True),
    Work("export --format csv", _export, is_there=_has_export),
    Work("DuckDB, the join that counts", duck("account"), is_there=_has_duckdb),
    Work("DuckDB, the join that prints", duck("results"), is_there=_has_duckdb),
)
