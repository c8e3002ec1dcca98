"""An API whose tasks are dated by another clock than its answers are, or in another way:
no row is paid twice, no proof is false.
"""

from dataclasses import replace
from typing import Any, Final

import pytest

from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.codec.times import moment
from mwbatch.core.report.command_outcomes import Created, Reconciled
from mwbatch.core.sweeps.span import PADDING
from mwbatch.errors import Exit
from mwbatch.simulator.world.faults import Fault, Form, Line, Size
from mwbatch.views.outcomes import proved
from tests.support.virtual import virtual
from tests.unit.commands.conftest import EPOCH, Stage, silent

ROWS: Final = 48
PAGE: Final = 10
EVER: Final = 10**6
HOUR: Final = 3600.0

DOUBT: Final = (
    Line(Fault.CREATED_500, 3, 4),
    Line(Fault.NOT_CREATED_500, 20, 21),
    Line(Fault.CREATED_500, 22, 40),
    Line(Fault.NOT_CREATED_500, ROWS - 1, ROWS - 1),
    Line(Fault.CREATED_500, ROWS, ROWS),
)
"""Creates of which nobody can tell: some made a task, some did not, the last ones among them."""


def apart(seconds: float, first: int = 1) -> tuple[tuple[Line, ...], Size]:
    """Tasks are dated so many seconds after the clock of answers, from a create on."""
    return (Line(Fault.CREATED_AT_APART, first, EVER),), Size(created_at_offset_s=seconds)


def stepped(seconds: float, first: int) -> tuple[tuple[Line, ...], Size]:
    """The clock of answers, a proxy's, is set so many seconds ahead from an answer on."""
    return (Line(Fault.DATE_APART, first, EVER),), Size(date_offset_s=seconds)


def local(seconds: float) -> tuple[tuple[Line, ...], Size]:
    """Dates are local time without a zone, and listings go by UTC."""
    return (Line(Fault.CREATED_AT_LOCAL, 1, EVER),), Size(created_at_zone_s=seconds)


def written(form: Form | None) -> tuple[tuple[Line, ...], Size]:
    """Dates are written in a form; None: each task in its own."""
    return (Line(Fault.CREATED_AT_FORM, 1, EVER),), Size(created_at_form=form)


VARIANTS: Final = {
    "as documented": ((), Size()),
    **{f"dated {h} h apart": apart(h * HOUR) for h in (-25, -5.5, -0.2, 0.2, 5.5, 25, 24 * 400)},
    **{
        f"dated {h} h apart from the middle on": apart(h * HOUR, ROWS // 2) for h in (-12, -1, 1, 12, 27, -27)
    },
    **{f"the last ones dated {h} h apart": apart(h * HOUR, ROWS) for h in (-25, -5, 5, 25)},
    **{f"answers {h} h ahead": stepped(h * HOUR, 1) for h in (-7, -1, 1, 7)},
    **{
        f"answers {h} h ahead from the middle on": stepped(h * HOUR, ROWS // 2)
        for h in (-7, -1, 1, 7, 27, -27)
    },
    **{f"local time {h} h ahead": local(h * HOUR) for h in (-5, -1, 1, 5.5)},
    **{f"written {form}": written(form) for form in Form},
    "each written otherwise": written(None),
    "bare": ((Line(Fault.LIST_BARE, 1, EVER),), Size()),
    "bare and each written otherwise": ((*written(None)[0], Line(Fault.LIST_BARE, 1, EVER)), Size()),
    "whole seconds and local": (
        (*local(HOUR)[0], Line(Fault.CREATED_AT_TIES, 1, EVER)),
        Size(created_at_zone_s=HOUR),
    ),
}


async def sent(stage: Stage, *lines: Line, size: Size, rows: int = ROWS) -> Created:
    """Submit a manifest to an API that these faults befall."""
    clamped = Line(Fault.LIST_LIMIT_CLAMPED, 1, EVER)
    stage.befall(*lines, clamped, size=replace(size, list_limit=PAGE))
    return await submit(
        stage.home, stage.client, stage.manifest(*range(rows)), silent(concurrency=8), stage.context
    )


async def reconciled(stage: Stage, **options: Any) -> Reconciled:
    """Reconcile the batch."""
    stage.context = stage.new_context()
    return await reconcile(stage.home, stage.client, "logos", stage.context, ReconcileOptions(**options))


def doubles(stage: Stage) -> int:
    """How many rows have more than one task, by the API's own account."""
    return int(stage.world.stats()["doubles"])


@pytest.mark.parametrize("variant", VARIANTS)
@virtual
async def test_doubt_is_settled_whatever_the_dates_say(stage: Stage, variant: str) -> None:
    """Rows in doubt end with one task each, and the proof shows every task of the batch."""
    lines, size = VARIANTS[variant]
    created = await sent(stage, *lines, *DOUBT, size=size)
    assert (doubles(stage), stage.tasks) == (0, ROWS), created
    assert (created.exit, stage.statuses()) == (Exit.DONE, {"pending": ROWS})
    proof = (await reconciled(stage)).proof
    assert proof is not None
    assert (proof.paid_twice, proof.covers, proof.known) == (0, ROWS, ROWS), proof
    assert proved(proof).endswith(f"which covers {ROWS} of {ROWS} known tasks")


@pytest.mark.parametrize("variant", VARIANTS)
@virtual
async def test_doubles_show_at_once_whatever_the_dates_say(stage: Stage, variant: str) -> None:
    """Straight after a submission, within the same second, every double that a proxy made is found."""
    lines, size = VARIANTS[variant]
    await sent(stage, *lines, Line(Fault.PROXIED_TWICE, 30, ROWS), size=size)
    found = await reconciled(stage)
    assert len(found.canceled) == ROWS - 29
    assert found.proof is not None
    assert (found.proof.paid_twice, found.proof.covers) == (0, 2 * ROWS - 29)


@pytest.mark.parametrize(("seconds", "least", "greatest"), [(-7200.0, -7201, -7199), (7200.0, 7199, 7201)])
@virtual
async def test_how_far_dates_lie_apart_is_kept(
    stage: Stage, seconds: float, least: int, greatest: int
) -> None:
    """What is measured at each create stands in the batch info after the run, in whole seconds;
    the next run reaches as far back.
    """
    lines, size = apart(seconds)
    await sent(stage, *lines, size=size, rows=3)
    kept = stage.home.find("logos").info.drift
    assert (least <= kept[0] <= kept[1] <= greatest, kept[1] - kept[0] <= 2) == (True, True)
    stage.wire.listed.clear()
    await sent(stage, *lines, size=size, rows=4)
    began = next(moment(asked["start_time"]) for asked in stage.wire.listed if "start_time" in asked)
    assert began is not None
    assert began.timestamp() <= EPOCH + min(0.0, seconds) - PADDING.total_seconds() + 1
