"""YOLO as Ultralytics reads it (https://docs.ultralytics.com/datasets/detect/):
centre and size as parts of the image.
"""

from collections.abc import Iterable

from mwbatch.core.labels.boxes import Box
from mwbatch.core.manifest.image_size import Size
from mwbatch.export.formats.csv_lines import listed
from mwbatch.export.job import Job
from mwbatch.export.picture import Picture
from mwbatch.journal.outputs.target import Target


def write_yolo(pictures: Iterable[Picture], target: Target, job: Job) -> None:
    """Write ``labels/*.txt``, an empty one for an image without tags, ``data.yaml`` and ``images.csv``.

    The images belong into ``images/`` beside them, under the names of ``images.csv``.
    """
    target.folder("labels")
    for picture in listed(pictures, target, job):
        with target.open(f"{job.names.name(picture.row, picture.id)}.txt", within="labels") as file:
            file.write("".join(_lines(picture, job)).encode())
    with target.open("data.yaml") as file:
        file.write(_yaml(job.categories.names()).encode())


def _lines(picture: Picture, job: Job) -> Iterable[str]:
    for tag in picture.tags:
        assert tag.box is not None
        assert picture.size is not None
        yield f"{job.number(picture, tag)} {_parts(tag.box, picture.size)}\n"


def _parts(box: Box, size: Size) -> str:
    centre, middle = box.left + box.width / 2, box.top + box.height / 2
    parts = centre / size.width, middle / size.height, box.width / size.width, box.height / size.height
    return " ".join(f"{part:.10g}" for part in parts)


def _yaml(names: list[str]) -> str:
    named = [f"  {number}: {quoted(name)}" for number, name in enumerate(names)]
    head = [
        "train: images",
        "val: images",
        f"nc: {len(names)}",
        "names:" if names else "names: {}",
    ]
    return "\n".join([*head, *named, ""])


def quoted(text: str) -> str:
    """A double-quoted scalar of YAML 1.1 and 1.2."""
    return '"' + "".join(map(_character, text)) + '"'


def _character(one: str) -> str:
    if one in '"\\':
        return f"\\{one}"
    return one if one.isprintable() else f"\\U{ord(one):08x}"
