"""What may die by kill -9: a program whose tasks all stop and of
which nothing reaches disk or wire any more.
"""

import asyncio
import errno
import os
from collections.abc import Coroutine, Generator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, TypeVar

from mwbatch.journal.files.disk import Disk
from tests.proof.torture.schedules.draw import Draw

T = TypeVar("T")

_OWNER: Final[ContextVar["Mortal | None"]] = ContextVar("owner", default=None)


class Died(BaseException):
    """The program was killed."""


def owned_tasks(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
    **options: Any,
) -> asyncio.Task[T]:
    """A task factory that tells each program of its tasks: those of an own context are nobody's."""
    task: asyncio.Task[T] = asyncio.Task(coroutine, loop=loop, **options)
    if options.get("context") is None and (owner := _OWNER.get()) is not None:
        owner.tasks.add(task)
    return task


class Mortal:
    """One program.

    It dies at its ``dies_at``-th event (a request or answer on the wire, a call of the disk).
    """

    def __init__(self, draw: Draw, dies_at: int | None = None) -> None:
        self.draw, self.dies_at = draw, dies_at
        self.tasks: set[asyncio.Task[Any]] = set()
        self.disk = MortalDisk(self)
        self.events = 0
        self.dead = False
        self._end = asyncio.Event()

    def event(self) -> bool:
        """Count an event; says whether the program dies of it."""
        self.events += 1
        if self.events == self.dies_at:
            self.die()
        return self.dead

    def die(self) -> None:
        """Stop at once, as by kill -9: locks are free, and what was not synced is lost in part."""
        if not self.dead:
            self.dead = True
            self.disk.die()
            self._end.set()

    async def live(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end; raises `Died` when the program is killed before."""
        token = _OWNER.set(self)
        main: asyncio.Task[T] = asyncio.create_task(coroutine)
        _OWNER.reset(token)
        end = asyncio.create_task(self._end.wait())
        await asyncio.wait({main, end}, return_when=asyncio.FIRST_COMPLETED)
        end.cancel()
        if self.dead:
            await self.reap()
            raise Died
        return main.result()

    async def reap(self) -> None:
        """Nothing that they try in their last moments has any effect."""
        for _ in range(10_000):
            alive = [task for task in self.tasks if not task.done()]
            if not alive:
                break
            for task in alive:
                task.cancel()
            await asyncio.sleep(0)
        for task in self.tasks:
            if task.done() and not task.cancelled():
                task.exception()


def owner() -> Mortal | None:
    """The program that runs now."""
    return _OWNER.get()


class MortalDisk(Disk):
    """A disk that loses at a death what was not synced; it syncs nothing, since no power fails here."""

    def __init__(self, program: Mortal) -> None:
        self._program = program
        self._synced: dict[int, int] = {}
        self._size: dict[int, int] = {}

    def die(self) -> None:
        """Lose a part of what was not synced, release every lock."""
        for file, size in self._size.items():
            kept = self._program.draw.whole(self._synced[file], size, "kept", file, size)
            os.ftruncate(file, kept)
            os.close(file)
        self._size.clear()

    def _alive(self, *, event: bool = True) -> None:
        if self._program.dead or (event and self._program.event()):
            raise OSError(errno.EIO, "killed")

    def create(self, path: Path) -> int:
        """Create a file, unless dead."""
        self._alive()
        file = super().create(path)
        self._synced[file] = self._size[file] = 0
        return file

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        """Write; at a death, a part."""
        self._alive(event=False)
        written = super().write(file, chunk)
        if file in self._size:  # else whoever opened it closes it, too
            self._size[file] += written
        self._alive()
        return written

    def sync(self, file: int) -> None:
        """Believe that all is durable."""
        self._alive()
        if file in self._size:
            self._synced[file] = self._size[file]

    def truncate(self, file: int, size: int) -> None:
        """Cut, unless dead."""
        self._alive(event=False)
        super().truncate(file, size)

    def look(self, path: Path, file: int) -> int:
        """Look, unless dead."""
        self._alive(event=False)
        return super().look(path, file)

    def close(self, file: int) -> None:
        """Close what death has not closed."""
        if self._size.pop(file, None) is not None:
            super().close(file)

    def make_folder(self, folder: Path) -> None:
        """Make a folder, unless dead."""
        self._alive()
        super().make_folder(folder)

    def settle(self, file: int) -> None:  # noqa: ARG002 (the disk's signature)
        """Sync nothing."""
        self._alive(event=False)
