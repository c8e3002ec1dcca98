"""Faults in the system calls of a real process, dealt by strace."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Point:
    """What befalls the ``nth`` call of each thread: an error, or SIGKILL;
    ``code`` is what the process ends with.

    ``code`` None: it goes on.
    """

    call: str
    fault: str
    nth: int
    code: int | None

    def __str__(self) -> str:
        return f"{self.fault}-at-{self.call}-{self.nth}"

    def options(self, log: Path, path: Path | None = None) -> list[str]:
        """Options of strace; what happens is written to ``log``.

        With ``path`` only calls that concern it count.
        """
        what = "signal=KILL" if self.fault == "KILL" else f"error={self.fault}"
        deal = f"inject={self.call}:{what}:when={self.nth}"
        where = [] if path is None else ["-P", str(path)]
        return ["-f", "-y", "-o", str(log), *where, "-e", f"trace={self.call}", "-e", deal]


@contextmanager
def befallen(pid: int, point: Point, log: Path, path: Path | None = None) -> Iterator[None]:
    """Deal out a fault to a process that runs, counted from now on."""
    tracer = subprocess.Popen(["strace", *point.options(log, path), "-p", str(pid)], stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    try:
        said = tracer.stderr.readline().decode()
        assert "attached" in said, f"strace cannot attach to a process of ours: {said}"
        yield
    finally:
        tracer.terminate()
        tracer.communicate(timeout=20)


def met(log: Path) -> list[str]:
    """The calls to which the fault came."""
    return [
        line for line in log.read_text().splitlines() if "(INJECTED)" in line or "killed by SIGKILL" in line
    ]
