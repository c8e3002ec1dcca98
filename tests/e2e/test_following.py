"""`results --follow` beside a receiver and a submitter that live and die."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from mwbatch.simulator import Settings
from tests.e2e.support.stage import KEY, Api, Stage, kill, until
from tests.support.ports import free_port, listens


@contextmanager
def half_sent(folder: Path) -> Iterator[tuple[Stage, str, int]]:
    """Five rows, of which three are pending, and a port for their receiver."""
    with Api(Settings(port=0, api_key=KEY, complete_after=(3600.0, 3600.0))) as api:
        stage, port = Stage(folder, api), free_port()
        base = f"http://127.0.0.1:{port}"
        sent = stage.run("submit", stage.manifest(5), "--callback-url", base, "--max-tasks", "3")
        assert sent.code == 3, sent.err
        yield stage, base, port


def complete(stage: Stage) -> None:
    """Let the workers answer whatever is pending."""
    assert stage.api is not None
    urlopen(Request(f"{stage.api.url}/_sim/complete", method="POST"), timeout=10).close()


def read(following: subprocess.Popen[bytes], count: int) -> set[int]:
    """The rows of the next lines."""
    assert following.stdout is not None
    return {json.loads(following.stdout.readline())["row"] for _ in range(count)}


def test_until_nothing_is_unfinished(tmp_path: Path) -> None:
    """Rows are printed as their callbacks are stored, by one receiver after another,
    and at the end it exits 0.
    """
    with half_sent(tmp_path) as (stage, base, port):
        following = stage.start("results", "m", "--follow")
        receiver = stage.start("serve-callbacks", "--port", str(port))
        until(lambda: listens(port))
        complete(stage)
        first = read(following, 3)
        kill(receiver)
        with stage.running("serve-callbacks", "--port", str(port)):
            until(lambda: listens(port))
            assert stage.run("resume", "m", "--callback-url", base, "--max-tasks", "5").code == 0
            complete(stage)
            assert first | read(following, 2) == set(range(5))
            out, err = following.communicate(timeout=20)
        assert (following.returncode, out) == (0, b""), err


def test_until_it_is_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends it with 0, as that is how one ends it; with --require-complete it says 3."""
    with half_sent(tmp_path) as (stage, _, port), stage.running("serve-callbacks", "--port", str(port)):
        until(lambda: listens(port))
        complete(stage)
        for words, code in (((), 0), (("--require-complete",), 3)):
            following = stage.start("results", "m", "--follow", *words)
            assert read(following, 3) == {0, 1, 2}
            following.send_signal(signal.SIGINT)
            assert following.wait(timeout=20) == code
            following.communicate()


def test_all_rows_cannot_be_followed(stage: Stage) -> None:
    """--follow and --all do not go together, and the message says so."""
    ran = stage.run("results", "m", "--follow", "--all")
    assert (ran.code, "--all" in ran.err) == (2, True)


def test_rows_that_are_lost_are_told_with_the_others(tmp_path: Path) -> None:
    """Where rows are lost the others are printed, or written,
    and who asked hears that answers are missing: exit 6.
    """
    with half_sent(tmp_path) as (stage, _, _):
        complete(stage)
        assert stage.run("reconcile", "m").code == 3
        (segment,) = (stage.home / "m" / "rows").glob("*.jsonl")
        first, _, rest = segment.read_text().partition("\n")
        segment.write_text(rest)
        assert '"row":0' in first
        for words in (("results", "m"), ("results", "m", "-o", str(tmp_path / "some.jsonl"))):
            ran = stage.run(*words)
            assert (ran.code, "1 row of batch m cannot be shown" in ran.err) == (6, True), ran.err
            there = ran.out or (tmp_path / "some.jsonl").read_text()
            assert [json.loads(line)["row"] for line in there.splitlines()] == [1, 2]
        assert "Traceback" not in ran.err
