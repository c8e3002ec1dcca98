"""Read the body of a create request, form-encoded or JSON, as a backend of the reference would."""

import math
import re
from dataclasses import dataclass
from typing import Final, Literal, NotRequired, TypedDict
from urllib.parse import parse_qsl, urlsplit

import orjson

Kind = Literal["tagging", "annotating"]
Fields = dict[str, object]
"""The fields of a request, whatever they hold."""


class Marked(TypedDict):
    """A box that somebody marked."""

    id: str
    left: float
    top: float
    width: float
    height: float


class Params(TypedDict):
    """The inputs of a task: of tagging ``objects_to_tag``, of annotating the others."""

    image_url: str
    objects_to_tag: NotRequired[str]
    instruction: NotRequired[str]
    annotation_option: NotRequired[list[str]]
    tags: NotRequired[list[Marked]]


BOX: Final = ("left", "top", "width", "height")
_NESTED: Final = re.compile(r"tags\[(\d{1,6})\]\[([^\[\]]+)\]")


class Refusal(Exception):
    """A request that the API does not accept: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Draft:
    """A valid create request: ``params`` are the task's inputs as a retrieved task nests them."""

    kind: Kind
    callback_url: str
    params: Params


def read_draft(kind: Kind, body: bytes, content_type: str) -> Draft:
    """Read and check a create request.

    Args:
        kind: which of the two creates was called.
        body: the request's body.
        content_type: its media type; anything but ``application/json`` is read as a form.

    Raises:
        Refusal: 400, with the parameter at fault.
    """
    fields = _json_fields(body) if content_type == "application/json" else _form_fields(body)
    callback_url = _url(fields, "callback_url")
    params = _tagging(fields) if kind == "tagging" else _annotating(fields)
    return Draft(kind, callback_url, params)


def _bad(message: str) -> Refusal:
    return Refusal(400, message)


def _json_fields(body: bytes) -> Fields:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _bad(f"the body is not valid JSON: {error}") from error
    if not isinstance(fields, dict):
        raise _bad("the body must be a JSON object")
    return fields


def _form_fields(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise _bad("the body is not a UTF-8 form") from error
    fields: Fields = {}
    options: list[str] = []
    tags: dict[int, dict[str, str]] = {}
    for name, value in pairs:
        if nested := _NESTED.fullmatch(name):
            tags.setdefault(int(nested[1]), {})[nested[2]] = value
        elif name in {"annotation_option", "annotation_option[]"}:
            options.append(value)
        else:
            fields[name] = value
    return fields | {"annotation_option": options, "tags": [tags[index] for index in sorted(tags)]}


def _url(fields: Fields, name: str) -> str:
    value = _text(fields, name)
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise _bad(f"{name} is not a URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise _bad(f"{name} must be a full URL with http:// or https://")
    return value


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if value is None or value == "":
        raise _bad(f"{name} is required")
    if not isinstance(value, str):
        raise _bad(f"{name} must be a string")
    return value


def _tagging(fields: Fields) -> Params:
    image_url = _url(fields, "image_url")
    objects = fields.get("objects_to_tag", "brands")
    if objects != "brands":
        raise _bad("objects_to_tag must be brands")
    return {"objects_to_tag": "brands", "image_url": image_url}


def _annotating(fields: Fields) -> Params:
    return {
        "image_url": _url(fields, "image_url"),
        "instruction": _text(fields, "instruction"),
        "annotation_option": _options(fields.get("annotation_option")),
        "tags": _tags(fields.get("tags")),
    }


def _options(given: object) -> list[str]:
    options = [given] if isinstance(given, str) else given
    if not isinstance(options, list) or not options:
        raise _bad("annotation_option is required")
    if not all(isinstance(option, str) and option for option in options):
        raise _bad("annotation_option must be strings that are not empty")
    return options


def _tags(given: object) -> list[Marked]:
    if not isinstance(given, list) or not given:
        raise _bad("tags is required")
    return [_tag(index, tag) for index, tag in enumerate(given)]


def _tag(index: int, given: object) -> Marked:
    if not isinstance(given, dict):
        raise _bad(f"tags[{index}] must be an object")
    left, top, width, height = (_number(given.get(side), f"tags[{index}][{side}]") for side in BOX)
    return {"id": str(given.get("id", index)), "left": left, "top": top, "width": width, "height": height}


def _number(given: object, name: str) -> int | float:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise _bad(f"{name} must be a number")
    try:
        number = float(given)
    except (ValueError, OverflowError) as error:
        raise _bad(f"{name} must be a number") from error
    if not math.isfinite(number):
        raise _bad(f"{name} must be a number")
    return int(number) if number.is_integer() else number
