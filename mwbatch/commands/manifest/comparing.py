"""Comparing a batch with its manifest as the file is now."""

from mwbatch.commands.manifest.manifest_survey import survey
from mwbatch.commands.manifest.manifests import Manifest
from mwbatch.commands.manifest.planning import ManifestSource, identity_of
from mwbatch.core.manifest.row_identity import RowKind
from mwbatch.core.report.command_outcomes import Comparison
from mwbatch.journal.interface.open_batch import OpenBatch


async def compare(batch: OpenBatch, path: str) -> Comparison:
    """Compare row by row, by the identity of rows;
    raises `UsageError` where the file knows its rows in another way.
    """
    source = ManifestSource(path, allow_duplicates=True)
    found = await survey(Manifest(path), identity_of(source, batch))
    changed = found.by_kind[RowKind.CHANGED]
    return Comparison(path, found.new, batch.state.planned - found.known - changed, changed)
