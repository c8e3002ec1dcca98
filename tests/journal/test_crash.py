"""The journal on a machine whose disk fails and whose power is cut."""

from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.journal.power import Power
from tests.journal.sabotage import SABOTAGE, without

NOTICED: Final = {
    "sync-does-nothing": "before it was durable",
    "names-are-not-synced": "before it was durable",
    "index-before-commit": "before it was durable",
    "copies-do-not-wait": "before it was durable",
    "append-after-error": "appended to after an error",
    "no-cutting-back": "holds an answer twice|before it was durable",
    "memory-is-believed": "before it was durable|acknowledged and lost",
    "nothing-is-learnt": "although it was known",
}
"""What the laws say where a safeguard is missing."""

SEED: Final = 1
"""One that notices soon; others do, too, but some after a hundred examples."""

UNHURRIED: Final = settings(stateful_step_count=20, suppress_health_check=[HealthCheck.too_slow])
"""A machine that others use, too, is no fault of the journal."""

LONG_ENOUGH: Final = settings(
    UNHURRIED,
    max_examples=300,
    stateful_step_count=50,
    phases=[Phase.generate],
    database=None,
    report_multiple_bugs=False,
    print_blob=False,
)

TestPower = Power.TestCase
# `make torture` plays many more: --hypothesis-profile=long
TestPower.settings = settings(UNHURRIED, max_examples=settings().max_examples // 4)


@pytest.mark.parametrize("safeguard", SABOTAGE)
def test_the_loss_of_a_safeguard_shows(safeguard: str) -> None:
    """Without any one of its safeguards the journal breaks a law, and the state machine says which."""
    with without(safeguard), pytest.raises(AssertionError, match=NOTICED[safeguard]):
        run_state_machine_as_test(seed(SEED)(type("Without", (Power,), {})), settings=LONG_ENOUGH)
