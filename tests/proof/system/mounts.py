"""File systems for tests: one that forgets, and one that is small."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tests.e2e.support.stage import ROOT, until

AS_ROOT: Final = [] if os.geteuid() == 0 else ["sudo", "-n"]


class Power:
    """A forgetful file system that is mounted at ``folder`` as long as the power is there."""

    def __init__(self, top: Path) -> None:
        self.folder, self._store = top / "mounted", top / "store"
        self.folder.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def on(self) -> None:
        """Mount what the disk has."""
        command = [sys.executable, "-m", "tests.proof.system.forgetful", str(self.folder), str(self._store)]
        self._process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
        process = self._process
        until(lambda: self.folder.is_mount() or process.poll() is not None)
        assert process.poll() is None, f"FUSE cannot be mounted here: {process.communicate()[1].decode()}"

    def cut(self) -> None:
        """Forget at once what was not synced."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate(timeout=10)
        subprocess.run(["fusermount3", "-u", "-z", str(self.folder)], check=True, timeout=10)
        self._process = None

    def __enter__(self) -> "Power":
        self.on()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(subprocess.CalledProcessError):
            if self._process is not None:
                self.cut()


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Path]:
    """A file system in memory that holds no more than ``size``."""
    folder.mkdir()
    options = f"size={size},mode=0700,uid={os.getuid()}"
    done = subprocess.run(
        [*AS_ROOT, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
        timeout=10,
    )
    assert done.returncode == 0, f"a tmpfs cannot be mounted here, which needs root: {done.stderr.decode()}"
    try:
        yield folder
    finally:
        subprocess.run([*AS_ROOT, "umount", "-l", str(folder)], check=True, timeout=10)
