"""The file of the API key, and who else can read it."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.support.stage import KEY, Stage
from tests.support.ports import free_port


@pytest.mark.parametrize(("mode", "told"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_a_key_that_everybody_can_read(tmp_path: Path, mode: int, told: bool) -> None:
    """A key file that everybody on the machine can read is told of, with the command that mends it,
    and used all the same.
    """
    stage, path = Stage(tmp_path), tmp_path / "the key"
    path.write_text(KEY)
    path.chmod(mode)
    del stage.env["MICROWORK_API_KEY"]
    near = f"http://127.0.0.1:{free_port()}"
    ran = stage.run("tasks", "list", MICROWORK_API_KEY_FILE=str(path), MICROWORK_BASE_URL=near)
    assert ran.code == 4
    assert (f"chmod 600 '{path}'" in ran.err) is told
    assert KEY not in ran.err
    ran = stage.run(
        "tasks", "list", MICROWORK_API_KEY=KEY, MICROWORK_API_KEY_FILE=str(path), MICROWORK_BASE_URL=near
    )
    assert "chmod" not in ran.err


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_key_that_is_waited_for(tmp_path: Path, asked: signal.Signals) -> None:
    """A pipe may bring the key, and nobody is told to change its mode;
    who waits for one hears Ctrl-C and SIGTERM.
    """
    stage, pipe = Stage(tmp_path), tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)
    del stage.env["MICROWORK_API_KEY"]
    near = f"http://127.0.0.1:{free_port()}"
    started = stage.start("tasks", "list", MICROWORK_API_KEY_FILE=str(pipe), MICROWORK_BASE_URL=near)
    writer = opened(pipe)
    told = stopped(started, asked)
    os.close(writer)
    assert started.returncode in (130, 143)
    assert b"chmod" not in told


def stopped(started: "subprocess.Popen[bytes]", asked: signal.Signals) -> bytes:
    """What a command says that is asked to stop, once more each second.

    Python looks for signals before it begins to read: one that comes right between the two is heard with the
    next.
    """
    while True:
        started.send_signal(asked)
        with suppress(subprocess.TimeoutExpired):
            return started.communicate(timeout=1)[1]


def opened(pipe: Path) -> int:
    """The end of a pipe for who writes, once somebody waits at the other."""
    while True:
        with suppress(OSError):
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
