"""The callback base: the one asked for, else the last; and whether anybody listens there."""

import pytest

from mwbatch.commands.context.callback_base import NO_BASE, callback_base, warn_unheard
from mwbatch.core.api.address import NOBODY, Key
from mwbatch.core.codec.ids import Kid
from mwbatch.errors import UsageError
from mwbatch.journal.keys.home_keys import keys_of
from tests.support.ports import free_port
from tests.unit.commands.conftest import Stage

LAST = "https://last.test/hooks"


@pytest.mark.parametrize(
    ("asked", "last", "base"),
    [
        ("none", None, NOBODY),
        ("none", LAST, NOBODY),
        ("https://calls.test/a/", LAST, "https://calls.test/a"),
        (None, LAST, LAST),
        ("", LAST, LAST),
    ],
)
def test_which_base(stage: Stage, asked: str | None, last: str | None, base: str) -> None:
    """What the user asks for goes first; only the base that nobody asked for is told."""
    assert callback_base(asked, last, stage.context) == base
    assert stage.context.tally.notes == ([] if asked else [f"callbacks go to {LAST}, as before"])


@pytest.mark.parametrize(
    "base",
    [
        "https://calls.test",
        "http://localhost:8080",
        "http://LOCALHOST.",
        "http://hooks.localhost",
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://[::1]:8080",
        "http://nas.local",
        "http://10.1.2.3",
        "http://192.168.0.9:1/a",
        "http://172.31.0.1",
        "http://169.254.1.1",
        "http://[fd00::1]",
        "none",
    ],
)
def test_what_needs_no_https(stage: Stage, base: str) -> None:
    """Callbacks that are encrypted, stay near, or never come are no reason for a warning."""
    callback_base(base, None, stage.context)
    assert stage.context.tally.notes == []


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("http://calls.test/hooks", "calls.test"),
        ("HTTP://93.184.216.34:8080", "93.184.216.34"),
        ("http://172.32.0.1", "172.32.0.1"),
        ("http://[2606:2800::1]", "2606:2800::1"),
        ("http://localhost.calls.test", "localhost.calls.test"),
        ("http://notlocal", "notlocal"),
    ],
)
@pytest.mark.parametrize("asked", [True, False])
def test_callbacks_in_clear_are_warned_of(stage: Stage, base: str, host: str, asked: bool) -> None:
    """Plain http to a host that is not local is told once, with the way out, whoever named the base."""
    for _ in range(2):
        callback_base(base if asked else None, None if asked else base, stage.context)
    [warning] = [note for note in stage.context.tally.notes if note.startswith("warning: ")]
    assert f"{host} is not local" in warning
    assert "https" in warning


def test_no_base_at_all(stage: Stage) -> None:
    """With no base asked for and none used before the user is told both ways out."""
    with pytest.raises(UsageError) as refused:
        callback_base(None, None, stage.context)
    assert str(refused.value) == NO_BASE
    assert "serve-callbacks" in NO_BASE
    assert "--callback-url none" in NO_BASE


def test_what_is_refused_is_said_as_it_was_given(stage: Stage) -> None:
    """The sentence shows what was given and what it must be."""
    with pytest.raises(UsageError) as refused:
        callback_base("calls.test:8080", None, stage.context)
    said = "--callback-url 'calls.test:8080' must begin with http:// or https:// and name a host"
    assert str(refused.value) == said


@pytest.mark.parametrize(("problem", "told"), [("", 0), ("nobody listens there", 1)])
async def test_people_know_before_money_is_spent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, problem: str, told: int
) -> None:
    """A base where no receiver of ours answers is warned of; one that answers is not, nor is nobody's."""
    asked: list[str] = []

    async def probe(base: str, *_: object) -> str:
        asked.append(base)
        return problem

    monkeypatch.setattr("mwbatch.commands.context.callback_base.probe", probe)
    for base in (LAST, NOBODY):
        await warn_unheard(base, keys_of(stage.home).newest, stage.context)
    assert asked == [LAST]
    assert [LAST in note and problem in note for note in stage.context.tally.notes] == [True] * told


async def test_a_password_of_old_is_shown_nowhere(stage: Stage) -> None:
    """A base with a password, which an older version took, is told of without it."""
    last = f"http://user:s3cret@127.0.0.1:{free_port()}"
    base = callback_base(None, last, stage.context)
    await warn_unheard(base, Key(Kid("k123"), b"x" * 32), stage.context)
    assert len(stage.context.tally.notes) == 2
    assert "s3cret" not in " ".join(stage.context.tally.notes)
