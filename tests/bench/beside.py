"""This checkout beside another one, both in one run: ``make bench-beside BASE=DIR [ONLY=…] [RUNS=…]``.

Every work is played by both in turns, and what is compared is processor time, which a busy machine disturbs
less than the clock: medians, and the median of the ratios pair by pair (below 1: this one needs less). The
homes are written by this checkout, and the other one, which MUST be set up (``make .venv/.ready``), opens
them.
"""

import argparse
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from tests.bench.creating import ROWS
from tests.bench.growing.batches import NAME, Grown
from tests.bench.growing.processes import run
from tests.bench.receiving import Receiver, Yard
from tests.bench.report.figures import Round
from tests.bench.stand.children import ROOT, module, server
from tests.bench.stand.stage import Stage

RUNS: Final = 11
SIZES: Final = (1, 1_000, 100_000)
"""Rows of the batches that are opened."""

MANY: Final = 200
"""Batches of the home that has many."""

LINES: Final = """
from timeit import timeit
from mwbatch.core.facts.kinds import Planned, Seen, Via
from mwbatch.core.facts.lines import line, parse
request = {"image_url": "https://images.example.com/shelves/000001.jpg", "objects_to_tag": "brands"}
fact = {
    "planned": Planned(1.7e9, 7, "shelf-000007", 9, "tagging", request, {"campaign": "spring"}),
    "created": Seen(1.7e9, 7, 1, "t000000000000007", "pending", Via.CREATE, "2026-11-24T09:10:02.798Z"),
    "answered": Seen(1.7e9, 7, 1, "t000000000000007", "completed", Via.CALLBACK, "2026-11-24T09:10:02.798Z",
                     "2026-11-24T09:12:04.000Z", "0" * 32, "0" * 64, b"{}" * 1000),
}["%s"]
written = line(fact)[:-1]
timeit(lambda: %s, number=%d)
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """One of the two."""

    path: Path

    def python(self, code: str) -> list[str]:
        """The command that runs some Python there."""
        return [str(self.path / ".venv/bin/python"), "-c", code]

    def tool(self, *words: object) -> list[str]:
        """The command that runs its ``mwbatch``."""
        return [str(self.path / ".venv/bin/mwbatch"), *map(str, words)]

    def compile(self) -> None:
        """Compile it as pip does where it installs, whatever PYTHONDONTWRITEBYTECODE says."""
        code = "import compileall; compileall.compile_dir('mwbatch', quiet=1)"
        subprocess.run(self.python(code), cwd=self.path, check=True)


Play = Callable[[Checkout], float]
"""Play a work once; returns its seconds of processor time."""


class Works:
    """What is compared, each work by its name; ``place`` is a folder for everything that is made."""

    def __init__(self, place: Path, url: str) -> None:
        self._place, self._url = place, url

    def all(self) -> Iterator[tuple[str, Callable[[], Play]]]:
        """Each by its name, with what prepares it, as most need files."""
        yield "start: import mwbatch", lambda: self._code("import mwbatch")
        for words in ("--version", "--help", "submit --help", "status"):
            yield f"start: mwbatch {words}", partial(self._command, *words.split(), home="none")
        yield f"start: mwbatch status, {MANY} batches", lambda: self._command("status", home=self._many())
        yield (
            f"start: mwbatch status b7, {MANY} batches",
            lambda: self._command("status", "b7", home=self._many()),
        )
        for rows in SIZES:
            yield f"open: status, {rows:,} rows", partial(self._grown, "status", NAME, rows=rows)
        for rows in SIZES[1:]:
            yield f"results: {rows:,} rows", partial(self._grown, "results", NAME, rows=rows)
        yield "plan: validate, 100,000 rows", lambda: self._new("validate", self._manifest())
        yield (
            "plan: submit --dry-run, 100,000 rows",
            lambda: self._new("submit", self._manifest(), "--dry-run"),
        )
        for kind in ("planned", "created", "answered"):
            yield f"lines: write 100,000 {kind}", partial(self._lines, kind, "line(fact)")
            yield f"lines: read 100,000 {kind}", partial(self._lines, kind, "parse(written)")
        yield f"create: the phase, {ROWS:,} rows", lambda: self._create(Stage.phase)
        yield f"create: the whole run, {ROWS:,} rows", lambda: self._create(Stage.whole)
        yield "receive: 2 KB, 64 connections, 10,000 callbacks", self._receive

    def _run(self, command: Sequence[str], home: object, exits: int | None = 0) -> float:
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self._place), "MWBATCH_HOME": str(home)}
        return run(command, env | {"MICROWORK_BASE_URL": self._url}, exits=exits).cpu

    def _code(self, code: str) -> Play:
        return lambda checkout: self._run(checkout.python(code), self._place / "none")

    def _lines(self, kind: str, what: str) -> Play:
        return self._code(LINES % (kind, what, 100_000))

    def _command(self, *words: object, home: object) -> Play:
        return lambda checkout: self._run(checkout.tool(*words), self._place / str(home))

    def _grown(self, *words: str, rows: int) -> Play:
        return self._command(*words, home=self._batch(rows).home)

    def _new(self, *words: object) -> Play:
        """A verb that begins a batch, in a home of its own."""

        def play(checkout: Checkout) -> float:
            with TemporaryDirectory(dir=self._place) as home:
                return self._run(checkout.tool(*words), home, exits=None)

        return play

    def _batch(self, rows: int) -> Grown:
        grown = Grown(rows, self._place / f"grown-{rows}")
        if not grown.folder.exists():
            grown.folder.mkdir()
            grown.generate(self._url)
        return grown

    def _manifest(self) -> Path:
        return self._batch(SIZES[-1]).manifest

    def _many(self) -> str:
        if not (self._place / "many").exists():
            home = Home(self._place / "many")
            for number in range(MANY):
                home.create(
                    BatchInfo(f"b{number}", f"bench{number:05}", self._url, f"{number}.csv", None, ())
                )
        return "many"

    def _create(self, phase: Callable[..., Round]) -> Play:
        stage = Stage(self._place, self._url)
        api = ("--base-url", self._url, "--callback-url", "https://labels.example.com", "--yes", "--quiet")

        def play(checkout: Checkout) -> float:
            def command(_: str, manifest: Path, in_flight: int) -> list[str]:
                return checkout.tool("submit", manifest, *api, "--concurrency", in_flight)

            return (phase(stage, command, ROWS, 64).cpu_each or 0) * ROWS / 1e6

        return play

    def _receive(self) -> Play:
        place = self._place / "yard"
        place.mkdir()
        yard = Yard(place)
        template = yard.template(2)

        def play(checkout: Checkout) -> float:
            def start(folder: Path, port: int) -> list[str]:
                return checkout.tool("serve-callbacks", "--home", folder / "home", "--port", port, "--quiet")

            return (yard.round(Receiver("", start), template, 64).cpu_each or 0) / 100

        return play


def compare(play: Play, base: Checkout, ours: Checkout, runs: int) -> tuple[float, float, float]:
    """The medians of before and now in seconds, and that of the ratios; the first pair is not counted."""
    before, now = [], []
    for number in range(runs + 1):
        took = {one: play(one) for one in ((base, ours) if number % 2 else (ours, base))}
        before.append(took[base])
        now.append(took[ours])
    ratios = [mine / other for other, mine in zip(before[1:], now[1:], strict=True)]
    return median(before[1:]), median(now[1:]), median(ratios)


def main() -> None:
    """Compare, and print a line a work as it is done."""
    words = argparse.ArgumentParser(prog="make bench-beside", description=__doc__)
    words.add_argument("base", type=Path, help="the other checkout")
    words.add_argument("--only", default="", help="works whose name has one of these in it, comma-separated")
    words.add_argument("--runs", type=int, default=RUNS)
    asked = words.parse_args()
    base, ours = Checkout(asked.base.resolve()), Checkout(ROOT)
    base.compile()
    ours.compile()
    print(f"{'CPU ms':52} {'before':>9} {'now':>9} {'ratio':>6}", flush=True)
    with (
        TemporaryDirectory(prefix="mwbatch-bench-") as place,
        server(partial(module, "stand.null")) as (_, url),
    ):
        for name, prepared in Works(Path(place), url).all():
            if any(word.strip() in name for word in asked.only.split(",")):
                before, now, ratio = compare(prepared(), base, ours, asked.runs)
                print(f"{name:52} {before * 1e3:9.1f} {now * 1e3:9.1f} {ratio:6.2f}", flush=True)


if __name__ == "__main__":
    main()
