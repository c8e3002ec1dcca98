"""What an export came to, for people and for pipes."""

from collections.abc import Iterator
from typing import Final

from mwbatch.core.report.exported import Exported
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import counted, rows
from mwbatch.views.plain import Result

_BY_FILE: Final = ("coco", "yolo", "voc")
"""Formats that know a picture by the name of its file."""

_TABLES: Final = ("csv", "parquet")
"""Formats that hold every tag, whether it makes a box or not."""


def written(found: Exported, *, aloud: bool = True) -> Result:
    """One export: a sentence for what was written, and one for each thing that people should know.

    ``aloud``: tell of boxes that are not within their image.
    """
    if found.stopped:
        return Result(f"stopped: nothing was written at {found.path}", found.json(), found.exit)
    told = (
        f"{found.path}: {counted(found.tags, 'tag')} of {counted(found.images, 'image')} "
        f"({found.format}); {found.completed:,} of {rows(found.rows)} completed"
    )
    lines = [told, *_notes(found, aloud=aloud), *_pictures(found)]
    return Result("\n".join(lines), found.json(), found.exit)


def _pictures(found: Exported) -> Iterator[str]:
    """What is still to be done before a trainer finds the pictures; label-studio fetches them itself."""
    if found.format not in _BY_FILE or not found.images:
        return
    path = found.path
    if path.endswith(".json"):
        yield "  the pictures are not in it: download each coco_url, under its file_name"
    else:
        yield (
            f"  the pictures are not in it: download each image_url of {path}/images.csv into "
            f"{path}/images/, under the name in column file"
        )


def _frames(found: Exported) -> str:
    """What the boxes of pictures that are stored turned say of the frame that people drew in."""
    if not (found.only_displayed or found.only_stored):
        return ""
    displayed, stored = f"{found.only_displayed:,}", f"{found.only_stored:,}"
    return f", the boxes of {displayed} fit only as displayed, of {stored} only as stored"


def _notes(found: Exported, *, aloud: bool) -> Iterator[str]:
    kept = "" if found.clipped or found.gone or found.dropped else " (kept; --outside clip cuts them)"
    outside, without_area = (found.outside, found.without_area) if aloud else (0, 0)
    unplaced = "" if found.format in _TABLES else ", left out"
    counted = (
        (f"boxes that reach beyond their image{kept}", outside),
        (f"boxes without area{kept}", without_area),
        ("boxes clipped to their image", found.clipped),
        ("boxes beyond their image or without area, left out", found.dropped),
        ("boxes with an extent below 0, turned round", found.turned),
        ("boxes as they were sent, for want of numbers in the answer", found.as_sent),
        ("boxes of which nothing lies within their image, left out", found.gone),
        (f"tags whose numbers make no box{unplaced}", found.unplaced),
        ("images left out, as a box of theirs could not be used", found.unusable),
        ("images whose size nobody knows, left out", found.left_out),
        ("rows whose answer holds no list of tags, left out", found.unreadable),
        (f"images stored turned (EXIF orientation){_frames(found)}", found.oriented),
        (f"damaged lines ({hint('reconcile', found.batch, '--list', 'damaged')})", found.damaged),
    )
    yield from (f"  {words}: {count:,}" for words, count in counted if count)
    if outside or without_area or found.unplaced or found.unreadable:
        yield "  (with --verbose each is named)"
