"""Pascal VOC: an XML file an image; edges are pixels counted from 1, the last one included."""

import re
from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mwbatch.export.formats.csv_lines import file_name, listed
from mwbatch.export.job import Job
from mwbatch.export.picture import Picture, Tag
from mwbatch.journal.outputs.target import Target

_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say, not even escaped."""

DEPTH: Final = 3
"""Readers demand it, and nobody tells it: colour is what images mostly have."""


def write_voc(pictures: Iterable[Picture], target: Target, job: Job) -> None:
    """Write ``Annotations/*.xml``, one without objects for an image without tags, and ``images.csv``."""
    target.folder("Annotations")
    for picture in listed(pictures, target, job):
        with target.open(f"{job.names.name(picture.row, picture.id)}.xml", within="Annotations") as file:
            file.write(tostring(_annotation(picture, job), encoding="utf-8") + b"\n")


def _annotation(picture: Picture, job: Job) -> Element:
    assert picture.size is not None
    root = Element("annotation")
    _add(root, "folder", "images")
    _add(root, "filename", file_name(picture, job))
    _add(root, "path", picture.url)
    _add(SubElement(root, "source"), "database", job.batch)
    size = SubElement(root, "size")
    for name, number in (("width", picture.size.width), ("height", picture.size.height), ("depth", DEPTH)):
        _add(size, name, str(number))
    _add(root, "segmented", "0")
    for tag in picture.tags:
        _add_object(root, tag, job.category(picture, tag))
    indent(root)
    return root


def _add_object(root: Element, tag: Tag, name: str) -> None:
    assert tag.box is not None
    found = SubElement(root, "object")
    _add(found, "name", name)
    _add(found, "pose", "Unspecified")
    _add(found, "truncated", "0")
    _add(found, "difficult", "0")
    box = SubElement(found, "bndbox")
    for axis, first, size in (("x", tag.box.left, tag.box.width), ("y", tag.box.top, tag.box.height)):
        # Less than a pixel becomes one: its last pixel cannot come before its first.
        last = max(first + size, first + 1) if size > 0 else first + size
        _add(box, f"{axis}min", _pixel(first + 1))
        _add(box, f"{axis}max", _pixel(last))


def _pixel(number: float) -> str:
    """A whole number without a point, as readers expect; what people drew between pixels stays there."""
    return str(int(number)) if number == int(number) else repr(number)


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = without_controls(text)


def without_controls(text: str) -> str:
    """The same with U+FFFD for what XML cannot say."""
    return _NO_XML.sub("\ufffd", text)
