"""Whatever dies at whatever moment: no row is paid twice, and every row has exactly one status."""

import random
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.e2e.support.stage import Stage, kill, until
from tests.support.ports import free_port, listens

ROWS = 60


def created(stage: Stage) -> int:
    """How many tasks the simulator has made so far, for whomever."""
    assert stage.api is not None
    count: int = stage.api.get("/_sim/stats")["created"]
    return count


def more(stage: Stage, submitter: subprocess.Popen[bytes]) -> None:
    """Wait until a submitter has created some more tasks."""
    before = created(stage)
    until(lambda: created(stage) > before + 5 or submitter.poll() is not None)


def check(stage: Stage, report: dict[str, Any]) -> None:
    """No row was paid twice, and no row without a task is called anything but planned or in doubt."""
    assert stage.api is not None
    tasks = stage.api.creations(report["batch_id"])
    assert set(tasks.values()) <= {1}
    counts = report["by_status"]
    assert sum(counts.values()) == report["rows"]
    assert counts["pending"] + counts["completed"] <= len(tasks)


def finish(stage: Stage) -> dict[str, Any]:
    """Resume until every row has a task, then fetch every answer."""
    until(lambda: stage.run("resume", "m", "--settle", "0.2").code == 0, 60)
    assert stage.run("reconcile", "m", "--wait", "--every", "0.2", "--for", "20").code == 0
    report: dict[str, Any] = stage.json("status", "m")
    return report


@pytest.mark.parametrize("moment", [0, 1, 36])
def test_kill_the_submitter(slow: Stage, moment: int) -> None:
    """After kill -9 of the submitter, another submit or resume ends with each row paid once."""
    name, before = slow.manifest(ROWS), created(slow)
    submitter = slow.start("submit", name, "--callback-url", "none", "--concurrency", "8", "--yes")
    until(lambda: created(slow) - before >= moment and (slow.home / "m" / "journal").exists())
    time.sleep(random.Random(moment).uniform(0, 0.1))
    kill(submitter)
    check(slow, slow.json("status", "m"))
    if moment % 4:
        slow.run("submit", name, "--yes", "--settle", "0.2")
    report = finish(slow)
    check(slow, report)
    assert (report["complete"], report["by_status"]["completed"]) == (True, ROWS)


def test_kill_it_again(slow: Stage) -> None:
    """A submitter that is killed twice in a row still pays no row twice."""
    words = ("submit", slow.manifest(ROWS), "--callback-url", "none", "--concurrency", "4", "--settle", "0.2")
    for _ in range(2):
        submitter = slow.start(*words, "--yes")
        more(slow, submitter)
        kill(submitter)
        check(slow, slow.json("status", "m"))
    report = finish(slow)
    check(slow, report)
    assert report["complete"]


@pytest.mark.parametrize("moment", [1, 30])
def test_kill_the_receiver(slow: Stage, moment: int) -> None:
    """What a receiver acknowledged before kill -9 is on disk, and what it missed is fetched."""
    port, before = free_port(), created(slow)
    receiver = slow.start("serve-callbacks", "--port", str(port))
    until(lambda: listens(port))
    base = f"http://127.0.0.1:{port}"
    words = ("submit", slow.manifest(ROWS), "--callback-url", base, "--concurrency", "16", "--yes")
    with slow.running(*words) as submitter:
        until(lambda: created(slow) - before >= moment)
        kill(receiver)
        assert submitter.wait(30) == 0
    assert slow.api is not None
    report = slow.json("status", "m")
    assert report["by_status"]["completed"] >= acknowledged(slow, report["batch_id"])
    report = finish(slow)
    check(slow, report)
    assert report["by_status"]["completed"] == ROWS


def acknowledged(stage: Stage, batch_id: str) -> int:
    """How many rows of a batch had a callback answered 2xx."""
    assert stage.api is not None
    ledger = stage.api.get("/_sim/ledger")
    return sum(
        any(task["acknowledged"] for task in tasks) for url, tasks in ledger.items() if f"/{batch_id}/" in url
    )


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_asked_once(slow: Stage, sent: signal.Signals, code: int) -> None:
    """The first signal starts nothing more and finishes what is in flight: no row is in doubt."""
    before = created(slow)
    submitter = slow.start(
        "submit", slow.manifest(ROWS), "--callback-url", "none", "--concurrency", "4", "-y"
    )
    until(lambda: created(slow) - before >= 20)
    submitter.send_signal(sent)
    _, err = submitter.communicate(timeout=20)
    assert submitter.returncode == code
    assert b"stopping" in err
    counts = slow.json("status", "m")["by_status"]
    assert (counts["doubt"], counts["planned"] > 0) == (0, True)
    assert counts["pending"] + counts["completed"] == created(slow) - before


def test_asked_twice(stuck: Stage) -> None:
    """The second signal ends the process at once, though the API has not answered."""
    before = created(stuck)
    submitter = stuck.start("submit", stuck.manifest(4), "--callback-url", "none")
    until(lambda: created(stuck) > before)
    submitter.send_signal(signal.SIGINT)
    assert submitter.stderr is not None
    while b"stopping" not in submitter.stderr.readline():
        assert submitter.poll() is None
    submitter.send_signal(signal.SIGINT)
    _, err = submitter.communicate(timeout=3)
    assert submitter.returncode == 130
    assert b"stopped at once" in err
    assert b"Traceback" not in err
    assert stuck.json("status", "m")["by_status"]["planned"] == 4 - (created(stuck) - before)
