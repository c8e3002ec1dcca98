"""From bytes to the fact."""

from hashlib import sha256
from typing import Any

import pytest

from mwbatch.callbacks.common.refusal import Reason, Rejected
from mwbatch.callbacks.intake.delivery import Mismatch, read
from mwbatch.core.api.address import Address
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.facts.digests import digest, identity
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.core.report.result_line import response
from tests.unit.callbacks.stage import TAGS, callback

HERE = Address(Kid("k1"), "b1", RowNumber(7), Attempt(2), "0" * 32)


def seen(raw: bytes, at: float = 5.0) -> Seen:
    """The fact of a delivery to row 7, attempt 2."""
    return read(HERE, raw, at).seen


def test_a_fact_says_where_what_and_when() -> None:
    """A callback becomes one fact with the address's row and attempt, the API's words,
    and the body as it came.
    """
    raw = callback(created_at="A", completed_at="B", status="finished")
    assert seen(raw) == Seen(
        at=5.0,
        row=RowNumber(7),
        attempt=Attempt(2),
        task_id="t1",
        status="completed",
        via=Via.CALLBACK,
        created_at="A",
        completed_at="B",
        answer=digest(TAGS),
        sha256=sha256(raw).hexdigest(),
        body=raw,
    )


def test_other_times_are_the_same_answer() -> None:
    """A redelivery with other times and another order of keys has the identity of the first."""
    tag: Json = {"height": 4, "width": 3, "top": 2, "left": 1, "id": "x"}
    first, again = seen(callback(completed_at="B")), seen(callback(response={"tags": [tag]}), at=9.0)
    assert identity(first) == identity(again)
    assert identity(first) is not None


def test_another_response_is_another_answer() -> None:
    """Two answers of one task that say something different are two facts."""
    assert identity(seen(callback())) != identity(seen(callback(response={"tags": []})))


@pytest.mark.parametrize("said", [{}, [], 0, False, "", {"tags": []}])
def test_an_empty_answer_is_an_answer(said: Json) -> None:
    """Only a missing response, or null, is none."""
    assert seen(callback(response=said)).answer == digest(said)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"task_id":"t1","task":{"status":"canceled"}}',
        b'{"task_id":"t1","status":"canceled"}',
        b'{"response":null,"task":{"task_id":"t1","status":"canceled"}}',
    ],
)
def test_no_answer_is_seen_all_the_same(raw: bytes) -> None:
    """A callback without a response is a task seen, with its status and its body."""
    fact = seen(raw)
    assert (fact.task_id, fact.status, fact.answer, fact.body) == ("t1", "canceled", None, raw)


def test_two_task_ids() -> None:
    """Where two task ids differ the outer one counts, and the mismatch is told."""
    delivery = read(HERE, b'{"task_id":"outer","response":{},"task":{"task_id":"inner"}}', 5.0)
    assert (delivery.seen.task_id, delivery.mismatch) == ("outer", Mismatch.TWO_TASKS)
    assert read(HERE, callback(), 5.0).mismatch is None


def astray(
    address: Address = HERE, *, ours: bool = True, **named: Any
) -> tuple[str, int, int, Mismatch | None]:
    """Where a callback to row 7, attempt 2 of b1 is stored if its task
    names an address with some other fields.
    """
    url = f"https://a.example/x/callbacks{address._replace(**named).tail}"
    delivery = read(HERE, callback(callback_url=url), 5.0, lambda _: ours)
    return delivery.batch, delivery.seen.row, delivery.seen.attempt, delivery.mismatch


@pytest.mark.parametrize("named", [{"row": 8}, {"attempt": 1}, {"batch": "b2"}])
def test_a_delivery_that_went_astray(named: dict[str, Any]) -> None:
    """A task belongs to the address that it names, if we signed that,
    else to the one that it was posted to; it is told.
    """
    there = HERE._replace(**named)
    assert astray(**named) == (there.batch, there.row, there.attempt, Mismatch.OTHER_ADDRESS)
    assert astray(ours=False, **named) == ("b1", 7, 2, Mismatch.OTHER_ADDRESS)


def test_the_same_place_under_another_key() -> None:
    """A task that names the row and attempt that it was posted to agrees, whichever key signed;
    so does no address.
    """
    assert astray(kid="k2", mac="1" * 32) == ("b1", 7, 2, None)
    assert read(HERE, callback(callback_url="https://a.example/hook"), 5.0).mismatch is None


def test_what_was_kept_can_be_read() -> None:
    """The answer is found again in the body that was kept."""
    assert response(seen(callback())) == TAGS


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"{", Reason.NOT_JSON),
        (b'{"task_id":"t1","response":NaN}', Reason.NOT_JSON),
        ('{"task_id":"t1"}'.encode("utf-16"), Reason.NOT_JSON),
        (b"\xef\xbb\xbf" + callback(), Reason.NOT_JSON),
        (b'{"task_id":"\xff"}', Reason.NOT_JSON),
        (b'{"task_id":"t1","response":' + b"[" * 65 + b"]" * 65 + b"}", Reason.NOT_JSON),
        (b"[" * 100_000, Reason.NOT_JSON),
        (callback() + b"x", Reason.NOT_JSON),
        (b"null", Reason.NOT_TASK),
        (b"[]", Reason.NOT_TASK),
        (b'"t1"', Reason.NOT_TASK),
        (b"{}", Reason.NOT_TASK),
        (b'{"task_id":null}', Reason.NOT_TASK),
        (b'{"task_id":""}', Reason.NOT_TASK),
        (b'{"response":{"tags":[]}}', Reason.NOT_TASK),
    ],
)
def test_what_is_no_callback(raw: bytes, reason: Reason) -> None:
    """Anything but strict UTF-8 JSON that names a task is refused."""
    with pytest.raises(Rejected) as refused:
        read(HERE, raw, 5.0)
    assert refused.value.reason is reason
