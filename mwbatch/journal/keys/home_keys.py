"""What a home asks of its keyring: MUST never make keys anew while
a batch has addresses signed with others.
"""

from mwbatch.core.api.address import Key
from mwbatch.core.words.hint import hint
from mwbatch.errors import UsageError
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.ref import Ref
from mwbatch.journal.interface.store import Store
from mwbatch.journal.keys.keyring import Keys


def kept_keys(store: Store) -> Keys | None:
    """The callback keys of a home as they are; None where none were ever made.

    Raises:
        UsageError: they are unusable, or missing although a batch has addresses signed with one.
        StoreError: they cannot be read, or nobody can tell whether a batch has such addresses.
    """
    keys = store.keys.load()
    if keys is not None:
        return keys
    for one in store.batches():
        if not isinstance(one, Ref):
            raise one.why
        if one.info.kids:
            raise UsageError(
                f"{store.keys.where} is gone, but batch {one.info.name} has addresses signed with it; "
                f"restore it from a copy: new keys would refuse the callbacks that people are being paid for"
            )
    return None


def keys_of(store: Store) -> Keys:
    """The callback keys, made at the first call ever.

    Raises as `kept_keys` does, since none are made anew.
    """
    return kept_keys(store) or store.keys.make()


def signing_key(store: Store) -> Key:
    """The key that signs new addresses, durable before this returns.

    Raises:
        UsageError: as `keys_of`.
        StoreError: its durability cannot be had.
    """
    kept_keys(store)
    return store.keys.make().newest


def strange_keys(store: Store, info: BatchInfo) -> str:
    """What to tell of a batch with addresses signed with keys that are not here; empty where all are.

    Raises as `keys_of`.
    """
    missing = sorted({*info.kids} - keys_of(store).kids) if info.kids else []
    if not missing:
        return ""
    return (
        f"batch {info.name} has addresses signed with callback key {', '.join(missing)}, which "
        f"{store.keys.where} does not have (was the batch moved here?): callbacks at them are refused. Name "
        "the file that has it with --callback-key-file, or fetch what they would bring: "
        f"{hint('reconcile', info.name, '--wait')}"
    )
