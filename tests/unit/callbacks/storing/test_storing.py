"""What is answered 200, and what is on disk then."""

import asyncio

import pytest

from mwbatch.callbacks.common.refusal import Reason
from mwbatch.core.api.receiver_probe import is_answer, probe_address, question
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.facts.kinds import Seen
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import BATCH, TAGS, Reply, Stage, add_batch, callback, until

OK = Reply(200, b"", None)


def seen(stage: Stage) -> list[Seen]:
    """The facts on disk, all of them `Seen`."""
    return [fact for fact in stage.facts() if isinstance(fact, Seen)]


async def test_stored_then_answered(stage: Stage) -> None:
    """When 200 arrives, the callback is a fact on disk."""
    assert await stage.post(stage.address(7, 2), callback()) == OK
    [fact] = seen(stage)
    assert (fact.row, fact.attempt, fact.task_id, fact.body) == (7, 2, "t1", callback())


@pytest.mark.parametrize("again", [callback(), callback(completed_at="later")])
async def test_a_redelivery_stores_nothing(stage: Stage, again: bytes) -> None:
    """A callback that comes again, as it was or with other times, is answered 200 and stored once."""
    for body in (callback(), again, again):
        assert await stage.post(stage.address(), body) == OK
    assert len(stage.lines()) == 1
    assert (stage.running.counts.stored, stage.running.counts.repeated) == (1, 2)


async def test_duplicates_at_once(stage: Stage) -> None:
    """Twenty copies at once are all answered 200 and make one line."""
    posts = [stage.post(stage.address(), callback()) for _ in range(20)]
    assert await asyncio.gather(*posts) == [OK] * 20
    assert len(stage.lines()) == 1


async def test_a_conflict_is_kept(stage: Stage) -> None:
    """Another answer of the same task is a second line."""
    other: Json = {"tags": []}
    for response in (TAGS, other, TAGS):
        assert await stage.post(stage.address(), callback(response=response)) == OK
    assert len(stage.lines()) == 2


async def test_one_line_each(stage: Stage) -> None:
    """A hundred callbacks at once are a hundred facts."""
    posts = [stage.post(stage.address(row), callback(f"t{row}")) for row in range(100)]
    assert await asyncio.gather(*posts) == [OK] * 100
    assert {(fact.row, fact.task_id) for fact in seen(stage)} == {(row, f"t{row}") for row in range(100)}


async def test_what_an_earlier_receiver_stored(start: Start) -> None:
    """A receiver that starts anew knows what is on disk."""
    first = await start()
    assert await first.post(first.address(), callback()) == OK
    await first.running.close()
    second = await start()
    assert await second.post(second.address(), callback()) == OK
    assert len(second.lines()) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"task_id":"t1","response":{"brand":"\\ud83d"}}',
        '{"task_id":"t1","response":{"brand":"\u2028\u00e9"}}'.encode(),
        b'{"task_id":"t1","response":{"a":1,"a":2}}',
        b'{"task_id":"t\\ud83d","response":{"n":123456789012345678901234567890}}',
    ],
)
async def test_kept_as_it_came(stage: Stage, body: bytes) -> None:
    """A lone surrogate, a line separator, a key twice, a great number: the body is kept byte for byte."""
    assert await stage.post(stage.address(), body) == OK
    assert [fact.body for fact in seen(stage)] == [body]


async def test_pretty_printing_becomes_one_line(stage: Stage) -> None:
    """Newlines and tabs between tokens become spaces, and the digest is of what came."""
    assert await stage.post(stage.address(), b'{\r\n\t"task_id": "t1",\n "response": {}\n}') == OK
    assert [fact.body for fact in seen(stage)] == [b'{   "task_id": "t1",  "response": {} }']


async def test_no_answer(stage: Stage) -> None:
    """A canceled task's callback is stored beside the answers, in the journal."""
    body = b'{"task_id":"t1","task":{"status":"canceled"}}'
    assert await stage.post(stage.address(), body) == OK
    assert [path.parent.name for path in stage.files()] == ["journal"]


async def test_a_mismatch_is_kept(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A callback that names two task ids is stored, counted and told."""
    assert await stage.post(stage.address(), b'{"task_id":"a","response":{},"task":{"task_id":"b"}}') == OK
    assert stage.running.counts.mismatched == len(stage.lines()) == 1
    assert "two task ids" in caplog.text
    await until(lambda: stage.running.counts.kept == 1)
    assert [reject.row for reject in stage.home.open(stage.home.find(f"named-{BATCH}")).own.rejects()] == [0]


async def test_nobody_knows_the_batch(stage: Stage) -> None:
    """A callback whose batch is not here is stored in the inbox, once."""
    for _ in range(2):
        assert await stage.post(stage.address(3, batch="elsewhere"), callback()) == OK
    [path] = stage.files()
    assert path.parent == (stage.home.path / "inbox" / "elsewhere") / "results"
    assert (stage.running.counts.inbox, len(stage.lines())) == (2, 1)


async def test_a_batch_that_appears_later(stage: Stage) -> None:
    """A batch made while the receiver runs gets its callbacks without a restart."""
    folder = add_batch(stage.home, "later67890")
    await asyncio.sleep(1.0)
    assert await stage.post(stage.address(batch="later67890"), callback()) == OK
    assert [path.parents[1] for path in stage.files()] == [folder]


async def test_two_receivers_on_one_home(start: Start) -> None:
    """Two receivers share a home; each writes segments of its own."""
    one, two = await start(), await start()
    assert await one.post(one.address(1), callback("t1")) == OK
    assert await two.post(two.address(2), callback("t2")) == OK
    assert (len(one.files()), len(one.lines())) == (2, 2)


async def test_told_when_durable(start: Start) -> None:
    """`on_stored` is told each new fact, with its batch, once it is on disk."""
    told: list[tuple[str, Seen, int]] = []

    def listen(batch: str, fact: Seen) -> None:
        told.append((batch, fact, len(stage.lines())))

    stage: Stage = await start(on_stored=listen)
    for body in (callback(), callback(), callback("t2")):
        await stage.post(stage.address(), body)
    assert [(batch, fact.task_id, lines) for batch, fact, lines in told] == [
        (BATCH, "t1", 1),
        (BATCH, "t2", 2),
    ]


async def test_a_listener_that_fails(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """What is stored is answered 200, even if whoever listens breaks; the log names the line that did,
    and no address.
    """

    def broken(_: str, __: Seen) -> None:
        raise RuntimeError

    stage = await start(on_stored=broken)
    assert await stage.post(stage.address(), callback()) == OK
    assert f"RuntimeError at {__file__}:{broken.__code__.co_firstlineno + 1}" in caplog.text
    assert stage.path() not in caplog.text


async def test_a_probe(stage: Stage) -> None:
    """A signed probe is answered by its nonce, and nothing is stored."""
    reply = await stage.post(probe_address(stage.running.url, stage.key), question("n1"))
    assert (reply.status, is_answer(reply.body, "n1")) == (200, True)
    assert not stage.lines()
    assert (stage.running.counts.probes, stage.running.counts.received) == (1, 0)


async def test_a_callback_is_no_probe(stage: Stage) -> None:
    """A callback at the probe's address is refused."""
    reply = await stage.post(probe_address(stage.running.url, stage.key), callback())
    assert reply.status == 400
    assert stage.running.counts.rejected == {Reason.NOT_JSON: 1}
