"""What a submission would find: the rows of a manifest, compared with its batch and with all others.

No HTTP is needed.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mwbatch.commands.asking.asked_before import account_of, unasked
from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.candidates import Candidates
from mwbatch.commands.manifest.manifest_survey import ManifestSurvey
from mwbatch.commands.manifest.planning import ManifestSource, addressed, choose, examine, volatile
from mwbatch.core.spending.overlaps import Repeats
from mwbatch.core.state.batch import Batch
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.open_batch import OpenBatch, look
from mwbatch.journal.interface.store import Store

if TYPE_CHECKING:
    from mwbatch.client import Client


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a submission would find: the batch of the manifest, if it is there, its rows,
    those that it may not send.
    """

    info: BatchInfo
    batch: OpenBatch | None
    found: ManifestSurvey
    left_out: int
    to_send: int


async def foresee(
    store: Store,
    origin: str,
    source: ManifestSource,
    repeats: Repeats,
    context: Context,
    client: "Client | None" = None,
) -> Foreseen:
    """Read a manifest and compare its rows as `submit` would, without the locks and without a write;
    raises as it does.

    The account's listing is looked at where there is a ``client``.
    """
    source = replace(await addressed(store, source), only_new=repeats.only_new)
    chosen = await in_thread(choose, store, source, origin)
    chosen.info.pinned(origin)
    if not chosen.ref:
        await in_thread(store.check_new, chosen.info.name)
    batch = await look(store, chosen.ref) if chosen.ref else None
    found, state = await examine(source, batch, context), batch.state if batch else Batch()
    info = replace(chosen.info, volatile=volatile(source, chosen.info))
    candidates = Candidates(info, batch, source=source, found=found, keep=False)
    account = await account_of(store, client, candidates, repeats, context) if client else None
    compared = await unasked(store, origin, candidates, repeats, context, account)
    old = sum(number < state.end for number in compared.numbers())
    found.leave_out(number for number in compared.numbers() if number >= state.end)
    return Foreseen(chosen.info, batch, found, old + found.left_out, found.new + state.sendable() - old)
