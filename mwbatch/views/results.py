"""The completed rows as JSON lines in the manifest's order, at any time, also while the batch runs."""

import sys
from dataclasses import dataclass

from mwbatch.core.text import Json, encode
from mwbatch.errors import Exit
from mwbatch.journal.labelled import results
from mwbatch.journal.opened import Opened
from mwbatch.views.standing import Standing


@dataclass(frozen=True, slots=True)
class Printed:
    """The lines were printed already; what is left is the exit code."""

    exit: Exit

    def text(self) -> str:
        """Nothing more."""
        return ""

    def json(self) -> Json:
        """Nothing more."""
        return None


def print_results(opened: Opened, *, every: bool, demanded: bool) -> Printed:
    """Write the lines to standard output; exit 3 when completeness was ``demanded`` and is not there."""
    out = sys.stdout.buffer
    for line in results(opened, every=every):
        out.write(encode(line) + b"\n")
    out.flush()
    return Printed(Standing(opened.report(), demanded).exit)
