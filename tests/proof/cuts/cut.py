"""One cut: a command is told to end at some steps of its loop, and what it leaves behind is looked at."""

import asyncio
import os
import signal
import threading
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tests.support.virtual import VirtualLoop

Command = Callable[[], Coroutine[Any, Any, object]]


class How(Enum):
    """How a command is told to end."""

    CANCEL = "cancel"
    TIMEOUT = "timeout"
    INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class Cut:
    """``at``: the iterations of the loop, counted from the command's first, at which it is told to end.

    ``lag``: so many iterations a job of a thread takes.
    """

    at: tuple[int, ...]
    how: How = How.CANCEL
    lag: int = 2

    def __str__(self) -> str:
        return f"{self.how.value} at {','.join(map(str, self.at))} --lag {self.lag}"


class SteppedLoop(VirtualLoop):
    """A virtual loop that calls ``hear`` before each of its iterations, with its number, once it is armed."""

    def __init__(self, lag: int = 0) -> None:
        super().__init__(threads=False, lag=lag)
        self.steps, self.troubles = -1, list[str]()
        self._hear: Callable[[int], None] = lambda _: None
        self.set_exception_handler(lambda _, context: self.troubles.append(str(context)))

    def arm(self, hear: Callable[[int], None]) -> None:
        """Count from here."""
        self.steps, self._hear = 0, hear

    def disarm(self) -> int:
        """Count no more; returns how many steps there were."""
        steps, self.steps = self.steps, -1
        return steps

    def _run_once(self) -> None:
        if self.steps >= 0:
            self.steps += 1
            self._hear(self.steps - 1)
        super()._run_once()  # type: ignore[misc]  # there is no public seam for an iteration


@dataclass(slots=True)
class Left:
    """How a command ended, after how many steps, and what it left that it should not have:
    a sentence each.
    """

    ended: str
    steps: int
    faults: list[str]


class Watch:
    """Looks at what is left of a command in a folder and in a loop."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._before = folder, set(open_below(folder))
        self._threads = set(threading.enumerate())
        self._caught = warnings.catch_warnings(record=True)
        self._warned = self._caught.__enter__() or []
        warnings.simplefilter("always", ResourceWarning)

    def faults(self, loop: SteppedLoop, tasks: "list[asyncio.Task[Any]]") -> list[str]:
        """A sentence for each thing that is left."""
        self._caught.__exit__(None, None, None)
        files = sorted(set(open_below(self._folder)) - self._before)
        return [
            *(f"a task lives: {task!r}" for task in tasks),
            *([f"{loop.jobs} jobs run in threads"] if loop.jobs else []),
            *(f"a thread runs: {one.name}" for one in set(threading.enumerate()) - self._threads),
            *(f"a file is open: {file}" for file in files),
            *(f"nobody closed it: {one.message}" for one in self._warned),
            *loop.troubles,
        ]


def open_below(folder: Path) -> list[str]:
    """The files below a folder that this process has open."""
    found = []
    for one in os.listdir("/proc/self/fd"):  # noqa: PTH208 (names)
        with suppress(OSError):
            path = os.readlink(f"/proc/self/fd/{one}")  # noqa: PTH115 (as it stands there)
            if path.startswith(str(folder)):
                found.append(path)
    return found


async def cut_short(command: Command, folder: Path, cut: Cut) -> Left:
    """Run a command as a task of the running loop, and cancel it, or let its time be up,
    at the steps of a cut.
    """
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    assert isinstance(loop, SteppedLoop)
    limit: asyncio.Timeout | None = None

    async def timed() -> None:
        nonlocal limit
        async with asyncio.timeout(None) as limit:
            await command()

    watch, running = Watch(folder), asyncio.create_task(timed())

    def hear(step: int) -> None:
        if step not in cut.at or running.done():
            return
        if cut.how is How.TIMEOUT and step == cut.at[0] and limit is not None:
            limit.reschedule(loop.time())
        else:
            running.cancel()

    loop.arm(hear)
    await asyncio.wait([running])
    steps = loop.disarm()
    faults = watch.faults(loop, [task for task in asyncio.all_tasks() if task is not me])
    ended = "cancelled" if running.cancelled() else repr(running.exception())
    return Left(ended, steps, faults)


def interrupted(command: Command, folder: Path, loop: SteppedLoop, cut: Cut) -> Left:
    """Run a command in an `asyncio.Runner`, and press Ctrl-C at the steps of a cut."""
    watch, ended, over = Watch(folder), "None", False

    def press(step: int) -> None:
        # Once the command is over, who presses interrupts the runner's own end.
        if step in cut.at and not over:
            signal.raise_signal(signal.SIGINT)

    async def main() -> None:
        nonlocal over
        loop.arm(press)
        try:
            await command()
        finally:
            over = True

    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 (it is told)
        ended = repr(error)
    return Left(ended, loop.disarm(), watch.faults(loop, []))
