"""The documents' systemd unit: it is understood, it is tight, and the receiver lives within its filters."""

import re
import socket
import subprocess
from pathlib import Path

import pytest

from mwbatch.core.api import address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.e2e.support.stage import COMMAND, Stage, until
from tests.proof.system.readme import block
from tests.support.ports import free_port, listens
from tests.unit.callbacks.stage import BATCH, callback, request

pytestmark = pytest.mark.system

EXPOSURE = 20
"""Tenths: the most that `systemd-analyze security` may find open, of 100; a unit without a word has 96."""


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze."""
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with the program where it is here."""
    path = tmp_path / "mwbatch-receiver.service"
    path.write_text(block("ini").replace("/opt/mwbatch/bin/mwbatch", COMMAND))
    return path


def test_it_is_understood(unit: Path) -> None:
    """Systemd finds nothing to say about it."""
    found = analyze("verify", str(unit))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_a_mistake_would_be_found(unit: Path) -> None:
    """A word that systemd does not know is found."""
    unit.write_text(unit.read_text().replace("UMask=", "UMaks="))
    assert "UMaks" in analyze("verify", str(unit)).stderr


def test_it_is_tight(unit: Path) -> None:
    """What is left open is what a server needs."""
    assert analyze("security", "--offline=true", f"--threshold={EXPOSURE}", str(unit)).returncode == 0


def test_the_receiver_lives_within_its_filters(tmp_path: Path) -> None:
    """No call that the receiver makes in its life is filtered, and no memory is writable and executable."""
    trace, port, stage = tmp_path / "trace", free_port(), Stage(tmp_path)
    words = ["strace", "-D", "-f", "-qq", "-o", str(trace), COMMAND, "serve-callbacks", "--port", str(port)]
    words += ["--admin-port", str(free_port())]
    with subprocess.Popen(words, env=stage.env, stderr=subprocess.PIPE) as traced:
        until(lambda: listens(port), 60)
        path = address.write("", keys_of(Home(stage.home)).newest, BATCH, RowNumber(0), Attempt(1))
        for body in (callback(), callback(), b"{"):
            assert post(port, request(path, body=body))
        traced.terminate()
        traced.communicate(timeout=60)
    calls = re.findall(r"^\d+ +(\w+)\((.*)$", trace.read_text(errors="replace"), re.MULTILINE)
    used = {name for name, _ in calls}
    assert {"fdatasync", "listen", "write"} <= used
    assert not used - allowed()
    assert not {"mount", "ptrace", "setrlimit", "setuid"} & allowed()
    assert not [words for name, words in calls if name == "mprotect" and "PROT_EXEC" in words]
    assert not [words for name, words in calls if name == "mmap" and "PROT_WRITE|PROT_EXEC" in words]


def post(port: int, raw: bytes) -> bytes:
    """Send a request; all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as opened:
        opened.sendall(raw)
        return b"".join(iter(lambda: opened.recv(65536), b""))


def allowed() -> set[str]:
    """The calls that the unit's filters let through."""
    calls: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", block("ini"), re.MULTILINE):
        named = {call for group in line.strip("~").split() for call in members(group)}
        calls = calls - named if line.startswith("~") else calls | named
    return calls | members("@default")


def members(group: str) -> set[str]:
    """The calls of a group, those of the groups in it included."""
    lines = [line.strip() for line in analyze("syscall-filter", group).stdout.splitlines()[1:]]
    names = {line for line in lines if line and not line.startswith("#")}
    return {call for name in names for call in (members(name) if name.startswith("@") else {name})}
