"""What a look ahead says of money, and how a submission would end."""

from dataclasses import replace

import pytest

from mwbatch.core.report.preview import Rehearsal, Validation
from mwbatch.errors import Exit, UsageError

GOOD = Validation("m.csv", 3, {"tagging": 3}, 0, 0, "id", 0, ())
AHEAD = Rehearsal("logos", True, 5, 0, 0, 0, 0, {"tagging": 5}, None, to_send=3, price=0.1)


@pytest.mark.parametrize(
    ("found", "accepted_by", "refused", "valid", "code"),
    [
        (0, None, None, True, Exit.DONE),
        (2, None, None, False, Exit.USAGE),
        (2, "logos", None, True, Exit.DONE),
        (0, None, UsageError("asked for before"), True, Exit.USAGE),
    ],
)
def test_a_manifest_is_good_where_it_can_be_submitted(
    found: int, accepted_by: str | None, refused: UsageError | None, valid: bool, code: Exit
) -> None:
    """Mistakes count unless a batch has accepted them already; a submission that would be refused is no
    success, be the rows without a mistake.
    """
    told = replace(GOOD, found=found, accepted_by=accepted_by, refused=refused)
    assert (told.valid, told.exit) == (valid, code)


def test_what_it_costs_is_said_where_a_price_is_named() -> None:
    """A manifest costs all of its rows, a submission those that it would send, to a millionth; without a
    price nothing is said.
    """
    assert (GOOD.cost, replace(GOOD, price=0.1).cost) == (None, 0.3)
    assert (AHEAD.cost, replace(AHEAD, price=None).cost) == (0.3, None)
    assert AHEAD.exit is Exit.DONE
