"""Batches on disk, drawn row by row, with what was answered for each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from mwbatch.core.codec import json_codec as text
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json, encode
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Fact, Planned, Request, Seen, SentTag, Via
from mwbatch.core.facts.lines import line
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.segments.folders import place

EPOCH: Final = 1_700_000_000.0
OPTIONS: Final = ["good", "bad", "great"]


@dataclass(frozen=True)
class Drawn:
    """One row.

    ``tags`` is what people answered, None while nobody did; ``sent`` makes it an annotating row.
    """

    id: str
    tags: Sequence[dict[str, Json]] | None = None
    columns: Mapping[str, Json] = field(default_factory=dict)
    url: str = "https://images.example.com/shelf.jpg"
    sent: Sequence[dict[str, Json]] | None = None
    options: list[str] = field(default_factory=lambda: list(OPTIONS))
    answered: float = 0.0


def tag(
    name: str = "a", left: Json = 1, top: Json = 2, width: Json = 3, height: Json = 4, **more: Json
) -> dict[str, Json]:
    """A tag of an answer."""
    return {"id": name, "left": left, "top": top, "width": width, "height": height, **more}


def sized(width: Json = 640, height: Json = 480, **more: Json) -> dict[str, Json]:
    """The columns of a manifest that knows its images."""
    return {"image_width": width, "image_height": height, **more}


def _sent(tag: dict[str, Json]) -> SentTag:
    left, top, width, height = (text.number(tag, side) for side in ("left", "top", "width", "height"))
    return {"id": text.field(tag, "id", str), "left": left, "top": top, "width": width, "height": height}


def facts(number: int, row: Drawn) -> Iterator[Fact]:
    """What the journal holds of a row."""
    request: Request = {"image_url": row.url}
    columns = dict(row.columns)
    if row.sent is not None:
        bare = [_sent(tag) for tag in row.sent]
        request |= {"instruction": "Is it?", "annotation_option": row.options, "tags": bare}
        columns["tags"] = [*row.sent]
    kind = "tagging" if row.sent is None else "annotating"
    yield Planned(EPOCH, RowNumber(number), row.id, number + 2, kind, request, columns)
    if row.tags is not None:
        yield answer(number, {"tags": [*row.tags]}, row.answered)


def answer(number: int, response: Json, after: float = 0.0, task: str = "") -> Seen:
    """An answer as a callback brings it, ``after`` seconds later than its number says."""
    name = task or f"task{number}"
    inner = {"task_id": name, "status": "completed", "created_at": "2026-01-01T00:00:00.000Z"}
    body = encode({"task_id": name, "response": response, "task": inner})
    return Seen(
        EPOCH + number + after, RowNumber(number), Attempt(1), name, "completed", Via.CALLBACK,
        inner["created_at"], "2026-01-02T03:04:05.678Z", digest(response), sha256(body).hexdigest(), body,
    )  # fmt: skip


def batch(folder: Path, rows: Iterable[Drawn], name: str = "logos") -> OpenBatch:
    """A batch with these rows, opened without being read."""
    home = Home(folder / "home")
    home.create(BatchInfo(name, "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ()))
    opened = home.open(home.find(name))
    write(opened, (fact for number, row in enumerate(rows) for fact in facts(number, row)))
    return opened


def write(opened: OpenBatch, written: Iterable[Fact]) -> None:
    """Append facts as a process would, without waiting for the disk."""
    files = {
        name: (Path(opened.where) / name / "20260101T000000Z-submit-00000000.jsonl")
        for name in ("rows", "journal", "results")
    }
    for path in files.values():
        path.parent.mkdir(exist_ok=True)
    handles = {name: path.open("ab") for name, path in files.items()}
    for fact in written:
        handles[place(fact)].write(line(fact))
    for handle in handles.values():
        handle.close()
