"""Callbacks that do not fit, from the socket to the report: by the real receiver,
and the real commands after it.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mwbatch.callbacks.storing.routing import REFRESH
from mwbatch.core.api import address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.e2e.support.stage import ADDRESS, Stage, until
from tests.support.ports import free_port, listens


def post(url: str, body: Any) -> int:
    """Post a callback; the status of the answer. Bytes are posted as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urlopen(Request(url, raw, {"Content-Type": "application/json"}), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def submitted(stage: Stage, rows: int, base: str) -> dict[int, tuple[str, str]]:
    """Submit a batch `m`; address and task id of each row."""
    assert stage.run("submit", stage.manifest(rows), "--callback-url", base).code == 0
    assert stage.api is not None
    batch_id = batch_of(stage)
    return {
        int(found[2]): (url, tasks[0]["task_id"] if isinstance(tasks[0], dict) else tasks[0])
        for url, tasks in stage.api.get("/_sim/ledger").items()
        if (found := ADDRESS.search(url)) and found[1] == batch_id
    }


def batch_of(stage: Stage) -> str:
    """The id of the batch."""
    return Home(stage.home).find("m").info.batch_id


def rejects(stage: Stage) -> int:
    """How many rejects are on disk, wherever they are."""
    return sum(path.read_bytes().count(b"\n") for path in stage.home.rglob("rejects/*.jsonl"))


def answered(task_id: str, **task: str) -> dict[str, Any]:
    """The callback of a completed task."""
    return {"task_id": task_id, "response": {"tags": []}, "task": {"status": "completed"} | task}


def listed(stage: Stage, what: str) -> list[dict[str, Any]]:
    """One of the lists of `reconcile`."""
    (items,) = stage.json("reconcile", "m", "--list", what).values()
    return list(items)


def offline(stage: Stage, code: int) -> dict[str, Any]:
    """Reconcile without a request; it must end with ``code``."""
    return dict(stage.json("reconcile", "m", "--offline", code=code))


def test_a_body_that_cannot_be_taken(patient: Stage) -> None:
    """It is 400, counted by `status` and `reconcile`, and listed without a mac;
    the batch is neither better nor worse.
    """
    with patient.receiver() as base:
        tasks = submitted(patient, 2, base)
        url, task = tasks[0]
        cut = json.dumps(answered(task, callback_url=url)).encode()[:-1]
        assert [post(url, cut), post(url, cut), post(url, b"\x1b[2J\xff"), post(tasks[1][0], {})] == [400] * 4
    assert rejects(patient) == 3
    status = patient.run("status", "m", "--json")
    assert (status.code, status.json["rejected_callbacks"], status.json["by_status"]["pending"]) == (0, 3, 2)
    assert "bad callbacks" in status.err
    assert "--list unusable    # see the 3 callbacks that did not fit" in status.err
    found = offline(patient, 3)
    assert (found["rejected_callbacks"], found["damaged_lines"]) == (3, 0)
    items = listed(patient, "rejected")
    assert [(one["row"], one["reason"], one["size"]) for one in items] == [
        (0, "not_json", len(cut)),
        (0, "not_json", 5),
        (1, "not_task", 2),
    ]
    assert [one["begins"] for one in items[1:]] == ["\\x1b[2J\\xff", "{}"]
    assert url[-32:] not in json.dumps(items)


def test_a_task_that_is_not_the_one_recorded(patient: Stage) -> None:
    """It is stored, told once by the receiver, and believed of nothing but its row's answer: no surplus,
    and counted.
    """
    port = free_port()
    receiver = patient.start("serve-callbacks", "--port", str(port))
    until(lambda: listens(port))
    url, made = submitted(patient, 1, f"http://127.0.0.1:{port}")[0]
    codes = [post(url, answered(task)) for task in ("stray", "stray", "second")]
    said = b""
    assert receiver.stderr is not None
    while b"not the one recorded" not in said:
        said += receiver.stderr.readline()
    receiver.terminate()
    said += receiver.communicate(timeout=20)[1]
    assert codes == [200] * 3
    assert said.count(b"not the one recorded") == 1
    assert url[-32:].encode() not in said
    status = patient.run("status", "m", "--json")
    assert (status.code, status.json["by_status"]["completed"], status.json["surplus"]) == (0, 1, 0)
    assert "by callback only" in status.err
    assert offline(patient, 0)["by_callback_only"] == 1
    assert json.loads(patient.run("results", "m").out)["task_id"] == "second"
    with patient.receiver() as base:
        assert post(base + url[url.index("/callbacks/") :], answered(made)) == 200
    assert offline(patient, 0)["by_callback_only"] == 0
    assert json.loads(patient.run("results", "m").out)["task_id"] == made


def test_a_row_that_the_batch_does_not_have(patient: Stage) -> None:
    """Its task is stored, counted as unknown and listed; no row changes,
    and the next step says where to look.
    """
    with patient.receiver() as base:
        url, task = submitted(patient, 1, base)[0]
        beyond = address.write(
            base, keys_of(Home(patient.home)).newest, batch_of(patient), RowNumber(99), Attempt(1)
        )
        assert [post(beyond, answered("nobody")), post(url, answered(task))] == [200, 200]
    status = patient.run("status", "m", "--json")
    assert (status.json["rows"], status.json["unknown_tasks"], status.json["surplus"]) == (1, 1, 0)
    assert (status.json["complete"], "--list unknown" in status.err) == (True, True)
    assert offline(patient, 0)["unknown_tasks"] == 1
    assert [(one["row"], one["task_id"]) for one in listed(patient, "unknown")] == [(99, "nobody")]


def test_a_delivery_that_went_astray(patient: Stage) -> None:
    """A task posted to another row's address is the answer of its own row, and not of the other;
    it is reported.
    """
    with patient.receiver() as base:
        tasks = submitted(patient, 2, base)
        (right, task), (wrong, _) = tasks[0], tasks[1]
        assert post(wrong, answered(task, callback_url=right)) == 200
    found = offline(patient, 3)
    assert (found["by_status"]["completed"], found["by_status"]["pending"], found["surplus"]) == (1, 1, 0)
    assert found["rejected_callbacks"] == 1
    assert [(one["row"], one["reason"]) for one in listed(patient, "rejected")] == [(1, "other_address")]
    assert json.loads(patient.run("results", "m").out)["row"] == 0


def test_callbacks_come_before_the_batch(patient: Stage, tmp_path: Path) -> None:
    """What a receiver on another host stored for a batch that it did not
    know is taken in once the batch is there.
    """
    patient.env["MWBATCH_CALLBACK_KEY_FILE"] = str(tmp_path / "keys.json")
    there = Stage(
        tmp_path / "there", patient.api, patient.env | {"MWBATCH_HOME": str(tmp_path / "there/home")}
    )
    there.folder.mkdir()
    with there.receiver() as base:
        tasks = submitted(patient, 4, base)
        canceled = {"task_id": tasks[1][1], "task": {"status": "canceled"}}
        bodies = [answered(tasks[0][1]), canceled, b"{", answered(tasks[0][1])]
        assert [post(tasks[row][0], body) for row, body in zip((0, 1, 2, 0), bodies, strict=True)] == [
            200,
            200,
            400,
            200,
        ]
        until(lambda: rejects(there) == 1)
        shutil.copytree(patient.home / "m", there.home / "m")
        segments = list(there.home.glob("inbox/*/*/*.jsonl"))
        first, again = offline(there, 3), offline(there, 3)
        assert (first["taken_in"], again["taken_in"], first["rejected_callbacks"]) == (2, 0, 1)
        assert len(segments) == 3
        assert all(path.exists() for path in segments)
        time.sleep(REFRESH)
        assert post(tasks[3][0], answered(tasks[3][1])) == 200
    last = offline(there, 3)
    assert (last["taken_in"], last["rejected_callbacks"]) == (0, 1)
    assert last["by_status"] == {
        "planned": 0,
        "doubt": 0,
        "pending": 2,  # the API has to say itself that a task is canceled
        "completed": 2,
        "canceled": 0,
        "rejected": 0,
    }
    assert not list(there.home.glob("inbox/*/*/*.jsonl"))
    assert lines(there, "results") == 2
    assert lines(there, "journal", b'"canceled"') == 1


def test_a_damaged_inbox(patient: Stage) -> None:
    """A damaged line of the inbox is reported with exit 6 and listed; the file stays,
    and what is whole is taken in once.
    """
    tasks = submitted(patient, 3, "none")
    aside = patient.folder / "aside"
    (patient.home / "m").rename(aside)
    with patient.receiver() as base:
        for url, task in tasks.values():
            assert post(base + url[url.index("/callbacks/") :], answered(task)) == 200
    aside.rename(patient.home / "m")
    [segment] = patient.home.glob("inbox/*/results/*.jsonl")
    text = segment.read_bytes()
    segment.write_bytes(text[:30] + b"#" + text[31:])
    damaged = segment.read_bytes()
    for taken in (2, 0):
        found = offline(patient, 6)
        assert (found["taken_in"], found["damaged_lines"], found["by_status"]["completed"]) == (taken, 1, 2)
    assert [one["file"] for one in listed(patient, "damaged")] == [str(segment)]
    assert segment.read_bytes() == damaged


def lines(stage: Stage, folder: str, word: bytes = b"") -> int:
    """How many lines of a folder of the batch hold a word."""
    paths = stage.home.glob(f"m/{folder}/*.jsonl")
    return sum(word in line for path in paths for line in path.read_bytes().splitlines())
