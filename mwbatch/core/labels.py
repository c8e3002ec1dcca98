"""The join of a row with its answer: one line of `mwbatch results`, whose names are a promise to scripts."""

from datetime import UTC, datetime

from mwbatch.core.address import without_macs
from mwbatch.core.facts import Planned, Seen
from mwbatch.core.fold import Row
from mwbatch.core.task import parse_callback
from mwbatch.core.text import Json, decode, encode


def label(batch: str, planned: Planned, row: Row, answer: Seen | None) -> dict[str, Json]:
    """One row with what came of it; ``response`` is None while there is no answer."""
    kept = row.kept
    return {
        "batch": batch,
        "row": planned.row,
        "id": planned.id,
        "task_id": kept.task_id if kept else None,
        "type": planned.type,
        "status": row.status.value,
        "created_at": (kept.created_at or None) if kept else None,
        "completed_at": answer.completed_at if answer else None,
        "received_at": datetime.fromtimestamp(answer.at, UTC).isoformat(timespec="milliseconds")
        if answer
        else None,
        "via": answer.via if answer else None,
        "request": planned.request,
        "columns": planned.columns,
        "response": response(answer) if answer else None,
    }


def response(answer: Seen) -> Json:
    """What people answered, out of the body that was kept as it came: a callback, or a task.

    An address that the API quotes in it loses its mac: with the answer it would go wherever the answer goes.
    """
    assert answer.body is not None
    said = parse_callback(decode(answer.body)).response
    text = encode(said)
    if b"v1" not in text and b"V1" not in text:
        return said
    shown = without_macs(text.decode())
    return said if shown == text.decode() else decode(shown.encode())
