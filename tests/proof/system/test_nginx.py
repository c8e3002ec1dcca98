"""The documents' nginx configuration, with a real nginx in front of the real receiver."""

import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from mwbatch.core.api import address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.e2e.support.stage import Stage, until
from tests.proof.system.proxy import HOST, Proxy
from tests.proof.system.readme import logs
from tests.support.ports import free_port, listens
from tests.unit.callbacks.stage import BATCH, JSON, callback

pytestmark = pytest.mark.system

LIMIT: Final = 8 << 20


class Behind(Stage):
    """A receiver, and the nginx before it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        (folder / "nginx").mkdir()
        self.proxy = Proxy(folder / "nginx", self.port)

    def path(self, row: int = 0, prefix: str = "") -> str:
        """The path of a signed address."""
        return address.write(prefix, keys_of(Home(self.home)).newest, BATCH, RowNumber(row), Attempt(1))

    def stored(self) -> int:
        """How many lines are on disk."""
        return sum(path.read_bytes().count(b"\n") for path in self.home.rglob("*.jsonl"))

    def macs(self) -> list[str]:
        """What must stand in no log."""
        return [self.path(row).rpartition("/")[2] for row in range(10)]


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Behind]:
    """Both run."""
    stage = Behind(tmp_path)
    with stage.running("serve-callbacks", "--port", str(stage.port)), stage.proxy.running():
        until(lambda: listens(stage.port))
        yield stage


def test_the_way_through(behind: Behind) -> None:
    """Callbacks come through with any prefix, many on one connection,
    and nothing is written down on the way.
    """
    connection = behind.proxy.connect()
    for row, prefix in enumerate(["", "/hooks", "/team/a/b", ""]):
        connection.request("POST", behind.path(row, prefix), callback(f"t{row}"), JSON)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
    connection.close()
    assert behind.stored() == 4
    assert behind.proxy.post(behind.path()[:-1], callback()) == 404
    assert behind.proxy.post(behind.path(), b"{") == 400
    assert not [mac for mac in behind.macs() if mac in logs(behind.proxy.folder)]
    assert not (behind.proxy.folder / "access.log").read_bytes()


@pytest.mark.parametrize(
    ("ciphers", "taken"),
    [
        ("ECDHE+AESGCM", True),
        ("ECDHE+CHACHA20", True),
        ("ECDHE-ECDSA-AES128-SHA", False),
        ("ECDHE-ECDSA-AES256-SHA384", False),
    ],
)
def test_ciphers(behind: Behind, ciphers: str, taken: bool) -> None:
    """With TLS 1.2 only ciphers with forward secrecy and authentication in one are spoken;
    who has none of them gets no answer.
    """
    trust = behind.proxy.trust
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers(ciphers)
    if taken:
        assert behind.proxy.post(behind.path(), callback()) == 200
    else:
        with pytest.raises(ssl.SSLError):
            behind.proxy.post(behind.path(), callback())


def test_sizes(behind: Behind) -> None:
    """A body of 8 MiB comes through whole; one byte more is 413, and nothing of it is stored."""
    assert behind.proxy.post(behind.path(), callback().ljust(LIMIT)) == 200
    assert behind.stored() == 1
    connection = behind.proxy.connect()
    connection.putrequest("POST", behind.path(1))
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(LIMIT + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    assert behind.stored() == 1


def test_a_slow_client(behind: Behind) -> None:
    """A body that comes in drops does not reach the receiver before it is whole;
    one that stops is ended by nginx.
    """
    with raw(behind, 1, callback("t1")) as drops, raw(behind, 2, callback("t2")) as silent:
        for byte in callback("t1")[:-1]:
            drops.send(bytes([byte]))
            time.sleep(0.01)
            assert connections(behind.port) == 0
        drops.send(callback("t1")[-1:])
        assert drops.recv(65536).startswith(b"HTTP/1.1 200")
        assert connections(behind.port) > 0
        began = time.monotonic()
        assert ended(silent)
        assert time.monotonic() - began < 15
    assert behind.stored() == 1


def raw(behind: Behind, row: int, body: bytes) -> socket.socket:
    """A connection on which the head of a callback was sent, and none of its body."""
    plain = socket.create_connection(("127.0.0.1", behind.proxy.port), timeout=20)
    secured = behind.proxy.trust.wrap_socket(plain, server_hostname=HOST, suppress_ragged_eofs=True)
    head = f"POST {behind.path(row)} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n"
    secured.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode())
    return secured


def ended(opened: socket.socket) -> bool:
    """Whether the other end closes the connection, or breaks it off, without an answer."""
    try:
        return opened.recv(65536) == b""
    except ConnectionError:
        return True


def connections(port: int) -> int:
    """How many connections to a local port are established, as the kernel says."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(fields[1].endswith(f":{port:04X}") and fields[3] == "01" for fields in lines)


@pytest.mark.parametrize("quiet", [True, False])
def test_trouble_is_not_written_down(tmp_path: Path, quiet: bool) -> None:
    """Neither a receiver that is away nor a full disk of nginx writes an address down;
    without the line it would.
    """
    stage = Behind(tmp_path)
    stage.home.mkdir()
    if not quiet:
        stage.proxy.without("error_log")
    with stage.proxy.running():
        assert stage.proxy.post(stage.path(), callback()) == 502
        shutil.rmtree(stage.proxy.folder / "bodies")
        assert stage.proxy.post(stage.path(), callback().ljust(1 << 20)) == 500
        assert stage.proxy.post(stage.path(), callback().ljust(LIMIT + 1)) == 413
    assert any(mac in logs(stage.proxy.folder) for mac in stage.macs()) is not quiet
