"""The formats, and what each one asks for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mwbatch.export.choices import FormatName
from mwbatch.export.formats.coco import write_coco
from mwbatch.export.formats.csv_lines import write_csv
from mwbatch.export.formats.label_studio import write_label_studio
from mwbatch.export.formats.parquet import require_parquet, write_parquet
from mwbatch.export.formats.voc import write_voc
from mwbatch.export.formats.yolo import write_yolo
from mwbatch.export.job import Job
from mwbatch.export.picture import Picture
from mwbatch.journal.outputs.target import Target


@dataclass(frozen=True, slots=True)
class Format:
    """``boxes``: it is for training, so it needs file names, categories and the size of every image;
    else it is a table.

    ``folder`` says by the path whether it writes a folder; ``require`` raises `UsageError` where a library is
    missing.
    """

    write: Callable[[Iterable[Picture], Target, Job], None]
    boxes: bool
    folder: Callable[[Path], bool]
    require: Callable[[], None] = lambda: None


def _never(_: Path) -> bool:
    return False


def _always(_: Path) -> bool:
    return True


def _unless_json(path: Path) -> bool:
    """One JSON file where the path is called so, else a folder with ``images.csv`` beside it."""
    return path.suffix.lower() != ".json"


FORMATS: Final[Mapping[FormatName, Format]] = {
    FormatName.CSV: Format(write_csv, boxes=False, folder=_never),
    FormatName.PARQUET: Format(write_parquet, boxes=False, folder=_never, require=require_parquet),
    FormatName.COCO: Format(write_coco, boxes=True, folder=_unless_json),
    FormatName.YOLO: Format(write_yolo, boxes=True, folder=_always),
    FormatName.VOC: Format(write_voc, boxes=True, folder=_always),
    FormatName.LABEL_STUDIO: Format(write_label_studio, boxes=True, folder=_unless_json),
}
