"""How the program ends: all that was printed is written, and the exit code says so where it could not be."""

import sys
from collections.abc import Callable
from typing import Final

from mwbatch.errors import Exit
from mwbatch.views.terminal.streams import Stream

WORDS: Final = "mwbatch.words"
"""Where click's context keeps the words of a command, the verb first."""


def ended(code: int, tell: Callable[[str], None]) -> int:
    """The exit code, after the last word was written;
    ``tell`` says on standard error what standard output did not take.

    A reader who has gone changes nothing: what was done was done.
    """
    out = sys.stdout
    if not isinstance(out, Stream) or (failure := out.failure) is None:
        return code
    out.failure, out.gone = None, True  # told once
    tell(
        f"mwbatch: cannot write standard output: {failure.strerror}; what was done stays done, look "
        "again later"
    )
    return max(code, Exit.MACHINE)
