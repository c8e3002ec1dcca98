"""A row with what people answered, as a program reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mwbatch.core.codec.json_codec import Json, objects
from mwbatch.core.codec.times import moment
from mwbatch.core.labels.boxes import box_of
from mwbatch.core.manifest.cells import BOX
from mwbatch.core.report.result_line import Label
from mwbatch.core.state.row_status import Status

_NAMED: Final = frozenset((*BOX, "id", "brand", "label"))


@dataclass(frozen=True, slots=True)
class Tag:
    """One box that people drew or judged, in pixels; None where nothing usable was said.

    An annotating row's tag has the ``brand`` that its manifest's tag had, beside the ``label`` of the answer.
    ``more`` is whatever else was said of it.
    """

    id: str
    left: float | None
    top: float | None
    width: float | None
    height: float | None
    brand: str | None
    label: str | None
    more: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Result:
    """One row, in the words of `mwbatch results`: times have zones.

    ``columns`` are the manifest's own, ``response`` is what people said, as the API sent it, and ``tags`` its
    tags. Of a row without an answer there is no ``response``; ``error`` says why, of every row that was asked
    for (`results` with ``all``).
    """

    batch: str
    row: int
    id: str
    type: str
    status: Status
    task_id: str | None
    created_at: datetime | None
    completed_at: datetime | None
    received_at: datetime | None
    via: str | None
    request: Mapping[str, Json]
    columns: Mapping[str, Json]
    tags: tuple[Tag, ...]
    response: Json
    error: str | None


def result_of(line: Label) -> Result:
    """A line of ``results`` with types."""
    said = line["response"]
    told = objects(said.get("tags")) if isinstance(said, dict) else None
    return Result(
        batch=line["batch"],
        row=line["row"],
        id=line["id"],
        type=line["type"],
        status=Status(line["status"]),
        task_id=line["task_id"],
        created_at=_time(line["created_at"]),
        completed_at=_time(line["completed_at"]),
        received_at=_time(line["received_at"]),
        via=line["via"],
        request={**line["request"]},  # type: ignore[dict-item]
        columns=line["columns"],
        tags=tuple(map(_tag, told or ())),
        response=said,
        error=line.get("error"),
    )


def _tag(told: dict[str, Json]) -> Tag:
    box = box_of(told)
    left, top, width, height = box or (None,) * 4
    return Tag(
        "" if told.get("id") is None else str(told["id"]),
        left,
        top,
        width,
        height,
        _word(told.get("brand")),
        _word(told.get("label")),
        {name: value for name, value in told.items() if name not in _NAMED},
    )


def _word(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _time(text: str | None) -> datetime | None:
    return moment(text) if text else None
