"""A batch as an Arrow table."""

from typing import TYPE_CHECKING

from mwbatch.core.report.exported import Exported
from mwbatch.export.choices import FormatName, Outside
from mwbatch.export.formats.parquet import arrow, require_parquet
from mwbatch.export.job import Job
from mwbatch.export.pictures import Judge, pictures
from mwbatch.export.survey import Survey
from mwbatch.journal.seam.open_batch import Opened

if TYPE_CHECKING:
    import pyarrow  # pyright: ignore[reportMissingImports] (an extra)


def table(opened: Opened) -> "pyarrow.Table":
    """The completed rows, a line a tag, as a parquet export has them. Blocks.

    Raises:
        UsageError: pyarrow is missing, or the rows have too many columns for a table.
        StoreError: the batch cannot be read.
    """
    require_parquet()
    survey, name = Survey(opened.journal, None, boxes=False), opened.card.name
    found = Exported(name, FormatName.PARQUET, "", survey.rows, survey.completed)
    judge = Judge(found, opened.own.image_sizes().get, Outside.KEEP, placed=False)
    return arrow(pictures(survey, judge), Job(name, survey.columns, survey.names, survey.categories))
