"""The join of a row with its answer: one line of `mwbatch results`, whose names are a promise to scripts."""

from datetime import UTC, datetime
from typing import NotRequired, TypedDict

from mwbatch.core.api.address import without_macs
from mwbatch.core.api.task import told_by
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.codec.json_codec import Json, decode, encode, objects
from mwbatch.core.codec.times import iso
from mwbatch.core.facts.kinds import Planned, Request, Seen
from mwbatch.core.manifest.cells import BOX
from mwbatch.core.state.row_status import Row


class Label(TypedDict):
    """A line of ``results``; times are ISO 8601."""

    batch: str
    row: RowNumber
    id: str
    task_id: str | None
    type: str
    status: str
    created_at: str | None
    completed_at: str | None
    received_at: str | None
    via: str | None
    request: Request
    columns: dict[str, Json]
    response: Json
    error: NotRequired[str | None]


def label(batch: str, planned: Planned, row: Row, answer: Seen | None) -> Label:
    """One row with what came of it; ``response`` is None while there is no answer.

    A tag of an annotating answer also carries what the manifest's tag of the same id carried and the API was
    not sent, such as its brand: nobody has to join.
    """
    kept = row.kept
    return {
        "batch": batch,
        "row": planned.row,
        "id": planned.id,
        "task_id": answer.task_id if answer else kept.task_id if kept else None,
        "type": planned.type,
        "status": row.status.value,
        "created_at": (kept.created_at or None) if kept else None,
        "completed_at": answer.completed_at if answer else None,
        "received_at": iso(datetime.fromtimestamp(answer.at, UTC)) if answer else None,
        "via": answer.via if answer else None,
        "request": planned.request,
        "columns": planned.columns,
        "response": _told(planned, response(answer)) if answer else None,
    }


def response(answer: Seen) -> Json:
    """What people answered, out of the body that was kept as it came: a callback, or a task.

    An address that the API quotes in it loses its mac: with the answer it would go wherever the answer goes.
    """
    assert answer.body is not None
    said = told_by(decode(answer.body)).response
    text = encode(said)
    if b"v1" not in text and b"V1" not in text:
        return said
    return decode(without_macs(text.decode()).encode())


def _told(planned: Planned, said: Json) -> Json:
    sent = sent_tags(planned)
    if not sent or not isinstance(said, dict) or not isinstance(tags := said.get("tags"), list):
        return said
    return {**said, "tags": [_with_lineage(tag, sent) for tag in tags]}


def _with_lineage(tag: Json, sent: dict[str, dict[str, Json]]) -> Json:
    """A tag of an answer with what the manifest said of it, where the answer does not."""
    if not isinstance(tag, dict):
        return tag
    known = sent.get(str(tag.get("id")), {})
    return {**tag, **{key: value for key, value in known.items() if tag.get(key) is None}}


def sent_tags(planned: Planned) -> dict[str, dict[str, Json]]:
    """The tags that an annotating row was made of, by id, with the keys that the API was not sent (brand,
    lineage …), as they stand there: the same answers are the same bytes in every run.

    As on sending (`mwbatch.core.manifest.cells.tags`), a tag without an id has its place as one.
    """
    written = objects(planned.columns.get("tags")) or []
    ids = (str(place if tag.get("id") is None else tag["id"]) for place, tag in enumerate(written))
    return {
        name: {key: value for key, value in tag.items() if key != "id" and key not in BOX}
        for name, tag in zip(ids, written, strict=True)
    }
