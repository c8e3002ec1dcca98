"""A list of ids, one a line; what lists them otherwise is named,
with the command that makes such a list of it.
"""

from collections.abc import Callable, Iterator
from typing import Final

from mwbatch.core.codec.json_codec import BadJson, decode
from mwbatch.core.codec.plain_text import BOM, MOST, NoText, instead
from mwbatch.core.manifest.column_names import ID_NAMES

LONGEST: Final = 1 << 20
"""The most bytes of a line: an id is short, and what never ends its lines is no list."""

_WAY: Final = "; give one id a line, as {} writes them, piped into the same command with --ids-from -"


def listed(read: Callable[[int], bytes], name: str = "") -> Iterator[str]:
    """The ids in a file, blank lines left out; ``name`` is the file as a shell takes it, if it has one.

    ``read`` reads a line, as many bytes of it as it is told at the most.

    Raises:
        NoText: it is no text, no such list, or longer than `MOST`; the message is to stand behind ``is``.
    """
    number = size = 0
    while raw := read(LONGEST):
        number, size = number + 1, size + len(raw)
        if size > MOST:
            raise NoText(f"longer than {MOST >> 20} MiB")
        if number == 1:
            if what := instead(raw):
                raise NoText(what)
            raw = raw.removeprefix(BOM)
        # MUST part lines at their ends alone: what else Unicode calls one may stand inside of an id.
        if raw := raw.strip():
            yield _id(raw, number, name)


def _id(raw: bytes, number: int, name: str) -> str:
    """The id in a line; raises `NoText` where that is another way to write ids."""
    if b"\r" in raw:
        raise NoText("parted by carriage returns alone" + _WAY.format(_from(r"tr '\r' '\n'", name)))
    if len(raw) == LONGEST:
        raise NoText(f"no list of ids: line {number} is longer than {LONGEST >> 20} MiB; give one id a line")
    try:
        one = raw.decode().strip()
    except UnicodeDecodeError as error:
        wrong = f"byte 0x{raw[error.start]:02x} in line {number}"
        raise NoText(f"not UTF-8: {wrong} (save it as UTF-8)") from None
    if program := _program(one):
        raise NoText(f"JSON, in line {number}" + _WAY.format(_of(f"jq -r '{program}'", name)))
    if number == 1 and (cut := _cut(one)) is not None:
        raise NoText("a table with a header" + _WAY.format(_of("tail -n +2", name) + cut))
    if len(one) > 1 and one[0] == one[-1] == '"':
        raise NoText(f"in quotes, in line {number}" + _WAY.format(_from("tr -d '\"'", name)))
    return one


def _of(command: str, name: str) -> str:
    return f"{command} {name}" if name else command


def _from(command: str, name: str) -> str:
    return f"{command} < {name}" if name else command


def _program(one: str) -> str:
    """What `jq` is to take of a line of JSON; empty where it is none, or one value."""
    if not one.startswith(("{", "[")):
        return ""
    if one in ("{", "["):  # written over many lines
        return ".id" if one == "{" else ".[].id"
    try:
        value = decode(one.encode())
    except BadJson:
        return ""
    first = value[0] if isinstance(value, list) and value else value
    name = next((f".{name}" for name in ID_NAMES if isinstance(first, dict) and name in first), "")
    return f".[]{name}" if isinstance(value, list) else name or ".id"


def _cut(one: str) -> str | None:
    """What takes the ids from the lines of a table whose header this is; None where it is none."""
    names = [name.strip(' "').lower() for name in one.split(",")]
    place = next((names.index(name) + 1 for name in ID_NAMES if name in names), 0)
    if not place:
        return None
    return f" | cut -d, -f{place}" if len(names) > 1 else ""
