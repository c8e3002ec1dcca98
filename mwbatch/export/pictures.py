"""The second reading: a row and its answer at a time, judged by what the format and the user want."""

import logging
from collections.abc import Callable, Iterator

from mwbatch.core.facts.kinds import Planned, Seen
from mwbatch.core.labels.boxes import clipped, outside
from mwbatch.core.manifest.image_size import Size, told_size
from mwbatch.core.report.exported import Exported
from mwbatch.export.batch_survey import BatchSurvey
from mwbatch.export.choices import Outside
from mwbatch.export.picture import Picture, Tag, picture
from mwbatch.journal.interface.labelled import labelled

_log = logging.getLogger("mwbatch.export")
Sizes = Callable[[int], Size | None]
"""The measured size of a row's image, if there is one."""


class Judge:
    """Makes pictures of rows, and counts in ``found`` what people should know.

    ``placed``: tags without a box, and images without a size, are of no use to the format.
    """

    def __init__(self, found: Exported, sizes: Sizes, outside_: Outside, *, placed: bool) -> None:
        self._found, self._sizes, self._outside, self._placed = found, sizes, outside_, placed

    def picture(self, planned: Planned, answer: Seen) -> Picture | None:
        """A row as the format takes it; None where it has to be left out."""
        made = picture(planned, answer, told_size(planned.columns) or self._sizes(planned.row))
        if made is None:
            self._found.unreadable += 1
            _log.info("row %d (%s): the answer holds no list of tags", planned.row, planned.id)
            return None
        if made.size is None:
            self._found.without_size += 1
            if self._placed:
                self._found.left_out += 1
                return None
        made = made._replace(tags=tuple(tag for each in made.tags if (tag := self._tag(made, each))))
        self._found.images += 1
        self._found.tags += len(made.tags)
        self._found.without_tags += not made.tags
        return made

    def _tag(self, made: Picture, tag: Tag) -> Tag | None:
        """A tag as the format and the user want it; None where it has to be left out."""
        found = self._found
        if tag.box is None:
            found.unplaced += 1
            self._tell(made, tag, "its numbers are no box")
            return None if self._placed else tag
        if tag.box.empty:
            found.without_area += 1
            self._tell(made, tag, "it has no area")
        elif outside(tag.box, made.size):
            found.outside += 1
            self._tell(made, tag, f"it reaches beyond the image: {tuple(tag.box)}")
        else:
            return tag
        return self._cut(made, tag) if self._outside is Outside.CLIP else tag

    def _cut(self, made: Picture, tag: Tag) -> Tag | None:
        """A tag with what of its box lies within the image; None where nothing does."""
        assert tag.box is not None
        within = clipped(tag.box, made.size)
        if within is None:
            self._found.gone += 1
            return None
        self._found.clipped += 1
        return tag._replace(box=within)

    def _tell(self, made: Picture, tag: Tag, what: str) -> None:
        _log.info("row %d (%s), tag %s: %s", made.row, made.id, tag.id, what)


def pictures(survey: BatchSurvey, judge: Judge) -> Iterator[Picture]:
    """Every completed row that the format can take, in the manifest's order."""
    for planned, answer in labelled(survey.answers):
        if made := judge.picture(planned, answer):
            yield made
