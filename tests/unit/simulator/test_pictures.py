"""Pictures and answers."""

import io
from typing import cast

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from mwbatch.simulator import Draft
from mwbatch.simulator.world import pictures
from mwbatch.simulator.world.answers import Branded, response
from mwbatch.simulator.world.forms import Params
from tests.unit.simulator.conftest import SLOW, Start

numbers = st.integers(0, 999_999)


@given(numbers)
def test_the_truth_lies_in_the_picture(number: int) -> None:
    """Every box lies within its picture, and no two overlap."""
    width, height = pictures.size(number)
    boxes = pictures.truth(number)
    assert 1 <= len(boxes) <= 4
    for box in boxes:
        assert 0 <= box.left < box.left + box.width <= width
        assert 0 <= box.top < box.top + box.height <= height
    assert not any(_overlap(one, other) for one in boxes for other in boxes if one is not other)


def _overlap(one: pictures.Box, other: pictures.Box) -> bool:
    across = one.left < other.left + other.width and other.left < one.left + one.width
    return across and one.top < other.top + other.height and other.top < one.top + one.height


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_picture_shows_the_truth(number: int) -> None:
    """The colour just inside a box's corners is the brand's, and outside it is not."""
    image = Image.open(io.BytesIO(pictures.png(number)))
    assert image.size == pictures.size(number)
    for box in pictures.truth(number):
        corner = (box.left + box.width - 1, box.top + box.height - 1)
        assert _hex(image, box.left, box.top) == _hex(image, *corner) == box.brand.paper
        assert _hex(image, box.left - 1, box.top) != box.brand.paper


def _hex(image: Image.Image, x: int, y: int) -> str:
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return "#" + "".join(f"{channel:02x}" for channel in pixel)


@pytest.mark.parametrize("brand", pictures.BRANDS)
def test_a_name_stands_in_the_middle(brand: pictures.Brand) -> None:
    """A brand's name has as much of its paper at the left as at the right, and above as below."""
    image = Image.open(io.BytesIO(pictures.template(brand))).convert("RGB")
    drawn = ImageChops.difference(image, Image.new("RGB", image.size, brand.paper)).getbbox()
    assert drawn is not None
    left, top, right, bottom = drawn
    assert abs(left - (image.width - right)) <= image.width / 20
    assert abs(top - (image.height - bottom)) <= image.height / 10


def test_a_picture_is_always_the_same() -> None:
    """The same number gives the same bytes, drawn anew or not."""
    first = pictures.png(7)
    pictures.png.cache_clear()
    assert pictures.png(7) == first


async def test_pictures_need_no_key(start: Start) -> None:
    """A picture is served without a key, whole or as a HEAD; a template too."""
    simulator = await start(SLOW)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{simulator.url}/pictures/0001.png") as answer:
            assert await answer.read() == pictures.png(1)
        async with session.head(f"{simulator.url}/pictures/0001.png") as answer:
            assert answer.headers["Content-Length"] == str(len(pictures.png(1)))
        async with session.get(f"{simulator.url}/templates/quillon.png") as answer:
            assert answer.content_type == "image/png"
        async with session.get(f"{simulator.url}/templates/none.png") as answer:
            assert answer.status == 404


@given(numbers)
def test_own_pictures_are_tagged_truly(number: int) -> None:
    """The tags of our own picture are its true boxes; a brand, where there is one, is the true one."""
    params: Params = {"image_url": f"http://127.0.0.1:8900/pictures/{number:04d}.png"}
    tags = cast("list[Branded]", response(Draft("tagging", "http://a", params))["tags"])
    for tag, box in zip(tags, pictures.truth(number), strict=True):
        assert (tag["left"], tag["top"], tag["width"], tag["height"]) == (
            box.left,
            box.top,
            box.width,
            box.height,
        )
        assert tag["brand"] in {None, box.brand.name}
        assert (tag["brand"] is None) == (tag["brand_id"] is None)


@given(st.text())
def test_any_image_is_answered_the_same_each_time(url: str) -> None:
    """Tags depend on the image's URL alone, and their ids differ."""
    one, other = (
        response(Draft("tagging", address, {"image_url": url})) for address in ("http://a", "http://b")
    )
    assert one == other
    assert len({tag["id"] for tag in one["tags"]}) == len(one["tags"])
