"""`mwbatch keys`: what it prints, what it refuses, and that no secret is ever shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from mwbatch.errors import Exit
from tests.e2e.support.stage import Stage
from tests.support.ports import free_port
from tests.unit.cli.terminal.test_sentences import SUBMIT, told

SECRET = "5ec2e7" * 10


def keys(stage: Stage) -> list[dict[str, Any]]:
    """The keys as `keys list` shows them."""
    found: list[dict[str, Any]] = stage.json("keys", "list")["keys"]
    return found


def put(path: Path, text: str, mode: int = 0o600) -> None:
    """Put a key file in place by hand."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(0o600)
    path.write_text(text)
    path.chmod(mode)


def one(secret: str) -> str:
    """A key file with one key."""
    return json.dumps({"keys": [{"kid": "k1", "secret": secret}]})


def test_a_life_of_keys(patient: Stage) -> None:
    """List, rotate, refuse, retire, list: each says what is so now, for people and for scripts,
    and never a secret.
    """
    patient.manifest(4)
    assert patient.run("keys", "list").out == "no keys\n"
    assert not patient.home.exists()
    assert patient.run(*SUBMIT).code == Exit.DONE
    old = keys(patient)[0]["kid"]
    secret = json.loads((patient.home / "keys.json").read_text())["keys"][0]["secret"]
    rotated = patient.json("keys", "rotate")
    assert (rotated["verifying"], rotated["key_file"]) == ([old], str(patient.home / "keys.json"))
    shown = [(key["kid"], key["use"], key["batches"], key["waiting"]) for key in keys(patient)]
    assert shown == [(old, "verifies", 1, 4), (rotated["kid"], "signs", 0, 0)]
    told(
        patient.run("keys", "retire", old), Exit.USAGE, "4 rows of batch m", "mwbatch reconcile m", "--force"
    )
    told(patient.run("keys", "retire", rotated["kid"]), Exit.USAGE, "mwbatch keys rotate")
    told(patient.run("keys", "retire", "zz"), Exit.USAGE, "'zz'", old, "mwbatch keys list")
    gone = patient.json("keys", "retire", old, "--force")
    assert (gone["kid"], gone["waiting"]) == (old, [{"batch": "m", "rows": 4}])
    again = patient.run("keys", "retire", old)
    assert (again.code, f"callback key {old} is retired" in again.out) == (Exit.DONE, True)
    listed = patient.run("keys", "list")
    header, *lines = listed.out.splitlines()
    assert header.split("\t") == ["kid", "use", "made_at", "retired_at", "batches", "waiting"]
    assert [line.split("\t")[:2] for line in lines] == [[old, "retired"], [rotated["kid"], "signs"]]
    assert secret not in (patient.home / "keys.json").read_text() + listed.out + listed.err


def test_rotations_that_race(patient: Stage) -> None:
    """Of rotations by two processes at once, the first ever, both take effect."""
    racers = [patient.start("keys", "rotate", "--json") for _ in range(2)]
    made = [json.loads(racer.communicate(timeout=60)[0])["kid"] for racer in racers]
    assert sorted(key["kid"] for key in keys(patient)) == sorted(made)


@pytest.mark.parametrize(
    ("verb", "text", "mode", "words"),
    [
        ("submit m.csv", one(SECRET), 0o640, ["others can read", "chmod 600"]),
        ("serve-callbacks --port 0", one(SECRET), 0o604, ["others can read", "chmod 600"]),
        ("submit m.csv", one("00" * 15), 0o600, ["k1 has 15 bytes", "16 to 64", "restore it"]),
        ("serve-callbacks --port 0", one(""), 0o600, ["k1 has 0 bytes", "16 to 64", "restore it"]),
        ("keys list", "", 0o600, ["it is empty", "restore it"]),
        ("keys rotate", '{"keys": []}', 0o600, ["no callback key", "restore it"]),
        ("keys retire k1", SECRET, 0o600, ["no usable callback keys", "restore it"]),
    ],
)
def test_a_key_file_that_will_not_do(
    patient: Stage, verb: str, text: str, mode: int, words: list[str]
) -> None:
    """Whoever needs the keys refuses a file that is open to others, empty, short or foreign,
    and leaves it alone.
    """
    patient.manifest(1)
    path = patient.folder / "shared" / "keys.json"
    put(path, text, mode)
    patient.env |= {"MWBATCH_CALLBACK_KEY_FILE": str(path), "MWBATCH_CALLBACK_URL": "none"}
    ran = patient.run(*verb.split())
    told(ran, Exit.USAGE, str(path), *words)
    assert SECRET not in ran.err + ran.out
    assert path.read_text() == text


@pytest.mark.parametrize("verb", ["keys rotate", "serve-callbacks --port 0"])
def test_a_key_file_that_is_gone(patient: Stage, verb: str) -> None:
    """Where a batch has addresses signed with keys that are gone, none are made in their place."""
    patient.manifest(1)
    assert patient.run(*SUBMIT).code == Exit.DONE
    (patient.home / "keys.json").unlink()
    told(patient.run(*verb.split()), Exit.USAGE, "keys.json is gone", "batch m", "restore it from a copy")
    assert not (patient.home / "keys.json").exists()


def test_a_home_that_cannot_be_written(patient: Stage) -> None:
    """A key file that cannot be changed ends with 6 and is named."""
    patient.home.write_text("")
    told(patient.run("keys", "rotate"), Exit.MACHINE, str(patient.home))


def test_callbacks_in_clear(patient: Stage) -> None:
    """A callback base that is plain http and not local is warned of once; one on this machine is not."""
    patient.manifest(1)
    near, far = f"http://127.0.0.1:{free_port()}", "http://labels.invalid:8080"
    assert "in clear" not in patient.run("submit", "m.csv", "--callback-url", near).err
    patient.manifest(2)
    ran = patient.run("submit", "m.csv", "--callback-url", far)
    assert (ran.code, ran.err.count("in clear"), ran.err.count("use https")) == (Exit.DONE, 1, 1)
