"""The second reading: a row and its answer at a time, judged by what the format and the user want."""

import logging
from collections.abc import Callable, Iterator

from mwbatch.core.facts.kinds import Planned, Seen
from mwbatch.core.labels.boxes import clipped, outside, turned
from mwbatch.core.manifest.image_size import UPRIGHT, Frame, Measured, told_size
from mwbatch.core.report.exported import Exported
from mwbatch.export.batch_survey import BatchSurvey
from mwbatch.export.choices import Outside
from mwbatch.export.picture import Picture, Tag, picture
from mwbatch.journal.interface.labelled import labelled

_log = logging.getLogger("mwbatch.export")
Sizes = Callable[[int], Measured | None]
"""What was measured of a row's image, if there is something."""


class Judge:
    """Makes pictures of rows, and counts in ``found`` what people should know.

    ``placed``: tags without a box, and images without a size, are of no use to the format. A picture that is
    to be placed is there with all of its boxes or not at all: without one it would teach that nothing is
    there. ``frame`` is that of measured sizes.
    """

    def __init__(
        self,
        found: Exported,
        sizes: Sizes,
        outside_: Outside,
        *,
        placed: bool,
        frame: Frame = Frame.DISPLAYED,
    ) -> None:
        self._found, self._sizes, self._outside, self._placed = found, sizes, outside_, placed
        self._frame = frame

    def picture(self, planned: Planned, answer: Seen) -> Picture | None:
        """A row as the format takes it; None where it has to be left out."""
        made = picture(planned, answer)
        if made is None:
            self._found.unreadable += 1
            _log.info("row %d (%s): the answer holds no list of tags", planned.row, planned.id)
            return None
        made = self._sized(planned, made._replace(tags=tuple(map(self._upright, made.tags))))
        if made.size is None:
            self._found.without_size += 1
            if self._placed:
                self._found.left_out += 1
                return None
        return self._with_boxes(made)

    def _sized(self, planned: Planned, made: Picture) -> Picture:
        """A picture with its size, as the manifest tells it or else as it was measured."""
        if told := told_size(planned.columns):
            return made._replace(size=told, frame=Frame.TOLD)
        if (measured := self._sizes(planned.row)) is None:
            return made
        if measured.orientation != UPRIGHT:
            self._compare(made, measured)
        return made._replace(size=measured.size(self._frame), frame=self._frame)

    def _compare(self, made: Picture, measured: Measured) -> None:
        """Count a picture that is stored turned, and whether its boxes fit one of its frames only."""
        self._found.oriented += 1
        boxes = [tag.box for tag in made.tags if tag.box]
        displayed, stored = (
            not any(outside(box, size) for box in boxes) for size in (measured.displayed, measured.stored)
        )
        self._found.only_displayed += displayed and not stored
        self._found.only_stored += stored and not displayed

    def _with_boxes(self, made: Picture) -> Picture | None:
        """A picture with the tags that stay; None where a box of it that is needed cannot be used."""
        found, lost = self._found, self._lost
        tags = tuple(tag for each in made.tags if (tag := self._tag(made, each)))
        if self._lost > lost or (made.tags and not tags):
            found.unusable += 1
            return None
        found.images += 1
        found.tags += len(tags)
        found.without_tags += not tags
        return made._replace(tags=tags)

    @property
    def _lost(self) -> int:
        """How many boxes could not be used so far, where each is needed."""
        return self._found.gone + self._found.unplaced if self._placed else 0

    def _upright(self, tag: Tag) -> Tag:
        """A tag whose box has no extent below 0."""
        if tag.box is None or (tag.box.width >= 0 and tag.box.height >= 0):
            return tag
        self._found.turned += 1
        return tag._replace(box=turned(tag.box))

    def _tag(self, made: Picture, tag: Tag) -> Tag | None:
        """A tag as the format and the user want it; None where it has to be left out."""
        found = self._found
        found.as_sent += tag.is_sent
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
        if self._outside is Outside.DROP:
            found.dropped += 1
            return None
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
