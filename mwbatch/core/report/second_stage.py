"""Stage two: from the answer of a tagging row to the row of an annotating manifest that asks about its boxes.

The lineage goes along: the row, its task and its batch in columns, the brand in the tags themselves, whose
extra keys are kept and never sent. So the answers of the second batch carry both brand and label, and nobody
has to join anything.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeGuard

from mwbatch.core.codec.foreign import foreign
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.facts.kinds import Planned, Seen
from mwbatch.core.manifest import cells
from mwbatch.core.manifest.column_names import ID_NAMES, misnamed
from mwbatch.core.report.result_line import response
from mwbatch.core.spending.suspect_cells import question

SOURCE: Final = ("source_batch", "source_row", "source_id", "source_task_id")
"""The columns of lineage."""


@dataclass(frozen=True, slots=True)
class BoxQuestion:
    """What people are asked about each box, and the answers that they choose from; ``single``:
    one is enough.
    """

    instruction: str
    options: tuple[str, ...]
    single: bool = False

    def wrong(self) -> list[tuple[str, str]]:
        """Why no manifest would take it: (column, message) each."""
        wrong: cells.Complaints = []
        cells.instruction(self.instruction, wrong)
        cells.annotation_option([*self.options], wrong)
        told = [(str(column), message) for column, message in wrong]
        if not told:
            told = question(self.instruction, self.options, may_be_single=self.single)
        for column, text in (("instruction", self.instruction), ("annotation_option", [*self.options])):
            if reason := foreign(text):
                told.append((column, reason))
        return told


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tags are asked about.

    Those of ``brands`` (all, where none is named; letter case does not count), at least ``least`` pixels wide
    and high, and of one image the ``most`` largest.
    """

    brands: frozenset[str] = frozenset()
    least: float = 0.0
    most: int | None = None

    def fits(self, tag: Mapping[str, Json]) -> bool:
        """Whether a usable tag is asked about, however many there are."""
        named = {brand.casefold() for brand in self.brands}
        of_brand = not named or str(tag.get("brand") or "").casefold() in named
        return of_brand and min(_side(tag, "width"), _side(tag, "height")) >= self.least


@dataclass(frozen=True, slots=True)
class BoxesAsked:
    """``row`` is a row of the annotating manifest, None where nothing is left to ask about.

    ``counts``: tags ``asked`` about, ``filtered`` out, ``beyond`` the most, and ``unusable``, of which no box
    can be sent.
    """

    row: dict[str, Json] | None
    counts: Counter[str]


def ask(batch: str, planned: Planned, answer: Seen, question: BoxQuestion, chosen: Filter) -> BoxesAsked:
    """Turn one tagging row with its answer into a row that asks about its tags."""
    said = response(answer)
    tags = said.get("tags") if isinstance(said, dict) else None
    found = tags if isinstance(tags, list) else []
    usable = _once([tag for tag in found if _usable(tag)])
    fitting = [tag for tag in usable if chosen.fits(tag)]
    asked = _largest(fitting, chosen.most)
    counts = Counter(
        asked=len(asked),
        filtered=len(usable) - len(fitting),
        beyond=len(fitting) - len(asked),
        unusable=len(found) - len(usable),
    )
    return BoxesAsked(_row(batch, planned, answer, question, asked) if asked else None, counts)


def _usable(tag: Json) -> TypeGuard[dict[str, Json]]:
    """Whether a manifest may hold this tag: a box with an id, in pixels, with an area,
    and all of its text is text.
    """
    wrong: cells.Complaints = []
    cells.tags([tag], wrong)
    return not wrong and isinstance(tag, dict) and tag.get("id") is not None and not foreign(tag)


def _once(tags: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The first of the tags of each id: one answer for two boxes would fit neither."""
    first: dict[str, dict[str, Json]] = {}
    for tag in tags:
        first.setdefault(str(tag["id"]), tag)
    return [*first.values()]


def _largest(tags: list[dict[str, Json]], most: int | None) -> list[dict[str, Json]]:
    """The largest boxes, in the order in which they came."""
    if most is None or len(tags) <= most:
        return tags
    by_area = sorted(range(len(tags)), key=lambda n: (-_side(tags[n], "width") * _side(tags[n], "height"), n))
    return [tags[n] for n in sorted(by_area[:most])]


def _side(tag: Mapping[str, Json], name: str) -> float:
    """A side of a usable tag."""
    side = tag[name]
    assert isinstance(side, int | float)
    return side


def _row(
    batch: str, planned: Planned, answer: Seen, question: BoxQuestion, tags: list[dict[str, Json]]
) -> dict[str, Json]:
    source: tuple[Json, ...] = (batch, planned.row, planned.id, answer.task_id)
    # A row of an old batch may have one more column for ids:
    # beside `id` no manifest takes it under that name.
    columns = {
        f"source_column_{name}" if name in ID_NAMES else name: cell
        for name, cell in planned.columns.items()
        if name not in SOURCE
    }
    row: dict[str, Json] = {
        **columns,
        "id": planned.id,
        "image_url": planned.request["image_url"],
        "instruction": question.instruction,
        "annotation_option": list(question.options),
        "tags": [*tags],
        **dict(zip(SOURCE, source, strict=True)),
    }
    # A column of the user's that looks like a known one stays his: the known one is there too, empty.
    return {**dict.fromkeys(known for _, known in misnamed(row)), **row}
