"""A batch as a table: a line a tag, and one with empty tag columns for an image without tags."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from mwbatch.core.codec.json_codec import Json, encode
from mwbatch.export.picture import Picture, Tag

PICTURE: Final = (
    "row", "id", "image_url", "image_width", "image_height", "type", "task_id", "created_at", "completed_at",
)  # fmt: skip
NUMBERS: Final = ("left", "top", "width", "height")
TEXTS: Final = ("brand", "brand_id", "template_url", "template_id", "label")
TAG: Final = ("tag_id", *NUMBERS, *TEXTS, "tag_more")
"""``tag_more`` is JSON of whatever else was said of the tag."""

_TEXTS: Final = frozenset(TEXTS)

Cell = str | int | float | None


def header(columns: Sequence[str]) -> list[str]:
    """The names of all columns; one of the manifest that is called as
    one of ours is ``column_`` and its name.
    """
    names = [*PICTURE, *TAG]
    for column in columns:
        name = column
        while name in names or (name != column and name in columns):
            name = f"column_{name}"
        names.append(name)
    return names


def lines(
    picture: Picture, columns: Sequence[str], cell: Callable[[Cell], Cell] = lambda cell: cell
) -> Iterator[list[Cell]]:
    """The cells of each line of a picture, as ``cell`` writes them; None where nothing is there."""
    width, height = picture.size or (None, None)
    own: list[Cell] = [picture.row, picture.id, picture.url, width, height, picture.type]
    own += [picture.task_id, picture.created_at, picture.completed_at]
    before = list(map(cell, own))
    after = [cell(text(picture.columns.get(name))) for name in columns]
    for tag in picture.tags:
        yield [*before, *map(cell, _tag(tag)), *after]
    if not picture.tags:
        yield before + [None] * len(TAG) + after


def _tag(tag: Tag) -> list[Cell]:
    numbers = tag.box or (None,) * len(NUMBERS)
    more = {key: value for key, value in tag.told.items() if key not in _TEXTS}
    return [tag.id, *numbers, *map(text, map(tag.told.get, TEXTS)), text(more or None)]


def text(value: Json) -> str | None:
    """A cell as text: what is none becomes its JSON."""
    return value if value is None or isinstance(value, str) else encode(value).decode()
