"""Terminals and pipes: a bar on the one, plain lines on the other, and nothing wider than it must be."""

import signal

import pytest

from tests.e2e.support.stage import Stage
from tests.unit.cli.terminal.columns import COLOURS, lines, on_terminal

BAR = ("━", "╸", "╺")


@pytest.mark.parametrize("columns", [40, 100])
def test_the_bar_fits(slow: Stage, columns: int) -> None:
    """On a terminal a bar moves, and no frame of it is wider than the terminal."""
    ran = on_terminal(slow, columns, "run", slow.manifest(60), "--port", "0", "--concurrency", "8", "-y")
    bars = [line for line in lines(ran.out) if any(mark in line for mark in BAR)]
    assert ran.code == 0, ran.out
    assert any("/60" in line and "creating" in line for line in bars)
    assert max(map(len, bars)) <= columns


@pytest.mark.parametrize("columns", [40, 100])
def test_the_report_fits(patient: Stage, columns: int) -> None:
    """No line of a report is wider than the terminal, save a command that is to be copied whole."""
    patient.run("submit", patient.manifest(30), "--callback-url", "none")
    ran = on_terminal(patient, columns, "status", "m")
    shown = [line for line in lines(ran.out) if not line.strip().startswith(("home: ", "mwbatch "))]
    assert "  pending                30" in shown
    assert max(map(len, shown)) <= columns
    assert "  mwbatch reconcile m --wait" in ran.out


def test_a_pipe_is_plain(stage: Stage) -> None:
    """Into a pipe no escape code is written, and no bar."""
    ran = stage.run("run", stage.manifest(30), "--port", "0", "-v")
    assert ran.code == 0
    assert "\x1b" not in ran.out + ran.err
    assert not any(mark in ran.err for mark in BAR)


def test_no_colour(slow: Stage) -> None:
    """NO_COLOR takes the colours away and leaves the bar."""
    words = ("submit", slow.manifest(40), "--callback-url", "none", "--concurrency", "8")
    coloured = on_terminal(slow, 80, *words)
    slow.manifest(80)
    plain = on_terminal(slow, 80, *words, NO_COLOR="1")
    assert any("3" in code for code in COLOURS.findall(coloured.out))
    assert not any("3" in code or "4" in code for code in COLOURS.findall(plain.out))
    assert any(mark in plain.out for mark in BAR)


def test_quiet(slow: Stage) -> None:
    """--quiet leaves the report alone, on a terminal too; with --json only the object."""
    words = ("submit", slow.manifest(20), "--callback-url", "none", "--quiet")
    ran = on_terminal(slow, 80, *words)
    assert ran.code == 0
    assert not any(mark in ran.out for mark in BAR)
    again = slow.run(*words, "--json")
    assert again.json["rows"] == 20
    assert "pending" not in again.err


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 2), (b"\x03", 2), (b"\x04", 2)])
def test_somebody_is_asked(patient: Stage, answer: bytes, code: int) -> None:
    """On a terminal more than 100 tasks need a yes; no, Ctrl-C and Ctrl-D send nothing."""
    words = ("submit", patient.manifest(101), "--callback-url", "none")
    ran = on_terminal(patient, 80, *words, answer=answer)
    assert ran.code == code, ran.out
    assert any(line.startswith("create 101 tasks at ") for line in lines(ran.out))
    counts = patient.json("status", "m")["by_status"]
    assert counts["pending"] == (101 if code == 0 else 0)


def test_what_a_no_leaves_behind(patient: Stage) -> None:
    """Who says no is told what stays planned, and how to give it up: then another batch may ask for it."""
    words = ("submit", patient.manifest(101), "--callback-url", "none")
    ran = on_terminal(patient, 200, *words, answer=b"n\n")
    assert (
        "101 rows of batch m stay planned: mwbatch resume m asks again, mwbatch cancel m gives them up"
        in ran.out
    )
    assert patient.run(*words, "--batch", "other", "--dry-run").code == 2
    assert patient.run("cancel", "m").code == 0
    assert patient.run(*words, "--batch", "other", "--dry-run").code == 0


def test_nobody_is_asked(patient: Stage) -> None:
    """--yes gives the answer beforehand."""
    words = ("submit", patient.manifest(101), "--callback-url", "none", "--yes")
    ran = on_terminal(patient, 80, *words)
    assert ran.code == 0
    assert "[y/N]" not in ran.out


def test_what_rows_are_is_said_once(patient: Stage) -> None:
    """Who is asked has read above what the rows are, and does not read it again."""
    words = ("submit", patient.manifest(101), "--callback-url", "none")
    ran = on_terminal(patient, 80, *words, answer=b"n\n")
    assert ran.out.count("101 tagging") == 1


def test_a_terminal_that_lies(patient: Stage) -> None:
    """A width that no terminal has costs no memory, and breaks nothing."""
    ran = on_terminal(patient, 80, "validate", patient.manifest(3), COLUMNS="999999999999")
    assert ran.code == 0, ran.out


def test_a_report_on_the_narrowest_terminal(patient: Stage) -> None:
    """On a terminal of one column words are not taken apart: it folds lines by itself."""
    patient.run("submit", patient.manifest(3), "--callback-url", "none")
    ran = on_terminal(patient, 1, "status", "m")
    assert (ran.code, "# fetch the 3" in ran.out) == (0, True)


def test_a_receiver_shows_what_it_received(stage: Stage) -> None:
    """On a terminal a receiver shows how much it has received for as long as it runs."""
    ran = on_terminal(stage, 80, "serve-callbacks", "--port", "0", typed=[(b"received", signal.SIGINT)])
    assert ran.code == 128 + signal.SIGINT, ran.out


def test_who_said_yes_is_not_asked(patient: Stage) -> None:
    """With --yes rows are given up without a question, on a terminal too."""
    patient.run("submit", patient.manifest(101), "--callback-url", "none")
    ran = on_terminal(patient, 80, "cancel", "m", "--yes")
    assert ("[y/N]" in ran.out, ran.code) == (False, 0)
    assert patient.json("status", "m")["by_status"]["canceled"] == 101
