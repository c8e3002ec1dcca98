"""A dry run: what a submission would do, and what it lacks yet."""

from mwbatch.client import Client
from mwbatch.commands.asking.foresee import foresee
from mwbatch.commands.context.callback_base import NO_BASE, callback_base
from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.planning import ManifestSource, addressed, choose
from mwbatch.commands.sending.creating import SendOptions, check
from mwbatch.commands.settling.beginning import last_base
from mwbatch.core.manifest.row_identity import RowKind
from mwbatch.core.report.preview import Rehearsal
from mwbatch.core.state.batch import Batch
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.store import Store
from mwbatch.journal.keys.home_keys import kept_keys


async def rehearse(
    store: Store,
    origin: str,
    source: ManifestSource,
    options: SendOptions,
    context: Context,
    no_key: str = "",
    client: Client | None = None,
) -> Rehearsal:
    """Find out what `submit` would do, without the locks or a write; raises as it does.

    ``no_key`` says why there is no API key, where there is none: it does not hinder a rehearsal, nor does a
    base that is not named yet. The API is asked where there is a ``client``, of what the account's listing
    shows.
    """
    source = await addressed(store, source)
    check(options, (await in_thread(choose, store, source, origin)).info, origin)
    await in_thread(kept_keys, store)
    seen = await foresee(store, origin, source, options.repeats, context, client)
    batch, found = seen.batch, seen.found
    last = await last_base(batch) if batch else None
    if has_base := bool(options.callback_url or last):
        callback_base(options.callback_url, last, context)
    state = batch.state if batch else Batch()
    limits = seen.info.limits.updated(options.limits)
    to_send = int(min(seen.to_send, limits.left(state)))
    return Rehearsal(
        seen.info.name,
        batch is None,
        found.new,
        found.known,
        found.renewed,
        found.by_kind[RowKind.REPEATED],
        found.found,
        found.each_type(),
        found.scrutiny,
        to_send,
        limits.price,
        no_key,
        "" if has_base else NO_BASE,
        tuple(found.besides(state)),
        seen.left_out,
        seen.to_send - to_send,
        limits.spent(state),
    )
