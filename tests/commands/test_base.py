"""The callback base: the one asked for, else the last; and whether anybody listens there."""

import pytest

from mwbatch.commands.base import NO_BASE, callback_base, warn_unheard
from mwbatch.core.address import NOBODY
from mwbatch.errors import UsageError
from tests.commands.conftest import Stage

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
    assert callback_base(asked, last, stage.desk) == base
    assert stage.desk.tally.notes == ([] if asked else [f"callbacks go to {LAST}, as before"])


def test_no_base_at_all(stage: Stage) -> None:
    """With no base asked for and none used before the user is told both ways out."""
    with pytest.raises(UsageError) as refused:
        callback_base(None, None, stage.desk)
    assert str(refused.value) == NO_BASE
    assert "serve-callbacks" in NO_BASE
    assert "--callback-url none" in NO_BASE


def test_what_is_refused_is_said_as_it_was_given(stage: Stage) -> None:
    """The sentence shows what was given and what it must be."""
    with pytest.raises(UsageError) as refused:
        callback_base("calls.test:8080", None, stage.desk)
    said = "--callback-url 'calls.test:8080' must begin with http:// or https:// and name a host"
    assert str(refused.value) == said


@pytest.mark.parametrize(("problem", "told"), [("", 0), ("nobody listens there", 1)])
async def test_people_know_before_money_is_spent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, problem: str, told: int
) -> None:
    """A base where no receiver of ours answers is warned of; one that answers is not, nor is nobody's."""
    asked: list[str] = []

    async def probe(base: str, _: object) -> str:
        asked.append(base)
        return problem

    monkeypatch.setattr("mwbatch.commands.base.probe", probe)
    for base in (LAST, NOBODY):
        await warn_unheard(base, stage.home.keys().newest, stage.desk)
    assert asked == [LAST]
    assert [LAST in note and problem in note for note in stage.desk.tally.notes] == [True] * told
