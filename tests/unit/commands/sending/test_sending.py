"""The order that is the guarantee: started first, one fact an outcome, doubt never sent again."""

import asyncio
import errno
from collections import Counter
from itertools import pairwise

import pytest

from mwbatch.commands.sending.probing import PATIENCE
from mwbatch.commands.sending.sending import Sender, Sending
from mwbatch.core.api.address import NOBODY, find
from mwbatch.core.facts.kinds import Failed, Planned, Seen, Started
from mwbatch.core.pace.course import State
from mwbatch.core.pace.pace import Pace, backoff
from mwbatch.core.state.row_status import Status
from mwbatch.errors import Exit, StoreError, Unsent, Unsure, UsageError
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.simulator.world.faults import Fault, Line
from mwbatch.simulator.world.forms import Draft
from tests.support.disks import Failing
from tests.support.facts import plan as planned
from tests.support.virtual import virtual
from tests.unit.commands.conftest import LATENCY, Stage, answer, clock, ids


def sender_of(stage: Stage, batch: OpenBatch, most: int = 4, *, keep_going: bool = False) -> Sender:
    """A sender of the batch that may have ``most`` requests in flight."""
    how = Sending(NOBODY, keys_of(stage.home).newest, stage.client.origin, stage.client.key, keep_going)
    return Sender(stage.session(batch), Pace(most), how)


async def send(stage: Stage, batch: OpenBatch, most: int = 4, *, keep_going: bool = False) -> Sender:
    """Send every row that may be sent."""
    sender = sender_of(stage, batch, most, keep_going=keep_going)
    try:
        await sender.send(batch.journal.rows())
    finally:
        await batch.journal.close()
    return sender


def place(address: str) -> tuple[int, int]:
    """Row and attempt of an address."""
    found = find(address)
    assert found is not None
    return found.row, found.attempt


@virtual
async def test_started_is_on_disk_before_any_request(stage: Stage) -> None:
    """When a request leaves, the journal on disk covers its row and attempt."""
    uncovered: list[str] = []

    def look(draft: Draft) -> None:
        if place(draft.callback_url) not in stage.covered():
            uncovered.append(draft.callback_url)

    stage.wire.on_create = look
    await send(stage, await stage.opened(40))
    assert (uncovered, len(stage.wire.creates)) == ([], 40)


@virtual
async def test_every_row_gets_one_task(stage: Stage) -> None:
    """Created is seen: each row has its own task, on disk, after one request."""
    sender = await send(stage, await stage.opened(300), most=64)
    assert sender.course.ending.exit is Exit.DONE
    assert stage.statuses() == {"pending": 300}
    assert Counter(map(place, stage.wire.creates)) == {(row, 1): 1 for row in range(300)}
    assert stage.wire.most_in_flight <= 64


@virtual
async def test_refused_is_final(stage: Stage) -> None:
    """A refusal rejects its row, keeps status and message, and no later run sends it."""
    stage.wire.plays = [answer(422, {"error": "no such picture"})]
    await send(stage, await stage.opened(3), most=1)
    [failed] = [fact for fact in stage.on_disk() if isinstance(fact, Failed)]
    assert (failed.row, failed.final, failed.status, failed.message) == (0, True, 422, "no such picture")
    assert (stage.context.tally.done, stage.context.tally.rejected, stage.context.tally.doubt) == (3, 1, 0)
    await send(stage, await stage.opened())
    assert (stage.statuses(), len(stage.wire.creates)) == ({"pending": 2, "rejected": 1}, 3)


@virtual
async def test_halted_stops_and_leaves_no_doubt(stage: Stage) -> None:
    """A refused account ends the run: what was started and never sent is closed as unsent,
    nothing is in doubt.
    """
    stage.wire.plays = [None, answer(401)]
    sender = await send(stage, await stage.opened(50), most=1)
    assert (sender.course.ending.exit, len(stage.wire.creates)) == (Exit.API, 2)
    assert "MICROWORK_API_KEY" in sender.course.ending.reason
    assert stage.statuses() == {"pending": 1, "planned": 49}
    closed = {(fact.row, fact.verdict, fact.final) for fact in stage.on_disk() if isinstance(fact, Failed)}
    unsent = {row for row, attempt in stage.covered()} - {0, 1}
    assert closed == {(1, "halted", False)} | {(row, "unsent", False) for row in unsent}


@pytest.mark.parametrize("born", [True, False])
@virtual
async def test_unknown_is_never_sent_again(stage: Stage, born: bool) -> None:
    """What nobody can tell stays in doubt, whether a task came of it or not, and no later run sends it."""
    stage.befall(Line(Fault.CREATED_500 if born else Fault.NOT_CREATED_500, 1, 1))
    sender = await send(stage, await stage.opened(3), most=1)
    assert (stage.statuses(), list(sender.recorder.doubtful)) == ({"pending": 2, "doubt": 1}, [0])
    await send(stage, await stage.opened())
    assert Counter(map(place, stage.wire.creates)) == {(0, 1): 1, (1, 1): 1, (2, 1): 1}
    assert stage.tasks == 2 + born


@virtual
async def test_busy_and_unsent_stay_within_one_attempt(stage: Stage) -> None:
    """What certainly made no task is sent again in the same attempt: one started, several requests,
    one task.
    """
    stage.wire.plays = [answer(429, Retry_After="3"), Unsent("refused"), answer(429), Unsent("refused")]
    await send(stage, await stage.opened(1))
    started = [fact for fact in stage.on_disk() if isinstance(fact, Started)]
    assert (len(started), len(stage.wire.creates), stage.tasks) == (1, 5, 1)
    assert stage.statuses() == {"pending": 1}
    assert stage.wire.left_at[1] - stage.wire.left_at[0] >= 3


@virtual
async def test_a_wait_that_the_api_names_is_all_the_rest_there_is(stage: Stage) -> None:
    """Where the API says that a row may come at once it does, as far as the pace allows."""
    stage.wire.plays = [answer(429, Retry_After="0")]
    await send(stage, await stage.opened(1))
    first, second = stage.wire.left_at
    assert second - first < LATENCY + 0.5


@pytest.mark.parametrize("play", [Unsent("refused"), 429])
@virtual
async def test_tries_lie_apart(stage: Stage, play: Unsent | int) -> None:
    """Two tries of one row lie as far apart as the backoff says, ever further,
    whoever else is sent meanwhile.
    """
    first = iter(range(7))
    stage.wire.always = lambda draft: (
        (answer(play) if isinstance(play, int) else play)
        if place(draft.callback_url)[0] == 0 and next(first, None) is not None
        else None
    )
    await send(stage, await stage.opened(9))
    tries = [at for at, url in zip(stage.wire.left_at, stage.wire.creates, strict=True) if place(url)[0] == 0]
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert len(gaps) == 7
    assert all(gap >= wait for gap, wait in zip(gaps, backoff(), strict=False))
    assert stage.statuses() == {"pending": 9}


@virtual
async def test_who_is_refused_again_and_again_holds_up_nobody(stage: Stage) -> None:
    """Rows that rest leave their place to others:
    the rest of the batch is sent before the second try of the first rows.
    """
    stage.wire.always = lambda draft: (
        answer(429)
        if place(draft.callback_url)[0] < 4 and stage.wire.creates.count(draft.callback_url) <= 1
        else None
    )
    await send(stage, await stage.opened(12))
    rows = [place(url)[0] for url in stage.wire.creates]
    assert stage.statuses() == {"pending": 12}
    assert {*rows[:9]} >= {0, 1, 2, 3, 4, 5}


@virtual
async def test_after_a_probe_trouble_is_counted_anew(stage: Stage) -> None:
    """A probe that was answered ends the trouble: the next unknown alone shuts no gate."""
    stage.wire.plays = [Unsure("cut")] * 9
    await send(stage, await stage.opened(30), most=1)
    assert (len(stage.wire.listed), stage.statuses()) == (1, {"pending": 21, "doubt": 9})


@virtual
async def test_patience_ends(stage: Stage) -> None:
    """After 15 minutes without a created row the run ends unfinished, and nothing is in doubt."""
    stage.wire.always = lambda _: Unsent("no route")
    sender = await send(stage, await stage.opened(20))
    assert (sender.course.ending.exit, stage.statuses()) == (Exit.UNFINISHED, {"planned": 20})
    assert 0 <= stage.context.ticks() - PATIENCE < 60
    assert "15 minutes" in sender.course.ending.reason


@virtual
async def test_a_wait_beyond_patience_is_not_waited_for(stage: Stage) -> None:
    """A Retry-After of a day ends the run at once, instead of sleeping for a day."""
    stage.wire.always = lambda _: answer(429, Retry_After="86400")
    sender = await send(stage, await stage.opened(5))
    assert (sender.course.ending.exit, stage.statuses()) == (Exit.UNFINISHED, {"planned": 5})
    assert stage.context.ticks() < 10


@virtual
async def test_eight_unknowns_shut_the_gate(stage: Stage) -> None:
    """After 8 unknowns in a row nothing is sent until a listing was answered; then it goes on."""
    stage.wire.plays = [Unsure("cut")] * 8
    listed_before: list[int] = []
    stage.wire.on_create = lambda _: listed_before.append(len(stage.wire.listed))
    await send(stage, await stage.opened(30), most=1)
    assert listed_before == [0] * 8 + [1] * 22
    assert stage.statuses() == {"pending": 22, "doubt": 8}


@virtual
async def test_after_a_probe_one_request_goes_first(stage: Stage) -> None:
    """Once the API answers again the first request goes alone; the others follow its answer."""
    stage.wire.plays, after = [Unsure("cut")] * 8, list[float]()
    stage.wire.on_create = lambda _: after.append(clock()) if stage.wire.listed else None
    await send(stage, await stage.opened(40), most=4)
    first, second, *_ = after
    assert second - first > 0.9 * LATENCY


@virtual
async def test_a_shut_gate_opens_for_the_next_send(stage: Stage) -> None:
    """Trouble in the last rows of one call does not hang the next call of the same sender."""
    stage.wire.plays = [Unsure("cut")] * 8
    batch = await stage.opened(12)
    sender = sender_of(stage, batch, 1)
    await sender.send(batch.journal.rows(), 8)
    await sender.send(batch.journal.rows())
    assert (len(ids(batch, Status.PENDING)), len(ids(batch, Status.DOUBT))) == (4, 8)


@virtual
async def test_probing_begins_anew(stage: Stage) -> None:
    """Once a row was created after trouble, the next trouble is probed as soon as the first one was."""
    loop, took = asyncio.get_running_loop(), list[float]()
    batch = await stage.opened(18)
    sender = sender_of(stage, batch, 1)
    for _ in range(2):
        stage.wire.plays, began = [Unsure("cut")] * 8, loop.time()
        await sender.send(batch.journal.rows(), 9)
        took.append(loop.time() - began)
    assert stage.statuses() == {"doubt": 16, "pending": 2}
    assert took[0] == pytest.approx(took[1])


@virtual
async def test_probing_ends_with_patience(stage: Stage) -> None:
    """An API that answers nothing for 15 minutes ends the run; only the unknowns are in doubt."""
    stage.wire.plays, stage.wire.reads = [Unsure("cut")] * 8, Unsure("cut")
    sender = await send(stage, await stage.opened(30), most=1)
    assert (sender.course.ending.exit, stage.statuses()) == (Exit.UNFINISHED, {"planned": 22, "doubt": 8})


@virtual
async def test_a_client_that_is_closed_under_a_probe(stage: Stage) -> None:
    """A run whose client is closed while it asks whether the API is back says so at once,
    and waits for no answer that cannot come.
    """
    stage.wire.plays, stage.wire.reads = [Unsure("cut")] * 8, UsageError("it was closed")
    sending = asyncio.create_task(send(stage, await stage.opened(30), most=1))
    await asyncio.wait([sending], timeout=3600)
    assert sending.done()
    with pytest.raises(UsageError, match="it was closed"):
        await sending
    assert stage.statuses() == {"planned": 22, "doubt": 8}


@pytest.mark.parametrize(("keep_going", "sent", "code"), [(False, 20, Exit.API), (True, 50, Exit.DONE)])
@virtual
async def test_twenty_refusals_alike(stage: Stage, keep_going: bool, sent: int, code: Exit) -> None:
    """20 refusals with one message stop the run, unless the user wants to keep going."""
    stage.wire.always = lambda _: answer(400, {"error": "no money"})
    sender = await send(stage, await stage.opened(50), most=1, keep_going=keep_going)
    assert (len(stage.wire.creates), sender.course.ending.exit) == (sent, code)
    assert stage.statuses()["rejected"] == sent


@virtual
async def test_stopping_finishes_what_is_in_flight(stage: Stage) -> None:
    """When the user asks to stop, requests in flight get their outcome, the others are never sent,
    none is in doubt.
    """
    asyncio.get_running_loop().call_later(3.5 * LATENCY, stage.context.stopping.set)
    sender = await send(stage, await stage.opened(100))
    sent = len(stage.wire.creates)
    assert (sender.course.ending.exit, sender.course.ending.reason) == (Exit.UNFINISHED, "interrupted")
    assert 0 < sent < 100
    assert stage.statuses() == {"pending": sent, "planned": 100 - sent}


@virtual
async def test_the_end_of_a_round_ends_a_course_that_was_stopped(stage: Stage) -> None:
    """A round that came to its end leaves the run sending; one that was stopped leaves it over."""
    assert (await send(stage, await stage.opened(3))).course.state is State.SENDING
    stage.wire.plays = [answer(401)]
    batch = await stage.opened()
    await batch.record([planned(3)])
    assert (await send(stage, batch)).course.state is State.OVER


@virtual
async def test_stopped_before_it_began(stage: Stage) -> None:
    """A wish to stop that came before the first request lets none leave."""
    stage.context.stopping.set()
    await send(stage, await stage.opened(5))
    assert (stage.wire.creates, stage.statuses()) == ([], {"planned": 5})


@pytest.mark.files
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
@virtual
async def test_without_started_nothing_leaves(stage: Stage, fault: int) -> None:
    """Where started cannot be written no request leaves, and the machine is to blame."""
    batch = await stage.opened(5, Failing(write=[fault] * 9))
    sender = await send(stage, batch)
    assert (stage.wire.creates, sender.course.ending.exit) == ([], Exit.MACHINE)
    assert stage.statuses() == {"planned": 5}


@pytest.mark.files
@virtual
async def test_a_disk_that_fails_for_seen(stage: Stage) -> None:
    """Where the outcome cannot be written the error is raised, and the task is not lost:
    its row is in doubt.
    """
    batch = await stage.opened(2, Failing(write=[None] + [errno.EIO] * 9))
    with pytest.raises(StoreError):
        await send(stage, batch)
    assert stage.tasks == 2
    assert stage.statuses() == {"doubt": 2}


@pytest.mark.files
@virtual
async def test_a_full_disk_that_recovers(stage: Stage) -> None:
    """Outcomes that met a full disk are written once there is room; the run still ends at once,
    blaming the machine.
    """
    batch = await stage.opened(40, Failing(write=[None, errno.ENOSPC]))
    sender = await send(stage, batch, most=1)
    assert sender.course.ending.exit is Exit.MACHINE
    assert stage.statuses()["pending"] == stage.tasks == len(stage.wire.creates)
    assert "doubt" not in stage.statuses()


@pytest.mark.files
@virtual
async def test_once_outcomes_cannot_be_written_nothing_more_leaves(stage: Stage) -> None:
    """Rows that were started and not sent are not sent any more: what would come of them could be lost."""

    class NoSeen(Failing):
        def write(self, file: int, chunk: bytes | memoryview) -> int:
            if b'"fact":"seen"' in bytes(chunk) and not self.calls.count("full"):
                self.calls.append("full")
                raise OSError(errno.ENOSPC, "no space")
            return super().write(file, chunk)

    sender = await send(stage, await stage.opened(10, NoSeen()), most=1)
    assert sender.course.ending.exit is Exit.MACHINE
    assert stage.statuses()["pending"] == len(stage.wire.creates) < 5


@virtual
async def test_most_bounds_one_call(stage: Stage) -> None:
    """At most as many rows are sent as the call allows, the first ones in order."""
    batch = await stage.opened(10)
    await sender_of(stage, batch).send(batch.journal.rows(), 3)
    assert ids(batch, Status.PENDING) == [0, 1, 2]
    assert {row for row, _ in stage.covered()} == {0, 1, 2}


@virtual
async def test_facts_say_what_was_sent(stage: Stage) -> None:
    """Started names base, origin and fingerprints; seen the task as the API showed it."""
    await send(stage, await stage.opened(1))
    facts = {type(fact): fact for fact in stage.on_disk()}
    started, seen = facts[Started], facts[Seen]
    assert isinstance(started, Started)
    assert isinstance(seen, Seen)
    assert (started.base, started.origin, started.key) == (NOBODY, stage.client.origin, stage.client.key)
    assert started.kid == keys_of(stage.home).newest.kid
    assert (seen.row, seen.attempt, seen.via, seen.status) == (0, 1, "create", "pending")
    assert isinstance(facts[Planned], Planned)
