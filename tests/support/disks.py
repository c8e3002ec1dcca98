"""Disks that fail, or wait, as a test tells them."""

import errno
import math
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mwbatch.journal.files.disk import Disk

MEMORY: Final = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where syncing costs nothing; None means the usual place."""

NOBODY: Final = 65534

Fate = int | str | None
"""An errno to fail with, ``"short"`` for a write that takes half, None for a call that goes well."""


class Failing(Disk):
    """Meets the fates of each call in turn, and goes well when they are used up;
    ``calls`` tells what was called.
    """

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


class Fillable(Disk):
    """Has no space for any write while ``full``; ``written`` counts the writes of each file."""

    def __init__(self) -> None:
        self.full = False
        self.written: Counter[str] = Counter()
        self._open: dict[int, str] = {}

    def create(self, path: Path) -> int:
        """Create, and remember the name."""
        file = super().create(path)
        self._open[file] = path.name
        return file

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        """Write, or find no space."""
        self.written[self._open[file]] += 1
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(file, chunk)


@dataclass(frozen=True)
class Fault:
    """What befalls the ``nth`` call of a disk, counted from 1,
    and as many as ``lasting`` says from there on.
    """

    nth: int
    fate: Fate
    lasting: float = 1

    def __str__(self) -> str:
        name = errno.errorcode[self.fate] if isinstance(self.fate, int) else self.fate
        return f"{name} at call {self.nth}, {self.lasting:g} times"


class Befallen(Failing):
    """Meets one fault, whatever the calls are."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self._fault = fault

    def _meet(self, name: str) -> Fate:
        self.calls.append(name)
        number, fault = len(self.calls), self._fault
        if not fault.nth <= number < fault.nth + fault.lasting or (fault.fate == "short" and name != "write"):
            return None
        if isinstance(fault.fate, int):
            raise OSError(fault.fate, os.strerror(fault.fate))
        return fault.fate

    def look(self, path: Path, file: int) -> int:
        """Look, or fail."""
        self._meet("look")
        return super().look(path, file)

    def forget(self, file: int) -> None:
        """Let memory drop it, or fail."""
        self._meet("forget")
        super().forget(file)


FAULTS: Final[Sequence[tuple[Fate, float]]] = [
    (errno.EIO, 1),
    (errno.EIO, math.inf),
    (errno.ENOSPC, 1),
    (errno.ENOSPC, 2),
    (errno.ENOSPC, math.inf),
    (errno.EDQUOT, 1),
    (errno.EDQUOT, math.inf),
    ("short", 1),
    ("short", math.inf),
]
"""What may befall a call, once, twice (the cut after a failed write fails, too) or for good."""


def descriptors() -> int:
    """How many files this process has open."""
    return len([*Path("/dev/fd").iterdir()])


@contextmanager
def unprivileged(place: Path) -> Iterator[Path]:
    """A folder of somebody who may not read everything:
    whoever runs the tests as root is somebody else meanwhile.

    What is in ``place`` need not be reachable for him; what he leaves can be removed by its owner.
    """
    with tempfile.TemporaryDirectory(prefix=place.name) as folder:
        if root := os.geteuid() == 0:
            os.chown(folder, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)
            for path in Path(folder).rglob("*"):
                if path.is_dir():
                    path.chmod(0o700)


def commit_threads() -> set[threading.Thread]:
    """The threads that commit now, those of other tests in this process included."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("commit-")}
