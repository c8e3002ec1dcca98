"""The receiver as an operator meets it: the real process, asked whether it is well, told to end,
and its log.
"""

import json
import signal
import socket
import time
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mwbatch.callbacks.common.limits import LIMITS
from mwbatch.core.api import address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.e2e.support.stage import COMMAND, Stage, until
from tests.support.ports import free_port, listens
from tests.unit.callbacks.stage import BATCH, callback, request, status

READY: Final = {"ready": True}


def admin(port: int, page: str = "/readyz") -> Any:
    """What the admin port says; None while nobody listens."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{page}", timeout=5) as answer:
            return json.load(answer)
    except HTTPError as error:
        return json.load(error)
    except URLError:
        return None


def held(port: int) -> float:
    """How many bytes of bodies the receiver holds, or waits for."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        [held] = [family.samples[0].value for family in families if family.name == "mwbatch_held_bytes"]
        return held


def path(stage: Stage, row: int = 0) -> str:
    """The path of an address that the receiver's own key signed."""
    return address.write("", keys_of(Home(stage.home)).newest, BATCH, RowNumber(row), Attempt(1))


def kept(path: str, body: bytes) -> bytes:
    """A request that wants the connection to be kept."""
    return request(path, body=body).replace(b"Connection: close\r\n", b"")


def connect(port: int, raw: bytes) -> socket.socket:
    """Open a connection and say something."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=5)
    opened.sendall(raw)
    return opened


def rest(opened: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    with opened:
        return b"".join(iter(lambda: opened.recv(65536), b""))


def test_a_graceful_end(tmp_path: Path) -> None:
    """On SIGTERM half a request may still become a whole one and is answered;
    what idles and what is new is not served.
    """
    stage, port, behind = Stage(tmp_path), free_port(), free_port()
    with stage.running("serve-callbacks", "--port", str(port), "--admin-port", str(behind)) as receiver:
        until(lambda: admin(behind) == READY)
        idle = connect(port, kept(path(stage, 1), callback("t1")))
        assert status(idle.recv(65536)) == 200
        whole = kept(path(stage, 2), callback("t2"))
        half = connect(port, whole[:-10])
        until(lambda: held(behind))
        receiver.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        assert rest(idle) == b""
        until(lambda: not listens(port))
        assert admin(behind) == {"ready": False, "reason": "shutting_down"}
        assert receiver.poll() is None
        half.sendall(whole[-10:])
        answer = rest(half)
        assert status(answer) == 200
        assert b"Connection: close" in answer
        assert receiver.wait(LIMITS.shutdown_seconds) == 143
        assert time.monotonic() - asked < LIMITS.shutdown_seconds
    lines = [line for file in stage.home.rglob("*.jsonl") for line in file.read_bytes().splitlines()]
    assert len(lines) == 2


@pytest.mark.parametrize("nohup", [False, True])
def test_the_terminal_goes(tmp_path: Path, nohup: bool) -> None:
    """When its terminal goes a receiver ends as well as on SIGTERM; one that was begun with nohup goes on."""
    stage, port = Stage(tmp_path), free_port()
    command = ("nohup", COMMAND) if nohup else (COMMAND,)
    receiver = stage.start("serve-callbacks", "--port", str(port), command=command)
    try:
        until(lambda: listens(port))
        receiver.send_signal(signal.SIGHUP)
        if nohup:
            assert status(rest(connect(port, request(path(stage), body=callback())))) == 200
            receiver.terminate()
        err = receiver.communicate(timeout=20)[1].decode()
        assert receiver.returncode == 143
        assert "received " in err.splitlines()[-1]
    finally:
        receiver.kill()
        receiver.communicate()


def test_a_log_of_warnings(tmp_path: Path) -> None:
    """A service that goes well writes nothing after its start, also when it has received; with -v it does."""
    stage, ports = Stage(tmp_path), [free_port(), free_port()]
    quiet = stage.start("serve-callbacks", "--port", str(ports[0]))
    until(lambda: listens(ports[0]))  # so that its ten seconds are over first
    verbose = stage.start("serve-callbacks", "--port", str(ports[1]), "-v")
    until(lambda: all(map(listens, ports)))
    for port in ports:
        assert status(rest(connect(port, request(path(stage), body=callback())))) == 200
    told: list[str] = []
    assert verbose.stderr is not None
    while not told or not told[-1].startswith("received: "):  # a line every ten seconds
        told.append(verbose.stderr.readline().decode())
    for receiver in (quiet, verbose):
        receiver.terminate()
    lines = quiet.communicate(timeout=20)[1].decode().splitlines()
    verbose.communicate(timeout=20)
    assert not [line for line in lines if line.startswith("received: ")]


def said(stage: Stage, *words: str, **env: str) -> tuple[str, list[str]]:
    """What a receiver says in its life: to pipes and, line by line, to people."""
    port = free_port()
    receiver = stage.start("serve-callbacks", "--port", str(port), *words, **env)
    until(lambda: listens(port))
    for raw in (
        request(path(stage), body=callback()),
        request(path(stage), body=callback()),
        request(path(stage), body=b"{"),
        request("/else"),
    ):
        rest(connect(port, raw))
    receiver.terminate()
    out, err = receiver.communicate(timeout=20)
    assert receiver.returncode == 143
    assert path(stage).rpartition("/")[2] not in out.decode() + err.decode()
    return out.decode(), err.decode().splitlines()


def test_the_log_as_text(tmp_path: Path) -> None:
    """The first line names the home, one says where it listens, and the last what it did."""
    out, lines = said(Stage(tmp_path))
    assert out == ""
    assert lines[0].startswith("home: ")
    assert any(line.startswith("receiving callbacks at http://127.0.0.1:") for line in lines)
    assert lines[-1] == (
        "received 2 callbacks: 1 stored, 1 repeated, 2 for batches that are not here; "
        "not answered 200: 1 not_json, 1 unknown"
    )


def test_the_log_as_json_lines(tmp_path: Path) -> None:
    """In JSON every line is an object with the same four fields, what is for people too;
    --json adds the counts.
    """
    out, lines = said(Stage(tmp_path), "-v", "--json", MWBATCH_LOG_FORMAT="json")
    events = [json.loads(line) for line in lines]
    counts = json.loads(out)
    assert (counts["received"], counts["stored"], counts["inbox"]) == (2, 1, 2)
    assert counts["rejected"] == {"not_json": 1, "unknown": 1}
    assert {tuple(event) for event in events} == {("at", "level", "logger", "message")}
    messages = [event["message"] for event in events]
    assert any(message.startswith("receiving callbacks at ") for message in messages)
    assert any("not here: its callbacks go to the inbox" in message for message in messages)
    assert messages[-1].startswith("received 2 callbacks: 1 stored")


def test_an_error_among_json_lines(tmp_path: Path) -> None:
    """The sentence with which a command fails is an object, too, where lines are JSON."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = Stage(tmp_path).run(
            "serve-callbacks", "--admin-port", port, "--port", "0", "--log-format", "json"
        )
    assert ran.code == 2
    last = json.loads(ran.err.splitlines()[-1])
    assert (last["level"], "--admin-port" in last["message"]) == ("ERROR", True)


def test_run_has_an_admin_port(patient: Stage) -> None:
    """`run` can be asked as well, and says where."""
    behind = free_port()
    words = ("run", patient.manifest(2), "--port", "0", "--admin-port", str(behind), "--callback-url", "none")
    with patient.running(*words) as run:
        until(lambda: admin(behind) == READY)
        for page in ("/healthz", "/metrics"):
            with urlopen(f"http://127.0.0.1:{behind}{page}", timeout=5) as answer:
                assert answer.status == 200
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 143
    assert f"health and metrics at http://127.0.0.1:{behind}" in err.decode()


def test_a_file_that_is_removed_under_it(tmp_path: Path) -> None:
    """A receiver whose file was removed under it answers 503, says so, writes another one, and goes on."""
    stage, port = Stage(tmp_path), free_port()
    receiver = stage.start("serve-callbacks", "--port", str(port))
    until(lambda: listens(port))
    assert status(rest(connect(port, request(path(stage), body=callback())))) == 200
    for segment in stage.home.rglob("*.jsonl"):
        segment.unlink()
    for code in (503, 200):
        assert status(rest(connect(port, request(path(stage), body=callback("t2"))))) == code
    receiver.terminate()
    _, err = receiver.communicate(timeout=20)
    assert receiver.returncode == 143
    assert "was removed or moved while it was being written" in err.decode()
    assert err.decode().splitlines()[-1] == (
        "received 2 callbacks: 2 stored, 0 repeated, 2 for batches that are not here; not answered "
        "200: 1 broken"
    )
