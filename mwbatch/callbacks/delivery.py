"""One delivery: from a verified address and the body's bytes to the fact to store. Pure."""

from dataclasses import dataclass
from hashlib import sha256

from mwbatch.callbacks.refusal import Reason, Rejected
from mwbatch.core.address import Address
from mwbatch.core.facts import Seen, Via, digest
from mwbatch.core.task import BadTask, Callback, parse_callback
from mwbatch.core.text import BadJson, Json, decode


@dataclass(frozen=True, slots=True)
class Delivery:
    """``seen`` is the fact to store; ``mismatch``: the body names two different task ids, and the outer one counts."""

    seen: Seen
    mismatch: bool


def read(address: Address, raw: bytes, at: float) -> Delivery:
    """Read one callback; ``at`` is this machine's clock in seconds since the epoch.

    Raises:
        Rejected: the body is not strict JSON, or names no task.
    """
    callback = _callback(_json(raw))
    return Delivery(_seen(address, callback, raw, at), callback.mismatch)


def _json(raw: bytes) -> Json:
    try:
        return decode(raw)
    except BadJson:
        raise Rejected(Reason.NOT_JSON) from None


def _callback(value: Json) -> Callback:
    try:
        return parse_callback(value)
    except BadTask:
        raise Rejected(Reason.NOT_TASK) from None


def _seen(address: Address, callback: Callback, raw: bytes, at: float) -> Seen:
    """The body is kept without an answer too: it is all that shows why there is none."""
    return Seen(
        at=at,
        row=address.row,
        attempt=address.attempt,
        task_id=callback.task_id,
        status=callback.task.status,
        via=Via.CALLBACK,
        created_at=callback.task.created_at,
        completed_at=callback.task.completed_at,
        answer=None if callback.response is None else digest(callback.response),
        sha256=sha256(raw).hexdigest(),
        body=raw,
    )
