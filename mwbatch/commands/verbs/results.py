"""The completed rows taken home: a file of JSON lines, whole or not at all."""

from pathlib import Path
from typing import Final

from mwbatch.commands.context.context import Desk
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.report.outcomes import Taken
from mwbatch.errors import UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.outputs.user_files import Output
from mwbatch.journal.seam.distrust import tell_hidden
from mwbatch.journal.seam.labelled import results
from mwbatch.journal.seam.open_batch import Opened

GROUP: Final = 256
"""Rows between two looks at whether the user wants to stop."""


async def take_home(
    opened: Opened, path: Path, desk: Desk, *, force: bool = False, every: bool = False
) -> Taken:
    """Write what `results` prints to a file.

    Raises:
        UsageError: the path is taken.
        StoreError: the batch cannot be read, or the file not be written.
    """
    output = Output(opened.store, path, force)
    await in_thread(output.check)
    with desk.in_flight():
        return await in_thread(_write, opened, output, desk, every=every)


def _write(opened: Opened, output: Output, desk: Desk, *, every: bool) -> Taken:
    written = 0
    with output.file() as target, target.open() as file:
        for line in results(opened, every=every):
            file.write(encode(line) + b"\n")
            written += 1
            if written % GROUP == 0 and desk.stopping.is_set():
                raise UsageError(f"interrupted: {output.path} was not written")
    tell_hidden(opened)
    return Taken(opened.report(), str(output.path), written)
