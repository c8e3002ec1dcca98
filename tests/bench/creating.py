"""Creating tasks against the null server: `mwbatch submit` beside those who record nothing, in turns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.report.figures import Figure, Round, compare
from tests.bench.stand.children import module, server, tool
from tests.bench.stand.stage import Stage

SECTION: Final = "creating"
ROWS, WHOLE, FEW = 10_000, 40_000, 1_000
"""Rows of a round: of the creating phase, of a run from start to report, and for those who are slow."""


@dataclass(frozen=True, slots=True)
class Creator:
    """``command`` takes URL, manifest and requests in flight; ``rows`` are sent in a round by this one."""

    name: str
    command: Callable[[str, Path, int], list[str]]
    rows: int = ROWS


def _submit(url: str, manifest: Path, in_flight: int) -> list[str]:
    api = ("--base-url", url, "--callback-url", "https://labels.example.com")
    return tool("submit", manifest, *api, "--concurrency", in_flight, "--yes", "--quiet")


def _other(name: str, url: str, manifest: Path, in_flight: int) -> list[str]:
    return module(f"creators.{name}", url, manifest, in_flight)


BARE: Final = Creator("aiohttp, the fastest loop", partial(_other, "bare"))
OURS: Final = Creator("mwbatch submit", _submit)
OTHERS: Final = (
    Creator("aiohttp, the usual loop", partial(_other, "usual")),
    Creator("httpx", partial(_other, "with_httpx"), FEW),
    Creator("requests in threads", partial(_other, "with_requests"), FEW),
    Creator("scaleapi in threads", partial(_other, "with_scaleapi"), FEW),
)


def run(runs: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """All rounds of this section."""
    with (
        TemporaryDirectory(prefix="mwbatch-bench-") as place,
        server(partial(module, "stand.null")) as (_, url),
    ):
        stage = Stage(Path(place), url)

        def phases(in_flight: int, *creators: Creator) -> Iterator[Figure]:
            plays = {one.name: partial(stage.phase, one.command, one.rows, in_flight) for one in creators}
            return compare(SECTION, f"{in_flight} in flight", plays, runs, say, {OURS.name: 0.95})

        yield from phases(64, BARE, OURS, *OTHERS)
        yield from phases(256, BARE, OURS)
        wholes: dict[str, Callable[[], Round]] = {
            one.name: partial(stage.whole, one.command, WHOLE, 64) for one in (BARE, OURS)
        }
        yield from compare(SECTION, f"start to report, {WHOLE:,} rows", wholes, runs, say, {OURS.name: 0.9})
