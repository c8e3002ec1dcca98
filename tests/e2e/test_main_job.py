"""What the README shows: simulate, receive, submit, look, and take the answers home."""

import gzip
import json
import signal
import subprocess
from pathlib import Path

from tests.e2e.support.stage import ADDRESS, COMMAND, ROOT, Ran, Stage, until
from tests.support.ports import free_port, listens

REPORT = {
    "batch",
    "batch_id",
    "home",
    "rows",
    "by_status",
    "in_flight",
    "surplus",
    "conflicts",
    "unknown_tasks",
    "damaged_lines",
    "by_callback_only",
    "complete",
    "rejected_callbacks",
    "limits",
    "spent",
}
STATUSES = {"planned", "doubt", "pending", "completed", "canceled", "rejected"}
LINE = {
    "batch",
    "row",
    "id",
    "task_id",
    "type",
    "status",
    "created_at",
    "completed_at",
    "received_at",
    "via",
    "request",
    "columns",
    "response",
}


def lines(ran: Ran) -> list[dict[str, object]]:
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def test_three_processes(tmp_path: Path) -> None:
    """Simulator, receiver and submitter, each a process, bring every answer home by callback."""
    port, stage = free_port(), Stage(tmp_path)
    with stage.running("simulate", "--port", str(port), "--complete-after", "0", "0.3") as simulator:
        until(lambda: listens(port))
        assert simulator.stdout is not None
        exports = [simulator.stdout.readline().decode().strip() for _ in range(2)]
        stage.env |= dict(line.removeprefix("export ").split("=", 1) for line in exports)
        with stage.receiver() as base:
            assert stage.run("submit", stage.manifest(30), "--callback-url", base).code == 0
            until(lambda: stage.json("status", "m")["complete"])
    assert [(line["row"], line["via"]) for line in lines(stage.run("results", "m"))] == [
        (row, "callback") for row in range(30)
    ]
    assert simulator.returncode == 128 + signal.SIGTERM


def test_run_does_it_all(stage: Stage) -> None:
    """`run` creates, receives and ends complete; each row has one task,
    and the objects have the promised keys.
    """
    ran = stage.json("run", stage.manifest(40), "--port", "0")
    assert set(ran) >= REPORT
    assert set(ran["by_status"]) == STATUSES
    assert (ran["complete"], ran["by_status"]["completed"], ran["home"]) == (True, 40, str(stage.home))
    assert stage.api is not None
    assert stage.api.creations(ran["batch_id"]) == dict.fromkeys(range(40), 1)
    assert not (stage.home / "inbox").exists()
    assert set(stage.json("status", "m")) == REPORT
    assert set(stage.json("reconcile", "m")) >= REPORT
    assert stage.json("status") == {
        "home": str(stage.home),
        "batches": [stage.json("status", "m.csv")],
        "unreadable": [],
    }


def test_a_line_of_results(stage: Stage) -> None:
    """Results lines have exactly the promised keys, in the manifest's order, with the other columns."""
    assert stage.run("run", stage.manifest(5), "--port", "0").code == 0
    found = lines(stage.run("results", "m"))
    assert [set(line) for line in found] == [LINE] * 5
    assert [(line["id"], line["columns"]) for line in found] == [
        (f"r{n}", {"campaign": f"c{n}"}) for n in range(5)
    ]
    assert [set(line) for line in lines(stage.run("results", "m", "--all"))] == [LINE | {"error"}] * 5


def test_the_public_url_changes(stage: Stage) -> None:
    """A tunnel got a new name: new tasks are made under that one,
    and those made under the old one are fetched.
    """
    old = "http://127.0.0.1:9"  # where nobody listens
    assert stage.run("submit", stage.manifest(6), "--callback-url", old, "--max-tasks", "3").code == 3
    with stage.receiver() as new:
        resumed = stage.json("resume", "m", "--callback-url", new, "--max-tasks", "6")
        until(lambda: called(stage) == {3, 4, 5})
    assert made(stage, resumed["batch_id"]) == {old: [0, 1, 2], new: [3, 4, 5]}
    found = stage.json("reconcile", "m", "--wait", "--every", "0.2", "--for", "20")
    assert (found["by_status"]["completed"], found["complete"], found["paid_twice"]) == (6, True, 0)
    assert called(stage) == {3, 4, 5}


def called(stage: Stage) -> set[object]:
    """The rows whose answers came as callbacks."""
    return {line["row"] for line in lines(stage.run("results", "m")) if line["via"] == "callback"}


def made(stage: Stage, batch_id: str) -> dict[str, list[int]]:
    """The rows of a batch that have tasks, by the callback base of those."""
    assert stage.api is not None
    rows: dict[str, list[int]] = {}
    for address in stage.api.get("/_sim/ledger"):
        if (match := ADDRESS.search(address)) and match[1] == batch_id:
            rows.setdefault(address[: match.start()], []).append(int(match[2]))
    return {base: sorted(found) for base, found in rows.items()}


def test_nobody_can_call_us(stage: Stage) -> None:
    """Without a receiver, `reconcile --wait` fetches every answer."""
    created = stage.json("submit", stage.manifest(12), "--callback-url", "none")
    assert (created["by_status"]["pending"], created["complete"]) == (12, False)
    found = stage.json("reconcile", "m", "--wait", "--every", "0.2", "--for", "20")
    assert (found["complete"], found["by_status"]["completed"]) == (True, 12)
    assert {line["via"] for line in lines(stage.run("results", "m"))} <= {"get", "list"}


def test_annotating_rows(stage: Stage) -> None:
    """An annotating manifest comes back with a label for each tag."""
    text = (ROOT / "sample_manifests" / "annotating.jsonl").read_text().splitlines(keepends=True)[:8]
    (stage.folder / "checks.jsonl").write_text("".join(text))
    assert stage.run("run", "checks.jsonl", "--port", "0").code == 0
    found = [json.loads(line) for line in stage.run("results", "checks").out.splitlines()]
    assert [line["type"] for line in found] == ["annotating"] * 8
    for line in found:
        options = line["request"]["annotation_option"]
        assert {tag["label"] for tag in line["response"]["tags"]} <= set(options)


def test_every_form_of_a_manifest(patient: Stage) -> None:
    """CSV, JSONL, gzip and standard input plan the same rows."""
    csv = (patient.folder / patient.manifest(6)).read_bytes()
    rows = [{"id": f"r{n}", "image_url": f"{patient.pictures}/{n}.jpg"} for n in range(6)]
    (patient.folder / "j.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (patient.folder / "z.csv.gz").write_bytes(gzip.compress(csv))
    again = ["--again", "j", "--again", "z"]
    forms = ((["j.jsonl"], b""), (["z.csv.gz", *again[:2]], b""), (["-", "--batch", "piped", *again], csv))
    for words, stdin in forms:
        ran = patient.run("submit", *words, "--callback-url", "none", "--json", stdin=stdin)
        assert (ran.code, ran.json["by_status"]["pending"]) == (0, 6), ran.err
    shown = [lines(patient.run("results", name, "--all")) for name in ("j", "z", "piped")]
    assert [[line["id"] for line in found] for found in shown] == [[row["id"] for row in rows]] * 3


def test_rows_added_later(patient: Stage) -> None:
    """Submitting a manifest again sends only the rows that were added to it."""
    first = patient.json("submit", patient.manifest(10), "--callback-url", "none")
    again = patient.json("submit", patient.manifest(14))
    assert patient.api is not None
    assert patient.api.creations(first["batch_id"]) == dict.fromkeys(range(14), 1)
    assert (again["rows"], again["batch_id"]) == (14, first["batch_id"])


def test_a_dry_run_leaves_no_trace(patient: Stage) -> None:
    """`--dry-run` says what would be sent, needs no receiver, and sends and writes nothing."""
    assert patient.api is not None
    before = patient.api.get("/_sim/stats")
    told = patient.json("submit", patient.manifest(9), "--dry-run", "--price", "0.5")
    assert (told["to_send"], told["cost"], told["new_batch"]) == (9, 4.5, True)
    assert not patient.home.exists()
    assert patient.api.get("/_sim/stats") == before


def test_the_limit_holds_over_all_runs(patient: Stage) -> None:
    """`--max-tasks` limits the batch, however often it is resumed, until it is raised."""
    name = patient.manifest(20)
    sent = [patient.json("submit", name, "--callback-url", "none", "--max-tasks", "7", code=3)]
    sent += [patient.json("resume", "m", code=3), patient.json("resume", "m", "--max-tasks", "15", code=3)]
    sent += [patient.json("resume", "m", "--max-tasks", "20")]
    assert [one["by_status"]["pending"] for one in sent] == [7, 7, 15, 20]


def test_the_raw_calls(patient: Stage) -> None:
    """`tasks` lists, gets and cancels; the mac of an address shows with --raw alone."""
    patient.json("submit", patient.manifest(3), "--callback-url", "none")
    (task, *_) = lines(patient.run("tasks", "list", "--limit", "2"))
    raw = json.loads(patient.run("tasks", "get", str(task["task_id"]), "--raw").out)
    assert raw["callback_url"] != task["callback_url"]
    mac = raw["callback_url"].rpartition("/")[2]
    assert mac not in str(task)
    canceled = json.loads(patient.run("tasks", "cancel", str(task["task_id"])).out)
    assert canceled["status"] == "canceled"
    assert patient.run("tasks", "get", "nothing").code == 1


def test_a_completed_task_is_not_canceled(stage: Stage) -> None:
    """`tasks cancel` of a completed task says that it is completed, and exits 1."""
    stage.run("run", stage.manifest(1), "--port", "0", "--yes")
    (task,) = [json.loads(line) for line in stage.run("tasks", "list", "--limit", "1").out.splitlines()]
    ran = stage.run("tasks", "cancel", task["task_id"])
    assert (ran.code, "is completed" in ran.err) == (1, True)


def test_a_reader_that_leaves(stage: Stage) -> None:
    """`| head -1` ends every printing verb without a word about pipes."""
    assert stage.run("run", stage.manifest(60), "--port", "0").code == 0
    for words in ("results m", "tasks list", "status m", "validate m.csv"):
        done = subprocess.run(
            ["sh", "-c", f"mwbatch {words} | head -1"],
            cwd=stage.folder,
            env=stage.env | {"PATH": f"{Path(COMMAND).parent}:{stage.env['PATH']}"},
            capture_output=True,
            timeout=30,
            check=True,
        )
        assert done.stdout.count(b"\n") == 1
        assert b"Error" not in done.stderr
        assert b"bug" not in done.stderr


def test_answers_that_nobody_brings_are_looked_for_soon(stage: Stage) -> None:
    """Where no callback can come, a run does not wait for the whole
    --poll before it first asks for answers.
    """
    words = ("run", stage.manifest(3), "--port", "0", "--callback-url", "none", "--poll", "3600")
    with stage.running(*words) as started:
        started.wait(60)
    assert started.returncode == 0
