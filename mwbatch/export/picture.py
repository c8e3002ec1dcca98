"""One row and its answer, as every format takes them: a picture with its tags."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from mwbatch.core.codec.json_codec import Json, is_plain, objects
from mwbatch.core.facts.kinds import Planned, Seen
from mwbatch.core.labels.boxes import Box, box_of
from mwbatch.core.manifest.cells import BOX
from mwbatch.core.manifest.image_size import Size
from mwbatch.core.report.result_line import response, sent_tags

UNKNOWN: Final = "unknown"
"""The category of a tag that names no brand, or no label: people saw something there,
so it is never dropped.
"""


NO_BOXES: Final[Mapping[str, Box]] = {}


class Tag(NamedTuple):
    """One box that people drew or judged. ``box`` is None where its numbers are none; then ``told`` has them
    raw, as where the box is the one that was sent (``is_sent``).

    ``told`` is all else that was said of it: the keys of the tag that was sent (an annotating row's lineage),
    and over them those of the answer.
    """

    id: str
    box: Box | None
    told: Mapping[str, Json]
    is_sent: bool = False

    def category(self, key: str) -> str:
        """The name of its category, by ``brand`` or ``label``."""
        name = self.told.get(key)
        return name if isinstance(name, str) and name.strip() else UNKNOWN


class Picture(NamedTuple):
    """One completed row. ``size`` is None while nobody knows it, and of which ``frame`` it is, empty; times
    are the API's own words.
    """

    row: int
    id: str
    type: str
    url: str
    task_id: str
    created_at: str | None
    completed_at: str | None
    size: Size | None
    tags: tuple[Tag, ...]
    columns: Mapping[str, Json]
    frame: str = ""


def picture(planned: Planned, answer: Seen) -> Picture | None:
    """A row with its answer, as yet without a size; None where the answer holds no list of tags,
    so that nobody takes it for an empty image.
    """
    tags = answered_tags(answer)
    if tags is None:
        return None
    sent, drawn = sent_tags(planned), _sent_boxes(planned)
    return Picture(
        row=planned.row,
        id=planned.id,
        type=planned.type,
        url=_mended_text(planned.request["image_url"]),
        task_id=answer.task_id,
        created_at=answer.created_at,
        completed_at=answer.completed_at,
        size=None,
        tags=tuple(tag_of(tag, sent, drawn) for tag in tags),
        columns=_mended_object({name: cell for name, cell in planned.columns.items() if name != "tags"}),
    )


def answered_tags(answer: Seen) -> list[dict[str, Json]] | None:
    """The tags of an answer; None where it holds no list of objects."""
    said = response(answer)
    return objects(said.get("tags")) if isinstance(said, dict) else None


def _sent_boxes(planned: Planned) -> dict[str, Box]:
    """The boxes that an annotating row asks about, by the ids that they were sent under."""
    asked = ((str(tag["id"]), box_of(tag)) for tag in planned.request.get("tags", ()))
    return {name: box for name, box in asked if box is not None}


def tag_of(
    tag: dict[str, Json], sent: Mapping[str, Mapping[str, Json]], drawn: Mapping[str, Box] = NO_BOXES
) -> Tag:
    """A tag of an answer, joined by its id with the one that was sent: an answer that tells no box is about
    the one that was ``drawn``.
    """
    name = "" if tag.get("id") is None else str(tag["id"])
    box = box_of(tag)
    own = {key: value for key, value in tag.items() if key != "id" and (box is None or key not in BOX)}
    known = {key: value for key, value in sent.get(name, {}).items() if own.get(key) is None}
    is_sent = box is None and name in drawn
    return Tag(_mended_text(name), drawn[name] if is_sent else box, _mended_object(own | known), is_sent)


def mentions(tags: Iterable[Mapping[str, Json]], key: str) -> Iterable[str]:
    """The category that each of these tags names by itself."""
    return (Tag("", None, tag).category(key) for tag in map(_mended_object, tags))


def _mended_text(text: str) -> str:
    """The same text with U+FFFD for half a character (a lone surrogate): JSON may carry one, UTF-8 cannot."""
    return text if is_plain(text) else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _mended_object(value: Mapping[str, Json]) -> Mapping[str, Json]:
    """The same JSON with such text; nearly all has none, and that is seen at once."""
    return value if is_plain(value) else {_mended_text(key): _mended(item) for key, item in value.items()}


def _mended(value: Json) -> Json:
    if isinstance(value, str):
        return _mended_text(value)
    if isinstance(value, dict):
        return {_mended_text(key): _mended(item) for key, item in value.items()}
    return [_mended(item) for item in value] if isinstance(value, list) else value
