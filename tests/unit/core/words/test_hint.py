"""Commands to type: quoted, and leading to where things are."""

import os
import shlex
import subprocess
from pathlib import Path

import click
from hypothesis import given as every
from hypothesis import settings
from hypothesis import strategies as st

from mwbatch.cli import app
from mwbatch.core.words.hint import TAKEN_BY, given, hint, typed
from mwbatch.core.words.printable import cell
from tests.support.shapes import VERBS


def test_a_shell_reads_it_as_it_was_meant() -> None:
    """Words with blanks and quotes are quoted; a path that begins as options do is none."""
    command = hint("submit", Path("-bob's week 1.csv"), "--batch", "a")
    assert shlex.split(command) == ["mwbatch", "submit", "./-bob's week 1.csv", "--batch", "a"]
    assert hint("keys list") == "mwbatch keys list"
    assert typed("mv", "-n", Path("-x"), Path("-x.mine")) == "mv -n ./-x ./-x.mine"


@settings(max_examples=100, deadline=None)
@every(st.lists(st.binary().map(lambda raw: os.fsdecode(raw.replace(b"\0", b""))), max_size=20))
def test_any_name_can_be_pasted(names: list[str]) -> None:
    """Whatever a file is called, a shell reads its name from the one line that a terminal may get."""
    line = typed("printf", "%s\\0", *names, "")
    assert cell(line) == line
    came = subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, check=True).stdout
    assert came.split(b"\0")[: len(names)] == [os.fsencode(name) for name in names]


def test_what_was_typed_is_said_again() -> None:
    """Where things are is said again, to verbs that ask for it, for as long as the command lasts."""
    with given({"--home": "my home", "--base-url": "http://127.0.0.1:1"}):
        assert hint("resume", "m") == "mwbatch resume m --home 'my home' --base-url http://127.0.0.1:1"
        assert hint("status") == "mwbatch status --home 'my home'"
        assert hint("simulate") == "mwbatch simulate"
        assert hint("help", "keys") == "mwbatch help keys"
    assert hint("resume", "m") == "mwbatch resume m"


def options(command: click.Command) -> set[str]:
    """The options of a verb; of a group those that each verb of it has."""
    if isinstance(command, click.Group):
        return set.intersection(*map(options, command.commands.values()))
    return {name for param in command.params for name in param.opts}


def test_each_verb_takes_what_is_said_again() -> None:
    """The table of what is said again to whom fits the command line."""
    there = {verb: app.get_command(click.Context(app), verb) for verb in VERBS}
    for option, not_taken in TAKEN_BY.items():
        assert {
            verb for verb, command in there.items() if command and option not in options(command)
        } == not_taken
