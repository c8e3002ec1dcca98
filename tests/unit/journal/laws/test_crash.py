"""The journal on a machine whose disk fails and whose power is cut, with and without its safeguards."""

import errno
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.disks import Fate
from tests.support.sabotage import replaced
from tests.unit.journal.laws.power import Power, brought
from tests.unit.journal.laws.sabotage import SABOTAGE

ONE, OTHER = brought(1, "x", "1", 0), brought(2, "y", "1", 0)

UNHURRIED: Final = settings(stateful_step_count=20, suppress_health_check=[HealthCheck.too_slow])
"""A machine that others use, too, is no fault of the journal."""

TestPower = Power.TestCase
# `make torture` plays many more: --hypothesis-profile=long
TestPower.settings = settings(UNHURRIED, max_examples=settings().max_examples // 4)


def failing(power: Power, *, restart: bool = False, **fates: list[Fate]) -> None:
    """Bring an answer and its copy to a disk that fails; then to one that does not,
    by this process or another.
    """
    power.fail(0, [[ONE], [ONE], [OTHER]], fates, (10_000, Random(0)), restart)


def restarted(power: Power) -> None:
    """Bring an answer to one process, and again to the next one."""
    power.append(0, [[ONE]])
    power.end(0, "close", Random(0))
    power.start()
    power.append(0, [[ONE]])


BROKEN: Final[dict[str, list[Fate]]] = {"sync": [None, errno.EIO], "truncate": [errno.EIO]}
WHERE: Final[Mapping[str, tuple[str, Callable[[Power], None]]]] = {
    "sync-does-nothing": ("before it was durable", failing),
    "names-are-not-synced": ("before it was durable", failing),
    "index-before-commit": ("before it was durable", lambda p: failing(p, write=[errno.ENOSPC])),
    "copies-do-not-wait": ("before it was durable", lambda p: failing(p, write=[errno.ENOSPC])),
    "append-after-error": ("appended to after", lambda p: failing(p, sync=[None, errno.EIO])),
    "no-cutting-back": (
        "before it was durable|answer twice",
        lambda p: failing(p, write=["short", errno.ENOSPC]),
    ),
    "memory-is-believed": ("before it was durable", lambda p: failing(p, restart=True, **BROKEN)),
    "nothing-is-learnt": ("although it was known", restarted),
}
"""For each safeguard the law that its loss breaks, and the steps in which it is needed."""


@pytest.mark.parametrize("safeguard", SABOTAGE)
def test_the_loss_of_a_safeguard_shows(safeguard: str) -> None:
    """Without any one of its safeguards the journal breaks a law, and the machine says which."""
    law, steps = WHERE[safeguard]
    with replaced(SABOTAGE[safeguard]), pytest.raises(AssertionError, match=law):
        play(steps)


@pytest.mark.parametrize("safeguard", SABOTAGE)
def test_with_all_safeguards_the_same_steps_are_safe(safeguard: str) -> None:
    """It is the safeguard that makes the difference: with it the same steps keep every law."""
    play(WHERE[safeguard][1])


def play(steps: Callable[[Power], None]) -> None:
    """Begin with one process, take these steps, then cut the power."""
    power = Power()
    try:
        power.start()
        steps(power)
        power.nothing_is_lost_and_nothing_invented()
        power.a_segment_holds_an_answer_once()
    finally:
        power.teardown()


@pytest.mark.parametrize("safeguard", ["sync-does-nothing", "nothing-is-learnt"])
def test_chance_notices_too(safeguard: str) -> None:
    """The steps that hypothesis draws find such a loss by themselves."""
    searched = settings(UNHURRIED, max_examples=300, phases=[Phase.generate], database=None)
    with replaced(SABOTAGE[safeguard]), pytest.raises(AssertionError, match=WHERE[safeguard][0]):
        run_state_machine_as_test(Power, settings=settings(searched, report_multiple_bugs=False))
