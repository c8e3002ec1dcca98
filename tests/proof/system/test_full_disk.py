"""A disk that is really full: a file system of half a megabyte, in a name space of its own."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from mwbatch.core.api import address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.e2e.support.stage import COMMAND, Stage, until
from tests.support.ports import free_port
from tests.unit.callbacks.stage import BATCH, JSON, callback

pytestmark = pytest.mark.system

MOUNTED = 'mount -t tmpfs -o size=512k tmpfs "$MWBATCH_HOME" && exec "$@"'


def status(url: str, body: bytes | None = None) -> int:
    """The status of an answer; 0 while nobody listens."""
    try:
        with urlopen(Request(url, body, JSON), timeout=5) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except URLError:
        return 0


@contextmanager
def mounted(stage: Stage, *words: str) -> Iterator[int]:
    """A command whose home is a small file system that nobody else sees; gives its process id."""
    program = ["unshare", "-rm", "sh", "-c", MOUNTED, "sh", COMMAND, *words]
    with subprocess.Popen(program, env=stage.env, stderr=subprocess.PIPE) as started:
        try:
            yield started.pid
        finally:
            started.terminate()
            started.communicate(timeout=20)


def fill(path: Path) -> None:
    """Write until there is no space."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(os.urandom(4096))


def test_a_really_full_disk(tmp_path: Path) -> None:
    """503 and not ready while it is full, ready by itself within seconds of getting space, and 200 again."""
    stage, port, behind = Stage(tmp_path), free_port(), free_port()
    stage.home.mkdir()
    words = ("serve-callbacks", "--port", str(port), "--admin-port", str(behind))
    keys = keys_of(Home(tmp_path / "outside"))
    stage.env["MWBATCH_CALLBACK_KEY_FILE"] = str(tmp_path / "outside" / "keys.json")
    with mounted(stage, *words) as pid:
        ready, url = f"http://127.0.0.1:{behind}/readyz", f"http://127.0.0.1:{port}"
        until(lambda: status(ready) == 200)
        inside = Path(f"/proc/{pid}/root") / stage.home.relative_to("/")
        assert status(address.write(url, keys.newest, BATCH, RowNumber(0), Attempt(1)), callback()) == 200
        filler = inside / "filler"
        fill(filler)
        assert (
            status(
                address.write(url, keys.newest, BATCH, RowNumber(1), Attempt(1)), callback("t1").ljust(9000)
            )
            == 503
        )
        with pytest.raises(HTTPError) as told:
            urlopen(ready, timeout=5)
        assert json.load(told.value) == {"ready": False, "reason": "disk_full"}
        filler.unlink()
        until(lambda: status(ready) == 200, 15)
        assert (
            sorted(path.name for path in inside.rglob("*") if path.is_file() and "space" in path.name) == []
        )
        assert (
            status(
                address.write(url, keys.newest, BATCH, RowNumber(1), Attempt(1)), callback("t1").ljust(9000)
            )
            == 200
        )
        lines = [line for path in inside.rglob("*.jsonl") for line in path.read_bytes().splitlines()]
    assert len(lines) == 2
