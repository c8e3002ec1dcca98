"""Sentences folded between words, as a terminal is too narrow for them."""

import re
import textwrap
from typing import Final, TextIO

from mwbatch.core.words.printable import printable
from mwbatch.views.terminal.streams import Stream

_COMMAND: Final = re.compile(r"mwbatch(?: [^\s;,()]+)+")
"""A command in a sentence, with the words behind it, up to where it surely has an end."""

_JOINT: Final = "\0"


def folded(text: str, there: TextIO) -> str:
    """Sentences as they fit a terminal; where there is none, as they are."""
    columns = there.columns if isinstance(there, Stream) else None
    return text if columns is None else "\n".join(fold(one, columns) for one in text.split("\n"))


def fold(line: str, columns: int) -> str:
    """A line folded between words.

    A command stays on one line, however long it is: half of one MUST NOT be pasted.
    """
    if len(line) <= columns or "\t" in line:
        return line
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", _JOINT), printable(line))
    # A path that is wider than the terminal gains nothing by a line of its own.
    whole = re.sub(rf" (?=[^ {_JOINT}]{{{columns},}}(?: |\Z))", _JOINT, whole)
    indent = " " * (len(whole) - len(whole.lstrip(" ")))
    pieces = textwrap.wrap(
        whole, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(pieces).replace(_JOINT, " ")


def matters(sentence: str) -> bool:
    """Whether a sentence is a warning, which who asked for quiet hears, too."""
    return sentence.startswith("warning: ")
