"""The help of every verb: its two examples run as they stand there."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
import pytest
import trustme

from mwbatch.cli import app
from mwbatch.simulator import Settings
from tests.e2e.support.fixtures import FAST, NEVER
from tests.e2e.support.stage import COMMAND, ROOT, Api, Stage
from tests.support.ports import free_port


def verbs(command: click.Command | None, *before: str) -> list[tuple[str, ...]]:
    """Every verb, as the words to type."""
    if not isinstance(command, click.Group):
        return [before]
    ctx = click.Context(command)
    names = command.list_commands(ctx)
    return [words for name in names for words in verbs(command.get_command(ctx, name), *before, name)]


pytestmark = pytest.mark.xdist_group("examples")  # they share two batches, which take seconds to make
VERBS: Final = verbs(app)
SERVERS: Final = {"serve-callbacks", "simulate", "dashboard"}
SPENDERS: Final = {"cancel", "retry", "tasks"}
"""Verbs whose examples need rows that are pending or canceled."""


def examples(stage: Stage, words: tuple[str, ...]) -> list[str]:
    """The lines below `Examples:` in the help of a verb."""
    _, _, after = stage.run(*words, "--help").out.partition("Examples:\n")
    return re.findall(r"^ +(mwbatch .*)$", after.partition("\n\n")[0], re.MULTILINE)


def prepared(folder: Path, api: Api) -> Stage:
    """What the README's reader has: the sample manifests, and a certificate."""
    stage = Stage(folder, api)
    stage.env["PATH"] = f"{Path(COMMAND).parent}:{stage.env['PATH']}"
    shutil.copytree(ROOT / "sample_manifests", folder / "sample_manifests")
    cert = trustme.CA().issue_cert("127.0.0.1")
    cert.cert_chain_pems[0].write_to_path(folder / "chain.pem")
    cert.private_key_pem.write_to_path(folder / "key.pem")
    return stage


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory, apis: Callable[[Settings], Api]) -> Stage:
    """Batch `ten` is complete."""
    stage = prepared(tmp_path_factory.mktemp("sandbox"), apis(FAST))
    assert stage.run("run", "sample_manifests/ten.csv", "--port", "0").code == 0
    return stage


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory, apis: Callable[[Settings], Api]) -> Stage:
    """Batch `ten` is pending, save row shot-1003, which was canceled."""
    stage = prepared(tmp_path_factory.mktemp("idle"), apis(NEVER))
    assert stage.run("submit", "sample_manifests/ten.csv", "--callback-url", "none").code == 0
    rows = [json.loads(line) for line in stage.run("results", "ten", "--all").out.splitlines()]
    (canceled,) = (row["task_id"] for row in rows if row["id"] == "shot-1003")
    assert stage.run("tasks", "cancel", canceled).code == 0
    assert stage.json("reconcile", "ten", code=3)["by_status"]["canceled"] == 1
    return stage


def runnable(example: str, task_id: str) -> str:
    """An example with free ports, a task that exists, and no pipe to a program that may be missing."""
    left, pipe, right = example.partition(" | ")
    if pipe and shutil.which(right.split()[0]) is None:
        example = left
    return re.sub(
        r"\b8\d{3}\b",
        lambda _: str(free_port()),
        example.replace("TASK_ID", task_id).replace("0.0.0.0", "127.0.0.1"),
    )


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_both_examples_run(sandbox: Stage, idle: Stage, words: tuple[str, ...]) -> None:
    """The help of a verb has two examples, and each does what it says."""
    stage = idle if words[0] in SPENDERS else sandbox
    found = examples(stage, words)
    assert len(found) == 2
    for example in found:
        assert example.startswith(" ".join(("mwbatch", *words)))
        command = runnable(example, latest_task(stage) if "TASK_ID" in example else "")
        command = command.replace("KID", old_key(stage) if "KID" in example else "")
        if words[0] in SERVERS:
            serves(stage, command if "--port" in command else f"{command} --port {free_port()}")
        else:
            ends_well(stage, command)


def test_the_three_terminals(patient: Stage) -> None:
    """What the first page says runs as it stands:
    with the lines that the simulator prints a batch is made, and answered.
    """
    simulate, serve, submit = re.findall(
        r"^ +mwbatch (.*)$", patient.run("--help").out.partition("Options")[0], re.MULTILINE
    )
    port = str(free_port())
    shutil.copytree(ROOT / "sample_manifests", patient.folder / "sample_manifests")
    del patient.env["MICROWORK_API_KEY"], patient.env["MICROWORK_BASE_URL"]
    with (
        patient.running(*simulate.split(), "--port", "0") as simulator,
        patient.running(*serve.replace("8080", port).split()) as receiver,
    ):
        assert simulator.stdout
        assert receiver.stderr
        while b"http" not in receiver.stderr.readline():
            pass
        printed = [simulator.stdout.readline().decode().split() for _ in range(2)]
        assert [words[0] for words in printed] == ["export", "export"]
        patient.env |= dict(words[1].split("=", 1) for words in printed)
        ran = patient.run(*submit.replace("8080", port).split())
    assert (ran.code, "status ten --watch" in ran.err + ran.out) == (0, True)


def latest_task(stage: Stage) -> str:
    """The id of the task that was created last."""
    (task,) = stage.run("tasks", "list", "--limit", "1").out.splitlines()
    return str(json.loads(task)["task_id"])


def old_key(stage: Stage) -> str:
    """The kid of a callback key that may be retired."""
    return str(stage.json("keys", "rotate")["verifying"][0])


def serves(stage: Stage, command: str) -> None:
    """It says where it listens, and ends when asked to."""
    with stage.running(*command.split()[1:]) as running:
        assert running.stderr is not None
        said = b""
        while b"http" not in said:
            line = running.stderr.readline()
            assert line, said
            said += line
    assert running.returncode == 143


def ends_well(stage: Stage, command: str) -> None:
    """It exits 0 and has said something."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=stage.folder,
        env=stage.env,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout or ">" in command


@pytest.mark.parametrize("words", [(), ("submit",), ("tasks", "list")], ids=" ".join)
def test_the_help_in_a_narrow_terminal(words: tuple[str, ...], patient: Stage) -> None:
    """With 40 columns the help names every option that it names with 100."""
    narrow, wide = (patient.run(*words, "--help", COLUMNS=columns).out for columns in ("40", "100"))
    assert len(narrow.splitlines()) > len(wide.splitlines())
    assert set(re.findall(r"--[a-z][a-z-]+", narrow)) >= set(re.findall(r"(?<=  )--[a-z][a-z-]+", wide))
