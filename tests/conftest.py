"""What every test shares: one profile for the properties, the same on every machine,
and a long one for `make torture`.
"""

import fcntl
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import pytest
from hypothesis import settings

from tests.support.disks import MEMORY

Synced: TypeAlias = list[tuple[Path, list[str]]]
"""Each file or folder that the operating system was told to sync, with the names in it at that moment."""

SETTLE = (fcntl, "fcntl") if sys.platform == "darwin" else (os, "fsync")
"""macOS syncs the disk itself by F_FULLFSYNC alone."""

settings.register_profile("mwbatch", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("long", deadline=None, max_examples=4_000)
settings.load_profile("mwbatch")


# Whoever starts the tests with `nohup` has it ignored, which what they start would inherit and respect.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder where syncing costs nothing."""
    with tempfile.TemporaryDirectory(prefix="mwbatch-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Synced:
    """What the operating system was told to sync."""
    there: Synced = []

    def watch(module: ModuleType, name: str) -> None:
        real = getattr(module, name)

        def watched(file: int, *words: object) -> object:
            path = Path(f"/dev/fd/{file}").resolve()
            there.append((path, sorted(os.listdir(path)) if path.is_dir() else []))  # noqa: PTH208 (names)
            return real(file, *words)

        monkeypatch.setattr(module, name, watched)

    watch(*SETTLE)
    return there
