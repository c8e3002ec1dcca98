"""Label Studio's JSON for import (https://labelstud.io/guide/tasks): boxes in per cent of the image.

The answers of people are ``annotations``, not ``predictions``: the importer counts the tasks as labelled.
"""

from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import quoteattr

from mwbatch.core.codec.json_codec import encode
from mwbatch.export.formats.csv_lines import listed
from mwbatch.export.formats.voc import without_controls
from mwbatch.export.job import Job
from mwbatch.export.picture import Picture, Tag
from mwbatch.journal.outputs.target import Target

FROM: Final = "label"
TO: Final = "image"


def write_label_studio(pictures: Iterable[Picture], target: Target, job: Job) -> None:
    """Write ``tasks.json``, ``label_config.xml`` (the project's labelling
    interface) and ``images.csv`` into a folder.

    Or the JSON alone to a file.
    """
    separator = b"\n"
    if target.is_folder:
        pictures = listed(pictures, target, job)
    with target.open("tasks.json") as file:
        file.write(b"[")
        for picture in pictures:
            file.write(separator + encode(_task(picture, job)))
            separator = b",\n"
        file.write(b"\n]\n")
    if target.is_folder:
        with target.open("label_config.xml") as file:
            file.write(_config(job.categories.names()).encode())


def _task(picture: Picture, job: Job) -> dict[str, object]:
    return {
        "id": picture.row + 1,
        "data": {
            "image": picture.url,
            "row": picture.row,
            "row_id": picture.id,
            "task_id": picture.task_id,
            "columns": picture.columns,
        },
        "annotations": [
            {
                "result": [
                    _region(number, picture, tag, job.category(picture, tag))
                    for number, tag in enumerate(picture.tags)
                ],
                "ground_truth": False,
                "was_cancelled": False,
            }
        ],
    }


def _region(number: int, picture: Picture, tag: Tag, category: str) -> dict[str, object]:
    assert tag.box is not None
    assert picture.size is not None
    width, height = picture.size
    return {
        "id": f"{picture.row}-{number}",
        "type": "rectanglelabels",
        "from_name": FROM,
        "to_name": TO,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {
            "x": tag.box.left * 100 / width,
            "y": tag.box.top * 100 / height,
            "width": tag.box.width * 100 / width,
            "height": tag.box.height * 100 / height,
            "rotation": 0,
            "rectanglelabels": [without_controls(category)],
        },
        "meta": {"tag_id": tag.id, **tag.told},
    }


def _config(names: list[str]) -> str:
    labels = "".join(f"    <Label value={quoteattr(without_controls(name))}/>\n" for name in names)
    return (
        f'<View>\n  <Image name="{TO}" value="${TO}"/>\n'
        f'  <RectangleLabels name="{FROM}" toName="{TO}">\n{labels}  </RectangleLabels>\n</View>\n'
    )
