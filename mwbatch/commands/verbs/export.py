"""Exporting: open a batch without its lock, measure what lacks a size where that is wanted,
and let it be written.
"""

from collections.abc import Generator

from mwbatch.commands.context.context import Context
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.report.exported import Exported
from mwbatch.export.batch_survey import BatchSurvey
from mwbatch.export.writing import Export, Order
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.belongings import Sizes
from mwbatch.journal.interface.open_batch import OpenBatch


async def export(
    opened: OpenBatch, context: Context, order: Order, *, measuring: bool = False, demanded: bool = False
) -> Exported:
    """Export the completed rows of a batch; its state may be empty, as answers on disk are enough.

    ``measuring``: ask for the header of every image whose size nobody told. ``demanded``: incompleteness is
    an error.

    Raises:
        UsageError: the export cannot be as it was asked for; nothing was written.
        StoreError: this machine cannot read the batch, or cannot write the export.
    """
    tally, writer = context.tally, Export(opened.info.name, order, opened.store)
    writer.check()
    tally.begin("reading")
    survey = await in_thread(writer.survey, opened.journal)
    sizes = await in_thread(opened.own.image_sizes)
    if measuring:
        # HTTP, which most exports need not wait for
        from mwbatch.commands.pictures.measuring import measure  # noqa: PLC0415

        total = await in_thread(lambda: sum(1 for _ in missing(survey, sizes)))
        with context.in_flight():
            await measure(missing(survey, sizes), total, sizes, context)
    tally.begin("exporting", survey.completed)

    def going(done: int) -> bool:
        tally.done = done
        return not context.stopping.is_set()

    with context.in_flight():
        found = await in_thread(writer.write, survey, sizes.get, going)
    tally.begin("")
    if demanded:
        await opened.refresh()
        found.unfinished = not (await opened.reported()).complete
    return found


def missing(survey: BatchSurvey, sizes: Sizes) -> Generator[Planned, None, None]:
    """The completed rows whose image has no size yet."""
    return (planned for planned in survey.unsized() if sizes.get(planned.row) is None)
