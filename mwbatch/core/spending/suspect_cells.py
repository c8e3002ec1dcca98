"""What a cell says that was hardly meant: what programs write where nothing is there,
shortened ids, questions that ask nothing.
"""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import quote

from mwbatch.core.codec.json_slips import CELL, CUT
from mwbatch.core.manifest.cells import shown

NO_VALUES: Final = frozenset(
    (
        *("nan", "NaN", "NAN", "undefined", "<NA>", "[object Object]"),
        *(
            "#N/A",
            "#n/a",
            "#NA",
            "#REF!",
            "#VALUE!",
            "#NAME?",
            "#DIV/0!",
            "#NULL!",
            "#NUM!",
            "#SPILL!",
            "#ERROR!",
        ),
    )
)
"""What programs and spreadsheets write where nothing is there: no id of a row, and no answer to choose."""

NO_QUESTIONS: Final = frozenset(
    (*(one.casefold() for one in NO_VALUES), "none", "null", "nil", "n/a", "na", "nat", "(null)")
)
"""The same for a question, in any letter case.

As an answer or an id some of these are honest (none fits; Namibia).
"""

_SHORTENED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[Ee]\+[0-9]{2,3}").fullmatch
"""A long number as spreadsheets and data frames write it:
of several that differ only in their last digits, all look like this.
"""

_SEPARATORS: Final = re.compile(r"\s*[,;/\r\n]\s*")


def unseen(url: str) -> str:
    """What is wrong with a URL that came from a page or a document with
    a character at its end that nobody sees.
    """
    last = url[-1:]
    if last.isprintable():
        return ""
    return (
        f"ends with {last!a}, which nobody sees (take it away, or write it as {quote(last)} if the address "
        "has it)"
    )


def is_shortened(name: str) -> bool:
    """Whether an id is a long number as a spreadsheet shows it; there is one for every row,
    and nearly none has the sign.
    """
    return "+" in name and _SHORTENED(name) is not None


def question(instruction: str, options: Collection[str], *, may_be_single: bool) -> list[tuple[str, str]]:
    """What was hardly meant of a question and the answers to choose from: (column, message) each."""
    told = list[tuple[str, str]]()
    if instruction.strip().casefold() in NO_QUESTIONS:
        told.append(("instruction", no_value(instruction, "write the question to answer for every tag")))
    if len(instruction) == CELL:
        told.append(("instruction", f"{CUT} (take it from where it came)"))
    for option in options:
        if option.strip() in NO_VALUES:
            told.append(("annotation_option", no_value(option, "say it in words, such as: not a number")))
    if len(options) == 1 and not may_be_single:
        told += [("annotation_option", _alone(option)) for option in options]
    return told


def _alone(option: str) -> str:
    """What is said of the only answer; how it is to be written where it
    holds what may have been meant to part several.
    """
    parts = [part for part in _SEPARATORS.split(option.strip()) if part]
    mended = (
        f"answers are separated by |: {shown('|'.join(parts))}"
        if len(parts) > 1
        else "give two or more, good|bad"
    )
    return f"has one answer only to choose, {shown(option)} ({mended}; or allow it: --single-option)"


def no_value(value: str, instead: str) -> str:
    """What is wrong with a value that programs write where nothing is there, and what to do instead."""
    return f"is {shown(value)}, which programs write where nothing is there ({instead})"
