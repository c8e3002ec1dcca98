"""Who signed an address: the home's callback keys, read again when an address names a key that is not known."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mwbatch.core.address import Address, find
from mwbatch.errors import MwbatchError
from mwbatch.journal.home import Home
from mwbatch.journal.keys import Keys, load

RELOAD: Final = 1.0
"""Seconds between two readings of the key file: strangers can name unknown keys as often as they like."""

_log = logging.getLogger("mwbatch.callbacks")


class Keyring:
    """The live keys. ``now`` is a monotonic clock in seconds."""

    def __init__(self, home: Home, now: Callable[[], float] = time.monotonic) -> None:
        self._home, self._now = home, now
        self._keys = Keys(())
        self._read_at = -RELOAD

    def open(self) -> None:
        """Read the keys, made if the home has none yet. Blocks.

        Raises:
            UsageError: they are missing, open to others or unusable: no receiver may start without.
        """
        self._keys, self._read_at = self._home.keys(), self._now()

    def signed(self, path: str) -> Address | None:
        """The address in the last five segments of a raw, still percent-encoded path, if we signed it."""
        address = address_of(path)
        return address if address and self._verify(address) else None

    def _verify(self, address: Address) -> bool:
        if any(key.kid == address.kid for key in self._keys.live) or not self._is_due():
            return self._keys.verify(address)
        self._reload(self._home.key_path)
        return self._keys.verify(address)

    def _is_due(self) -> bool:
        return self._now() - self._read_at >= RELOAD

    def _reload(self, path: Path) -> None:
        """MUST never make keys: here a missing file means that somebody is at work on it."""
        self._read_at = self._now()
        try:
            self._keys = load(path) or self._keys
        except MwbatchError as error:
            _log.error("the keys in use stay: %s", error)


def address_of(path: str) -> Address | None:
    """Read the address that ends a raw path, whatever stands before; None unless every byte of it is in place."""
    tail = "/" + "/".join(path.rsplit("/", 5)[1:])
    found = find(tail)
    if found is None:
        return None
    whole = f"/v1/{found.kid}/{found.batch}/{found.row}-{found.attempt}/{found.mac}"
    return found if whole == tail else None
