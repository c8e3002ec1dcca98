"""Disks that fail, or wait, as a test tells them."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from mwbatch.journal.disk import Disk

Fate = int | str | None
"""An errno to fail with, ``"short"`` for a write that takes half, None for a call that goes well."""


class Failing(Disk):
    """Meets the fates of each call in turn, and goes well when they are used up; ``calls`` tells what was called."""

    def __init__(self, **fates: Sequence[Fate]) -> None:
        self.fates = {name: list(each) for name, each in fates.items()}
        self.calls: list[str] = []

    def _meet(self, name: str) -> Fate:
        self.calls.append(name)
        fates = self.fates.get(name)
        fate = fates.pop(0) if fates else None
        if isinstance(fate, int):
            raise OSError(fate, os.strerror(fate))
        return fate

    def create(self, path: Path) -> int:
        """Create, or fail."""
        self._meet("create")
        return super().create(path)

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        """Write all, half, or fail."""
        short = self._meet("write") == "short"
        return super().write(file, chunk[: len(chunk) // 2] if short else chunk)

    def sync(self, file: int) -> None:
        """Sync, or fail."""
        self._meet("sync")
        super().sync(file)

    def truncate(self, file: int, size: int) -> None:
        """Cut, or fail."""
        self._meet("truncate")
        super().truncate(file, size)

    def close(self, file: int) -> None:
        """Close, and then fail if told to: the descriptor is gone either way."""
        super().close(file)
        self._meet("close")

    def settle(self, file: int) -> None:
        """Sync a folder, or what another wrote, or fail."""
        self._meet("settle")
        super().settle(file)


class Gated(Failing):
    """Lets no sync of a file return before ``gate`` is set; ``waiting`` tells that one arrived."""

    def __init__(self, **fates: Sequence[Fate]) -> None:
        super().__init__(**fates)
        self.gate, self.waiting = threading.Event(), threading.Event()

    def sync(self, file: int) -> None:
        """Wait for the gate first."""
        self.waiting.set()
        self.gate.wait(10)
        super().sync(file)
