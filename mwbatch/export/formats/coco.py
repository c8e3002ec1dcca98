"""COCO object detection (https://cocodataset.org/#format-data): boxes as [left, top, width,
height] in pixels.
"""

import shutil
import tempfile
from collections.abc import Iterable
from typing import IO

from mwbatch.core.codec.json_codec import encode
from mwbatch.export.formats.csv_lines import file_name, listed
from mwbatch.export.job import Job
from mwbatch.export.picture import Picture, Tag
from mwbatch.journal.outputs.target import Target


def write_coco(pictures: Iterable[Picture], target: Target, job: Job) -> None:
    """Write ``annotations.json`` and ``images.csv`` into a folder, or the JSON alone to a file.

    Ids count from 1, as an annotation 0 is no match to pycocotools; an image's is its row's number and one.
    """
    if target.is_folder:
        pictures = listed(pictures, target, job)
    annotations, separator = 0, b"\n"
    with target.open("annotations.json") as file, tempfile.TemporaryFile(dir=target.near) as later:
        file.write(
            b'{"info":%b,"licenses":[],"images":[' % encode({"description": job.batch, "version": "1.0"})
        )
        for picture in pictures:
            file.write(separator + encode(_image(picture, job)))
            separator = b",\n"
            for tag in picture.tags:
                annotations += 1
                later.write(
                    (b",\n" if annotations > 1 else b"\n")
                    + encode(_annotation(annotations, picture, tag, job))
                )
        file.write(b'],\n"annotations":[')
        _append(later, file)
        file.write(b'],\n"categories":%b}\n' % encode(_categories(job)))


def _image(picture: Picture, job: Job) -> dict[str, object]:
    assert picture.size is not None
    return {
        "id": picture.row + 1,
        "file_name": file_name(picture, job),
        "width": picture.size.width,
        "height": picture.size.height,
        "coco_url": picture.url,
        "row": picture.row,
        "row_id": picture.id,
        "columns": picture.columns,
    }


def _annotation(number: int, picture: Picture, tag: Tag, job: Job) -> dict[str, object]:
    assert tag.box is not None
    return {
        "id": number,
        "image_id": picture.row + 1,
        "category_id": job.number(picture, tag) + 1,
        "bbox": list(tag.box),
        "area": max(tag.box.width, 0) * max(tag.box.height, 0),
        "iscrowd": 0,
        "segmentation": [],
        "attributes": {"tag_id": tag.id, **tag.told},
    }


def _categories(job: Job) -> list[dict[str, object]]:
    return [
        {"id": number, "name": name, "supercategory": ""}
        for number, name in enumerate(job.categories.names(), 1)
    ]


def _append(later: IO[bytes], file: IO[bytes]) -> None:
    later.seek(0)
    shutil.copyfileobj(later, file)
