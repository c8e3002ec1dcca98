"""What must stay secret: whoever has the key spends money, whoever has an address forges an answer."""

import json
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from mwbatch.core.api.address import write
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.simulator import Settings
from tests.e2e.support.leaks import files, leaks, of_key, titles
from tests.e2e.support.quoting import STYLES, Quoting
from tests.e2e.support.stage import ADDRESS, KEY, Stage, until
from tests.support.ports import free_port, listens

WRONG: str = "sk_live_wrong-and-secret"
ROWS = 2 * len(STYLES)

ACTING = (
    "validate {m}",
    "submit {m} --callback-url {base} --dry-run",
    "submit {m} --callback-url {base} --settle 0.2 --keep-going",
    "resume m --settle 0.2",
    "retry m --id r1 --id r2 --settle 0.2 --keep-going",
    "reconcile {m} --settle 0.2 --wait --every 0.2 --for 5",
    "run {more} --callback-url {base}/x --port 0 --poll 0.2 --settle 0.2",
    "tasks cancel {task}",
)
"""What acts, in this order. A command that is new stands here or in `LOOKING`, and is searched."""

LOOKING = (
    *("status", "status m", "status m --rows rejected", "status m --rows completed", "status nothing"),
    *("results m --all", "results more --all", "reconcile m --offline"),
    *(f"reconcile m --list {what}" for what in ("surplus", "conflicts", "unknown", "damaged")),
    *("tasks list --limit 50", "tasks get {task}", "tasks list --status quote", "tasks get quote"),
    *("reconcile m --base-url http://127.0.0.1:1", "resume m --base-url http://me:pw@127.0.0.1"),
)
"""What only looks: in any order."""


@dataclass
class Show:
    """A stage on which everything that is shown is noted."""

    stage: Stage
    shown: dict[str, str | bytes] = field(default_factory=dict)

    def run(self, words: str, api_key: str = KEY) -> str:
        """Run a command that says all it can, its words on standard error and its JSON on standard output."""
        form = ("text", "json")[len(self.shown) // 2 % 2]
        ran = self.stage.run(
            *words.split(), "-v", "--json", MICROWORK_API_KEY=api_key, MWBATCH_LOG_FORMAT=form
        )
        self.shown |= {f"{words}: out": ran.out, f"{words}: err": ran.err}
        return ran.out

    def ended(self, words: str, process: subprocess.Popen[bytes]) -> None:
        """Wait for a command that was started, and note what it printed."""
        out, err = process.communicate(timeout=60)
        self.shown |= {f"{words}: out": out, f"{words}: err": err}


@pytest.fixture(scope="module")
def quoting() -> Iterator[Quoting]:
    """An API that quotes what it was sent."""
    with Quoting(Settings(port=0, api_key=KEY, complete_after=(0.0, 0.1))) as api:
        yield api


@pytest.mark.timeout(300)
def test_nothing_shown_is_secret(quoting: Quoting, tmp_path: Path) -> None:
    """In a full run before an API that quotes all it gets, nothing that is printed,
    logged or exported shows a secret.
    """
    show = Show(Stage(tmp_path, quoting))
    stage, port = show.stage, free_port()
    away = stage.start("tasks", "list", "-v", "--base-url", f"http://127.0.0.1:{free_port()}")
    receiver = stage.start("serve-callbacks", "--port", str(port), "-v", "--log-format", "json")
    until(lambda: listens(port))
    show.shown |= titles(receiver.pid) | titles(away.pid)
    names = {
        "m": stage.manifest(ROWS),
        "more": stage.manifest(3, "more.csv", 100),
        "base": f"http://127.0.0.1:{port}",
    }
    act(show, names)
    attack(show, port)
    look(show, names)
    receiver.terminate()
    show.ended("serve-callbacks", receiver)
    show.ended("unreachable", away)
    show.shown |= files(stage.home, segments=False)
    assert provoked(show)
    assert leaks(show.shown, [*of_key(KEY), *of_key(WRONG), *macs(stage)]) == []
    assert leaks({**show.shown, "keys.json": ""}, callback_keys(stage)) == []
    assert leaks(files(stage.home, segments=True), [*of_key(KEY), *of_key(WRONG)]) == []


def act(show: Show, names: dict[str, str]) -> None:
    """Run what acts."""
    for words in ACTING:
        if "{task}" in words:
            names["task"] = json.loads(show.run("tasks list --limit 1"))["task_id"]
        show.run(words.format(**names))
    show.run("submit {more} --callback-url none --batch wrong".format(**names), WRONG)


def look(show: Show, names: dict[str, str]) -> None:
    """Run what only looks."""
    with ThreadPoolExecutor(2) as run_all:
        list(run_all.map(show.run, [words.format(**names) for words in LOOKING]))


def attack(show: Show, port: int) -> None:
    """Post what no API would post to addresses that are ours, and damage a segment with one of them."""
    home = Home(show.stage.home)
    ref = home.find("m")
    folder, info = Path(ref.where), ref.info
    key, base = keys_of(home).newest, f"http://127.0.0.1:{port}"
    for row in (0, 5, 999):
        path = urlsplit(write(base, key, info.batch_id, RowNumber(row), Attempt(1))).path
        for number, raw in enumerate(hostile(path)):
            show.shown[f"answer {number} to row {row}"] = posted(port, raw)
    segment = max((folder / "journal").glob("*.jsonl"), key=lambda found: found.stat().st_size)
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(
        b"".join(
            [
                *lines[:1],
                write(base, key, info.batch_id, RowNumber(3), Attempt(1)).encode(),
                b"\n",
                *lines[1:],
            ]
        )
    )


def hostile(path: str) -> list[bytes]:
    """Requests to an address: refused ones, and answers that contradict others or belong to no row."""
    callback = json.dumps({"task_id": "t-" + path[-4:], "response": {"tags": [], "see": f"http://x{path}"}})
    contrary = json.dumps(
        {"task_id": "t-" + path[-4:], "response": path, "task": {"task_id": "other", "status": path}}
    )
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    bodies = [
        f"{head}Content-Length: {len(body)}\r\n\r\n{body}"
        for body in (callback, contrary, "{", "[]", f'"{path}"')
    ]
    others = [
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        f"POST {path}/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        f"POST {quote(path, safe='')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        f"rubbish {path}\r\n\r\n",
        f"{head}Bad {path}: x\r\n\r\n",
        f"{head}Content-Encoding: {path}\r\nContent-Length: 0\r\n\r\n",
        f"{head}Expect: {path}\r\nContent-Length: 0\r\n\r\n",
        f"{head}Transfer-Encoding: chunked\r\n\r\n{path}\r\n",
        f"{head}Content-Length: 9\r\n\r\n",
    ]
    return [raw.encode() for raw in (*bodies, *others)]


def posted(port: int, raw: bytes) -> bytes:
    """Send raw bytes; what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def provoked(show: Show) -> bool:
    """Whether there was something to leak: refusals that quote us, doubt, conflicts, unknown tasks,
    damage, strangers.
    """
    said = "\n".join(t if isinstance(t, str) else t.decode("utf-8", "replace") for t in show.shown.values())
    for words in (
        "cannot call",
        "no: Basic ***",
        "the API key is wrong",
        "in doubt",
        "/***",
        "no connection",
    ):
        assert words in said, words
    for what in ("conflicts", "unknown", "damaged"):
        (listed,) = json.loads(show.shown[f"reconcile m --list {what}: out"]).values()
        assert listed, what
    return True


def test_the_key_is_never_on_disk(patient: Stage) -> None:
    """No file of the home holds the API key, and none of them is open to other users."""
    patient.run("submit", patient.manifest(5), "--callback-url", "none")
    paths = [path for path in patient.home.rglob("*") if path.is_file()]
    assert not leaks(files(patient.home, segments=True), of_key(KEY))
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}
    assert patient.home.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "disguise",
    [
        "{}",
        "x{}y",
        json.dumps("/{}/"),
    ],
)
def test_what_is_disguised_is_found(disguise: str) -> None:
    """The search finds a secret in any case, escaped or not, and names the place alone."""
    for secret in (KEY, "0123456789abcdef" * 2):
        text = disguise.format(secret)
        for shown in (
            text,
            text.upper(),
            quote(text, safe=""),
            quote(quote(text)),
            text.replace("-", "\\-"),
            text.encode(),
        ):
            assert leaks({"here": shown, "there": "nothing"}, [secret]) == ["here"]
    assert leaks({"here": "Basic " + "c2tfbGl2ZV9kby1ub3QtcHJpbnQtbWU6"}, of_key(KEY)) == ["here"]


def macs(stage: Stage) -> list[str]:
    """The mac of every address that the simulator was ever given."""
    assert stage.api is not None
    found = [match[4] for url in stage.api.get("/_sim/ledger") if (match := ADDRESS.search(url))]
    assert found
    return found


def callback_keys(stage: Stage) -> list[str]:
    """What signs addresses."""
    return [key.secret.hex() for key in keys_of(Home(stage.home)).live]
