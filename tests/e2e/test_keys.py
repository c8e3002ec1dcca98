"""Callback keys among real processes: a receiver that lives through rotations,
and hosts that share a key file.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mwbatch.core.api.address import Key, write
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.journal.keys.rotation import rotate
from tests.e2e.support.stage import Stage, until
from tests.support.ports import free_port, listens

BATCH = "b234567890"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A key file of its own, as several hosts share it."""
    path = tmp_path / "shared" / "keys.json"
    rotate(path, 0.0)
    return path


def post(base: str, key: Key, row: int) -> int:
    """Post an answer to the address of a row, as the API does; the status that comes back."""
    body = {"task_id": f"t{row}", "response": {"tags": []}, "task": {"status": "completed"}}
    url = write(base, key, BATCH, RowNumber(row), Attempt(1))
    asked = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(asked, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def stored(folder: Path) -> list[int]:
    """The row of every answer in the segments of a folder."""
    lines = [line for path in folder.glob("results/*.jsonl") for line in path.read_text().splitlines()]
    return sorted(json.loads(line)["row"] for line in lines)


def test_a_receiver_lives_through_rotation_and_retirement(tmp_path: Path) -> None:
    """While keys are rotated by others a receiver takes addresses of every key;
    one that is retired it refuses soon.
    """
    stage = Stage(tmp_path)
    home = Home(stage.home)
    old = keys_of(home).newest
    with stage.receiver() as base:
        rotations = [stage.start("keys", "rotate", "--json") for _ in range(2)]
        row = 0
        while any(rotation.poll() is None for rotation in rotations):
            assert post(base, old, row) == 200
            row += 1
        kids = {json.loads(rotation.communicate()[0])["kid"] for rotation in rotations}
        until(lambda: all(post(base, key, row + n) == 200 for n, key in enumerate(keys_of(home).live)), 5)
        assert {key.kid for key in keys_of(home).live} == {old.kid, *kids}
        row += 3
        newest = keys_of(home).newest
        assert stage.run("keys", "retire", old.kid).code == 0
        until(lambda: post(base, old, row + 1) == 404, 5)
        assert post(base, newest, row) == 200
    assert set(stored(stage.home / "inbox" / BATCH)) >= set(range(row - 3)) | {row}


@contextmanager
def host(stage: Stage, name: str, key_file: Path) -> Iterator[tuple[Path, str]]:
    """Another host: a receiver with a home of its own and the shared key file;
    gives its home and callback base.
    """
    port, home = free_port(), stage.folder / name
    started: subprocess.Popen[bytes] = stage.start(
        "serve-callbacks",
        *("--port", str(port)),
        MWBATCH_HOME=str(home),
        MWBATCH_CALLBACK_KEY_FILE=str(key_file),
    )
    try:
        until(lambda: listens(port))
        yield home, f"http://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.communicate(timeout=20)
    assert started.returncode == 143


def has_stored(rows: range, *folders: Path) -> bool:
    """Whether some folders together hold one answer for each of these rows."""
    return sorted(row for folder in folders for row in stored(folder)) == [*rows]


def test_hosts_that_share_a_key_file(stage: Stage, key_file: Path) -> None:
    """Answers that another host received, in its inbox or a copy of the batch,
    merge by copying segments together.
    """
    stage.env["MWBATCH_CALLBACK_KEY_FILE"] = str(key_file)
    rows, ours = 12, stage.home / "m"
    with host(stage, "away", key_file) as (away, base):
        submitted = stage.json("submit", stage.manifest(rows), "--callback-url", base)
        inbox, theirs = away / "inbox" / submitted["batch_id"], away / "m"
        until(lambda: len(stored(inbox)) == rows)
        assert stored(ours) == []
        shutil.copytree(ours, theirs)
        # The receiver looks now and then whether a batch is there by now: until it has,
        # the inbox takes callbacks.
        answered = rows
        while not stored(theirs):
            answered += rows
            stage.json("submit", stage.manifest(answered), "--callback-url", base)
            until(partial(has_stored, range(answered), inbox, theirs))
    assert not (away / "keys.json").exists()
    for folder in ("m/results", "inbox"):
        shutil.copytree(away / folder, stage.home / folder, dirs_exist_ok=True)
    found = stage.json("reconcile", "m", "--offline")
    assert (found["complete"], found["by_status"]["completed"], found["conflicts"]) == (True, answered, 0)
    assert set(stored(ours)) == set(range(answered))
    assert stored(stage.home / "inbox" / submitted["batch_id"]) == []
