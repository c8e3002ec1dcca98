"""One line of progress: what there is room for, the most important first; nothing but a phase is ever cut."""

from collections.abc import Iterator
from math import ceil
from typing import Final, NamedTuple

from mwbatch.core.report.progress import Tally
from mwbatch.core.words.printable import cell

LEAST_BAR: Final = 6
"""Columns below which a bar shows nothing."""

GAP: Final = "  "
_MEGA: Final = 1_000_000


class Line(NamedTuple):
    """A phase, a bar of so many columns (0: none), and the words behind it; `GAP` stands between them."""

    phase: str
    bar: int
    words: str


def line(tally: Tally, columns: int, now: float, time: str = "") -> Line:
    """The line for so many columns at the tick ``now``; ``time`` is how long the phase lasts, in words."""
    phase, trouble = cell(tally.phase), trouble_text(tally, now)
    if trouble and len(phase) + len(GAP) + len(trouble) > columns:
        phase, trouble = trouble, ""
    phase = _cut(phase, columns)
    count, bar = count_text(tally), " " * LEAST_BAR if tally.total else ""
    in_flight, doubt, rejected = _attention(tally)
    room, kept = columns - len(phase), list[str]()
    for text in (trouble, count, bar, rejected, doubt, time, in_flight):
        if text and len(GAP) + len(text) <= room:
            room -= len(GAP) + len(text)
            kept.append(text)
    words = (text for text in (count, time, in_flight, doubt, rejected, trouble) if text in kept)
    return Line(phase, LEAST_BAR + room if bar in kept else 0, GAP.join(words))


def sentence(tally: Tally, now: float) -> str:
    """The same where there is room for all of it, and no bar."""
    parts = [
        text for text in (count_text(tally, " of "), *_attention(tally), trouble_text(tally, now)) if text
    ]
    return ": ".join(filter(None, (tally.phase, ", ".join(parts))))


def count_text(tally: Tally, of: str = "/") -> str:
    """What is done, and of how much; empty where there is nothing to count yet."""
    if tally.listed:
        return f"{tally.listed:,} listed"
    if not (tally.done or tally.total):
        return ""
    numbers = [tally.done, *([tally.total] if tally.total else [])]
    if tally.of_bytes:
        return of.join(f"{number / _MEGA:,.1f}" for number in numbers) + " MB"
    return of.join(f"{number:,}" for number in numbers)


def trouble_text(tally: Tally, now: float) -> str:
    """What keeps it from going on, and when it tries again."""
    if not tally.trouble:
        return ""
    left = ceil(tally.until - now)
    return f"{tally.trouble}, trying again" + (f" in {left} s" if left > 0 else "")


def time_text(seconds: float | None, what: str) -> str:
    """A time as a clock shows it; nothing where nobody knows it, or it is none."""
    if not seconds:
        return ""
    minutes, rest = divmod(ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{f'{hours}:' if hours else ''}{minutes:02}:{rest:02}{what}"


def _attention(tally: Tally) -> Iterator[str]:
    for count, name in (
        (tally.in_flight, "in flight"),
        (tally.doubt, "in doubt"),
        (tally.rejected, "rejected"),
    ):
        yield f"{count:,} {name}" if count else ""


def _cut(phase: str, columns: int) -> str:
    """As many of its words as there is room for."""
    if len(phase) <= columns:
        return phase
    return phase[: max(columns, 1)].rpartition(" ")[0] or phase[: max(columns, 1)]
