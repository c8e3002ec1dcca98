"""Comparing a batch with its manifest as the file is now."""

from mwbatch.commands.manifest.manifests import Manifest
from mwbatch.commands.manifest.planning import Source, identity_of
from mwbatch.commands.manifest.survey import survey
from mwbatch.core.manifest.row_identity import Kind
from mwbatch.core.report.outcomes import Comparison
from mwbatch.journal.seam.open_batch import Opened


async def compare(batch: Opened, path: str) -> Comparison:
    """Compare row by row, by the identity of rows;
    raises `UsageError` where the file knows its rows in another way.
    """
    source = Source(path, allow_duplicates=True)
    found = await survey(Manifest(path), identity_of(source, batch))
    changed = found.by_kind[Kind.CHANGED]
    return Comparison(path, found.new, batch.state.planned - found.known - changed, changed)
