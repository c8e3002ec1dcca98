"""The completed rows taken home: a file of JSON lines, whole or not at all."""

from pathlib import Path
from typing import Final

from mwbatch.commands.context.context import Context
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.report.command_outcomes import ResultsWritten
from mwbatch.errors import UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.distrust import tell_hidden
from mwbatch.journal.interface.labelled import results
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.outputs.user_files import Output

GROUP: Final = 256
"""Rows between two looks at whether the user wants to stop."""


async def take_home(
    opened: OpenBatch, path: Path, context: Context, *, force: bool, every: bool
) -> ResultsWritten:
    """Write what `results` prints to a file.

    Raises:
        UsageError: the path is taken.
        StoreError: the batch cannot be read, or the file not be written.
    """
    output = Output(opened.store, path, force)
    await in_thread(output.check)
    with context.in_flight():
        return await in_thread(_write, opened, output, context, every=every)


def _write(opened: OpenBatch, output: Output, context: Context, *, every: bool) -> ResultsWritten:
    written = 0
    with output.file() as target, target.open() as file:
        for line in results(opened, every=every):
            file.write(encode(line) + b"\n")
            written += 1
            if written % GROUP == 0 and context.stopping.is_set():
                raise UsageError(f"interrupted: {output.path} was not written")
    tell_hidden(opened)
    return ResultsWritten(opened.report(), str(output.path), written)
