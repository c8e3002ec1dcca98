"""What one cell of a manifest may say: each check returns the value to send and complains into a list.

A cell is text in CSV and any JSON value in JSONL; text is read in the same way in both, so that a manifest
may go from one format to the other. None and the empty text mean that nothing is there.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from mwbatch.core.codec.foreign import foreign
from mwbatch.core.codec.json_codec import BadJson, Json, encode
from mwbatch.core.codec.json_slips import slip
from mwbatch.core.codec.strict_json import decode_strictly
from mwbatch.core.facts.kinds import SentTag

Complaints = list[tuple[str | None, str]]
"""What is wrong with a row: (column, message) each."""

MAX_ID: Final = 256
"""The longest id of a row, in characters."""

MAX_PIXELS: Final = 1_000_000_000
"""The greatest coordinate or size of a box; beyond it lie slips, infinity and what is not a number."""

BOX: Final = ("left", "top", "width", "height")

EXACT: Final = 2.0**53
"""From here on a double, which is what most programs make of a number in JSON,
does not hold every whole number.
"""

TOO_LONG: Final = (
    "is a number with more digits than a number in JSON keeps (write it in quotes, as text, where it still "
    "has all)"
)

VISIBLE: Final = "[!-~]"
PLAIN_URL: Final = rf"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{{1,4}})?(?:[/?#]{VISIBLE}*)?"
PLAIN_ID: Final = f"{VISIBLE}{{1,{MAX_ID}}}"
"""Patterns of what is surely right, as nearly all URLs and ids are."""

_PLAIN_URL: Final = re.compile(PLAIN_URL).fullmatch
_PLAIN_ID: Final = re.compile(PLAIN_ID).fullmatch
_UNPRINTED: Final = re.compile(r"[\s\x00-\x20\x7f-\x9f]").search
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]").search
_NAMES: Final = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def shown(value: object, width: int = 60) -> str:
    """A value as a message may show it: text quoted, the rest as JSON, on one line,
    cut in the middle where it is long.
    """
    text = repr(value) if isinstance(value, str) else encode(value).decode()
    return text if len(text) <= width else f"{text[: width - 21]}…{text[-20:]}"


def absent(cell: object) -> bool:
    """Whether a cell says nothing."""
    return cell is None or cell == ""


def identifier(column: str, cell: Json, wrong: Complaints) -> str:
    """Check a row's id: text, or a whole number, which counts as its digits; 7.0 is one,
    as pandas writes it.
    """
    if isinstance(cell, str) and _PLAIN_ID(cell):
        return cell
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT:
        cell = int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        cell = str(cell)
    if absent(cell):
        wrong.append((column, "is empty (every row needs its own id, or none has one)"))
    elif isinstance(cell, float):
        told = TOO_LONG if cell.is_integer() else f"must be text or a whole number, not {shown(cell)}"
        wrong.append((column, told))
    elif not isinstance(cell, str):
        wrong.append((column, f"must be text or a whole number, not {_kind(cell)}"))
    elif len(cell) > MAX_ID:
        wrong.append((column, f"has {len(cell)} characters (at most {MAX_ID})"))
    elif _CONTROL(cell):
        wrong.append((column, f"has a control character in {shown(cell)}"))
    elif cell != cell.strip():
        wrong.append((column, f"begins or ends with a space: {shown(cell)}"))
    else:
        return cell
    return ""


def image_url(cell: Json, wrong: Complaints) -> str:
    """Check the address of a picture: http or https, with a host, without a password;
    blanks around it are not part of it.
    """
    if isinstance(cell, str) and _PLAIN_URL(cell):
        return cell
    if isinstance(cell, str):
        cell = cell.strip()
    if reason := _bad_url(cell):
        wrong.append(("image_url", reason))
    return str(cell)


def _bad_url(cell: Json) -> str:
    """Why this is not the address of a picture; empty if it is one after all."""
    if not isinstance(cell, str) or not cell:
        told = "is missing" if absent(cell) else f"must be text, not {_kind(cell)}"
        return f"{told} (the http or https address of the picture)"
    if found := _UNPRINTED(cell):
        return (
            f"has a space or control character ({found[0]!a}) in {shown(_masked(cell))} (write it as %20 "
            "or the like)"
        )
    try:
        parts = urlsplit(cell)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a URL: {shown(_masked(cell))}: {error}"
    if parts.username is not None or parts.password is not None:
        return "carries a user name or password, which the people who label would see (use a signed link)"
    if parts.scheme not in {"http", "https"}:
        return f"must begin with http:// or https://, not {shown(_masked(cell))}"
    return "" if host else f"names no host: {shown(cell)}"


def _masked(url: str) -> str:
    """The address without the user name and password that it may carry."""
    return re.sub("//[^/]*@", "//***@", url)


def objects_to_tag(cell: Json, wrong: Complaints) -> str:
    """Check what is to be tagged: the API knows ``brands`` only, and that is the default."""
    if not absent(cell) and cell != "brands":
        wrong.append(
            ("objects_to_tag", f"must be brands, the only kind that the API tags, not {shown(cell)}")
        )
    return "brands"


def instruction(cell: Json, wrong: Complaints) -> str:
    """Check the question that is asked about every box."""
    if absent(cell):
        wrong.append(("instruction", "is missing (the question to answer for every tag)"))
    elif not isinstance(cell, str):
        wrong.append(("instruction", f"must be text, not {_kind(cell)}"))
    elif not cell.strip():
        wrong.append(("instruction", "is blank (the question to answer for every tag)"))
    return str(cell)


def annotation_option(cell: Json, wrong: Complaints) -> list[str]:
    """Check the answers to choose from: a list of texts, or one text with ``|`` between them."""
    listed = _options(cell, wrong)
    if listed is None:
        return []
    if not listed:
        wrong.append(("annotation_option", "is an empty list (at least one answer to choose from)"))
    seen: dict[str, None] = {}
    for option in listed:
        if not isinstance(option, str) or not option.strip():
            wrong.append(
                ("annotation_option", f"every option must be text that is not blank, not {shown(option)}")
            )
        elif option in seen:
            wrong.append(("annotation_option", f"names {shown(option)} twice"))
        else:
            seen[option] = None
    return [*seen]


def _options(cell: Json, wrong: Complaints) -> list[Json] | None:
    if absent(cell):
        wrong.append(
            ("annotation_option", 'is missing (answers to choose from: good|bad, or ["good","bad"])')
        )
        return None
    if isinstance(cell, str) and not cell.lstrip().startswith("["):
        return [option.strip() for option in cell.split("|")]
    return _listed("annotation_option", cell, wrong)


def tags(cell: Json, wrong: Complaints) -> tuple[list[SentTag], list[Json] | None]:
    """Check the boxes to ask about; return them as the API takes them and, if they carry other keys too,
    as written.

    A box is ``{"id", "left", "top", "width", "height"}`` in pixels. One without an id gets its place, from
    "0".
    """
    written = None if absent(cell) else _listed("tags", cell, wrong)
    if written == [] or absent(cell):
        said = "is empty" if written == [] else "is missing"
        wrong.append(("tags", f'{said} (a JSON list of {{"left","top","width","height"}} in pixels)'))
    boxes = [box for place, tag in enumerate(written or []) if (box := _box(place, tag, wrong))]
    seen: set[str] = set()
    for box in boxes:
        if box["id"] in seen:
            wrong.append(("tags", f"two tags have the id {shown(box['id'])}"))
        seen.add(box["id"])
    more = any(isinstance(tag, dict) and tag.keys() - {"id", *BOX} for tag in written or [])
    return boxes, written if more else None


def _box(place: int, tag: Json, wrong: Complaints) -> SentTag | None:
    """Check one box, the ``place``-th from 0; None if it is none."""
    if not isinstance(tag, dict):
        wrong.append(("tags", f"tag {place} must be an object, not {_kind(tag)}"))
        return None
    name = tag.get("id")
    if name is None or type(name) is int:
        name = str(place if name is None else name)
    if not isinstance(name, str) or not name.strip():
        wrong.append(("tags", f"tag {place}: id must be text that is not blank, not {shown(name)}"))
        name = f"tag {place}"
    left, top, width, height = (_pixels(place, side, tag, wrong) for side in BOX)
    return {"id": name, "left": left, "top": top, "width": width, "height": height}


def _pixels(place: int, side: str, tag: dict[str, Json], wrong: Complaints) -> int | float:
    """Check one number of a box; a whole number is an int, so that 10 and 10.0 are one request."""
    number = tag.get(side)
    if type(number) is not int and type(number) is not float:
        said = f"must be a number, not {shown(number)}" if side in tag else "is missing"
        wrong.append(("tags", f"tag {place}: {side} {said}"))
    elif not -MAX_PIXELS <= number <= MAX_PIXELS:
        wrong.append(("tags", f"tag {place}: {side} is out of range: {shown(number)}"))
    elif number <= 0 and side in {"width", "height"}:
        wrong.append(("tags", f"tag {place}: {side} must be greater than 0, not {number}"))
    else:
        return int(number) if number == int(number) else number
    return 0


def _listed(column: str, cell: Json, wrong: Complaints) -> list[Json] | None:
    """A list, or text that is a JSON list; None after a complaint."""
    if isinstance(cell, str):
        text = cell
        try:
            cell = decode_strictly(text.encode())
        except BadJson as error:
            wrong.append((column, f"is not a JSON list: {error}{slip(text)}"))
            return None
        # The escapes of a JSON text inside a cell: nobody has seen through them yet.
        if told := foreign(cell):
            wrong.append((column, told))
            return None
    if isinstance(cell, list):
        return cell
    wrong.append((column, f"must be a list, not {_kind(cell)}"))
    return None


def _kind(cell: Json) -> str:
    return _NAMES.get(type(cell), "null")
