"""One export, from the journal to a path."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.image_size import Frame
from mwbatch.core.report.exported import Exported
from mwbatch.core.words.plural import rows
from mwbatch.errors import UsageError
from mwbatch.export.batch_survey import BatchSurvey
from mwbatch.export.choices import By, FormatName, Outside
from mwbatch.export.job import Job
from mwbatch.export.picture import Picture
from mwbatch.export.pictures import Judge, Sizes, pictures
from mwbatch.export.registry import FORMATS
from mwbatch.journal.interface.journal import Journal
from mwbatch.journal.interface.store import Store
from mwbatch.journal.outputs.user_files import Output

ENTRIES: Final = frozenset(
    ("images.csv", "data.yaml", "labels", "Annotations", "annotations.json", "tasks.json", "label_config.xml")
)
"""What exports write into a folder; all else there is the user's."""

Going = Callable[[int], bool]
"""Told how many pictures were written; says whether to go on."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the user wants.

    ``outside``: None for what suits the format. ``orientation``: the frame of measured sizes; None for the
    displayed one, unless the boxes say otherwise. ``leave_out_unsized``: images whose size nobody knows are
    left out, instead of refused.
    """

    format: FormatName
    path: Path
    force: bool = False
    outside: Outside | None = None
    category: By | None = None
    leave_out_unsized: bool = False
    orientation: Frame | None = None


class _Stopped(Exception):
    """The user asked to stop."""


class Export:
    """An export under way: `check`, `survey`, `write`, in this order. All block."""

    def __init__(self, batch: str, order: Order, store: Store) -> None:
        self._batch, self._order = batch, order
        self._format = FORMATS[order.format]
        self._folder = self._format.folder(order.path)
        self._output = Output(store, order.path, order.force, ENTRIES)

    def check(self) -> None:
        """Raise `UsageError` where it cannot be, before anything is read."""
        self._format.require()
        self._output.check(folder=self._folder)

    def survey(self, journal: Journal) -> BatchSurvey:
        """Read everything once."""
        return BatchSurvey(journal, self._order.category, boxes=self._format.boxes)

    def write(self, survey: BatchSurvey, sizes: Sizes, going: Going) -> Exported:
        """Read the completed rows again and write them;
        raises `UsageError` where images lack a size that is needed.
        """
        order = self._order
        found = Exported(self._batch, order.format, str(order.path), survey.rows, survey.completed)
        if self._format.boxes and not order.leave_out_unsized:
            self._demand_sizes(survey, sizes)
        columns = () if self._format.boxes else survey.columns
        job = Job(self._batch, columns, survey.names, survey.categories, order.category)
        usual, frame = Outside.CLIP if self._format.boxes else Outside.REPORT, order.orientation
        judge = Judge(
            found,
            sizes,
            order.outside or usual,
            placed=self._format.boxes,
            frame=frame or Frame.DISPLAYED,
        )
        try:
            with self._output.folder() if self._folder else self._output.file() as target:
                self._format.write(_while_wanted(pictures(survey, judge), going), target, job)
                if self._format.boxes and frame is None and found.only_stored > found.only_displayed:
                    raise UsageError(_other_frame(found))
        except _Stopped:
            found.stopped = True
        found.categories = survey.categories.names() if self._format.boxes else []
        found.damaged = len(survey.journal.health().lost)
        return found

    def _demand_sizes(self, survey: BatchSurvey, sizes: Sizes) -> None:
        missing = (planned for planned in survey.unsized() if sizes(planned.row) is None)
        if first := next(missing, None):
            raise UsageError(_no_size(self._order.format, first, 1 + sum(1 for _ in missing), survey))


def _no_size(name: FormatName, first: Planned, missing: int, survey: BatchSurvey) -> str:
    """Which images have no size, and what would do."""
    wrong = f" (in {rows(survey.misspelt)} what stands there is no size)" if survey.misspelt else ""
    return (
        f"{name} needs the size of every image, and {missing:,} of {survey.completed:,} have none, first row "
        f"{first.row} ({first.id}): give --measure-images to read it from the images, or columns image_width "
        f"and image_height in the manifest{wrong}, or --leave-out-unsized; csv and parquet need no sizes"
    )


def _other_frame(found: Exported) -> str:
    """That the boxes speak for the frame that is not the usual one."""
    return (
        f"{found.oriented:,} pictures are stored turned (EXIF orientation): the boxes of "
        f"{found.only_stored:,} fit only the picture as it is stored, those of {found.only_displayed:,} only "
        "as it is displayed, so people may have drawn in the stored one: say which with --orientation "
        "(stored or displayed)"
    )


def _while_wanted(made: Iterable[Picture], going: Going) -> Iterator[Picture]:
    for number, picture in enumerate(made):
        if not going(number):
            raise _Stopped
        yield picture
