"""Comparing a batch with its manifest as the file is now."""

from mwbatch.commands.manifests import Manifest
from mwbatch.commands.planning import Source, identity_of
from mwbatch.commands.survey import survey
from mwbatch.core.identity import Kind
from mwbatch.core.outcomes import Comparison
from mwbatch.journal.opened import Opened


async def compare(batch: Opened, path: str) -> Comparison:
    """Compare row by row, by the identity of rows;
    raises `UsageError` where the file knows its rows in another way.
    """
    source = Source(path, allow_duplicates=True)
    found = await survey(Manifest(path), identity_of(source, batch))
    changed = found.by_kind[Kind.CHANGED]
    return Comparison(path, found.new, batch.state.planned - found.known - changed, changed)
