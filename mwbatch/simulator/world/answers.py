"""What the workers answer: always the same for the same image."""

from typing import Final, TypedDict
from urllib.parse import urljoin

from mwbatch.simulator.world import pictures
from mwbatch.simulator.world.chance import fraction, identifier, number
from mwbatch.simulator.world.forms import Draft, Marked, Params
from mwbatch.simulator.world.pictures import BRANDS, Box

_UNNAMED: Final = 0.1
_WITHOUT_TEMPLATE: Final = 0.3


class Branded(Marked):
    """A box, and what was found in it."""

    brand: str | None
    brand_id: str | None
    template_url: str | None
    template_id: str | None


class Labelled(Marked):
    """A box that was given, and the option that fits it."""

    label: str


class Response(TypedDict):
    """What a task is answered with."""

    tags: list[Branded] | list[Labelled]


def response(draft: Draft) -> Response:
    """Answer a task: the content of its ``response``."""
    return {"tags": _found(draft.params["image_url"]) if draft.kind == "tagging" else _labelled(draft.params)}


def _found(image_url: str) -> list[Branded]:
    own = pictures.number_of(image_url)
    boxes = _imagined(image_url) if own is None else pictures.truth(own)
    return [_tag(image_url, index, box, drawn=own is not None) for index, box in enumerate(boxes)]


def _imagined(image_url: str) -> list[Box]:
    return [
        Box(
            left=number(image_url, index, "left") % 400,
            top=number(image_url, index, "top") % 300,
            width=20 + number(image_url, index, "width") % 200,
            height=20 + number(image_url, index, "height") % 150,
            brand=BRANDS[number(image_url, index, "brand") % len(BRANDS)],
        )
        for index in range(number(image_url, "boxes") % 5)
    ]


def _tag(image_url: str, index: int, box: Box, *, drawn: bool) -> Branded:
    named = fraction(image_url, index, "named") >= _UNNAMED
    pictured = named and fraction(image_url, index, "pictured") >= _WITHOUT_TEMPLATE
    slug = box.brand.slug
    shelf = urljoin(image_url, "/templates/") if drawn else "http://images.data.microwork.io/templates/"
    return {
        "id": identifier(image_url, index),
        "left": box.left,
        "top": box.top,
        "width": box.width,
        "height": box.height,
        "brand": box.brand.name if named else None,
        "brand_id": identifier("brand", slug) if named else None,
        "template_url": f"{shelf}{slug}.png" if pictured else None,
        "template_id": identifier("template", slug) if pictured else None,
    }


def _labelled(params: Params) -> list[Labelled]:
    options = params.get("annotation_option", [])
    return [
        {**tag, "label": options[number(params["image_url"], tag["id"]) % len(options)]}
        for tag in params.get("tags", [])
    ]
