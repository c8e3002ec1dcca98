"""Callback keys: which there are and what waits for them, a new one, the end of an old one."""

from collections import defaultdict
from typing import Final

from mwbatch.commands.context.context import Context
from mwbatch.core.codec.ids import Kid
from mwbatch.core.facts.kinds import Started
from mwbatch.core.report.key_use import KeyLine, Retired, Rotated, Use
from mwbatch.core.state.awaited import waiting
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import rows
from mwbatch.errors import UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.batches import each
from mwbatch.journal.interface.open_batch import read
from mwbatch.journal.interface.ref import Ref, usable
from mwbatch.journal.interface.store import Store
from mwbatch.journal.keys.home_keys import kept_keys
from mwbatch.journal.keys.keyring import Keys

SIGNS: Final = "signs"
VERIFIES: Final = "verifies"
RETIRED: Final = "retired"


async def listed(store: Store, context: Context) -> list[KeyLine]:
    """Every key that there ever was, the oldest first; reading makes none.

    Raises:
        UsageError: the key file is unusable, or gone although a batch needs it.
    """
    keys = await in_thread(kept_keys, store) or Keys(())
    used = await _uses(store, context)

    def shown(kid: Kid, use: str, made_at: str | None, retired_at: str | None = None) -> KeyLine:
        there = used.get(kid, [])
        return KeyLine(kid, use, made_at, retired_at, len(there), sum(use.waiting for use in there))

    return [
        *(shown(key.kid, RETIRED, key.made_at, key.retired_at) for key in keys.retired),
        *(shown(key.kid, SIGNS if key is keys.newest else VERIFIES, key.made_at) for key in keys.live),
    ]


def rotated(store: Store, context: Context) -> Rotated:
    """Let a new key sign; raises as `rotate` does, and where the keys are gone that a batch needs."""
    kept_keys(store)
    keys = store.keys.rotate(context.now())
    *verifying, newest = keys.live
    return Rotated(newest.kid, newest.made_at, tuple(key.kid for key in verifying), store.keys.where)


async def retired(store: Store, kid: Kid, context: Context, *, force: bool) -> Retired:
    """Refuse callbacks at the addresses of an old key from now on.

    Raises:
        UsageError: it is the newest, or none; or, unless ``force``, a batch of the home may still be answered
        there.
    """
    keys, running = await in_thread(kept_keys, store) or Keys(()), tuple[tuple[str, str], ...]()
    if not keys.is_retired(kid):
        keys.retirable(kid, store.keys.where)
        running = await in_thread(_running, store)
        if running and not force:
            batch, who = running[0]
            raise UsageError(
                f"batch {batch} is in use by {who}, which may sign with callback key {kid}; wait for it, or "
                f"retire the key with --force"
            )
    # MUST follow: a run that ended before has everything on disk, one that begins now signs with the newest.
    used = await _uses(store, context, judged=not force)
    waits = tuple(use for use in used.get(kid, []) if use.waiting)
    if waits and not force and not keys.is_retired(kid):
        raise UsageError(
            f"callback key {kid} is needed: {rows(waits[0].waiting)} of batch {waits[0].batch} may still be "
            f"answered at addresses that it signed; first {hint('reconcile', waits[0].batch, '--wait')}, or "
            f"{hint('keys retire', kid, '--force')} and let reconcile fetch the answers"
        )
    keys = await in_thread(store.keys.retire, kid, context.now())
    return Retired(kid, next(key.retired_at for key in keys.retired if key.kid == kid), waits, running)


def _running(store: Store) -> tuple[tuple[str, str], ...]:
    """A run signs with the key that was the newest when it began: nobody outside can tell which that is."""
    there = ((ref.info.name, store.holder(ref)) for ref in usable(store.batches()))
    return tuple((name, who) for name, who in there if who)


async def _uses(store: Store, context: Context, *, judged: bool = False) -> dict[Kid, list[Use]]:
    """The batches that have addresses of each key, by kid.

    Of one that cannot be read it is said that it may have some.

    Raises:
        StoreError: that is to be ``judged``, and one cannot be read.
    """
    found: defaultdict[Kid, list[Use]] = defaultdict(list)

    def count(ref: Ref) -> None:
        batch = read(store, ref)
        counts = waiting(batch.state, batch.journal.facts(Started))
        for kid in dict.fromkeys((*batch.info.kids, *counts)):
            found[kid].append(Use(batch.info.name, counts[kid]))

    for _, why in await in_thread(lambda: list(each(store, count))):
        if why is None:
            continue
        if judged:
            raise why
        context.tally.note(f"warning: not counted is what waits in a batch that cannot be read: {why}")
    return found
