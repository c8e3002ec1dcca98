"""Pictures of brands that do not exist, drawn where the truth says they are."""

import io
import re
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Final
from urllib.parse import urlsplit

from PIL import Image, ImageDraw, ImageFont

SIZES: Final = ((640, 480), (800, 600), (480, 640), (600, 600))
"""Width and height in pixels; a picture's number chooses among them."""

_PATH: Final = re.compile(r"/pictures/(\d{1,6})\.png")
_ROWS: Final = 3
_COLUMNS: Final = 2


@dataclass(frozen=True, slots=True)
class Brand:
    """A fictitious brand: its name, the slug of its template, and its two colours."""

    name: str
    slug: str
    paper: str
    ink: str


BRANDS: Final = (
    Brand("Zephyrine Cola", "zephyrine-cola", "#b3122e", "#fff6e5"),
    Brand("Nordvik Air", "nordvik-air", "#0b3c6f", "#ffffff"),
    Brand("Quillon", "quillon", "#1b1b1b", "#f2c230"),
    Brand("Tamarisk Tea", "tamarisk-tea", "#2f6b3a", "#f3f0d7"),
    Brand("Obelune", "obelune", "#5b2a86", "#f0e6ff"),
    Brand("Brassfinch", "brassfinch", "#d9822b", "#20150a"),
    Brand("Pelican & Rye", "pelican-and-rye", "#efe7d2", "#7a2e12"),
    Brand("Virelo Sport", "virelo-sport", "#00a39a", "#04201f"),
)


@dataclass(frozen=True, slots=True)
class Box:
    """Where a brand stands in a picture; pixels from the left and upper border."""

    left: int
    top: int
    width: int
    height: int
    brand: Brand


def size(number: int) -> tuple[int, int]:
    """Give the width and height, in pixels, of picture ``number``."""
    return SIZES[number % len(SIZES)]


@lru_cache(maxsize=4096)
def truth(number: int) -> tuple[Box, ...]:
    """Give the boxes drawn in picture ``number``: one to four, and none overlaps another."""
    random = Random(number)  # noqa: S311 - a picture, not a secret
    width, height = size(number)
    cells = random.sample(range(_ROWS * _COLUMNS), random.randint(1, 4))
    return tuple(_box(random, cell, width // _COLUMNS, height // _ROWS) for cell in sorted(cells))


def _box(random: Random, cell: int, width: int, height: int) -> Box:
    row, column = divmod(cell, _COLUMNS)
    wide, high = random.randint(width // 2, width - 12), random.randint(height // 3, height - 12)
    left = column * width + random.randint(4, width - wide - 4)
    top = row * height + random.randint(4, height - high - 4)
    return Box(left, top, wide, high, random.choice(BRANDS))


def number_of(image_url: str) -> int | None:
    """Give the number of the picture that ``image_url`` names; None when it is not one of ours."""
    try:
        match = _PATH.fullmatch(urlsplit(image_url).path)
    except ValueError:
        return None
    return int(match[1]) if match else None


@lru_cache(maxsize=128)
def png(number: int) -> bytes:
    """Draw picture ``number`` as PNG; the same number gives the same bytes."""
    image = Image.new("RGB", size(number), (200 - number % 37, 205 - number % 29, 210 - number % 31))
    draw = ImageDraw.Draw(image)
    for box in truth(number):
        _paint(draw, box)
    return _encoded(image)


@lru_cache(maxsize=len(BRANDS))
def template(brand: Brand) -> bytes:
    """Draw the logo of ``brand`` alone, 240 by 80 pixels, as PNG."""
    image = Image.new("RGB", (240, 80), "white")
    _paint(ImageDraw.Draw(image), Box(0, 0, 240, 80, brand))
    return _encoded(image)


def _paint(draw: ImageDraw.ImageDraw, box: Box) -> None:
    right, bottom = box.left + box.width - 1, box.top + box.height - 1
    draw.rectangle((box.left, box.top, right, bottom), fill=box.brand.paper)
    centre = ((box.left + right) / 2, (box.top + bottom) / 2)
    letter = max(8, min(box.height // 3, int(box.width * 1.5 / len(box.brand.name))))
    draw.text(centre, box.brand.name, fill=box.brand.ink, font=_font(letter), anchor="mm")


@lru_cache(maxsize=128)
def _font(letter: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(letter)


def _encoded(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()
