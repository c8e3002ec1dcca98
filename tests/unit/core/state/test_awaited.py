"""What still waits for a callback, and at whose addresses."""

from dataclasses import replace

import pytest

from mwbatch.core.codec.ids import Kid
from mwbatch.core.facts.kinds import Fact, Failed, Started, Verdict
from mwbatch.core.state.awaited import waiting
from mwbatch.core.state.batch import Batch
from tests.support.facts import answer, fail, plan, show, start, withdraw


def count(*facts: Fact) -> dict[Kid, int]:
    """How many rows wait for each key, by these facts."""
    return dict(waiting(Batch(facts), (fact for fact in facts if isinstance(fact, Started))))


def unsent(attempt: int) -> Failed:
    """An attempt that never left."""
    return replace(fail(attempt), verdict=Verdict.UNSENT)


@pytest.mark.parametrize(
    ("facts", "waits"),
    [
        ([start(1)], 1),
        ([start(1), show(1)], 1),
        ([start(1), fail(1)], 1),
        ([start(1), show(1), start(2)], 1),
        ([start(1), unsent(1)], 0),
        ([start(1), fail(1, final=True)], 0),
        ([start(1), answer(1)], 0),
        ([start(1), show(1, "canceled")], 0),
        ([start(1), fail(1), withdraw(2)], 0),
    ],
)
def test_when_a_row_waits(facts: list[Fact], waits: int) -> None:
    """A row waits while it is open and a task may exist of its attempt,
    one that sweeps did not find included.
    """
    assert count(plan(0), *facts).get(Kid("k1"), 0) == waits


def test_each_key_has_its_own() -> None:
    """Rows are counted at every key that signed an address of theirs, once each;
    those that are not planned nowhere.
    """
    old, new = start(1, ((0, 2), (7, 9))), replace(start(2, ((1, 2),)), kid=Kid("k2"))
    facts: list[Fact] = [plan(0), plan(1), plan(2), old, start(1, ((0, 1),)), fail(1, row=1), new]
    assert count(*facts) == {"k1": 2, "k2": 1}
