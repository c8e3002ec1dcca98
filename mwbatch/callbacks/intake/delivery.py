"""One delivery: from a verified address and the body's bytes to the fact to store. Pure."""

from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

from mwbatch.callbacks.common.refusal import Reason, Rejected
from mwbatch.core.api.address import Address, find
from mwbatch.core.api.task import BadTask, CallbackBody, told_by
from mwbatch.core.codec.json_codec import BadJson, Json, decode
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Seen, Via


class Mismatch(StrEnum):
    """What does not agree in a callback that is stored all the same."""

    TWO_TASKS = "two_tasks"
    """The body names two different task ids: the outer one counts."""
    OTHER_ADDRESS = "other_address"
    """The task names another address of ours than the one it was posted to."""


MISMATCHES: Final = {
    Mismatch.TWO_TASKS: "a callback names two task ids; the outer one counts",
    Mismatch.OTHER_ADDRESS: "a callback tells of a task that was made for another address; it counts "
    "there if we signed that",
}
"""What the log says of each."""


class Delivery(NamedTuple):
    """``seen`` is the fact to store in ``batch``."""

    batch: str
    seen: Seen
    mismatch: Mismatch | None = None


def read(
    address: Address, raw: bytes, at: float, signed: Callable[[Address], bool] = lambda _: False
) -> Delivery:
    """Read one callback, posted to a verified address.

    ``at`` is this machine's clock in seconds since the epoch; ``signed`` says whether we signed another
    address. A task belongs to the address that it names itself, if we signed that: so does a sweep read it,
    and a delivery that went astray must not become the answer to somebody else's question.

    Raises:
        Rejected: the body is not strict JSON, or names no task.
    """
    told = _told(_json(raw))
    other = _other(address, told.callback_url or "")
    home = other if other is not None and signed(other) else address
    mismatch = Mismatch.OTHER_ADDRESS if other else Mismatch.TWO_TASKS if told.mismatch else None
    return Delivery(home.batch, _seen(home, told, raw, at), mismatch)


def _other(address: Address, url: str) -> Address | None:
    """The address of ours that a task names, where that is another one than it was posted to."""
    if url.endswith(address.tail):  # as nearly all do: looking closer would cost more
        return None
    named = find(url)
    return named if named and _place(named) != _place(address) else None


def _place(address: Address) -> tuple[str, int, int]:
    """What an address names; which key signed it does not matter."""
    return address.batch, address.row, address.attempt


def _json(raw: bytes) -> Json:
    try:
        return decode(raw)
    except BadJson:
        raise Rejected(Reason.NOT_JSON) from None


def _told(value: Json) -> CallbackBody:
    try:
        return told_by(value)
    except BadTask:
        raise Rejected(Reason.NOT_TASK) from None


def _seen(address: Address, told: CallbackBody, raw: bytes, at: float) -> Seen:
    """The body is kept without an answer too: it is all that shows why there is none."""
    return Seen(
        at=at,
        row=address.row,
        attempt=address.attempt,
        task_id=told.task_id,
        status=told.status,
        via=Via.CALLBACK,
        created_at=told.created_at,
        completed_at=told.completed_at,
        answer=None if told.response is None else digest(told.response),
        sha256=sha256(raw).hexdigest(),
        body=raw,
    )
