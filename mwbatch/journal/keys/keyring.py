"""The callback keys of a home, whoever keeps them: what every ring does, and what a home asks of its own.

The laws of a ring:

1. Keys are made once, and durable before anybody signs with them: of several that make them at once, all get
   the same.
2. No name is given twice, and a name is never forgotten. The newest key signs; each live one verifies what it
   signed.
3. Of changes that meet none is lost. The newest key cannot be retired; what was retired stays so.
4. `mark` differs where the keys may have changed, and costs no reading.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from mwbatch.core.api.address import Address, Key
from mwbatch.core.codec.ids import Kid
from mwbatch.core.words.hint import hint
from mwbatch.errors import UsageError


@dataclass(frozen=True, slots=True)
class RetiredKey:
    """What is left of a key that was retired: its name, so that no other key ever gets it.

    Times are ISO 8601.
    """

    kid: Kid
    made_at: str | None
    retired_at: str | None


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that live now, the newest last: it signs new addresses, all of them verify.

    And those retired.
    """

    live: tuple[Key, ...]
    retired: tuple[RetiredKey, ...] = ()

    def __post_init__(self) -> None:
        if len(self.kids) != len(self.live) + len(self.retired):
            raise ValueError("a kid stands there twice")

    @property
    def newest(self) -> Key:
        """The key that signs new addresses."""
        return self.live[-1]

    @property
    def kids(self) -> frozenset[Kid]:
        """The name of every key that there ever was."""
        return frozenset([*(key.kid for key in self.live), *(key.kid for key in self.retired)])

    def verify(self, address: Address) -> bool:
        """Whether one of the live keys made this address."""
        for key in self.live:  # not `any`, which takes longer than to sign: every callback asks
            if key.kid == address.kid:
                return address.signed_by(key)
        return False

    def is_retired(self, kid: Kid) -> bool:
        """Whether a key of this name was retired."""
        return any(key.kid == kid for key in self.retired)

    def and_new(self, key: Key) -> "Keys":
        """The same with another key, which signs from now on."""
        return Keys((*self.live, key), self.retired)

    def without(self, kid: Kid, at: str, where: str) -> "Keys":
        """The same with a live key retired ``at`` a time in ISO 8601.

        Raises `UsageError` where it may not be.
        """
        old = self.retirable(kid, where)
        live = tuple(key for key in self.live if key is not old)
        return Keys(live, (*self.retired, RetiredKey(kid, old.made_at, at)))

    def retirable(self, kid: Kid, where: str) -> Key:
        """The live key of this name; raises `UsageError` where it may not be retired.

        ``where`` the keys are, in words.
        """
        for key in self.live[:-1]:
            if key.kid == kid:
                return key
        if self.live and self.newest.kid == kid:
            raise UsageError(
                f"callback key {kid} signs new addresses; make another one first: {hint('keys rotate')}, "
                f"then {hint('keys retire', kid)}"
            )
        there = ", ".join(key.kid for key in self.live) or "none"
        raise UsageError(
            f"{where} has no callback key {kid!r}; keys there: {there} (see {hint('keys list')})"
        )


class Keyring(Protocol):
    """The keys of one home. ``where`` they are, in words."""

    @property
    def where(self) -> str:
        """Where they are, as people are told."""
        ...

    def load(self) -> Keys | None:
        """The keys as they are; None where none were ever made.

        Raises:
            UsageError: they are unusable.
            StoreError: they cannot be read.
        """
        ...

    def make(self) -> Keys:
        """The keys, made where there are none, and durable on return whoever made them. Raises as `load`."""
        ...

    def rotate(self, at: float) -> Keys:
        """Let a new key sign, made ``at`` a time in seconds since the epoch; the others go on verifying.

        Raises:
            UsageError: the keys are unusable.
            BatchBusy: somebody else does not come to an end with them.
            StoreError: they cannot be changed, and are the old ones.
        """
        ...

    def retire(self, kid: Kid, at: float) -> Keys:
        """Forget the secret of an old key and keep its name; one that is retired already stays so.

        Raises:
            UsageError: it is the newest, or there is none of this name.
            StoreError: the keys cannot be changed, and are the old ones.
        """
        ...

    def mark(self) -> Hashable:
        """What differs where the keys may have changed; None where nobody can tell."""
        ...
