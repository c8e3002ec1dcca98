"""What stands in a batch's folder, as tests look at it and change it behind everybody's back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from mwbatch.journal.home.folder_record import FolderRecord
from mwbatch.journal.interface.batch_info import BatchInfo


def record_of(where: Path | str) -> FolderRecord:
    """The record of the batch in a folder."""
    return FolderRecord.read(Path(where))


def rewrite(where: Path | str, info: BatchInfo | None = None, **changes: Any) -> FolderRecord:
    """Write another batch info into a folder, or change what else stands in its record."""
    record = record_of(where)
    record = replace(record, info=info or record.info, **changes)
    record.write(Path(where))
    return record
