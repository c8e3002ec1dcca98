"""Who signed an address: the home's callback keys, as they are on disk now.

They are read again when an address names a key that is not known, so that a new key is taken at once; and
when the key file has changed, so that a retired one is refused within a second. A key that only went is no
key that was retired. The disk is looked at in a thread: while that takes its time, what known keys signed is
taken.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Mapping
from math import inf
from typing import Final

from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.core.api.address import Address, Key, at_end
from mwbatch.core.codec.ids import Kid
from mwbatch.errors import MwbatchError, StoreError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.ref import usable
from mwbatch.journal.interface.store import Store
from mwbatch.journal.keys.home_keys import keys_of, strange_keys
from mwbatch.journal.keys.keyring import Keys

RELOAD: Final = 1.0
"""Seconds between two readings of an unchanged key file because of unknown keys: strangers can name many."""

LOOK: Final = 1.0
"""Seconds between two looks at whether the key file has changed."""

_log = logging.getLogger("mwbatch.callbacks")


class Signers:
    """The live keys. ``now`` is a monotonic clock in seconds."""

    def __init__(self, store: Store, now: Callable[[], float] = time.monotonic) -> None:
        self._store, self._ring, self._now = store, store.keys, now
        self._keys = Keys(())
        self._live: Mapping[Kid, Key] = {}
        self._mark: Hashable = None
        self._read_at, self._looked_at = -RELOAD, -LOOK
        self._looking = asyncio.Lock()
        self._troubles = Troubles()

    def open(self) -> None:
        """Read the keys, made if the home has none yet. Blocks.

        Raises:
            UsageError: they are missing, open to others or unusable: no receiver may start without.
        """
        # MUST come before the reading: should the file change between the two, the next look sees it.
        self._mark = self._ring.mark()
        self._take(keys_of(self._store))
        self._read_at = self._looked_at = self._now()
        for ref in usable(self._store.batches()):
            if words := strange_keys(self._store, ref.info):
                _log.warning("%s", words)

    async def signed(self, path: str) -> Address | None:
        """The address in the last five segments of a raw, still percent-encoded path, if we signed it."""
        address = at_end(path)
        if address is None:
            return None
        if self._now() - self._looked_at >= LOOK:
            await self.look(reload=inf)
        if self.verifies(address):
            return address
        if address.kid in self._live:
            return None
        await self.look()  # at once, or strangers who name unknown keys could keep a new one out for a second
        return address if self.verifies(address) else None

    def verifies(self, address: Address) -> bool:
        """Whether we signed an address, by the keys as they were read last."""
        key = self._live.get(address.kid)
        return key is not None and address.signed_by(key)

    async def look(self, reload: float = RELOAD) -> None:
        """Read the key file again where it is another one than was read last, or that is ``reload`` seconds
        ago.

        MUST be one at a time: an older reading would undo a newer one.
        """
        self._looked_at = self._now()  # others go on meanwhile
        async with self._looking:
            await in_thread(self._look, self._now(), reload)

    def _look(self, now: float, reload: float) -> None:
        mark = self._ring.mark()
        if mark != self._mark or now - self._read_at >= reload:
            self._mark = mark
            self._reload(now)

    def _reload(self, now: float) -> None:
        """MUST never make keys: here a missing file means that somebody is at work on it."""
        self._read_at = now
        try:
            keys = self._ring.load()
            if keys is None:
                raise StoreError(f"{self._ring.where} is gone")
        except MwbatchError as error:
            self._complain(str(error))
            return
        if keys.live != self._keys.live:
            _log.info("callback keys read again: %s", ", ".join(key.kid for key in keys.live))
        self._take(self._with_vanished(keys))
        self._troubles.end("keys", "the callback keys can be read again")

    def _take(self, keys: Keys) -> None:
        self._keys, self._live = keys, {key.kid: key for key in keys.live}

    def _with_vanished(self, keys: Keys) -> Keys:
        """The keys of the file, and those that went from it without being retired, as by an older copy.

        MUST verify on: people are being paid for what comes to their addresses.
        """
        gone = tuple(key for key in self._keys.live if key.kid not in keys.kids)
        names = ", ".join(key.kid for key in gone)
        if gone:
            words = (
                f"callback key {names} is no longer in {self._ring.where} and was not retired: callbacks at "
                "its addresses are taken until this process ends; put the newer key file back, or retire "
                "the key there"
            )
            self._troubles.begin("vanished", words, names)
        else:
            self._troubles.end("vanished", f"every callback key is in {self._ring.where} again, or retired")
        return Keys((*gone, *keys.live), keys.retired)

    def _complain(self, trouble: str) -> None:
        """Say once what is wrong: strangers could fill the log otherwise."""
        self._troubles.begin("keys", f"the callback keys in use stay: {trouble}", trouble)
