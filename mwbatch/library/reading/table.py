"""A batch as an Arrow table."""

from typing import TYPE_CHECKING

from mwbatch.core.report.exported import Exported
from mwbatch.export.batch_survey import BatchSurvey
from mwbatch.export.choices import FormatName, Outside
from mwbatch.export.formats.parquet import arrow, require_parquet
from mwbatch.export.job import Job
from mwbatch.export.pictures import Judge, pictures
from mwbatch.journal.interface.open_batch import OpenBatch

if TYPE_CHECKING:
    import pyarrow  # pyright: ignore[reportMissingImports] (an extra)


def table(opened: OpenBatch) -> "pyarrow.Table":
    """The completed rows, a line a tag, as a parquet export has them. Blocks.

    Raises:
        UsageError: pyarrow is missing, or the rows have too many columns for a table.
        StoreError: the batch cannot be read.
    """
    require_parquet()
    survey, name = BatchSurvey(opened.journal, None, boxes=False), opened.info.name
    found = Exported(name, FormatName.PARQUET, "", survey.rows, survey.completed)
    judge = Judge(found, opened.own.image_sizes().get, Outside.KEEP, placed=False)
    return arrow(pictures(survey, judge), Job(name, survey.columns, survey.names, survey.categories))
