"""What the user may choose. Light: the command line imports it for every help text."""

from enum import StrEnum


class FormatName(StrEnum):
    """The formats."""

    CSV = "csv"
    PARQUET = "parquet"
    COCO = "coco"
    YOLO = "yolo"
    VOC = "voc"
    LABEL_STUDIO = "label-studio"


class Outside(StrEnum):
    """What becomes of boxes that reach beyond their image, or have no area."""

    REPORT = "report"
    """They stay as people drew them, and are counted aloud; the default of tables."""
    KEEP = "keep"
    """They stay, and nothing is said."""
    CLIP = "clip"
    """What lies within the image stays; where nothing does, the box cannot be used, which is said.
    The default of formats for training: some readers drop a picture, or the set, over one such box."""
    DROP = "drop"
    """They are left out."""


class Orientation(StrEnum):
    """The frame of the sizes that were measured."""

    DISPLAYED = "displayed"
    STORED = "stored"


class By(StrEnum):
    """What names the category of a box."""

    BRAND = "brand"
    LABEL = "label"
