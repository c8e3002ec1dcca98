"""How a run begins: with a listing, and without trust where something speaks against the folder."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mwbatch.commands.sending.creating import SendOptions
from mwbatch.commands.settling.beginning import catch_up, last_base, restore_trust
from mwbatch.commands.verbs.reconcile import reconcile
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.api.address import Key, write
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.facts.kinds import Started
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.spending.budget import Limits
from mwbatch.core.sweeps.doubt import Grounds
from mwbatch.errors import ApiError, Exit, StoreError
from mwbatch.journal.home.batch_folder import BatchFolder, place_of
from mwbatch.journal.interface.distrust import suspicions
from mwbatch.journal.interface.open_batch import OpenBatch, look
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.simulator.world.faults import Fault, Line
from mwbatch.simulator.world.forms import Draft
from tests.support.facts import start
from tests.support.records import record_of
from tests.support.virtual import virtual
from tests.unit.commands.conftest import EPOCH, ORIGIN, Stage, clock, silent
from tests.unit.commands.settling.test_settling import PICTURE, born, doubtful, sweeps, twist

SETTLE = 150.0


def begun(base: str, clock: str | None, at: float = 0.0) -> Started:
    """A run that started one row."""
    return Started(at, ((0, 1),), Attempt(1), base, ORIGIN, "key", Kid("k1"), clock)


EARLY, LATE = "Tue, 14 Nov 2023 22:13:20 GMT", "Wed, 15 Nov 2023 01:00:00 GMT"
ONE, OTHER = "https://one.test", "https://other.test"


@pytest.mark.parametrize(
    ("starts", "base"),
    [
        ([], None),
        ([begun(ONE, None)], ONE),
        ([begun(OTHER, LATE, at=1.0), begun(ONE, EARLY, at=9e9)], OTHER),
        ([begun(OTHER, LATE, at=1.0), begun(ONE, None, at=9e9)], OTHER),
        ([begun(OTHER, LATE, at=1.0), begun(ONE, LATE, at=9e9)], None),
        ([begun(ONE, None), begun(OTHER, None)], None),
    ],
)
@virtual
async def test_the_last_base_of_an_older_batch(stage: Stage, starts: list[Started], base: str | None) -> None:
    """Where the batch info names no base it is the one that was used last by the API's clock,
    never by this machine's.
    """
    rows = count()  # a row that was started is not started again
    for order in (starts, starts[::-1]):
        batch = await stage.opened()
        await batch.record([replace(one, rows=((row := next(rows), row + 1),)) for one in order])
        await batch.journal.close()
        assert await last_base(batch) == base


@virtual
async def test_the_base_used_last_stands_in_the_batch_info(stage: Stage) -> None:
    """After a run with this machine's clock a year ahead,
    resume takes the base that replaced the one of that run.
    """
    source, year = stage.manifest("a", "b", "c"), 365 * 86_400.0
    ahead = replace(stage.new_context(), now=lambda: EPOCH + year)
    first = SendOptions(callback_url="http://127.0.0.1:1/first", limits=Limits(max_tasks=1))
    await submit(stage.home, stage.client, source, first, ahead)
    second = SendOptions(callback_url="http://127.0.0.1:1/second", limits=Limits(max_tasks=2))
    await submit(stage.home, stage.client, source, second, stage.new_context())
    await resume(stage.home, stage.client, "logos", SendOptions(limits=Limits(max_tasks=3)), stage.context)
    assert [address.split("/")[3] for address in stage.wire.creates] == ["first", "second", "second"]


async def caught_up(stage: Stage, batch: OpenBatch) -> None:
    """Catch up as a run does."""
    await catch_up(stage.session(batch))
    await batch.journal.close()


@virtual
async def test_the_beginning_of_time_is_kept_once(stage: Stage) -> None:
    """The server's clock before the first request is kept in the batch info, and no later run changes it."""
    batch = await stage.opened(1)
    await caught_up(stage, batch)
    await asyncio.sleep(500)
    await caught_up(stage, batch)
    assert stage.home.find("logos").info.began == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert [asked.get("start_time") for asked in stage.wire.listed] == [None, "2023-11-13T20:13:20.000Z"]


@virtual
async def test_tasks_that_the_journal_does_not_know_are_seen(stage: Stage) -> None:
    """Tasks at our addresses become seen, on disk, whoever's death kept them out of the journal,
    and it is said.
    """
    batch = await doubtful(stage)
    born(stage, 0)
    born(stage, 2)
    await asyncio.sleep(1)
    await caught_up(stage, batch)
    assert stage.statuses() == {"pending": 2, "doubt": 1}
    assert stage.context.tally.notes == ["the API's listing told the journal something new about 2 rows"]


@pytest.mark.parametrize(
    ("began", "drift", "start"),
    [
        (LATE, (0, 0), "2023-11-15T00:50:00.000Z"),
        (LATE, (), "2023-11-13T23:00:00.000Z"),
        (None, (0, 0), None),
        ("?", (0, 0), None),
    ],
)
@virtual
async def test_the_first_listing_reaches_back_to_the_beginning(
    stage: Stage, began: str | None, drift: tuple[int, ...], start: str | None
) -> None:
    """It begins where the batch did, by dates as far off as is known or may be;
    at the beginning of time if need be.
    """
    batch = await doubtful(stage)
    batch.keep(began=began, drift=drift)
    await caught_up(stage, batch)
    assert (stage.wire.listed[-1].get("start_time"), batch.info.began) == (start, began)


@virtual
async def test_a_batch_that_seems_new_has_the_first_page_looked_through(stage: Stage) -> None:
    """A folder put back as it was before its beginning: the newest tasks of the account tell,
    and it is no new batch.
    """
    batch = await stage.opened(2)
    born(stage, 1)
    await asyncio.sleep(1)
    await caught_up(stage, batch)
    assert (stage.statuses(), batch.info.began) == ({"planned": 1, "pending": 1}, None)
    assert suspicions(batch) == ["1 rows have an outcome and no start"]
    await caught_up(stage, batch)
    assert batch.info.began is None


@virtual
async def test_a_new_batch_costs_one_page_of_a_large_account(stage: Stage) -> None:
    """However many tasks an account has, a batch that never sent looks at the newest of them alone."""
    for number in range(150):
        await stage.client.create_tagging_task(f"https://images.test/{number}", "https://others.test/hook")
    batch, before = await stage.opened(2), len(stage.wire.listed)
    await caught_up(stage, batch)
    assert len(stage.wire.listed) == before + 1


@virtual
async def test_an_api_that_refuses_us_begins_nothing(stage: Stage) -> None:
    """Trouble with the first listing is raised."""
    stage.wire.reads = ApiError("who are you", status=401)
    with pytest.raises(ApiError, match="who are you"):
        await caught_up(stage, await stage.opened(1))


async def half_sent(stage: Stage) -> Path:
    """A batch of six rows of which four have a task, as a run left it; returns its folder."""
    limits = Limits(max_tasks=4)
    await submit(stage.home, stage.client, stage.manifest(*range(6)), silent(limits=limits), stage.context)
    await asyncio.sleep(5)
    stage.wire.listed.clear()
    stage.context = stage.new_context()
    return Path(stage.home.find("logos").where)


async def go_on(stage: Stage) -> Created:
    """Resume without the limit."""
    return await resume(stage.home, stage.client, "logos", silent(limits=Limits(max_tasks=99)), stage.context)


def lose_journal(folder: Path) -> None:
    """The disk forgets the whole journal: every start and every task."""
    for path in (folder / "journal").glob("*.jsonl"):
        path.unlink()


def tear(folder: Path) -> None:
    """The journal's last lines are cut off in the middle."""
    for path in (folder / "journal").glob("*.jsonl"):
        path.write_bytes(path.read_bytes()[:-200])


def copy_back(folder: Path) -> None:
    """The folder comes back from a copy."""
    aside = folder.with_name("aside")
    shutil.copytree(folder, aside, ignore=shutil.ignore_patterns("batch.json"))
    shutil.copy(folder / "batch.json", aside)
    shutil.rmtree(folder)
    aside.rename(folder)


HARMS: list[Callable[[Path], None]] = [lose_journal, tear, copy_back]


@pytest.mark.files
@pytest.mark.parametrize("befall", HARMS)
@virtual
async def test_nothing_is_sent_before_the_whole_span_was_listed(
    stage: Stage, befall: Callable[[Path], None]
) -> None:
    """A harmed folder: two sweeps of the whole span come before any request, and no row is paid twice."""
    befall(await half_sent(stage))
    before, swept, resumed = len(stage.wire.creates), list[int](), stage.context.ticks()
    stage.wire.on_create = lambda _: swept.append(len(sweeps(stage)))
    created = await go_on(stage)
    assert (created.exit, stage.statuses()) == (Exit.DONE, {"pending": 6})
    assert (len(stage.wire.creates) - before, stage.tasks, stage.world.stats()["doubles"]) == (2, 6, 0)
    assert min(swept) >= 2
    first, second = sweeps(stage)[:2]
    assert first - resumed >= 2 * SETTLE - 1
    assert second - first >= SETTLE / 5 - 1


@pytest.mark.files
@pytest.mark.parametrize("befall", HARMS)
@virtual
async def test_a_folder_is_trusted_again(stage: Stage, befall: Callable[[Path], None]) -> None:
    """After that sweep the batch info forgives what was found, and says so:
    the next run trusts the folder at once.
    """
    folder = await half_sent(stage)
    befall(folder)
    await go_on(stage)
    assert record_of(folder).place == place_of(folder)
    assert any("the folder is trusted again" in note for note in stage.context.tally.notes)
    assert suspicions(await look(stage.home, stage.home.find("logos"))) == []
    ticks = stage.context.ticks()
    await go_on(stage)
    assert stage.context.ticks() - ticks < 5


async def distrusted(stage: Stage, batch: OpenBatch, **info: Any) -> str:
    """What keeps a folder, from which two rows are gone, from being trusted."""
    await batch.record([start(1, ((4, 5),))])
    assert isinstance(batch.own, BatchFolder)
    batch.own.record = replace(batch.own.record, place=(1, 1))
    batch.keep(**{"echo": {"tagging": True}} | info)
    reason = await restore_trust(stage.session(batch), Grounds(SETTLE, 0.0))
    await batch.journal.close()
    return reason


@pytest.mark.files
@virtual
async def test_trust_needs_the_echo(stage: Stage) -> None:
    """Where the listing was not seen to show our addresses it cannot restore trust: at once,
    with what to do.
    """
    reason = await distrusted(stage, await stage.opened(2), echo={"tagging": True, "annotating": False})
    assert "put back what" in reason
    assert reason.endswith("mwbatch resume logos --trust-folder")
    assert stage.context.ticks() < 1


@pytest.mark.files
@pytest.mark.parametrize("walk", [1, 2])
@pytest.mark.parametrize("kind", ["tagging", "annotating"])
@virtual
async def test_a_type_whose_addresses_were_never_shown_restores_no_trust(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, walk: int, kind: str
) -> None:
    """Tasks without an address may be rows of ours that the folder has forgotten, unless the listing was
    seen to show addresses of their type; in whichever of the two sweeps they are.
    """
    await stage.client.create_tagging_task("https://images.test/1", "https://others.test/hook")

    def strip(page: Any, number: int) -> Any:
        docs = [doc | {"type": kind, "callback_url": None} for doc in page["docs"] if number == walk]
        return page | {"docs": docs, "total": len(docs)}

    twist(stage, monkeypatch, strip)
    reason = await distrusted(stage, await stage.opened(2))
    assert ("the API's listing does not show our addresses" in reason) is (kind == "annotating")


@pytest.mark.files
@virtual
async def test_the_user_may_vouch_where_the_api_cannot_tell(stage: Stage) -> None:
    """A batch at an API that shows no addresses goes on from another disk by the user's word, once,
    and what it knows is not sent again.
    """
    stage.befall(Line(Fault.NO_ECHO, 1, 1000))
    await submit(
        stage.home,
        stage.client,
        stage.manifest("a", "b", "c"),
        silent(limits=Limits(max_tasks=2)),
        stage.context,
    )
    folder = Path(stage.home.find("logos").where)
    folder.rename(folder.with_name("aside"))
    shutil.copytree(folder.with_name("aside"), folder)
    shutil.rmtree(folder.with_name("aside"))
    options = silent(limits=Limits(max_tasks=9))
    refused = await resume(stage.home, stage.client, "logos", options, stage.new_context())
    assert "--trust-folder" in refused.ending.reason
    assert stage.tasks == 2
    vouched = await resume(
        stage.home, stage.client, "logos", replace(options, trust_folder=True), stage.new_context()
    )
    assert (vouched.ending.reason, stage.tasks) == ("", 3)
    again = await resume(stage.home, stage.client, "logos", options, stage.new_context())
    assert (again.ending.reason, stage.tasks) == ("", 3)


@pytest.mark.files
@virtual
async def test_trust_needs_a_listing_that_can_be_believed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing that stays invalid leaves the folder as it is, with the reason."""
    twist(stage, monkeypatch, lambda page, _: page | {"total": 7})
    batch = await stage.opened(2)
    reason = await distrusted(stage, batch)
    assert reason.startswith("no listing could be believed: the listing shows 0 tasks")
    assert (record_of(batch.where).forgiven, suspicions(batch) != []) == ((), True)


@pytest.mark.files
@virtual
async def test_a_copy_of_a_folder_at_work_is_not_trusted(stage: Stage) -> None:
    """A task of the batch that comes between the two sweeps is another process's:
    what that will send nobody here can tell.
    """
    copy_back(await half_sent(stage))
    ref = stage.home.find("logos")
    batch = await look(stage.home, ref, "submit")
    grounds = Grounds(SETTLE, stage.context.ticks())

    async def work_elsewhere() -> None:
        await asyncio.sleep(2 * SETTLE + SETTLE / 10)
        address = write(
            "https://a.example", keys_of(stage.home).newest, ref.info.batch_id, RowNumber(4), Attempt(1)
        )
        stage.world.create(Draft("tagging", address, PICTURE), clock())

    elsewhere = asyncio.create_task(work_elsewhere())
    assert "another process sends it" in await restore_trust(stage.session(batch), grounds)
    await elsewhere
    assert suspicions(batch) != []
    grounds = Grounds(SETTLE, stage.context.ticks())
    assert await restore_trust(stage.session(batch), grounds) == ""
    await batch.journal.close()


@pytest.mark.files
@virtual
async def test_a_copy_beside_its_batch_sends_nothing(stage: Stage) -> None:
    """Two folders of the home that are one batch: neither sends, by whichever name,
    and it is said which is to be moved away.
    """
    folder = await half_sent(stage)
    copy = Path(shutil.copytree(folder, folder.with_name("a-copy")))
    for act in (
        go_on(stage),
        submit(stage.home, stage.client, stage.manifest(*range(6)), silent(), stage.context),
    ):
        with pytest.raises(StoreError, match=f"move the copy, {copy}, out of"):
            await act
    assert stage.tasks == 4
    shutil.move(copy, stage.folder / "a-copy")
    assert (await go_on(stage)).exit is Exit.DONE
    assert (stage.tasks, stage.world.stats()["doubles"]) == (6, 0)


@pytest.mark.files
@pytest.mark.parametrize("walk", [1, 2])
@virtual
async def test_an_address_forged_in_either_sweep_restores_no_trust(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, walk: int
) -> None:
    """Tasks at addresses that we did not sign leave the folder as it is,
    whichever of the two sweeps shows them.
    """
    batch = await stage.opened(2)
    forged = born(stage, 1, key=Key(keys_of(stage.home).newest.kid, b"f" * 16))

    def hide(page: Any, number: int) -> Any:
        left = [doc for doc in page["docs"] if doc["task_id"] != forged.task_id or number == walk]
        return page | {"docs": left, "total": len(left)}

    twist(stage, monkeypatch, hide)
    assert "that our keys did not sign" in await distrusted(stage, batch)
    assert (record_of(batch.where).forgiven, suspicions(batch) != []) == ((), True)


@pytest.mark.files
@virtual
async def test_every_listing_asks_caches_for_the_truth(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catching up, proving the echo, probing, settling, restoring trust, reconciling:
    each listing is to be fresh.
    """
    asked, honest = list[bool](), stage.wire.send

    async def send(method: str, path: str, *, fresh: bool = False, **rest: Any) -> Any:
        if path == "/v1/tasks":
            asked.append(fresh)
        return await honest(method, path, fresh=fresh, **rest)

    monkeypatch.setattr(stage.wire, "send", send)
    stage.befall(Line(Fault.NOT_CREATED_500, 4, 13))
    limits = Limits(max_tasks=24)
    await submit(stage.home, stage.client, stage.manifest(*range(30)), silent(limits=limits), stage.context)
    assert any("until the API answers again" in note for note in stage.context.tally.notes)
    lose_journal(Path(stage.home.find("logos").where))
    await go_on(stage)
    await reconcile(stage.home, stage.client, "logos", stage.context)
    assert (len(asked) > 15, all(asked)) == (True, True)


@pytest.mark.files
@pytest.mark.parametrize("at", [0.0, 100.0, 320.0])
@virtual
async def test_trust_that_is_interrupted(stage: Stage, at: float) -> None:
    """Asked to stop while waiting: nothing is forgiven and nothing is sent."""
    asyncio.get_running_loop().call_at(at, stage.context.stopping.set)
    batch = await stage.opened(2)
    assert (await distrusted(stage, batch), record_of(batch.where).forgiven) == ("interrupted", ())
    assert stage.context.ticks() < at + 2


@pytest.mark.files
@virtual
async def test_a_run_without_trust_sends_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where trust cannot be restored the run ends unfinished, with the reason, and nothing was sent."""
    lose_journal(await half_sent(stage))
    before = len(stage.wire.creates)
    twist(stage, monkeypatch, lambda page, _: page | {"total": 7})
    created = await go_on(stage)
    assert (created.exit, len(stage.wire.creates)) == (Exit.UNFINISHED, before)
    assert created.ending.reason.startswith("nothing was sent: no listing could be believed")


def stand_still(stage: Stage, monkeypatch: pytest.MonkeyPatch, shown: int) -> None:
    """From now on every listing shows the first ``shown`` tasks of the account alone,
    and says that these are all.
    """

    def hide(page: Any, _: int) -> Any:
        there = [task.task_id for task in stage.world.tasks()][:shown]
        left = [doc for doc in page["docs"] if doc["task_id"] in there]
        return page | {"docs": left, "total": len(left), "has_more": False}

    twist(stage, monkeypatch, hide)


@pytest.mark.files
@pytest.mark.parametrize("shown", [0, 1, 3])
@virtual
async def test_a_listing_that_shows_less_than_was_known_restores_no_trust(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, shown: int
) -> None:
    """The journal is gone, and the listing stands still or is another account's:
    what the API had told before tells, and no row is paid twice.
    """
    lose_journal(await half_sent(stage))
    with monkeypatch.context() as still:
        stand_still(stage, still, shown)
        created = await go_on(stage)
        assert (created.exit, stage.tasks) == (Exit.UNFINISHED, 4)
        assert f"the API's listing shows {shown} task" in created.ending.reason
        assert "4 or more were to be listed" in created.ending.reason
        assert created.ending.reason.endswith("mwbatch resume logos --trust-folder")
        proof = (await reconcile(stage.home, stage.client, "logos", stage.new_context())).proof
        assert proof is not None
        assert (proof.paid_twice, proof.reasons != ()) == (None, True)
    assert (await go_on(stage)).exit is Exit.DONE
    assert (stage.statuses(), stage.world.stats()["doubles"]) == ({"pending": 6}, 0)


@virtual
async def test_a_listing_without_any_task_of_a_batch_that_sent_restores_no_trust(stage: Stage) -> None:
    """Killed at its first request, the journal gone:
    a listing that shows no task of the batch is tied to nothing, until one shows.
    """
    batch = await stage.opened(3)
    batch.keep(kids=(keys_of(stage.home).newest.kid,), began=EARLY)
    grounds = Grounds(SETTLE, stage.context.ticks())
    assert "shows 0 tasks of the batch" in await restore_trust(stage.session(batch), grounds)
    assert suspicions(batch) != []
    born(stage, 0)
    await asyncio.sleep(1)
    assert await restore_trust(stage.session(batch), grounds) == ""
    assert stage.statuses() == {"planned": 2, "pending": 1}
    await batch.journal.close()


@pytest.mark.files
@virtual
async def test_the_user_may_vouch_where_the_listing_shows_less(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows that nothing of what is lost was paid for goes on by his word, which is said."""
    lose_journal(await half_sent(stage))
    stand_still(stage, monkeypatch, 0)
    options = silent(limits=Limits(max_tasks=99), trust_folder=True)
    created = await resume(stage.home, stage.client, "logos", options, stage.context)
    assert created.ending.reason == ""
    assert any("because you say so" in note for note in stage.context.tally.notes)
