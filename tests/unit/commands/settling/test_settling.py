"""Settling doubt: presence at once, absence only after two valid sweeps far enough apart,
and else nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from mwbatch.client.transport.wire import WireResponse
from mwbatch.commands.settling import fetching, settling
from mwbatch.commands.settling.believing import TRIES
from mwbatch.commands.settling.settling import REFUTED, Settled, in_doubt, settle
from mwbatch.core.api.address import NOBODY, Key, write
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.codec.times import moment
from mwbatch.core.facts.kinds import Fact, Failed, Seen, Started, Verdict, Via
from mwbatch.core.facts.lines import line
from mwbatch.core.state.row_status import Status
from mwbatch.core.sweeps.doubt import Grounds, Witness
from mwbatch.core.sweeps.drift import WIDE
from mwbatch.errors import ApiError
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.journal.memory.journal import Memory
from mwbatch.journal.segments.segment import Segment
from mwbatch.simulator.world.dates import iso
from mwbatch.simulator.world.forms import Draft, Params
from mwbatch.simulator.world.tasks import Task
from tests.support.virtual import virtual
from tests.unit.commands.conftest import EPOCH, LATENCY, Stage, answer, clock, ids

SETTLE: Final = 150.0
PICTURE: Final[Params] = {"objects_to_tag": "brands", "image_url": "https://a.example/1.jpg"}


def ticks() -> float:
    """The tick of now."""
    return asyncio.get_running_loop().time()


def born(stage: Stage, row: int, attempt: int = 1, key: Key | None = None) -> Task:
    """The API makes a task of an attempt, and nobody hears of it."""
    address = write(NOBODY, key or keys_of(stage.home).newest, "b234567890", RowNumber(row), Attempt(attempt))
    return stage.world.create(Draft("tagging", address, PICTURE), clock())


def seen(task: Task, row: int, attempt: int = 1) -> Seen:
    """The fact that the API showed that task."""
    return Seen(
        clock(), RowNumber(row), Attempt(attempt), task.task_id, "pending", Via.CREATE, iso(task.created_at)
    )


async def doubtful(stage: Stage, *more: Fact, rows: int = 3, echo: bool = True, **started: Any) -> OpenBatch:
    """A batch whose rows all started, of which nothing is known."""
    batch = await stage.opened(rows)
    await stage.client.list_page(limit=1)
    fact = Started(
        clock(),
        ((0, rows),),
        Attempt(1),
        NOBODY,
        stage.client.origin,
        stage.client.key,
        Kid("k1"),
        stage.client.clock,
    )
    await batch.record([replace(fact, **started), *more])
    batch.keep(echo={"tagging": echo})
    return batch


async def settled(stage: Stage, batch: OpenBatch, **grounds: Any) -> Settled:
    """Settle, as the holder of the lock since the loop began."""
    try:
        return await settle(stage.session(batch), Grounds(**{"settle": SETTLE, "since": 0.0} | grounds))
    finally:
        await batch.journal.close()


def sweeps(stage: Stage) -> list[float]:
    """When each sweep ended by its own word, in seconds since the loop began."""
    ends = [moment(asked["end_time"]) for asked in stage.wire.listed if "end_time" in asked]
    return [(end - WIDE).timestamp() - EPOCH for end in ends if end]


def twist(stage: Stage, patch: pytest.MonkeyPatch, change: Callable[[Any, int], Any]) -> None:
    """Change what each walk's page says; the number counts them from 1."""
    honest, count = stage.wire.listings.answer, 0

    def answer(query: Any, *others: Any) -> Any:
        nonlocal count
        count += query.limit > 1
        page = honest(query, *others)
        return change(page, count) if query.limit > 1 else page

    patch.setattr(stage.wire.listings, "answer", answer)


@virtual
async def test_presence_is_recorded_at_once(stage: Stage) -> None:
    """Tasks that the listing shows are seen, on disk, without waiting."""
    batch = await doubtful(stage)
    for row in range(3):
        born(stage, row)
    await asyncio.sleep(1)
    result = await settled(stage, batch)
    assert (result.found, result.absent, result.open, stage.statuses()) == (3, [], 0, {"pending": 3})
    assert stage.context.ticks() < 5


@virtual
async def test_what_is_settled_is_not_shown_as_doubt(stage: Stage) -> None:
    """People see how many rows are in doubt still, and not how many ever were."""
    batch = await doubtful(stage)
    born(stage, 0)
    stage.context.tally.doubt, shown = 3, set[tuple[str, int]]()
    watching = asyncio.create_task(watch(stage, shown))
    await settled(stage, batch)
    watching.cancel()
    assert stage.context.tally.doubt == 0
    assert {doubt for phase, doubt in shown if "the 2 rows" in phase} == {2}


async def watch(stage: Stage, shown: set[tuple[str, int]]) -> None:
    """Note what is shown every second, with the rows in doubt beside it."""
    while True:
        await asyncio.sleep(1)
        shown.add((stage.context.tally.phase, stage.context.tally.doubt))


@virtual
async def test_absence_takes_two_sweeps(stage: Stage) -> None:
    """Without a later task the first sweep that counts is twice settle after the lock,
    the second a fifth later.
    """
    result = await settled(stage, await doubtful(stage))
    assert (result.found, result.absent, result.open, stage.statuses()) == (0, [0, 1, 2], 0, {"planned": 3})
    _, first, second = sweeps(stage)
    assert 2 * SETTLE <= first < 2 * SETTLE + 5
    assert SETTLE / 5 <= second - first < SETTLE / 5 + 5
    failed = [fact for fact in stage.on_disk() if isinstance(fact, Failed)]
    assert {(fact.row, fact.attempt, fact.verdict, fact.final) for fact in failed} == {
        (row, 1, "absent", False) for row in range(3)
    }


@virtual
async def test_a_later_task_halves_the_wait(stage: Stage) -> None:
    """With a task created after the attempts ended, settle counts once, from the end that was seen."""
    batch = await doubtful(stage)
    await asyncio.sleep(20)
    witness = born(stage, 2)
    await batch.record([seen(witness, 2)])
    grounds = {"ended": {0: 7.0, 1: 12.0}, "witness": Witness(witness.task_id, 20.0, RowNumber(2))}
    result = await settled(stage, batch, **grounds)
    assert result.absent == [0, 1]
    _, first, second = sweeps(stage)
    assert 12 + SETTLE <= first < 12 + SETTLE + 5
    assert SETTLE / 5 <= second - first < SETTLE / 5 + 5


@pytest.mark.parametrize("at", [1.0, 140.0, 299.0, 310.0, 329.0])
@virtual
async def test_a_task_that_shows_up_late_is_found(stage: Stage, at: float) -> None:
    """A task born at any moment before the second sweep is seen; the other rows are closed."""
    batch = await doubtful(stage)
    asyncio.get_running_loop().call_at(at, lambda: born(stage, 1))
    result = await settled(stage, batch)
    assert (result.found, result.absent, stage.statuses()) == (1, [0, 2], {"planned": 2, "pending": 1})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"origin": "http://elsewhere.test"}, "the API key is another one"),
        ({"key": "0" * 8}, "the API key is another one"),
        ({"echo": False}, "the listing was not seen to show our callback addresses"),
    ],
)
@virtual
async def test_what_a_sweep_cannot_say(stage: Stage, changed: dict[str, Any], said: str) -> None:
    """Another origin or key, or an echo that was not proved: nothing is closed, at once,
    and the reason is said.
    """
    result = await settled(stage, await doubtful(stage, **changed))
    assert (result.open, stage.statuses()) == (3, {"doubt": 3})
    assert [reason.startswith(said) for reason in result.reasons] == [True]
    assert stage.context.ticks() < 5


@virtual
async def test_an_echo_of_another_type_proves_nothing(stage: Stage) -> None:
    """Rows in doubt are settled only where the listing was seen to show addresses of their own type."""
    batch = await doubtful(stage)
    batch.keep(echo={"annotating": True})
    assert (await settled(stage, batch)).open == 3


@virtual
async def test_belied_once_is_never_believed_again(stage: Stage) -> None:
    """A task of an attempt that was closed as absent ends all settling in this batch."""
    early: list[Fact] = [
        Failed(clock(), RowNumber(0), Attempt(1), Verdict.ABSENT, final=False),
        seen(born(stage, 0), 0),
    ]
    result = await settled(stage, await doubtful(stage, *early))
    assert (result.reasons, stage.statuses()) == ([REFUTED], {"pending": 1, "doubt": 2})


def write_beside(batch: OpenBatch, fact: Seen) -> None:
    """Another process writes a fact."""
    if isinstance(batch.journal, Memory):
        batch.journal.facts_.append(fact)
        return
    other = Segment(Path(batch.where) / "journal", "receiver")
    other.append(line(fact))
    other.close()


def written(stage: Stage, patch: pytest.MonkeyPatch, batch: OpenBatch, fact: Seen) -> None:
    """Another process writes a fact before the last walk through the listing ends."""

    def write_meanwhile(page: Any, number: int) -> Any:
        if number == 3:
            write_beside(batch, fact)
        return page

    twist(stage, patch, write_meanwhile)


@virtual
async def test_the_last_look_at_the_disk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process wrote between the second sweep and the closing keeps its row from being closed."""
    batch = await doubtful(stage)
    written(stage, monkeypatch, batch, Seen(clock(), RowNumber(1), Attempt(1), "task-1", "pending", Via.GET))
    result = await settled(stage, batch)
    assert (result.absent, result.found, stage.statuses()) == ([0, 2], 1, {"planned": 2, "pending": 1})


@virtual
async def test_what_is_written_while_the_api_is_asked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process writes while a task that callbacks name is
    asked for keeps its row from being closed, too.
    """
    batch = await doubtful(stage)
    written(
        stage, monkeypatch, batch, Seen(clock(), RowNumber(1), Attempt(1), "task-1", "pending", Via.CALLBACK)
    )
    asked = fetching.look

    async def meanwhile(*given: Any) -> Any:
        write_beside(batch, Seen(clock(), RowNumber(2), Attempt(1), "task-2", "pending", Via.GET))
        return await asked(*given)

    monkeypatch.setattr(settling, "look", meanwhile)
    result = await settled(stage, batch)
    assert (result.absent, stage.statuses()) == ([0, 1], {"planned": 2, "pending": 1})


@virtual
async def test_a_task_that_callbacks_name_and_the_api_shows(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row in doubt about which a callback tells of a task is not closed before the API was asked for it,
    and found.
    """
    batch = await doubtful(stage)
    written(
        stage, monkeypatch, batch, Seen(clock(), RowNumber(1), Attempt(1), "task-1", "pending", Via.CALLBACK)
    )
    stage.wire.gets["task-1"] = answer(200, {"task_id": "task-1", "status": "pending"})
    result = await settled(stage, batch)
    assert (result.absent, result.found, stage.statuses()) == ([0, 2], 1, {"planned": 2, "pending": 1})


@virtual
async def test_a_task_that_callbacks_name_and_nobody_can_look_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the API cannot be asked for a task that callbacks name, its row stays in doubt,
    with the reason.
    """
    batch = await doubtful(stage)
    written(
        stage, monkeypatch, batch, Seen(clock(), RowNumber(1), Attempt(1), "task-1", "pending", Via.CALLBACK)
    )
    stage.wire.gets["task-1"] = answer(400)
    result = await settled(stage, batch)
    assert (result.absent, result.open, stage.statuses()) == ([0, 2], 1, {"planned": 2, "doubt": 1})
    assert "callbacks name tasks of rows in doubt" in result.reasons[0]


@pytest.mark.parametrize(
    ("shown", "status"), [(None, "planned"), ({"task_id": "task-1", "status": "pending"}, "pending")]
)
@virtual
async def test_a_callback_after_the_closing(stage: Stage, shown: Any, status: str) -> None:
    """A callback about an attempt that was closed keeps its row from
    being sent until the API was asked for its task.
    """
    batch = await doubtful(stage)
    assert (await settled(stage, batch)).absent == [0, 1, 2]
    batch = await stage.opened()
    await batch.record([Seen(clock(), RowNumber(1), Attempt(1), "task-1", "pending", Via.CALLBACK)])
    assert stage.statuses() == {"planned": 2, "doubt": 1}
    if shown:
        stage.wire.gets["task-1"] = answer(200, shown)
    result = await settled(stage, batch)
    assert (result.absent, stage.statuses()) == ([] if shown else [1], Counter(["planned"] * 2 + [status]))
    assert batch.state.refuted() is bool(shown)


@virtual
async def test_another_account_denies_nothing(stage: Stage) -> None:
    """A task that callbacks name is not denied by an account that is
    not the one at which the row was sent.
    """
    batch = await doubtful(stage, key="0" * 8)
    await batch.record([Failed(clock(), RowNumber(1), Attempt(1), Verdict.ABSENT, final=False)])
    await batch.record([Seen(clock(), RowNumber(1), Attempt(1), "task-1", "pending", Via.CALLBACK)])
    assert ((await settled(stage, batch)).absent, batch.state.row(1).status) == ([], Status.DOUBT)


@virtual
async def test_an_origin_in_an_older_form(stage: Stage) -> None:
    """Doubt of requests to the same API is settled, and what callbacks named is denied,
    in whatever form it was written.
    """
    batch = await doubtful(stage, origin="HTTP://127.0.0.1:8900/")
    assert (await settled(stage, batch)).absent == [0, 1, 2]
    batch = await stage.opened()
    await batch.record([Seen(clock(), RowNumber(1), Attempt(1), "task-1", "pending", Via.CALLBACK)])
    assert (await settled(stage, batch)).absent == [1]


@virtual
async def test_a_task_that_callbacks_invent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that callbacks name and the API does not know keeps no row in doubt,
    nor from being sent again.
    """
    batch = await doubtful(stage)
    written(
        stage, monkeypatch, batch, Seen(clock(), RowNumber(1), Attempt(1), "task-1", "pending", Via.CALLBACK)
    )
    result = await settled(stage, batch)
    assert (result.absent, result.open, stage.statuses()) == ([0, 1, 2], 0, {"planned": 3})
    assert batch.state.row(1).sendable


@virtual
async def test_a_forged_address_is_neither(stage: Stage) -> None:
    """A task at an address of ours that we did not sign is no presence,
    and keeps its row from being absent.
    """
    batch = await doubtful(stage)
    born(stage, 1, key=Key(keys_of(stage.home).newest.kid, b"f" * 16))
    await asyncio.sleep(1)
    result = await settled(stage, batch)
    assert (result.found, result.absent, result.open) == (0, [0, 2], 1)
    assert result.reasons == ["a task stands at an address of a row in doubt that is not signed by our keys"]
    assert stage.statuses() == {"planned": 2, "doubt": 1}


@pytest.mark.parametrize("walk", [2, 3])
@virtual
async def test_an_address_forged_in_either_sweep(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, walk: int
) -> None:
    """A task at an address that we did not sign keeps its row in doubt,
    whichever of the two sweeps shows it.
    """
    batch = await doubtful(stage)
    forged = born(stage, 1, key=Key(keys_of(stage.home).newest.kid, b"f" * 16))

    def hide(page: Any, number: int) -> Any:
        left = [doc for doc in page["docs"] if doc["task_id"] != forged.task_id or number == walk]
        return page | {"docs": left, "total": len(left)}

    twist(stage, monkeypatch, hide)
    result = await settled(stage, batch)
    assert (result.absent, stage.statuses()) == ([0, 2], {"planned": 2, "doubt": 1})


def begun(stage: Stage, *rows: tuple[int, int]) -> Started:
    """The first attempt of some rows, as it begins now."""
    api = stage.client
    return Started(clock(), rows, Attempt(1), NOBODY, api.origin, api.key, Kid("k1"), api.clock)


@virtual
async def test_a_sweep_without_the_witness_closes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task of this run that was created after the doubt must be listed,
    be its start earlier in the record.
    """
    batch = await stage.opened(3)
    await stage.client.list_page(limit=1)
    first = begun(stage, (2, 3))
    await asyncio.sleep(5)
    await stage.client.list_page(limit=1)
    await batch.record([first, replace(first, rows=((0, 2),), clock=stage.client.clock)])
    batch.keep(echo={"tagging": True})
    known = born(stage, 2)
    await batch.record([seen(known, 2)])
    twist(stage, monkeypatch, lambda page, _: page | {"docs": [], "total": 0})
    result = await settled(stage, batch, witness=Witness(known.task_id, 6.0, RowNumber(2)))
    assert (result.absent, stage.statuses()) == ([], {"doubt": 2, "pending": 1})
    assert "lacks 1 known task" in result.reasons[0]


@virtual
async def test_tasks_of_runs_before_the_doubt_need_not_be_listed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was started before the earliest doubt lies outside: an API that forgot it can be believed."""
    batch = await stage.opened(3)
    await stage.client.list_page(limit=1)
    old = begun(stage, (2, 3))
    await batch.record([old, seen(born(stage, 2), 2)])
    await asyncio.sleep(3600 * 48)
    await stage.client.list_page(limit=1)
    await batch.record([replace(old, rows=((0, 2),), clock=stage.client.clock)])
    batch.keep(echo={"tagging": True})
    twist(stage, monkeypatch, lambda page, _: page | {"docs": [], "total": 0})
    assert (await settled(stage, batch)).absent == [0, 1]


LIES: Final[dict[str, Callable[[Any, int], Any]]] = {
    "total": lambda page, _: page | {"total": 7},
    "rubbish": lambda page, _: page | {"docs": [*page["docs"], "?"]},
    "known task missing": lambda page, _: page | {"docs": [], "total": 0},
    "no addresses": lambda page, _: page | {"docs": [{k: v for k,
    v in d.items() if k != "callback_url"} for d in page["docs"]]},
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
@virtual
async def test_a_listing_that_stays_invalid(stage: Stage, monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    """After so many sweeps that prove nothing doubt stays, with the reason;
    for what is missing the last looks without dates.
    """
    known = born(stage, 2)
    batch = await doubtful(stage, seen(known, 2))
    twist(stage, monkeypatch, LIES[lie])
    witness = Witness(known.task_id, 1.0, RowNumber(2))
    result = await settled(stage, batch, witness=witness)
    assert (result.open, stage.statuses()) == (2, {"doubt": 2, "pending": 1})
    assert [reason.startswith("no listing could be believed: the listing") for reason in result.reasons] == [
        lie != "rubbish"
    ]
    by_dates = 1 + TRIES - (lie == "known task missing")
    assert len(sweeps(stage)) == by_dates


@virtual
async def test_a_listing_that_is_invalid_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that proves nothing is repeated,
    and the second distance counts from the one that was believed.
    """
    twist(stage, monkeypatch, lambda page, number: page | {"total": 7} if number in (2, 3) else page)
    result = await settled(stage, await doubtful(stage))
    assert result.absent == [0, 1, 2]
    assert sweeps(stage)[4] - sweeps(stage)[3] >= SETTLE / 5


@virtual
async def test_an_api_that_is_gone(stage: Stage) -> None:
    """An API that cannot be listed leaves doubt, with its own words as the reason."""
    batch = await doubtful(stage)
    stage.wire.reads = ApiError("gone fishing", status=404)
    result = await settled(stage, batch)
    assert (result.open, result.reasons) == (3, ["no listing could be believed: HTTP 404: gone fishing"])


@pytest.mark.parametrize("date", [None, "Tue, 14 Nov 2023 22:13:20 GMT"])
@virtual
async def test_a_clock_that_says_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, date: str | None
) -> None:
    """Two sweeps whose ends are the same, or unknown, are one: a cache may have answered both."""
    batch = await doubtful(stage)
    honest = stage.wire.send

    async def send(*args: Any, **kwargs: Any) -> WireResponse:
        return (await honest(*args, **kwargs))._replace(headers={"Date": date} if date else {})

    monkeypatch.setattr(stage.wire, "send", send)
    result = await settled(stage, batch)
    assert (result.open, stage.statuses()) == (3, {"doubt": 3})
    assert result.reasons == [
        "no listing could be believed: the API names no time, or its clock stands still"
    ]


@pytest.mark.parametrize("at", [0.0, 1.0, 299.9, 300.0 + LATENCY, 320.0])
@virtual
async def test_interrupted_at_any_wait(stage: Stage, at: float) -> None:
    """Asked to stop at any moment before the second sweep: nothing is closed, and the wait ends at once."""
    batch = await doubtful(stage)
    asyncio.get_running_loop().call_at(at, stage.context.stopping.set)
    result = await settled(stage, batch)
    assert (result.absent, result.open, stage.statuses()) == ([], 3, {"doubt": 3})
    assert stage.context.ticks() < at + 2


@virtual
async def test_interrupted_while_nothing_is_believed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to stop between two tries of a sweep: the tries end."""
    twist(stage, monkeypatch, lambda page, _: page | {"total": 7})
    batch = await doubtful(stage)
    asyncio.get_running_loop().call_at(301.0, stage.context.stopping.set)
    assert (await settled(stage, batch)).reasons == ["no listing could be believed: interrupted"]
    assert stage.context.ticks() < 302


@virtual
async def test_nothing_in_doubt_takes_no_time(stage: Stage) -> None:
    """Where every attempt came to an end there is nothing to wait for."""
    batch = await stage.opened(2)
    result = await settled(stage, batch)
    assert (result, await in_doubt(batch, Grounds(SETTLE, 0.0))) == (Settled(), [])
    assert (ids(batch, Status.PLANNED), stage.context.ticks() < 1) == ([0, 1], True)


@pytest.mark.parametrize("later", [True, False])
@virtual
async def test_people_read_why_it_takes_twice_as_long(stage: Stage, later: bool) -> None:
    """Where no later task shows that the listing is current, and only there, people read that it waits for
    twice as long.
    """
    batch = await doubtful(stage)
    await asyncio.sleep(1)
    witness = born(stage, 2)
    await batch.record([seen(witness, 2)])
    known = Witness(witness.task_id, 1.0, RowNumber(2)) if later else None
    await settled(stage, batch, witness=known)
    told = [note for note in stage.context.tally.notes if "waiting twice as long" in note]
    assert (told == []) is later
