"""The body of a create request, ``application/x-www-form-urlencoded``,
field for field as the reference's curl sends it.

Brackets in names stand as they are; values are percent-encoded, a space as ``+``. Characters that mean
nothing in a form (``:/?@`` and the like) stand as they are too, so a plain URL looks as it does in the
reference.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NotRequired, TypedDict
from urllib.parse import quote_plus

EDGES: Final = ("id", "left", "top", "width", "height")
"""The fields of a tag that are sent; a tag that came from a tagging answer holds more."""

_SAFE: Final = ":/?@!$'()*,"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~:/?@!$'()*,-]*")
"""What stands as it is, `_SAFE` included."""


class SentTag(TypedDict):
    """A box that people are asked about, in pixels, as it is sent."""

    id: str
    left: float
    top: float
    width: float
    height: float


class Request(TypedDict):
    """What a row asks for, under the API's own names: tagging has ``objects_to_tag``,
    annotating all the others.
    """

    image_url: str
    objects_to_tag: NotRequired[str]
    instruction: NotRequired[str]
    annotation_option: NotRequired[Sequence[str]]
    tags: NotRequired[Sequence[SentTag]]


class BadForm(ValueError):
    """A request that cannot be written: a field is missing, has a wrong type, or is not valid Unicode."""


# the API's name
def encode_create(type: str, request: Mapping[str, object], callback_url: str) -> bytes:  # noqa: A002
    """Write the body of a create request.

    ``request`` holds the API's own field names: ``image_url`` and ``objects_to_tag``, or ``image_url``,
    ``instruction``, ``annotation_option`` (a list of text) and ``tags`` (a list of `EDGES` objects, in
    pixels).

    Raises:
        BadForm: the type is unknown, or the request cannot be written.
    """
    try:
        return _FORMS[type](request, _quoted(callback_url)).encode("ascii")
    except KeyError as error:
        raise BadForm(f"no such task type or field: {error}") from None
    except (TypeError, AttributeError):
        raise BadForm("a field of the request has a wrong type") from None
    except UnicodeEncodeError:
        raise BadForm("the request holds text that is not valid Unicode") from None


def _quoted(text: object) -> str:
    """Percent-encode a value; nearly all are plain, and to see that costs a tenth."""
    if not isinstance(text, str):
        raise TypeError("not text")
    return text if _PLAIN.fullmatch(text) else quote_plus(text, _SAFE)


def _tagging(request: Mapping[str, object], callback: str) -> str:
    objects = _quoted(request.get("objects_to_tag", "brands"))
    return f"callback_url={callback}&objects_to_tag={objects}&image_url={_quoted(request['image_url'])}"


def _annotating(request: Mapping[str, object], callback: str) -> str:
    return "&".join(
        [
            f"callback_url={callback}",
            f"image_url={_quoted(request['image_url'])}",
            f"instruction={_quoted(request['instruction'])}",
            *(f"annotation_option={_quoted(option)}" for option in _each(request["annotation_option"])),
            *_tags(request["tags"]),
        ]
    )


def _each(value: object) -> Iterable[object]:
    if not isinstance(value, Iterable):
        raise TypeError("no list")
    return value


def _tags(tags: object) -> Iterator[str]:
    for index, tag in enumerate(_each(tags)):
        if not isinstance(tag, Mapping):
            raise TypeError("no object")
        for edge in EDGES:
            if edge in tag:
                yield f"tags[{index}][{edge}]={_quoted(str(tag[edge]))}"


_FORMS: Final[Mapping[str, Callable[[Mapping[str, object], str], str]]] = {
    "tagging": _tagging,
    "annotating": _annotating,
}
