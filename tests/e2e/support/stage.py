"""The real command as a process, in a folder of its own, against a simulator in this process."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Self
from urllib.request import urlopen

from mwbatch.simulator import Settings, serve
from tests.e2e.support.warm import Warm
from tests.support.ports import free_port, listens

ROOT: Final = Path(__file__).parents[3]
COMMAND: Final = str(Path(sys.executable).with_name("mwbatch"))
KEY: Final = "sk_live_do-not-print-me"
ADDRESS: Final = re.compile(r"/callbacks/v1/[^/]+/([^/]+)/(\d+)-(\d+)/([0-9a-f]+)$")


class Api:
    """A simulator in a thread of its own, so that tests may wait for processes."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._ready = settings, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        simulator = await serve(self._settings)
        self.url = simulator.url
        self._ready.set()
        await self._over.wait()
        await simulator.close()

    def get(self, path: str) -> Any:
        """Read JSON from a page that only the simulator has."""
        with urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def creations(self, batch_id: str) -> Counter[int]:
        """How many tasks each row of a batch has, whatever their attempt."""
        found: Counter[int] = Counter()
        for address, tasks in self.get("/_sim/ledger").items():
            if (match := ADDRESS.search(address)) and match[1] == batch_id:
                found[int(match[2])] += len(tasks)
        return found


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.out)


@dataclass
class Stage:
    """A working directory and an environment, with nothing of this machine's user in it."""

    folder: Path
    api: Api | None = None
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        self.env = clean | {"MWBATCH_HOME": str(self.home), "MICROWORK_API_KEY": KEY} | self.env
        if self.api is not None:
            self.env["MICROWORK_BASE_URL"] = self.api.url

    @property
    def home(self) -> Path:
        """The home of the batches."""
        return self.folder / "home"

    def run(self, *words: str, stdin: bytes = b"", **env: str) -> Ran:
        """Run one command to its end; never does it show a traceback."""
        ran = Ran(*warm().run([*words], self.folder, self.env | env, stdin))
        assert "Traceback" not in ran.err, ran.err
        return ran

    def json(self, *words: str, code: int = 0) -> Any:
        """Run one command with ``--json``; the object that it prints."""
        ran = self.run(*words, "--json")
        assert ran.code == code, ran.err
        return ran.json

    def start(self, *words: str, command: Sequence[str] = (COMMAND,), **env: str) -> subprocess.Popen[bytes]:
        """Start a command and leave it running; ``command`` is what runs in the place of mwbatch."""
        return subprocess.Popen(
            [*command, *words],
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs for as long as the block does; it must end well when asked to."""
        started = self.start(*words)
        try:
            yield started
        finally:
            if started.poll() is None:
                started.terminate()
            started.communicate(timeout=20)

    @contextmanager
    def receiver(self) -> Iterator[str]:
        """A receiver that answers; gives its callback base."""
        port = free_port()
        with self.running("serve-callbacks", "--port", str(port)):
            until(lambda: listens(port))
            yield f"http://127.0.0.1:{port}"

    @property
    def pictures(self) -> str:
        """Where this test's pictures are, which no other test shows: they share accounts."""
        return f"https://images.example.com/{self.folder.name}"

    def manifest(self, rows: int, name: str = "m.csv", start: int = 0) -> str:
        """Write a manifest of tagging rows; the name to give to a command."""
        lines = [f"r{n},{self.pictures}/{n}.jpg,c{n}" for n in range(start, start + rows)]
        (self.folder / name).write_text("\n".join(["id,image_url,campaign", *lines, ""]))
        return name


@cache
def warm() -> Warm:
    """Begun once for all tests of this process."""
    return Warm()


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def kill(started: subprocess.Popen[bytes]) -> None:
    """Kill a process as a power cut would: it hears nothing of it."""
    started.send_signal(signal.SIGKILL)
    started.communicate(timeout=10)
