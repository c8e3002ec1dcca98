"""What must stay secret: whoever has the key spends money, whoever has an address forges an answer."""

from pathlib import Path

from tests.e2e.stage import ADDRESS, KEY, Stage, free_port, listens, until


def test_nothing_printed_is_secret(stage: Stage, tmp_path: Path) -> None:
    """In a full run, with every line logged, no stream and no file but the segments holds the key or a mac."""
    name, port = stage.manifest(25), free_port()
    stage.env["MWBATCH_LOG_FORMAT"] = "json"
    receiver = stage.start("serve-callbacks", "--port", str(port), "-v")
    until(lambda: listens(port))
    base = f"http://127.0.0.1:{port}"
    commands = (
        f"validate {name} -v",
        f"submit {name} --callback-url {base} -v --json",
        f"run {name} --callback-url {base}/x --port 0 -v",
        "reconcile m -v",
        "reconcile m --list unknown",
        "status m -v",
        "status m --rows completed",
        "results m --all",
        "tasks list",
        f"resume m --base-url http://127.0.0.1:{port}",
    )
    said = [text for words in commands for ran in [stage.run(*words.split())] for text in (ran.out, ran.err)]
    receiver.terminate()
    said += [stream.decode() for stream in receiver.communicate(timeout=20)]
    said += [path.read_text() for path in stage.home.rglob("*") if path.name in ("batch.json", "lock.json")]
    shown = "\n".join(said)
    assert shown.count('"level":"INFO"') or "mwbatch" in shown
    assert KEY not in shown
    assert not [mac for mac in macs(stage) if mac in shown]


def test_the_key_is_never_on_disk(patient: Stage) -> None:
    """No file of the home holds the API key, and none of them is open to other users."""
    patient.run("submit", patient.manifest(5), "--callback-url", "none")
    files = [path for path in patient.home.rglob("*") if path.is_file()]
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
    assert patient.home.stat().st_mode & 0o077 == 0


def macs(stage: Stage) -> list[str]:
    """The mac of every address that the simulator was ever given."""
    assert stage.api is not None
    found = [match[4] for url in stage.api.get("/_sim/ledger") if (match := ADDRESS.search(url))]
    assert found
    return found
