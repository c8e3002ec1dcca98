"""Kill -9 the real receiver at random moments while senders count what it acknowledged;
then look what is on disk.

    python -m tests.proof.torture.acks --kills 500 --seed 7

A reign is one home with three batches and an inbox, before the same port, killed up to 25 times. Senders post
signed callbacks until each is answered 200: new ones, again, with other bytes, in conflict, several copies at
once. At its end every acknowledged callback is on disk, and nothing else is: no line is damaged, none was
never sent, and what `mwbatch status` counts is what a reader of its own counts. A 422 is final, and right
only where as much is stored of the task as may be. Exit code 1 on a violation, with the command that repeats
it.
"""

import argparse
import asyncio
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from mwbatch.core.api import address
from mwbatch.core.api.address import Key
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Planned, Started
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.journal.segments.journal import Segments
from tests.e2e.support.stage import COMMAND, Stage
from tests.proof.torture.judging.witness import Found, Line, look, on_one_line
from tests.proof.torture.schedules.deck import Deck, Job, said
from tests.support.ports import free_port
from tests.unit.callbacks.stage import add_batch

KILLS: Final = 25
"""How often a receiver is killed in one reign."""
BATCHES: Final = ("first56789", "second6789", "third56789")
NOT_HERE: Final = "elsewhere9"
"""A batch that is not here: its callbacks go to the inbox."""
SENDERS: Final = 12
MOST: Final = 4
"""The most answers of one task that are promised to be stored, and the most callbacks without one."""
PATIENCE: Final = 120.0
"""Seconds in which a moment comes, and in which the last callbacks are answered."""


@dataclass
class Reign:
    """One home, its receiver's deaths and what it acknowledged."""

    seed: int
    folder: Path
    kills: int = KILLS
    rows: int = 1000
    figures: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stage, self._chance = Stage(self.folder), random.Random(self.seed)
        self._deck = Deck(random.Random(-self.seed - 1), (*BATCHES, NOT_HERE), self.rows)
        self._port, self._sent, self._acked = free_port(), dict[tuple[str, int, str], bytes](), set[Job]()
        self._full = set[tuple[str, int, str, bool]]()
        self._over, self._due, self._heard = False, 0, asyncio.Event()

    async def play(self) -> None:
        """Kill as often as planned, let the last callbacks be answered, and judge."""
        key = await self._prepare()
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            senders = [asyncio.create_task(self._send(session, key)) for _ in range(SENDERS)]
            try:
                for _ in range(self.kills):
                    await self._life()
                await self._last_life(senders)
            finally:
                self._playing.kill()
        await asyncio.to_thread(self._judge)

    async def _prepare(self) -> Key:
        """Make batches in which every row was sent once."""
        home = Home(self._stage.home)
        key = keys_of(home).newest
        for batch in BATCHES:
            journal = Segments(add_batch(home, batch), "submit")
            planned = [
                Planned(0.0, RowNumber(row), f"r{row}", row + 2, "tagging", {"image_url": ""}, {})
                for row in range(self.rows)
            ]
            started = Started(
                0.0, ((0, self.rows),), Attempt(1), "http://x", "http://127.0.0.1:1", "k", key.kid
            )
            await journal.append([*planned, started])
            await journal.close()
        return key

    async def _send(self, session: aiohttp.ClientSession, key: Key) -> None:
        while not self._over:
            job = self._deck.draw()
            self._sent[job.batch, job.row, job.sha] = job.body
            url = address.write(
                f"http://127.0.0.1:{self._port}", key, job.batch, RowNumber(job.row), Attempt(job.attempt)
            )
            await asyncio.gather(*(self._post(session, URL(url), job) for _ in range(job.at_once)))

    async def _post(self, session: aiohttp.ClientSession, url: URL, job: Job) -> None:
        """Post as the API does: until it is acknowledged."""
        while True:
            with suppress(aiohttp.ClientError):
                async with session.post(
                    url, data=job.body, headers={"Content-Type": "application/json"}
                ) as reply:
                    self.figures[f"answered {reply.status}"] += 1
                    if reply.status == 200:
                        return self._acknowledged(job)
                    if reply.status == 422:
                        self._full.add(_room(job.batch, job.row, job.task, bare=job.bare))
                        return None
            self.figures["broken off"] += 1
            await asyncio.sleep(0.05)

    def _acknowledged(self, job: Job) -> None:
        self._acked.add(job)
        if self.figures["answered 200"] >= self._due:
            self._heard.set()

    async def _life(self) -> None:
        """One life of the receiver: while it starts, or when it has acknowledged some, or soon after."""
        self._playing = playing = self._start()
        if self._chance.random() < 0.2:
            await asyncio.sleep(self._chance.uniform(0.0, 1.0))
        else:
            await self._acknowledgements(self._chance.randint(1, 150))
            await asyncio.sleep(self._chance.uniform(0.0, 0.02))
        playing.send_signal(signal.SIGKILL)
        if (code := await asyncio.to_thread(playing.wait, 10)) != -signal.SIGKILL:
            self.broken.append(f"the receiver ended by itself with {code}")
        self.figures["kills"] += 1

    async def _acknowledgements(self, count: int) -> None:
        """Wait for so many, as long as patience lasts."""
        self._due, self._heard = self.figures["answered 200"] + count, asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._heard.wait()

    async def _last_life(self, senders: Sequence[asyncio.Task[None]]) -> None:
        """Undisturbed: whatever was not acknowledged is now."""
        self._over, self._playing = True, self._start()
        _, late = await asyncio.wait(senders, timeout=PATIENCE)
        for sender in late:
            sender.cancel()
        if late:
            self.broken.append(f"{len(late)} callbacks were not answered within {PATIENCE:g} s")
        self._playing.terminate()
        await asyncio.to_thread(self._playing.wait, 20)

    def _start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "receiver.log").open("ab") as log:
            return subprocess.Popen(
                [COMMAND, "serve-callbacks", "--port", str(self._port)],
                env=self._stage.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _judge(self) -> None:
        found = look(self._stage.home)
        kept = {_said(line) for line in found.lines}
        missing = {job.answer for job in self._acked} - kept
        answers = [_said(line) for line in found.lines if line.record.get("answer")]
        invented = sum(not self._was_sent(line) for line in found.lines)
        there = Counter(_room_of(line) for line in found.lines)
        early = sum(there[room] < MOST for room in self._full)
        odd = sorted(
            {name for name in self.figures if name.startswith("answered")} - {"answered 200", "answered 422"}
        )
        laws = {
            f"{early} tasks were turned away before as much was stored as may be": bool(early),
            f"{len(missing)} acknowledged callbacks are not on disk": bool(missing),
            f"{found.damaged} lines are damaged": bool(found.damaged),
            f"{invented} lines were never sent": bool(invented),
            f"callbacks were {odd}": bool(odd),
            "a traceback was printed": b"Traceback" in (self.folder / "receiver.log").read_bytes(),
        }
        self.broken += [law for law, broken in laws.items() if broken]
        self.broken += [law for batch in BATCHES for law in self._disagreements(batch, found)]
        self.figures |= {
            "acknowledged callbacks": len(self._acked),
            "lines": len(found.lines),
            "answers kept twice": len(answers) - len(set(answers)),
            "torn ends": found.torn,
        }

    def _was_sent(self, line: Line) -> bool:
        sent = self._sent.get((line.batch, line.record["row"], line.record["sha256"]))
        return sent is not None and on_one_line(sent) == line.body and line.record["attempt"] == 1

    def _disagreements(self, batch: str, found: Found) -> list[str]:
        """What `mwbatch status` counts otherwise than the witness."""
        here = {_said(line) for line in found.lines if line.batch == batch and line.record.get("answer")}
        tasks = Counter(task for _, _, _, task, _ in here)
        report = self._stage.json("status", f"named-{batch}")
        counted = {
            "rows": (report["rows"], self.rows),
            "completed": (report["by_status"]["completed"], len(tasks)),
            "conflicts": (report["conflicts"], sum(count > 1 for count in tasks.values())),
            "damaged lines": (report["damaged_lines"], 0),
        }
        return [
            f"status of {batch} counts {ours} {name}, there are {there}"
            for name, (ours, there) in counted.items()
            if ours != there
        ]

    def text(self) -> str:
        """One line."""
        figures = ", ".join(f"{count:,} {name}" for name, count in sorted(self.figures.items()))
        return f"seed {self.seed}: {figures}: {'; '.join(self.broken) or 'ok'}"


def _room(batch: str, row: int, task: str, *, bare: bool) -> tuple[str, int, str, bool]:
    """What is stored up to a bound: the answers of one task, and apart from them what brings none."""
    return batch, row, task, bare


def _room_of(line: Line) -> tuple[str, int, str, bool]:
    record = line.record
    return _room(line.batch, record["row"], record["task_id"], bare=record.get("answer") is None)


def _said(line: Line) -> tuple[str, int, int, str, str]:
    record = line.record
    return said(line.batch, record["row"], record["attempt"], line.body, record["sha256"])


def played(seed: int, kills: int) -> Reign:
    """Play a reign in a folder of its own, which stays only if a law was broken."""
    reign = Reign(seed, Path(tempfile.mkdtemp(prefix=f"mwbatch-acks-{seed}-")), kills)
    asyncio.run(reign.play())
    if reign.broken:
        reign.broken.append(f"see {reign.folder}")
    else:
        shutil.rmtree(reign.folder)
    return reign


def main(words: Sequence[str]) -> int:
    """Play reigns until there were enough kills; prints each, then the sums."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof.torture.acks", description="Kill -9 the receiver, again and again."
    )
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args(words)
    began, broken, seed = time.monotonic(), 0, asked.seed
    sums = Counter[str]()
    print(f"{asked.kills} kills, seed {seed}", flush=True)
    while sums["kills"] < asked.kills:
        reign = played(seed, min(KILLS, asked.kills - sums["kills"]))
        sums, broken, seed = sums + reign.figures, broken + bool(reign.broken), seed + 1
        print(reign.text(), flush=True)
        if reign.broken:
            print(
                f"again: python -m tests.proof.torture.acks --kills {reign.kills} --seed {reign.seed}",
                flush=True,
            )
    print(", ".join(f"{count:,} {name}" for name, count in sorted(sums.items())))
    print(f"{seed - asked.seed} reigns, {broken} broken, {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
