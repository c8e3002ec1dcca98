"""The commands of README and documents, run block by block where their reader would paste them:
none is a mistake, and none overwrites.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click
import pytest

from mwbatch.cli import app
from mwbatch.errors import Exit
from mwbatch.simulator import Settings
from tests import documents
from tests.e2e.support.fixtures import FAST, NEVER
from tests.e2e.support.stage import COMMAND, ROOT, Api, Stage, until
from tests.e2e.words.test_hints import SERVERS, files
from tests.support.ports import free_port
from tests.support.shapes import VERBS, parsed

TEXT: Final = documents.everything()
OTHERS: Final = ("make", "export", "ssh", "useradd", "python3", "pip", "sudo", "curl")
"""What a reader types besides: that is tried elsewhere, or is another's."""

PRINTED: Final = ("batch", "paid")

NEW: Final = (
    "mwbatch run logos.csv",
    "mwbatch validate logos.csv --price 0.08\n",
    "mwbatch submit sample_manifests",
)
"""Blocks that begin before there is a batch `logos`."""


def fenced() -> list[list[str]]:
    """The lines of each block that names no language: what is typed, and what is printed."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return [text.splitlines() for language, text in found if not language]


def blocks() -> list[str]:
    """The commands of mwbatch in each block, as they are typed; those of a session without its prompts."""
    typed = [[line.removeprefix("$ ") for line in block] for block in fenced()]
    commands = ["".join(f"{line}\n" for line in block if line.startswith("mwbatch ")) for block in typed]
    return [*dict.fromkeys(block for block in commands if block)]


def spans() -> list[str]:
    """The commands within its sentences and tables, with words behind the verb."""
    return [
        span
        for span in dict.fromkeys(re.findall(r"`(mwbatch [^`\n]+)`", TEXT))
        if len(span.split()) > 2 or span.split()[1] == "tasks"
    ]


def words(command: str) -> list[str]:
    """The words of a command, without its comment, and without what it is piped to."""
    return shlex.split(command.partition(" | ")[0], comments=True)[1:]


def test_every_line_that_is_typed_is_known() -> None:
    """Blocks hold commands of mwbatch, those of others that are known here, and what is printed,
    or lies on a disk.
    """
    first = [line.split()[0] for block in fenced() for line in block if re.match(r"[a-z]", line)]
    assert {*first} <= {"mwbatch", *OTHERS, *PRINTED}
    assert len(blocks()) > 10


@pytest.mark.parametrize("command", [*spans(), *(line for block in blocks() for line in block.splitlines())])
def test_each_is_a_command(command: str) -> None:
    """Each is a command line that mwbatch takes; none redirects into a file, forces one,
    or hides behind dots.
    """
    typed = words(command)
    assert typed[0] in VERBS
    assert not re.search(r">|-o .*--force|--force.* -o ", command)
    if typed == ["--help"] or typed[-1] == "--help":
        return
    assert parsed(["busy=0.1" if word == "NAME=RATE" else word for word in typed]).command.name in typed


@pytest.fixture
def reader(block: str, tmp_path: Path, apis: Callable[[Settings], Api]) -> Stage:
    """What the reader has when he comes to a block."""
    patient = "--status canceled" in block
    stage = Stage(tmp_path, apis(NEVER if patient else FAST))
    stage.env["PATH"] = f"{Path(COMMAND).parent}:{stage.env['PATH']}"
    shutil.copytree(ROOT / "sample_manifests", tmp_path / "sample_manifests")
    assert stage.api is not None
    rows = [f"shot-{n:04d},{stage.api.url}/pictures/{n:04d}.png?for={tmp_path.name},c{n}" for n in range(10)]
    (tmp_path / "logos.csv").write_text("\n".join(["id,image_url,campaign", *rows, ""]))
    (tmp_path / "regretted.txt").write_text("shot-0007\n")
    if not block.startswith(NEW):
        made = ("submit", "--callback-url", "none") if patient else ("run", "--port", "0")
        assert stage.run(*made, "logos.csv").code == 0
    stage.env["MWBATCH_CALLBACK_URL"] = "none"
    return stage


def runnable(command: str) -> str:
    """The same with a port that is free, no receiver that the world would have to call,
    and no pipe to what is not there.
    """
    left, pipe, right = command.partition(" | ")
    if pipe and shutil.which(shlex.split(right)[0]) is None:
        command = left
    command = command.replace("https://labels.example.com", "none")
    return re.sub(r"\b8\d{3}\b", lambda _: str(free_port()), command)


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.split("\n")[0][:50])
def test_a_block_runs_as_it_stands(block: str, reader: Stage) -> None:
    """Each command of a block goes on from where the last one ended,
    and every file that was there stays as it was.
    """
    for command in block.splitlines():
        prepare(reader, command)
        before = files(reader.folder)
        if words(command)[0] in SERVERS:
            serves(reader, words(runnable(command)))
        else:
            ends(reader, runnable(command.replace("KID", old_key(reader) if "KID" in command else "")))
        after = files(reader.folder)
        assert {name: after.get(name) for name in before} == before, command


def prepare(reader: Stage, command: str) -> None:
    """What the text around a command says that the reader has done before it."""
    manifest, aside = reader.folder / "logos.csv", reader.folder / "logos.csv.invalid.jsonl"
    if "--skip-invalid" in command:
        manifest.write_text(manifest.read_text() + "shot-0010,ftp://images.example.com/10.png,c10\n")
    elif "invalid.jsonl" in command:
        aside.write_text(aside.read_text().replace("ftp:", "https:"))


def old_key(reader: Stage) -> str:
    """A key that may be retired."""
    return str(reader.json("keys", "rotate")["verifying"][0])


def serves(reader: Stage, typed: list[str]) -> None:
    """It says where it listens, and ends when asked to."""
    more = [] if "--port" in typed else ["--port", str(free_port())]
    with reader.running(*typed, *more) as server:
        assert server.stderr is not None
        until(lambda: b"http" in server.stderr.readline())  # type: ignore[union-attr] # it is a pipe


def ends(reader: Stage, command: str) -> None:
    """It does what it is there for; rows that are not finished, or were refused, are no mistake."""
    if " | " not in command:
        ran = reader.run(*words(command))
        assert ran.code in {0, 1, 3}, (command, ran.out, ran.err)
        return
    done = subprocess.run(
        ["sh", "-c", command], cwd=reader.folder, env=reader.env, capture_output=True, check=False
    )
    assert done.returncode == 0, (command, done.stderr.decode())
    assert b"Traceback" not in done.stderr


def table(head: str) -> list[list[str]]:
    """The cells of each line of the table that begins with this line."""
    found = TEXT.partition(f"| {head} |\n")[2].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in found]


def promised(command: str) -> set[str]:
    """The fields of a command's object, by the table."""
    told = {one: cell for names, cell in table("command | fields") for one in re.findall("`([^`]+)`", names)}
    cell, taken = told[command], set[str]()
    if others := re.match("those of `([^`]+)`, and ", cell):
        taken, cell = promised(others[1]), cell[others.end() :]
    return taken | {*re.findall("`([a-zA-Z_]+)`", cell)}


MAKES: Final = (
    "make-annotating",
    "logos",
    "--instruction",
    "Is it clear?",
    "--option",
    "yes",
    "--option",
    "no",
)
OBJECTS: Final = {
    "submit --dry-run": ("submit", "logos.csv", "--dry-run", "--callback-url", "none"),
    "submit": ("submit", "logos.csv", "--callback-url", "none"),
    "resume": ("resume", "logos", "--callback-url", "none"),
    "run": ("run", "logos.csv", "--port", "0", "--callback-url", "none"),
    "retry": ("retry", "logos", "--callback-url", "none"),
    "validate": ("validate", "logos.csv"),
    "status": ("status",),
    "status BATCH": ("status", "logos"),
    "reconcile": ("reconcile", "logos"),
    "audit": ("audit",),
    "results -o": ("results", "logos", "-o", "out.jsonl"),
    "export": ("export", "logos", "--format", "csv", "-o", "out.csv"),
    "make-annotating": (*MAKES, "-o", "clear.jsonl"),
    "keys list": ("keys", "list"),
    "keys rotate": ("keys", "rotate"),
    "cancel": ("cancel", "logos"),
    "help": ("help",),
    "help TOPIC": ("help", "glossary"),
}
"""A command for each line of the table, in an order in which they can be run;
three more need what the test has.
"""


@pytest.mark.parametrize("block", ["a batch that is complete"])
def test_the_objects_have_the_fields_that_are_told(reader: Stage) -> None:
    """Each command's object has the fields that stand in the table, and no other;
    each command has its line.
    """
    there = {one for names, _ in table("command | fields") for one in re.findall("`([^`]+)`", names)}
    assert there == {*OBJECTS, "keys retire", "simulate"}
    for name, typed in OBJECTS.items():
        assert {*json.loads(reader.run(*typed, "--json").out)} == promised(name), name
    assert {*reader.json("keys", "retire", old_key(reader))} == promised("keys retire")
    with reader.running("simulate", "--port", "0", "--json") as simulator:
        assert simulator.stdout
        assert {*json.loads(simulator.stdout.readline())} == promised("simulate")
    line = json.loads(re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)[0])
    assert {*json.loads(reader.run("results", "logos").out.splitlines()[0])} == {*line}
    assert {*json.loads(reader.run("results", "logos", "--all").out.splitlines()[0])} == {*line, "error"}


def programs() -> list[str]:
    """The programs that are shown."""
    return re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("program", programs())
@pytest.mark.parametrize("block", ["mwbatch submit sample_manifests"])
def test_the_library_as_it_is_shown(reader: Stage, program: str) -> None:
    """Each program in the text runs as it stands, before another API, and prints what it is for; where Arrow
    is not installed, it is said how to install it.
    """
    with Api(FAST) as api:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program.replace("8080", str(free_port()))],
            cwd=reader.folder,
            capture_output=True,
            check=False,
            env=reader.env | {"MICROWORK_BASE_URL": api.url},
            text=True,
        )
    if ".table()" in program and find_spec("pyarrow") is None:
        assert "pip install pyarrow" in done.stderr
    else:
        assert (done.returncode, done.stdout != "") == (0, True), done.stderr


def test_the_programs_need_no_cast(tmp_path: Path) -> None:
    """Type checkers find nothing to say of the programs that are shown, however strict they are."""
    files = [tmp_path / f"program_{number}.py" for number in range(len(programs()))]
    for file, text in zip(files, programs(), strict=True):
        file.write_text(text)
    words = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, *map(str, files)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_service_can_run_its_program() -> None:
    """What the service runs is made by the system's Python, whatever the shell finds:
    the unit hides what lies in homes.
    """
    typed = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    made = [line.split()[0] for block in typed for line in block.splitlines() if " -m venv " in line]
    assert (made, "\nProtectHome=yes\n" in TEXT) == (["/usr/bin/python3"], True)


def test_every_exit_code_is_told() -> None:
    """The table of exit codes has each, and no other."""
    codes = {int(code) for cells in table("code | what") for code in cells[0].split(", ")}
    assert codes == {*Exit}


@pytest.mark.parametrize(
    "word", ["home", "callback base", "in doubt", "settle", "surplus", "conflict", "batch info"]
)
def test_words_of_ours_are_explained(word: str) -> None:
    """What nobody can know from elsewhere stands in the list of words."""
    assert [row for row in table("word | what") if word in row[0]]


def test_the_help_needs_no_word_of_the_house(helps: list[str]) -> None:
    """No help speaks of what stands in the code alone."""
    assert not [word for text in helps for word in re.findall(r"\b(?:fold|card|segment|sweep)s?\b", text)]


@pytest.fixture(scope="module")
def helps() -> list[str]:
    """The help of every verb, in small letters."""
    return [
        click.Context(command).command.get_help(click.Context(command)).lower()
        for name in app.list_commands(click.Context(app))
        if (command := app.get_command(click.Context(app), name))
    ]
