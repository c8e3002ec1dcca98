"""Real processes that play a batch's roles, are killed without warning,
and are started again until they are done.
"""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.e2e.support.stage import COMMAND, Stage

HARMLESS: Final = frozenset({0, 3})
"""The exit codes with which a process that was not killed may end: done, and not finished."""


TERMINATED: Final = 128 + signal.SIGTERM
"""The exit code of a process that was asked to end, and did."""


class Moment(NamedTuple):
    """When a process is killed: ``events`` of the API after the wait began,
    and so many ``seconds`` after that.
    """

    events: int
    seconds: float


def moment(chance: random.Random, rows: int) -> Moment:
    """Draw a moment: in the first milliseconds, in mid-creation, or while doubt is being settled."""
    kind = chance.random()
    if kind < 0.25:
        return Moment(0, chance.uniform(0.0, 0.5))
    if kind < 0.75:
        return Moment(chance.randint(1, max(1, rows // 3)), chance.uniform(0.0, 0.05))
    return Moment(0, chance.uniform(0.5, 6.0))


@dataclass
class Role:
    """One process that is started as often as it takes.

    ``words`` are its command's; ``codes`` are the exit codes with which it ended by itself, ``kills`` counts
    the others.
    """

    name: str
    words: Sequence[str]
    kills: int = 0
    codes: list[int] = field(default_factory=list)
    playing: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether its process runs; notes how it ended when it does not any more."""
        if self.playing is not None and (code := self.playing.poll()) is not None:
            self.codes.append(code)
            self.playing = None
        return self.playing is not None

    @property
    def done(self) -> bool:
        """Whether it ended by itself with nothing left undone."""
        return not self.alive and bool(self.codes) and self.codes[-1] == 0

    def start(self, stage: Stage) -> None:
        """Start it; what it says is kept in a file of the stage, one for all its lives."""
        with (stage.folder / f"{self.name}.log").open("ab") as log:
            self.playing = subprocess.Popen(
                [COMMAND, *self.words],
                cwd=stage.folder,
                env=stage.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> bool:
        """End it as a power cut would; says whether it was that, and not its own end, which came first."""
        if self.playing is None:
            return False
        self.playing.send_signal(signal.SIGKILL)
        code, self.playing = self.playing.wait(10), None
        if code != -signal.SIGKILL:
            self.codes.append(code)
            return False
        self.kills += 1
        return True

    def wait(self, seconds: float) -> bool:
        """Let it come to its own end; says whether it did."""
        if self.playing is not None:
            try:
                self.playing.wait(seconds)
            except subprocess.TimeoutExpired:
                return False
        return not self.alive

    def close(self) -> None:
        """Ask it to end, and see to it that it does;
        who is asked while still starting hears no signals yet.
        """
        if self.playing is None:
            return
        self.playing.terminate()
        if (code := self.playing.wait(20)) not in (TERMINATED, -signal.SIGTERM):
            self.codes.append(code)
        self.playing = None


@dataclass
class Troupe:
    """The roles of one batch. ``events`` counts what the API has done so far: tasks created, callbacks sent.

    A moment is waited for no longer than ``patience`` seconds; then the blow falls all the same.
    """

    stage: Stage
    roles: Sequence[Role]
    events: Callable[[], int]
    patience: float = 5.0

    def keep_playing(self) -> None:
        """Start every role that is not alive and not done."""
        for role in self.roles:
            if not role.alive and not role.done:
                role.start(self.stage)

    def strike(self, role: Role, when: Moment) -> bool:
        """Kill a role at a moment, counted from now; says whether it was still there to be killed."""
        before, end = self.events(), time.monotonic() + self.patience
        while when.events and role.alive and time.monotonic() < end:
            if self.events() - before >= when.events:
                break
            time.sleep(0.01)
        return not role.wait(when.seconds) and role.kill()

    def complaints(self) -> list[str]:
        """Exit codes that do not fit, and what no user should ever read."""
        found = [
            f"{role.name} ended with {code}"
            for role in self.roles
            for code in role.codes
            if code not in HARMLESS
        ]
        for role in self.roles:
            log = self.stage.folder / f"{role.name}.log"
            if log.exists() and b"Traceback" in log.read_bytes():
                found.append(f"{role.name} printed a traceback")
        return found

    def close(self) -> None:
        """End every process."""
        for role in self.roles:
            role.close()
