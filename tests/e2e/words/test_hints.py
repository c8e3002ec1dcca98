"""Every command that people are told is run where it would be pasted: none overwrites,
none repeats the failure it follows.
"""

import asyncio
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from mwbatch.callbacks.ops.mounting import unbounded
from mwbatch.client import Client
from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.sending.creating import SendOptions, _declined
from mwbatch.commands.settling.beginning import _no_echo
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.facts.kinds import Fact, Failed, Started, Verdict
from mwbatch.core.report.agreement import Differing
from mwbatch.core.report.command_outcomes import Canceled, Proof, Reconciled
from mwbatch.core.report.next_steps import next_steps
from mwbatch.core.sweeps.sweep import NO_ECHO
from mwbatch.errors import BatchBusy
from mwbatch.journal.home.batch_lock import BatchLock
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.open_batch import OpenBatch, look
from mwbatch.journal.keys import home_keys
from mwbatch.simulator import Fault, Faults, Settings
from mwbatch.views.outcomes import canceled, reconciled
from tests.e2e.support.fixtures import FAST, NEVER
from tests.e2e.support.stage import KEY, Api, Stage, until
from tests.support.ports import free_port
from tests.support.reports import standing
from tests.support.shapes import ANY, parsed, shapes, told_outside

SERVERS: Final = ("serve-callbacks", "simulate")
PATIENT: Final = ("journal/interface/distrust.py: resume *",)
"""Those that wait for listings some minutes apart before they do anything: that they begin is enough."""

WORD: Final = r"(?:'[^']*'|[^\s,;:)]*[^\s,;:).])"
ASK: Final = ("--instruction", "Is it good?", "--option", "good", "--option", "bad")
NOBODY: Final = "http://127.0.0.1:9"

Told = Callable[[Stage], str]
"""Brings somebody to where a command is told; gives what is said there."""


def sent(stage: Stage, rows: int = 3, *more: str) -> str:
    """Submit batch `m`, as far as it goes; gives what is said."""
    ran = stage.run("submit", stage.manifest(rows), *more)
    return ran.err + ran.out


def said(stage: Stage, *words: str, before: Callable[[Stage], object] = sent) -> str:
    """What a command says, after batch `m` was submitted."""
    before(stage)
    ran = stage.run(*words)
    return ran.err + ran.out


def complete(stage: Stage) -> None:
    """Batch `m` has all of its answers."""
    assert stage.run("run", stage.manifest(4), "--port", "0").code == 0


def step(**counts: int) -> Told:
    """The next steps of a batch that stands so."""

    def told(stage: Stage) -> str:
        sent(stage)
        return "\n".join(next_steps(replace(standing(**counts), batch="m")))

    return told


def inside(make: Callable[["Stage"], str]) -> Told:
    """What a rule says of batch `m`, which was submitted."""

    def told(stage: Stage) -> str:
        sent(stage)
        return make(stage)

    return told


def opened(stage: Stage) -> OpenBatch:
    """Batch `m`, as it is looked at."""
    home = Home(stage.home)
    return asyncio.run(look(home, home.find("m")))


def taken_away(stage: Stage) -> str:
    """The lock is removed under a run."""
    with BatchLock(stage.home / "m", "submit") as lock:
        (stage.home / "m" / "lock").unlink()
        with pytest.raises(BatchBusy) as lost:
            lock.check()
    return str(lost.value)


def overtaken(stage: Stage) -> str:
    """Another process has started a row that this one has read as never started."""
    sent(stage, 3, "--max-tasks", "2")
    home = Home(stage.home)
    ref = home.find("m")
    row = Started(0.0, ((2, 3),), Attempt(1), "https://a.invalid", ref.info.origin, "0" * 8, ref.info.kids[0])

    async def both() -> str:
        async with home.act(ref, "submit") as batch:
            other = await look(home, ref)
            await other.append([row])
            await other.close()
            with pytest.raises(BatchBusy) as late:
                await batch.start(row)
        return str(late.value)

    return asyncio.run(both())


def in_use(stage: Stage) -> str:
    """Another run is at work."""
    sent(stage)
    with BatchLock(stage.home / "m", "submit"):
        ran = stage.run("resume", "m")
    assert ran.code == 5
    return ran.err


def without_rows(stage: Stage) -> str:
    """Planned rows are lost, and some are added."""
    sent(stage)
    for path in (stage.home / "m" / "rows").glob("*.jsonl"):
        path.unlink()
    return sent(stage, 5)


def in_vain(stage: Stage) -> str:
    """A row was sent four times, and no task came of it."""
    assert stage.run("submit", stage.manifest(3), "--max-tasks", "2").code == 3
    home, facts = Home(stage.home), list[Fact]()
    ref = home.find("m")
    info = ref.info
    for attempt in range(1, 5):
        facts += [
            Started(
                0.0, ((2, 3),), Attempt(attempt), "https://a.invalid", info.origin, "0" * 8, info.kids[0]
            ),
            Failed(0.0, RowNumber(2), Attempt(attempt), Verdict.ABSENT, final=False),
        ]

    async def write() -> None:
        batch = await look(home, ref)
        await batch.journal.append(facts)
        await batch.journal.close()

    asyncio.run(write())
    ran, shown = stage.run("resume", "m", "--max-tasks", "9"), stage.run("status", "m")
    return ran.err + ran.out + shown.out


def received(stage: Stage) -> str:
    """Answers come in by themselves, since a receiver is there."""
    port = str(free_port())
    with stage.running("serve-callbacks", "--port", port) as server:
        assert server.stderr is not None
        until(lambda: b"http" in server.stderr.readline())  # type: ignore[union-attr] # it is a pipe
        told = sent(stage, 3, "--callback-url", f"http://127.0.0.1:{port}")
        assert stage.run("reconcile", "m", "--wait", "--every", "0.2", "--for", "20").code == 0
    return told


def limited(stage: Stage) -> str:
    """The limit of the batch lets nothing more through."""
    return sent(stage, 4, "--max-tasks", "2") + stage.run("status", "m").out


def rows_lost(stage: Stage) -> None:
    """A batch with a row that is gone, below others."""
    complete(stage)
    (path,) = (stage.home / "m" / "rows").glob("*.jsonl")
    path.write_bytes(path.read_bytes().partition(b"\n")[2])


def damaged(stage: Stage) -> None:
    """The disk has spoiled an answer of batch `m`."""
    complete(stage)
    path = next(path for path in (stage.home / "m" / "results").glob("*.jsonl") if path.stat().st_size)
    first, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(first.replace(b'"v":1', b'"v":7') + b"\n" + rest)


def mended(stage: Stage) -> str:
    """Rows with mistakes were put aside, and mended there."""
    manifest = stage.folder / stage.manifest(3)
    manifest.write_text(manifest.read_text().replace("https://", "ftp://", 1))
    told = stage.run("submit", "m.csv", "--skip-invalid").err
    aside = stage.folder / "m.csv.invalid.jsonl"
    aside.write_text(aside.read_text().replace("ftp://", "https://"))
    return told


def asked_before(stage: Stage) -> str:
    """The rows were asked for by another batch."""
    sent(stage)
    shutil.copy(stage.folder / "m.csv", stage.folder / "n.csv")
    return stage.run("submit", "n.csv").err


def nothing_new(stage: Stage) -> str:
    """Every row was asked for by another batch, and is left out."""
    sent(stage)
    shutil.copy(stage.folder / "m.csv", stage.folder / "n.csv")
    return stage.run("submit", "n.csv", "--only-new").out


def unreadable(stage: Stage) -> str:
    """Nobody can tell what another batch asked for."""
    sent(stage)
    (stage.home / "m" / "batch.json").write_text("{")
    lines = f"id,image_url\nr9,{stage.pictures}/9.jpg\n"
    (stage.folder / "n.csv").write_text(lines)
    return stage.run("submit", "n.csv").err


def no_echo(stage: Stage) -> str:
    """The API's listing does not show our addresses."""
    assert stage.api is not None
    api, context = stage.api.url, Context()

    async def send() -> None:
        async with Client(KEY, api) as client:
            options = SendOptions(callback_url="none")
            await submit(
                Home(stage.home),
                client,
                ManifestSource(str(stage.folder / stage.manifest(2))),
                options,
                context,
            )

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("mwbatch.commands.settling.echo.PATIENCE", 0.2)
        asyncio.run(send())
    return "\n".join(context.tally.notes)


def strange_keys(stage: Stage) -> str:
    """Addresses of the batch are signed with keys that are not here."""
    home = Home(stage.home)
    return home_keys.strange_keys(home, replace(home.find("m").info, kids=(Kid("0000"),)))


def keys(stage: Stage) -> str:
    """A key that is needed, or signs, or is none, is retired."""
    sent(stage, 3, "--callback-url", NOBODY)
    (kid,) = (one["kid"] for one in stage.json("keys", "list")["keys"])
    told = stage.run("keys", "retire", kid).err + stage.run("keys", "retire", "nope").err
    stage.run("keys", "rotate")
    return told + stage.run("keys", "retire", kid).err


def retired_under_a_run(stage: Stage) -> str:
    """The key of a run that is at work is retired all the same."""
    sent(stage, 3, "--callback-url", NOBODY)
    (kid,) = (one["kid"] for one in stage.json("keys", "list")["keys"])
    stage.run("keys", "rotate")
    with BatchLock(stage.home / "m", "submit"):
        return stage.run("keys", "retire", kid, "--force").out


def signing(stage: Stage) -> str:
    """The key that signs is retired, and then another one was made."""
    stage.run("keys", "rotate")
    (kid,) = (one["kid"] for one in stage.json("keys", "list")["keys"])
    told = stage.run("keys", "retire", kid).err
    assert stage.run("keys", "rotate").code == 0
    return told


def declined(stage: Stage) -> str:
    """Somebody said no to the question, before anything was sent."""
    assert stage.run("submit", stage.manifest(3), "--max-tasks", "0").code == 3
    return _declined(opened(stage))


def questions(stage: Stage) -> str:
    """An annotating manifest is made, before all rows have their answers; it is submitted,
    and made again later.
    """
    complete(stage)
    assert stage.run("submit", stage.manifest(6), "--callback-url", NOBODY).code == 0
    told = stage.run("make-annotating", "m", *ASK, "-o", "two.jsonl").out
    assert stage.run("submit", "two.jsonl").code == 0
    assert stage.run("reconcile", "m", "--wait", "--every", "0.2", "--for", "20").code == 0
    assert stage.run("make-annotating", "m", *ASK, "-o", "two.2.jsonl").code == 0
    return told


def without_key(stage: Stage) -> str:
    """Nobody has said who pays."""
    del stage.env["MICROWORK_API_KEY"]
    return sent(stage)


QUIET: Final = Reconciled(replace(standing(completed=1), batch="m"))
SCENARIOS: Final[dict[str, tuple[Settings, Told]]] = {
    "cli/help.py: help *": (NEVER, lambda stage: stage.run("help", "recoveri").err),
    "cli/help.py: help": (NEVER, lambda stage: stage.run("help", "of-nothing").err),
    "callbacks/ops/mounting.py: help mounting": (NEVER, inside(lambda _: unbounded(shown=True))),
    "cli/help.py: help quickstart": (NEVER, lambda stage: stage.run("help").out),
    "cli/verbs/status.py: status": (NEVER, lambda stage: said(stage, "status", "--rows", "doubt")),
    "commands/context/callback_base.py: serve-callbacks": (
        NEVER,
        lambda stage: sent(stage, 3, "--callback-url", NOBODY),
    ),
    "commands/settling/beginning.py: reconcile *": (FAST, inside(lambda stage: _no_echo(opened(stage)))),
    "commands/settling/beginning.py: resume * --trust-folder": (
        FAST,
        inside(lambda stage: _no_echo(opened(stage))),
    ),
    "commands/sending/creating.py: cancel *": (NEVER, declined),
    "commands/sending/creating.py: resume *": (NEVER, declined),
    "commands/sending/creating.py: retry *": (NEVER, in_vain),
    "commands/settling/echo.py: retry * --status doubt": (
        replace(FAST, faults=Faults(rates={Fault.NO_ECHO: 1.0})),
        no_echo,
    ),
    "commands/asking/others.py: status": (NEVER, lambda stage: sent(stage, 3, "--again", "nope")),
    "commands/verbs/keys.py: keys retire * --force": (FAST, keys),
    "commands/verbs/keys.py: reconcile * --wait": (FAST, keys),
    "commands/verbs/make_annotating.py: status *": (
        NEVER,
        lambda s: said(s, "make-annotating", "m", *ASK, "-o", "a.jsonl"),
    ),
    "commands/asking/refusing.py: same **": (NEVER, asked_before),
    "commands/asking/refusing.py: same --again *": (NEVER, unreadable),
    "commands/asking/refusing.py: same --batch * **": (NEVER, asked_before),
    "commands/asking/refusing.py: same --only-new": (NEVER, asked_before),
    "commands/verbs/submit.py: submit *": (NEVER, mended),
    "core/report/next_steps.py: reconcile *": (FAST, step(doubt=1)),
    "core/report/next_steps.py: reconcile * --list damaged": (
        FAST,
        lambda stage: said(stage, "status", "m", before=damaged),
    ),
    "core/report/next_steps.py: reconcile * --list unusable": (FAST, step(rejected_callbacks=1)),
    "core/report/next_steps.py: reconcile * --list surplus|conflicts": (FAST, step(conflicts=1)),
    "core/report/next_steps.py: reconcile * --list unknown": (FAST, step(unknown_tasks=1)),
    "core/report/next_steps.py: reconcile * --wait": (
        FAST,
        lambda stage: sent(stage, 3, "--callback-url", NOBODY),
    ),
    "core/report/next_steps.py: status": (NEVER, nothing_new),
    "core/report/next_steps.py: results * -o *": (
        FAST,
        lambda stage: said(stage, "status", "m", before=complete),
    ),
    "core/report/next_steps.py: resume * **": (NEVER, limited),
    "core/report/next_steps.py: retry *": (NEVER, in_vain),
    "core/report/next_steps.py: status * --rows canceled": (NEVER, lambda stage: said(stage, "cancel", "m")),
    "core/report/next_steps.py: status * --watch": (FAST, received),
    "core/report/next_steps.py: status * --rows rejected": (NEVER, step(rejected=1)),
    "journal/interface/distrust.py: resume *": (NEVER, without_rows),
    "journal/keys/home_keys.py: reconcile * --wait": (FAST, inside(strange_keys)),
    "journal/interface/finding.py: submit MANIFEST": (NEVER, lambda stage: stage.run("status", "nope").err),
    "journal/home/batch_lock.py: resume *": (NEVER, inside(taken_away)),
    "journal/interface/open_batch.py: resume *": (NEVER, overtaken),
    "journal/interface/distrust.py: reconcile * --list damaged": (
        FAST,
        lambda stage: said(stage, "results", "m", before=rows_lost),
    ),
    "journal/interface/store.py: status *": (NEVER, in_use),
    "journal/keys/keyring.py: keys list": (FAST, keys),
    "journal/keys/keyring.py: keys retire *": (NEVER, signing),
    "journal/keys/keyring.py: keys rotate": (NEVER, signing),
    "library/settings/environment.py: simulate": (NEVER, without_key),
    "views/exported.py: reconcile * --list damaged": (
        FAST,
        lambda stage: said(stage, "export", "m", "--format", "csv", "-o", "a.csv", before=damaged),
    ),
    "views/keys.py: reconcile * --wait": (FAST, retired_under_a_run),
    "views/keys.py: resume *": (NEVER, retired_under_a_run),
    "views/outcomes.py: cancel *": (
        NEVER,
        inside(lambda _: canceled(Canceled(QUIET.report, 1, 0, 1)).words),
    ),
    "views/outcomes.py: reconcile *": (
        FAST,
        inside(lambda _: canceled(Canceled(QUIET.report, 1, 0, 1)).words),
    ),
    "views/outcomes.py: reconcile * --list differing": (
        FAST,
        inside(lambda _: reconciled(replace(QUIET, differing=(Differing(RowNumber(0), "t"),))).words),
    ),
    "views/outcomes.py: reconcile * --unproved": (
        FAST,
        inside(lambda _: reconciled(replace(QUIET, proof=Proof(reasons=(NO_ECHO,)))).words),
    ),
    "views/outcomes.py: submit * **": (
        FAST,
        lambda s: said(s, "make-annotating", "m", *ASK, "-o", "a.jsonl", before=complete),
    ),
    "views/outcomes.py: submit * --batch *": (FAST, questions),
    "views/standing.py: submit MANIFEST": (NEVER, lambda stage: stage.run("status").out),
}
"""For each command in the source how somebody comes to be told it, before an API with these settings."""


def test_every_command_has_its_scenario() -> None:
    """Whoever lets mwbatch tell another command brings it here; and none is told by another door."""
    assert shapes() == SCENARIOS.keys()
    assert told_outside() == []


@pytest.mark.parametrize("shape", SCENARIOS)
def test_it_is_a_command(shape: str) -> None:
    """Each is a command line that mwbatch takes; it redirects nothing and forces no file."""
    words = shape.partition(": ")[2].replace("**", "").replace("surplus|conflicts", "surplus").split()
    if words[0] == "same":
        words = ["submit", "m.csv", *words[1:]]
    assert parsed(["x" if word == ANY else word for word in words]).command.name in words
    assert ">" not in shape
    assert "--force" not in words or words[:2] == ["keys", "retire"]


def pattern(shape: str) -> str:
    """What a told command of this shape looks like."""
    verb, *words = shape.partition(": ")[2].split()
    found = "mwbatch submit n\\.csv" if verb == "same" else f"mwbatch {verb}"
    for word in words:
        match word:
            case "**":
                found += rf"(?: --\S+(?: {WORD})?)*"
            case _ if word == ANY:
                found += f" {WORD}"
            case _:
                found += f" (?:{word})"
    return found


def files(folder: Path) -> dict[str, bytes]:
    """What the user has, but for the home."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] != "home"
    }


@pytest.fixture
def place(shape: str, tmp_path: Path, apis: Callable[[Settings], Api]) -> Stage:
    """Somebody's folder, whose variables say all that is needed."""
    stage = Stage(tmp_path, apis(SCENARIOS[shape][0]))
    stage.env["MWBATCH_CALLBACK_URL"] = "none"
    return stage


@pytest.mark.parametrize("shape", SCENARIOS)
def test_it_runs_where_it_is_pasted(shape: str, place: Stage) -> None:
    """A command that is told goes on from where it is told: it is no mistake, says no same failure,
    and overwrites nothing.
    """
    told = SCENARIOS[shape][1](place)
    commands = re.findall(pattern(shape), told)
    assert commands, (pattern(shape), told)
    place.manifest(3, "MANIFEST")
    mine = files(place.folder)
    for command in dict.fromkeys(commands):
        if shape in PATIENT:
            begins(place, shlex.split(command))
        else:
            runs(place, shlex.split(command), told)
    now = files(place.folder)
    assert {name: now.get(name) for name in mine} == mine


def runs(place: Stage, words: list[str], told: str) -> None:
    """It does something, and fails neither as a mistake nor as before."""
    if words[1] in SERVERS:
        with place.running(*words[1:], "--port", str(free_port())) as server:
            assert server.stderr is not None
            until(lambda: b"http" in server.stderr.readline())  # type: ignore[union-attr] # it is a pipe
        return
    ran = place.run(*words[1:])
    assert ran.code not in {2, 70}, ran.err
    failures = [line for line in ran.err.splitlines() if line.startswith("mwbatch: ")]
    assert not any(line in told for line in failures), ran.err


def begins(place: Stage, words: list[str]) -> None:
    """It is at work, and ends when asked to."""
    with place.running(*words[1:]) as started:
        assert started.stderr is not None
        until(lambda: b"listing" in started.stderr.readline())  # type: ignore[union-attr] # it is a pipe
        assert started.poll() is None


@pytest.fixture
def away(tmp_path: Path, apis: Callable[[Settings], Api]) -> Iterator[Stage]:
    """Somebody who says by hand where things are."""
    stage = Stage(tmp_path, apis(NEVER))
    for name in ("MWBATCH_HOME", "MICROWORK_BASE_URL"):
        del stage.env[name]
    yield stage
    assert not (tmp_path / ".local").exists()


def test_where_things_are_is_said_again(away: Stage) -> None:
    """What somebody typed to say where the home,
    its keys and the API are is part of each command that he is told.
    """
    assert away.api is not None
    where = ("--home", str(away.home), "--callback-key-file", str(away.folder / "keys"))
    api = ("--base-url", away.api.url)
    ran = away.run("submit", away.manifest(4), "--max-tasks", "2", "--callback-url", "none", *where, *api)
    (resume,) = re.findall(r"mwbatch resume [^#\n]*", ran.out)
    assert set(where) | set(api) <= set(shlex.split(resume))
    assert away.run(*shlex.split(resume)[1:]).code == 0
    shown = away.run("status", "m", *where)
    (wait,) = re.findall(r"mwbatch reconcile [^#\n]*", shown.out)
    assert set(where) <= set(shlex.split(wait))
    (listed,) = re.findall(r"mwbatch status [^#\n]*", away.run("cancel", "m", *where, *api).out)
    assert len(away.run(*shlex.split(listed)[1:]).out.splitlines()) == 1 + 4
    assert json.loads(away.run("status", "m", *where, "--json").out)["by_status"]["canceled"] == 4
