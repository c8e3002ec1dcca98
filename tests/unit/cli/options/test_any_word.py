"""Whatever word stands behind whatever option: an exit code of ours, no trace, and an end.

New options are covered by themselves.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import click
import pytest
from click.testing import CliRunner

from mwbatch.cli import app, program
from mwbatch.errors import Exit
from tests.e2e.support.fixtures import NEVER
from tests.e2e.support.stage import Api, Stage

NUMBERS: Final = [
    *("inf", "-inf", "nan", "-0", "1e400", "1e-320", "1_000", ""),
    *(" 1", "\u0661", "1" + "0" * 30, "9" * 5000),
]
PATHS: Final = [
    *("/dev/null", "/dev/full", "pipe", "folder", "file/below", "", "-"),
    *("\udcff", "a\nb", "\x1b[31m", "x" * 5000),
]
WORDS: Final = [
    *("", "-", "\n", "\x1b[31m", "\x9b", "\u202e", "\udcff", "..", "/", "-1"),
    *("x" * 5000, "http://\udcff", "http://[", "file/below"),
]
ARGUMENTS: Final = {"manifest": "m.csv", "batch": "m", "task_id": "t1", "kid": "k1"}
BESIDE: Final = {
    "output": "out",
    "format": "csv",
    "instruction": "Which?",
    "callback_url": "none",
    "port": "0",
    "price": "1e-320",
    "max_cost": "1e300",
}
"""What stands beside the option that is tried: what a verb needs,
and what gives another option its meaning.
"""

ENDLESS: Final = {"serve-callbacks", "run", "simulate"}
CODES: Final = {*range(7), Exit.INTERRUPTED, Exit.TERMINATED}


def verbs(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command, with the words that lead to it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(click.Context(command)):
        there = command.get_command(click.Context(command), name)
        assert there is not None
        yield from verbs(there, *path, name)


CASES: Final = [
    pytest.param(path, command, param, id=" ".join([*path, param.opts[0]]))
    for path, command in verbs(app)
    for param in command.params
    if isinstance(param, click.Argument) or (isinstance(param, click.Option) and not param.is_flag)
]


def words_for(param: click.Parameter) -> Sequence[str]:
    """The words that are tried, by what a parameter is read as."""
    kinds = param.type.types if isinstance(param.type, click.Tuple) else [param.type]
    tried = {"integer": NUMBERS, "float": NUMBERS, "path": PATHS}.get(kinds[0].name, WORDS)
    return [*tried, *PATHS] if param.name in ("manifest", "batch") else tried


def typed(path: Sequence[str], command: click.Command, tried: click.Parameter, word: str) -> list[str]:
    """A command line with this word behind this option, or in this argument's place,
    and all that it needs beside it.
    """
    options, arguments = list[str](), list[str]()
    for param in command.params:
        said = word if param is tried else (ARGUMENTS | BESIDE).get(str(param.name))
        if isinstance(param, click.Argument):
            arguments.append(str(said))
        elif said is not None:
            options += [param.opts[0], *[said] * param.nargs]
    return [*path, *options, "--", *arguments]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, apis: Callable[..., Api]) -> Iterator[Stage]:
    """A batch that was sent, a folder, a file,
    and a pipe into which somebody says a little whenever it is opened.
    """
    stage = Stage(tmp_path_factory.mktemp("there"), apis(NEVER), {"MWBATCH_TIMEOUT": "1"})
    assert stage.run("submit", stage.manifest(2), "--callback-url", "none").code == Exit.DONE
    (stage.folder / "folder").mkdir()
    (stage.folder / "file").touch()
    pipe, over = stage.folder / "pipe", threading.Event()
    os.mkfifo(pipe)

    def feed() -> None:
        while not over.is_set():
            with suppress(OSError), pipe.open("w") as file:
                file.write("x\n")
            time.sleep(0.001)  # or it is open again before the reader has seen its end

    feeder = threading.Thread(target=feed)
    feeder.start()
    yield stage
    over.set()
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
    feeder.join()


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are told to stop by a signal as soon as they hear signals."""
    listen = program.listen

    def heard(*given: Any) -> None:
        listen(*given)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(program, "listen", heard)


@pytest.mark.parametrize(("path", "command", "param"), CASES)
def test_any_word(
    path: tuple[str, ...],
    command: click.Command,
    param: click.Parameter,
    there: Stage,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is taken, or refused in a sentence: never a bug of ours, never a trace, and it comes to an end."""
    if path[0] in ENDLESS:
        request.getfixturevalue("stopped")
    monkeypatch.chdir(there.folder)
    for word in words_for(param):
        ran = CliRunner(env=there.env).invoke(app, typed(path, command, param, word))
        assert ran.exit_code in CODES, f"{word[:40]!r}: {ran.output}"
        assert "Traceback" not in ran.output, f"{word[:40]!r}: {ran.output}"
