"""Plays one scene with one cut on a stage of its own, and says what is wrong afterwards."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from mwbatch.client.transport.wire import WireResponse
from mwbatch.core.api.address import find
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.errors import UsageError
from tests.proof.cuts.cut import Cut, How, Left, SteppedLoop, cut_short, interrupted
from tests.proof.cuts.scenes import Scene, Stage
from tests.support.disks import MEMORY

T = TypeVar("T")

Place = tuple[int, int]
"""Row and attempt."""


def play(scene: Scene, cut: Cut) -> Left:
    """Cut a command short, look at what it left, and run it again to its end."""
    with tempfile.TemporaryDirectory(prefix="mwbatch-", dir=MEMORY) as folder:
        return Played(scene, Path(folder)).play(cut)


class Played:
    """One scene on its stage. What is ``wrong`` is told in sentences."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene, self.stage, self.wrong = scene, Stage(folder), list[str]()
        self._started, self._left = set[Place](), set[Place]()
        self._last: SteppedLoop | None = None

    def play(self, cut: Cut) -> Left:
        """The scene, with this cut."""
        stage = self.stage
        self._run(lambda: self.scene.before(stage))
        before = self._facts()
        self._heed_leaving()

        async def command() -> None:
            await self.scene.act(stage)

        if cut.how is How.INTERRUPT:
            left = interrupted(command, stage.folder, self._loop(cut.lag), cut)
        else:
            left = self._run(lambda: cut_short(command, stage.folder, cut), cut.lag)
        self.wrong += left.faults
        if missing := before - self._facts():
            self.wrong.append(f"{len(missing)} facts are gone")
        if self._has_batch():
            self._is_true()
            self._run(self._opens)
        self._again()
        if count := stage.still_open():
            self.wrong.append(f"{count} connections are open")
        left.faults = self.wrong
        return left

    def _loop(self, lag: int = 0) -> SteppedLoop:
        """A loop in which time goes on from where the last one ended."""
        now = self._last.now if self._last else 0.0
        self._last = SteppedLoop(lag)
        self._last.now = now
        return self._last

    def _run(self, act: Callable[[], Awaitable[T]], lag: int = 0) -> T:
        """Run something to its end in a loop of its own."""

        async def main() -> T:
            return await act()

        with asyncio.Runner(loop_factory=lambda: self._loop(lag)) as runner:
            return runner.run(main())

    def _facts(self) -> set[str]:
        return set(map(repr, self.stage.on_disk())) if self._has_batch() else set()

    def _has_batch(self) -> bool:
        return (self.stage.folder / "home" / "logos" / "batch.json").exists()

    def _heed_leaving(self) -> None:
        """See of each create that leaves from now on that its start is on disk."""
        wire = self.stage.wire
        carry = wire._carry

        async def heed(*words: Any, **how: Any) -> WireResponse:
            if body := next((word for word in words if isinstance(word, bytes)), b""):
                self._see(unquote(body.decode()))
            return await carry(*words, **how)

        wire.on_create = lambda draft: self._see(draft.callback_url)
        wire._carry = heed  # type: ignore[method-assign]  # where a request has left, and not arrived

    def _see(self, address: str) -> None:
        """A create with this address has left."""
        place = _place(address)
        self._left.add(place)
        if place not in self._started:
            self._started |= self.stage.covered()
        if place not in self._started:
            self.wrong.append(f"attempt {place} left before its start was on disk")

    async def _opens(self) -> None:
        """Who comes next has the lock at once."""
        ref = self.stage.home.find("logos")
        async with self.stage.home.act(ref, "submit") as batch:
            if damage := batch.own.damage():
                self.wrong.append(f"damaged: {damage}")

    def _is_true(self) -> None:
        """Each row stands where the world has it."""
        state = Batch(self.stage.on_disk())
        left = self._left | {_place(address) for address in self.stage.wire.creates}
        there = {_place(address)[0] for address, tasks in self.stage.world.ledger() if tasks}
        for number, row in state.rows.items():
            status = row.status
            if status is Status.PLANNED and number in there:
                self.wrong.append(f"row {number} has a task and is planned")
            if status in (Status.PENDING, Status.COMPLETED) and number not in there:
                self.wrong.append(f"row {number} has no task and is {status}")
            if status is Status.DOUBT and (number, row.last) not in left:
                self.wrong.append(f"row {number} never left and is in doubt")

    def _again(self) -> None:
        """Run it once more, to its end: what is to be sent is sent, once."""
        try:
            self._run(lambda: self.scene.act(self.stage))
        except UsageError as error:
            self.wrong.append(f"it cannot be run again: {error}")
            return
        if aside := [path.name for path in self.stage.folder.rglob(".*") if path.parent.name == "out"]:
            self.wrong.append(f"left aside: {aside}")
        if doubles := self.stage.world.stats()["doubles"]:
            self.wrong.append(f"{doubles} rows were paid twice")
        statuses = set(self.stage.statuses())
        if self.scene.sends and not statuses <= {"pending", "completed", "rejected"}:
            self.wrong.append(f"run again it comes to {self.stage.statuses()}")
        for trouble in self._twice():
            self.wrong.append(trouble)

    def _twice(self) -> list[str]:
        rows = [_place(address)[0] for address, tasks in self.stage.world.ledger() for _ in tasks]
        return [
            f"row {row} was paid {rows.count(row)} times" for row in sorted(set(rows)) if rows.count(row) > 1
        ]


def _place(address: str) -> Place:
    found = find(address)
    assert found is not None
    return found.row, found.attempt
