"""Progress without a terminal: sentences at once and once, a line now and then."""

import asyncio
import os

import pytest

from mwbatch.core.report.progress import Tally
from mwbatch.views.terminal.line import sentence
from mwbatch.views.terminal.progress import Bar, Lines, shown
from mwbatch.views.terminal.streams import CLEAR, Stream


def test_a_line_of_progress() -> None:
    """It says what is done, of how much, and what needs attention."""
    tally = Tally("creating tasks", 1200, 5000, in_flight=64, doubt=1, rejected=2)
    assert sentence(tally, 0.0) == "creating tasks: 1,200 of 5,000, 64 in flight, 1 in doubt, 2 rejected"
    assert sentence(Tally("received", 3), 0.0) == "received: 3"


async def test_notes_are_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Every note is said, in order and once, the last ones too when the block ends."""
    tally = Tally()
    async with shown(tally, quiet=False):
        tally.note("first")
        await asyncio.sleep(0.15)
        tally.note("first")
        tally.note("second")
    assert capsys.readouterr().err == "first\nsecond\n"


@pytest.mark.parametrize(("quiet", "count"), [(False, 2), (True, 0)])
def test_lines_come_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], quiet: bool, count: int
) -> None:
    """A line comes every ten seconds, none with --quiet."""
    now = 0.0
    monkeypatch.setattr("mwbatch.views.terminal.progress.time.monotonic", lambda: now)
    lines = Lines(quiet=quiet)
    for now in range(21):  # noqa: B007 (the clock reads it)
        lines.show(Tally("creating tasks", 1, 2))
    assert capsys.readouterr().err.count("creating tasks: 1 of 2\n") == count


def test_an_idle_server_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of what has no end a line comes only when it says something new."""
    now = 0.0
    monkeypatch.setattr("mwbatch.views.terminal.progress.time.monotonic", lambda: now)
    lines = Lines()
    for now in range(100):
        lines.show(Tally("received", 1 if now < 50 else 2))
    assert capsys.readouterr().err == "received: 1\nreceived: 2\n"


async def test_sentences_may_go_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Where sentences are taken by somebody else, nothing stands on standard error."""
    tally, said = Tally(), list[str]()
    async with shown(tally, quiet=False, say=said.append):
        tally.note("first")
    assert (said, capsys.readouterr().err) == (["first"], "")


async def test_a_note_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A line end in what others made up begins no other sentence."""
    tally = Tally()
    async with shown(tally, quiet=False):
        tally.note("task t1\nmwbatch: all is paid of row 1")
    assert capsys.readouterr().err == "task t1\\u000amwbatch: all is paid of row 1\n"


async def test_notes_stand_before_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    """What was told is there at once: a question that is asked next stands below it."""
    tally = Tally()
    async with shown(tally, quiet=False):
        tally.note("first")
        assert capsys.readouterr().err == "first\n"


def test_each_phase_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time left is that of the phase that runs: one that is done does not make the next one done,
    though it is as long.
    """
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal, os.fdopen(theirs, "wb"):
        bar = Bar(Stream(theirs))
        bar.show(Tally("planning rows", 300, 300))
        for done in (0, 10, 20):
            bar.show(Tally("creating tasks", done, 300))
        bar.show(Tally("end"))
        shown = b""
        while b"end" not in shown:
            shown += terminal.read(4096)
    assert b" left" in shown.split(b"creating tasks")[-1]


def test_a_phase_without_an_end_tells_how_long_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its second second on, since nobody can say how long is left."""
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal, os.fdopen(theirs, "wb"):
        bar = Bar(Stream(theirs))
        for now in (100.0, 101.9, 102.0, 165.5):
            monkeypatch.setattr("mwbatch.views.terminal.progress.time.monotonic", lambda now=now: now)
            bar.show(Tally("asking the API"))
        bar.show(Tally("end"))
        shown = b""
        while b"end" not in shown:
            shown += terminal.read(4096)
    drawn = shown.decode().split(CLEAR)
    assert drawn == ["", "asking the API", "asking the API  2 s", "asking the API  65 s", "end"]
