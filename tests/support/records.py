"""What stands in a batch's folder, as tests look at it and change it behind everybody's back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from mwbatch.journal.home.record import Record
from mwbatch.journal.seam.batch_record import Card


def record_of(where: Path | str) -> Record:
    """The record of the batch in a folder."""
    return Record.read(Path(where))


def rewrite(where: Path | str, card: Card | None = None, **changes: Any) -> Record:
    """Write another card into a folder, or change what else stands in its record."""
    record = record_of(where)
    record = replace(record, card=card or record.card, **changes)
    record.write(Path(where))
    return record
