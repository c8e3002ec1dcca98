"""Parquet: the table of `mwbatch.export.formats.table` with typed columns, in row groups."""

# pyarrow is an extra, which need not be installed where types are checked.
# pyright: reportMissingImports=false

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from mwbatch.core.codec.times import moment
from mwbatch.errors import UsageError
from mwbatch.export.formats.table import NUMBERS, Cell, header, lines
from mwbatch.export.job import Job
from mwbatch.export.picture import Picture
from mwbatch.journal.outputs.target import Target

if TYPE_CHECKING:
    import pyarrow as pa

GROUP: Final = 20_000
"""Lines in a row group: so many are in memory at a time."""

_TIMES: Final = ("created_at", "completed_at")


def require_parquet() -> None:
    """Raise `UsageError` where pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 (an extra)
    except ImportError:
        raise UsageError(
            "parquet needs pyarrow beside mwbatch: pip install pyarrow; csv needs nothing"
        ) from None


def write_parquet(pictures: Iterable[Picture], target: Target, job: Job) -> None:
    """Write one row a tag."""
    import pyarrow as pa  # noqa: PLC0415 (an extra, and slow to import)
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = _schema(pa, job)
    with target.open() as file, pq.ParquetWriter(file, schema) as writer:
        for table in _tables(pa, schema, pictures, job):
            writer.write_table(table)


def arrow(pictures: Iterable[Picture], job: Job) -> "pa.Table":
    """The same table in memory."""
    import pyarrow as pa  # noqa: PLC0415 (as above)

    schema = _schema(pa, job)
    return pa.concat_tables([schema.empty_table(), *_tables(pa, schema, pictures, job)])


def _schema(pa: Any, job: Job) -> "pa.Schema":
    return pa.schema([(name, _type(pa, name)) for name in header(job.columns)])


def _tables(pa: Any, schema: "pa.Schema", pictures: Iterable[Picture], job: Job) -> Iterator["pa.Table"]:
    """The rows, a group at a time."""
    rows = chain.from_iterable(lines(picture, job.columns) for picture in pictures)
    while group := list(islice(rows, GROUP)):
        yield _table(pa, schema, group)


def _table(pa: Any, schema: "pa.Schema", group: list[list[Cell]]) -> "pa.Table":
    cells = dict(zip(schema.names, zip(*group, strict=True), strict=True))
    for name in _TIMES:
        cells[name] = tuple(moment(text) if text else None for text in cells[name])
    return pa.table({name: pa.array(cells[name], schema.field(name).type) for name in schema.names}, schema)


def _type(pa: Any, name: str) -> Any:
    if name in _TIMES:
        return pa.timestamp("ms", tz="UTC")
    if name in NUMBERS:
        return pa.float64()
    return {"row": pa.int64(), "image_width": pa.int32(), "image_height": pa.int32()}.get(name, pa.string())
