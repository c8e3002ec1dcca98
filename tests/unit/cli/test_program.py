"""What every command has in common."""

import asyncio
import errno
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from click.exceptions import Exit

from mwbatch.cli import app, main
from mwbatch.cli.program import glance, perform
from mwbatch.commands.context.context import Context
from mwbatch.errors import DiskFull, Poisoned, StoreError, UsageError
from mwbatch.library.settings.groups import LogFormat, OutputOptions
from mwbatch.views.plain import Result

STOPPED = "mwbatch.cli.import_module", "mwbatch.cli.program.emit"
"""Where Ctrl-C comes: while a verb's file is imported, and while its result is printed."""

ADDRESS = "https://calls.test/callbacks/v1/k1/b234567890/0-1/" + "0123456789abcdef" * 2


async def broken(_: Context) -> Result:
    raise RuntimeError(f"cannot read {ADDRESS}")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """The root of all loggers, put back as it was."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [*root.handlers])
    monkeypatch.setattr(root, "level", root.level)
    return root


@pytest.fixture(autouse=True)
def streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard streams, put back as they were: the program takes them over."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("json_", [False, True])
def test_a_trace_shows_no_mac(capfd: pytest.CaptureFixture[str], json_: bool) -> None:
    """The trace of our own bug, which users are asked to send in, hides the mac of an address in it;
    scripts get an object, too.
    """
    with pytest.raises(Exit) as ended:
        perform(broken, OutputOptions(json=json_))
    out, said = capfd.readouterr()
    assert (ended.value.exit_code, "bug of mwbatch" in said) == (70, True)
    assert ADDRESS[:-32] + "***" in said
    objects = [json.loads(line) for line in out.splitlines()]
    assert objects == [{"error": "this is a bug of mwbatch", "exit": 70}] * json_


@pytest.mark.usefixtures("root")
def test_who_is_interrupted_is_told_so(capfd: pytest.CaptureFixture[str]) -> None:
    """A command that fails because somebody interrupted it exits as one that was interrupted."""

    async def interrupted(context: Context) -> Result:
        with context.in_flight():
            os.kill(os.getpid(), signal.SIGTERM)
            await context.stopping.wait()
        raise UsageError("interrupted: nothing was written")

    with pytest.raises(Exit) as ended:
        perform(interrupted, OutputOptions(json=True))
    assert (ended.value.exit_code, json.loads(capfd.readouterr().out)["exit"]) == (143, 143)


@pytest.mark.usefixtures("root")
def test_the_first_signal_is_the_exit_code(capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever asked first to stop finds his signal in the exit code, though another one ended it at once."""

    async def interrupted(context: Context) -> Result:
        with context.in_flight():
            os.kill(os.getpid(), signal.SIGTERM)
            await context.stopping.wait()
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        return Result()

    with pytest.raises(Exit) as ended:
        perform(interrupted, OutputOptions(json=True))
    assert (ended.value.exit_code, json.loads(capfd.readouterr().out)["exit"]) == (143, 143)


@pytest.mark.usefixtures("root")
def test_a_glance_that_is_stopped(capfd: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends what only reads at once, with 130, and puts nothing in doubt."""

    def slow(tell: Callable[[str], None]) -> Result:
        tell("home: x")
        raise KeyboardInterrupt

    with pytest.raises(Exit) as ended:
        glance(slow, OutputOptions())
    assert (ended.value.exit_code, capfd.readouterr().err) == (130, "home: x\nmwbatch: stopped\n")


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("place", STOPPED)
def test_stopped_outside_of_the_command(place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ctrl-C is 130 wherever it comes; 1 would mean that rows were rejected."""

    def stopped(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(place, stopped)
    monkeypatch.setattr(app, "commands", {})
    monkeypatch.setattr(sys, "argv", ["mwbatch", "status", "--home", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    gc.unfreeze()
    assert ended.value.code == 130


@pytest.mark.parametrize(
    ("kind", "code", "way"),
    [
        (DiskFull, errno.ENOSPC, "; free some, then run the same command again"),
        (StoreError, errno.EDQUOT, "; free some, then run the same command again"),
        (StoreError, errno.EACCES, ""),
        (Poisoned, errno.ENOSPC, ""),
    ],
)
def test_a_command_that_ended_on_a_full_disk(
    kind: type[StoreError], code: int, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever's command has ended for want of space is told to run it again,
    and that nothing goes on by itself.
    """

    async def full(_: Context) -> Result:
        raise kind("no space for logos") from OSError(code, os.strerror(code))

    with pytest.raises(Exit):
        perform(full, OutputOptions())
    assert capsys.readouterr().err.splitlines()[-1] == f"mwbatch: no space for logos{way}"


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("verbose", [False, True])
def test_the_form_of_logs(capfd: pytest.CaptureFixture[str], verbose: bool) -> None:
    """With JSON whatever is said is an object a line, else words; details only where they are asked for."""

    async def chatty(context: Context) -> Result:
        logging.getLogger("mwbatch.test").info("a detail")
        context.tally.note("a sentence")
        raise UsageError("a mistake")

    with pytest.raises(Exit):
        perform(chatty, OutputOptions(log_format=LogFormat.JSON, verbose=verbose))
    said = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    details = [("INFO", "a detail")] if verbose else []
    told = [*details, ("INFO", "a sentence"), ("ERROR", "mwbatch: a mistake")]
    assert [(one["level"], one["message"]) for one in said] == told
    with pytest.raises(Exit):
        perform(chatty, OutputOptions(verbose=verbose))
    lines = capfd.readouterr().err.splitlines()
    assert [line.split()[1:] for line in lines[:-2]] == [["INFO", "mwbatch.test:", "a", "detail"]] * verbose
    assert lines[-2:] == ["a sentence", "mwbatch: a mistake"]
