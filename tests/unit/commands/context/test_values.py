"""Settings that cannot be are refused by whoever takes them, before anything is asked, written or sent."""

import asyncio
from collections.abc import Callable, Coroutine
from math import inf, nan
from typing import Any

import pytest

from mwbatch.client import Client
from mwbatch.client.images import Images
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.rehearse import rehearse
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.run import ReceiverAddress, run
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.pace.pace import Pace
from mwbatch.core.spending.budget import Limits
from mwbatch.errors import Exit, UsageError
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ELSEWHERE, ORIGIN, Stage, answer, silent

BAD: dict[str, tuple[Callable[..., object], tuple[object, ...]]] = {
    "concurrency": (silent, (0, -1, 10**9, 1.5, nan, True, "9", None)),
    "rate": (silent, (0, -1, nan, inf, 1e-9, "1")),
    "settle": (silent, (-5, nan, inf, None, 1e12)),
    "limits": (silent, (None, 3)),
    "max_tasks": (Limits, (-1, 1.5, nan, 10**23)),
    "price": (Limits, (-0.1, nan, inf, 1e300, "1")),
    "max_cost": (Limits, (-1, nan, inf, 1e300)),
    "every": (ReconcileOptions, (0, -1, nan, inf)),
    "most": (ReconcileOptions, (-1, nan, inf)),
    "status": (Choice, ("pending", "all", None)),
    "ids": (Choice, ("shot-1",)),
    "port": (ReceiverAddress, (-1, 65_536, "80", None)),
    "admin_port": (ReceiverAddress, (-1, 65_536)),
    "host": (ReceiverAddress, ("", None)),
    "timeout": (lambda **one: Client("key", ORIGIN, **one), (0, -1, nan, inf, None)),
    "limit": (lambda **one: Client("key", ORIGIN, **one), (0, -1, 2.5, None)),
    "tries": (lambda **one: Client("key", ORIGIN, **one), (0, -1)),
    "at_once": (Images, (0, -1, nan)),
}
CASES = [(field, value) for field, (_, values) in BAD.items() for value in values]


@pytest.mark.parametrize(("field", "value"), CASES)
def test_what_cannot_be_is_refused(field: str, value: object) -> None:
    """Whoever takes a setting names it, its value, and what would do."""
    with pytest.raises(UsageError, match=f"^{field} is .*: ") as raised:
        BAD[field][0](**{field: value})
    assert raised.value.exit_code is Exit.USAGE


@pytest.mark.parametrize("settle", [-1.0, nan])
def test_manner_has_the_settle_of_wishes(settle: float) -> None:
    """Both that settle know the same rule."""
    with pytest.raises(UsageError, match="settle is"):
        ReconcileOptions(settle=settle)


@pytest.mark.parametrize("value", [0, -1, 10**9])
def test_a_pace_without_requests_would_hang(value: int) -> None:
    """A pace refuses what would let nothing through for ever."""
    with pytest.raises(UsageError, match="concurrency is"):
        Pace(value)
    with pytest.raises(UsageError, match="rate is"):
        Pace(4, -1.0 - value)


@virtual
async def test_a_status_may_be_a_word(stage: Stage) -> None:
    """A choice by the word of a status is one by the status."""
    stage.wire.plays = [answer(422)]
    await submit(stage.home, stage.client, stage.manifest(1), silent(), stage.context)
    await retry(stage.home, stage.client, "logos", Choice("rejected"), silent(), stage.context)
    assert stage.statuses() == {"pending": 1}


TOO_SHORT = pytest.mark.parametrize("settle", [1.0, 119.0])


@TOO_SHORT
@virtual
async def test_settle_is_not_too_short_for_an_api_elsewhere(stage: Stage, settle: float) -> None:
    """Settling within two minutes of an API that is not on this machine is refused: nothing is made,
    asked or sent.
    """
    client, source, options = stage.client_at(ELSEWHERE), stage.manifest(1), silent(settle=settle)
    first: tuple[Coroutine[Any, Any, object], ...] = (
        submit(stage.home, client, source, options, stage.context),
        run(stage.home, client, source, options, ReceiverAddress(port=0), stage.context),
    )
    for refused in first:
        with pytest.raises(UsageError, match=r"settle is .*too short.*at least 120"):
            await refused
    assert list(stage.home.batches()) == []
    await submit(stage.home, client, source, silent(), stage.context)
    there, sent = stage.on_disk(), stage.wire.left
    later: tuple[Coroutine[Any, Any, object], ...] = (
        resume(stage.home, client, "logos", options, stage.context),
        retry(stage.home, client, "logos", Choice(), options, stage.context),
        reconcile(stage.home, client, "logos", stage.context, ReconcileOptions(settle=settle)),
    )
    for refused in later:
        with pytest.raises(UsageError, match="too short"):
            await refused
    assert (stage.on_disk(), stage.wire.left) == (there, sent)


@virtual
async def test_an_empty_base_is_not_none(stage: Stage) -> None:
    """An empty callback base is refused, where none would mean the one that was used last."""
    client, source, empty = stage.client, stage.manifest(1), silent(callback_url="")
    await submit(stage.home, client, source, silent(), stage.context)
    for refused in (
        submit(stage.home, client, stage.manifest(1, 2), empty, stage.context),
        run(stage.home, client, stage.manifest(1, 2), empty, ReceiverAddress(port=0), stage.context),
        rehearse(stage.home, ORIGIN, source, empty, stage.context),
        resume(stage.home, client, "logos", empty, stage.context),
    ):
        with pytest.raises(UsageError, match=r"--callback-url '' must begin"):
            await refused
    assert stage.tasks == 1


@pytest.mark.parametrize("price", [None, 0.0])
@virtual
async def test_a_limit_that_cannot_be_checked_is_refused(stage: Stage, price: float | None) -> None:
    """A limit in money without a price holds nothing back: it is refused before a batch is made,
    in a rehearsal too.
    """
    source, limits = stage.manifest(*range(30)), Limits(price=price, max_cost=0.01)
    for refused in (
        submit(stage.home, stage.client, source, silent(limits=limits), stage.context),
        rehearse(stage.home, ORIGIN, source, silent(limits=limits), stage.context),
    ):
        with pytest.raises(UsageError, match=r"max_cost is 0.01: .*price"):
            await refused
    assert (stage.wire.left, list(stage.home.batches())) == (0, [])


@virtual
async def test_batch_info_that_names_a_limit_without_a_price(stage: Stage) -> None:
    """A batch info of before that cannot be held to is refused until a price is given;
    views read it as it stands.
    """
    await submit(
        stage.home, stage.client, stage.manifest(1, 2), silent(limits=Limits(max_tasks=1)), stage.context
    )
    stage.home.open(stage.home.find("logos")).keep(limits=Limits.stored(max_cost=0.2))
    with pytest.raises(UsageError, match=r"max_cost is 0.2: .*price") as raised:
        await resume(stage.home, stage.client, "logos", silent(), stage.context)
    assert "--price" in raised.value.on_command_line()  # type: ignore[attr-defined]
    assert stage.tasks == 1
    created = await resume(stage.home, stage.client, "logos", silent(limits=Limits(price=0.1)), stage.context)
    assert (created.exit, stage.tasks) == (Exit.DONE, 2)


@pytest.mark.parametrize(
    "limits",
    [{"price": 1e-320, "max_cost": 1.0}, {"max_tasks": -4}, {"price": -1.0}, {"max_cost": 5.0, "price": 0}],
)
@virtual
async def test_what_stands_on_batch_info_can_be_read(stage: Stage, limits: dict[str, Any]) -> None:
    """Whatever an older version let into a batch info, who only looks is not refused,
    and no limit of it is lost.
    """
    await submit(stage.home, stage.client, stage.manifest(1), silent(), stage.context)
    stage.home.open(stage.home.find("logos")).keep(limits=Limits.stored(**limits))
    there = stage.home.find("logos").info.limits
    assert {name: getattr(there, name) for name in limits} == limits
    assert there.tasks >= 0


@virtual
async def test_a_run_looks_at_its_poll(stage: Stage) -> None:
    """A time between two looks that cannot be is refused before the port is opened."""
    for poll in (0.0, -1.0, nan, inf):
        with pytest.raises(UsageError, match="poll is"):
            await run(
                stage.home,
                stage.client,
                stage.manifest(1),
                silent(),
                ReceiverAddress(port=0),
                stage.context,
                poll,
            )
    assert asyncio.all_tasks() == {asyncio.current_task()}
