"""How well the pace is held, over real HTTP: ours and three rivals against the simulator,
which takes 80 ms and refuses.

    python -m tests.bench.pacing.pace [--repeats 3] [--limit 300]

Each cell is a contender and a limit, with an API of its own in a process of its own; it sends from a cold
start through the client and the gate that `submit` uses. Ten seconds after the start, or after the change of
the limit, `MEASURED_S` begin: goodput is what was created in them, as a part of the limit, refused the part
of their requests; at first is how many were refused before; reached is the first second in which 0.95 of the
limit was created. With several repeats each figure is a median.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final

import uvloop

from mwbatch.client import Client
from mwbatch.commands.context.run_all import run_all
from mwbatch.commands.sending.sending import PaceGate
from mwbatch.core.facts.kinds import Verdict
from mwbatch.core.pace.course import Course, Event
from mwbatch.core.pace.pace import MOST, Pace, backoff
from mwbatch.simulator import Faults, Settings, serve
from mwbatch.simulator.world.faults import Size
from tests.bench.pacing.rivals_pace import AutoThrottle, Fixed, FixedPause

COLD_S, MEASURED_S, LATENCY_S = 10, 6, 0.08
GOODPUT: Final = 0.95
SLOW: Final = 50
"""A limit up to which all contenders run at the same time: they have the machine almost for themselves."""

KEY: Final = "bench_key"
PICTURE: Final = {"image_url": "https://images.example.com/1.jpg", "objects_to_tag": "brands"}


@dataclass(frozen=True, slots=True)
class Limit:
    """What the API lets through: ``rate`` a second, ``then`` another one after `COLD_S`."""

    rate: float
    then: float | None = None

    def __str__(self) -> str:
        return f"{self.rate:g}" if self.then is None else f"{self.rate:g}, then {self.then:g}"

    @property
    def last(self) -> float:
        """The limit at the end."""
        return self.rate if self.then is None else self.then

    @property
    def measured_from(self) -> int:
        """The second in which the measured part begins."""
        return COLD_S if self.then is None else 2 * COLD_S


@dataclass(frozen=True, slots=True)
class Contender:
    """``pace`` is made anew for each cell; a refused request waits by itself as ``waits`` says."""

    name: str
    pace: Callable[[], Pace | Fixed]
    waits: Callable[[], Iterator[float]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Shares are parts of 1; ``reached`` is in seconds, infinite if it never was."""

    contender: str
    limit: str
    goodput: float
    refused: float
    at_first: float
    reached: float

    def __str__(self) -> str:
        figures = f"{self.goodput:>9.2f} {self.refused:>8.1%} {self.at_first:>9.0f} {self.reached:>8.0f}"
        return f"{self.contender:40} {self.limit:>14} {figures}"


CONTENDERS: Final = (
    Contender("mwbatch", lambda: Pace(MOST), backoff),
    Contender("fixed concurrency, exponential backoff", lambda: Fixed(MOST), Fixed.waits),
    Contender("Scrapy's AutoThrottle rule", lambda: AutoThrottle(MOST), AutoThrottle.waits),
    Contender("a pause of 15 s after a 429", lambda: FixedPause(MOST), FixedPause.waits),
)
LIMITS: Final = (Limit(50), Limit(300), Limit(1000), Limit(300, then=150))
HEAD: Final = f"{'contender':40} {'limit':>14} {'goodput':>9} {'refused':>8} {'at first':>9} {'reached':>8}"


def run(repeats: int = 1, limits: Sequence[Limit] = LIMITS, say: Callable[[str], None] = print) -> list[Row]:
    """Play every cell, and return the table; each line is said as soon as it is known."""
    rows: list[Row] = []
    say(HEAD)
    for limit in limits:
        together = [CONTENDERS] if limit.rate <= SLOW else [(one,) for one in CONTENDERS]
        for contenders in together:
            played = [uvloop.run(_cells(contenders, limit)) for _ in range(repeats)]
            medians = [_median(cells) for cells in zip(*played, strict=True)]
            rows += medians
            for row in medians:
                say(str(row))
        if not any(row.refused or row.at_first for row in rows[-len(CONTENDERS) :]):
            say(f"nobody came to {limit} a second: this machine is too slow to tell them apart")
    return rows


def _median(rows: Sequence[Row]) -> Row:
    figures = zip(*((row.goodput, row.refused, row.at_first, row.reached) for row in rows), strict=True)
    return Row(rows[0].contender, rows[0].limit, *map(median, figures))


async def _cells(contenders: Iterable[Contender], limit: Limit) -> list[Row]:
    return await asyncio.gather(*(Cell(one, limit).play() for one in contenders))


class Cell:
    """One contender that sends under one limit; what came of it, by the second."""

    def __init__(self, contender: Contender, limit: Limit) -> None:
        self.contender, self.limit = contender, limit
        self.seconds = limit.measured_from + MEASURED_S
        self.created, self.refused = [0] * self.seconds, [0] * self.seconds
        self.pace, self.ticks = contender.pace(), asyncio.get_running_loop().time
        self.course = Course()
        # a rival has all that a gate asks for
        self.gate = PaceGate(self.pace, self.ticks, self.course)  # type: ignore[arg-type]
        self.since = 0.0

    async def play(self) -> Row:
        """Send until the time is over."""
        async with _api(self.limit) as url, Client(KEY, url, limit=MOST) as client:
            self.since = self.ticks()
            asyncio.get_running_loop().call_later(self.seconds, self.course.take, Event.STOP)
            await run_all(self._work(client, number) for number in range(MOST))
        begin, goal = self.limit.measured_from, GOODPUT * self.limit.rate
        created, refused = sum(self.created[begin:]), sum(self.refused[begin:])
        return Row(
            self.contender.name,
            str(self.limit),
            created / MEASURED_S / self.limit.last,
            refused / max(1, created + refused),
            sum(self.refused[:begin]),
            next((second for second, count in enumerate(self.created) if count >= goal), float("inf")),
        )

    async def _work(self, client: Client, number: int) -> None:
        waits, sent = self.contender.waits(), 0
        while await self.gate.enter():
            began, sent = self.ticks(), sent + 1
            outcome = await client.attempt("tagging", PICTURE, f"https://labels.example.com/{number}/{sent}")
            now = self.ticks()
            busy = outcome.verdict is Verdict.BUSY
            assert busy or outcome.verdict is Verdict.CREATED, outcome
            if (second := int(now - self.since)) < self.seconds:
                (self.refused if busy else self.created)[second] += 1
            if busy:
                self.pace.refused(began, now, outcome.retry_after)
            else:
                self.pace.answered(began, now)
                waits = self.contender.waits()
            self.gate.leave()
            if busy:
                await asyncio.sleep(min(next(waits), max(0.0, self.since + self.seconds - now)))


@asynccontextmanager
async def _api(limit: Limit) -> AsyncIterator[str]:
    """A simulator in a process of its own; it ends when its standard input does."""
    words = ("-m", "tests.bench.pacing.pace", "--serve", str(limit.rate), str(limit.last))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


async def _serve(rate: float, then: float) -> None:
    """Simulate an API that names no wait; its limit changes `COLD_S` after it began to listen."""
    settings = Settings(
        port=0,
        api_key=KEY,
        latency=LATENCY_S,
        rate=rate,
        complete_after=(86_400.0, 86_400.0),
        faults=Faults(size=Size(retry_after_s=None)),
    )
    simulator = await serve(settings)
    asyncio.get_running_loop().call_later(COLD_S, setattr, simulator._throttle, "_rate", then)
    print(simulator.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await simulator.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pacing.pace")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--limit", type=float, help="only this one")
    parser.add_argument("--serve", type=float, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(_serve(*options.serve))
    else:
        run(options.repeats, [one for one in LIMITS if options.limit in {None, one.rate}])


if __name__ == "__main__":
    main()
