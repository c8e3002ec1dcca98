"""The callback address: it names batch, row and attempt, and is signed.

::

    {callback base}/callbacks/v1/{kid}/{batch id}/{row}-{attempt}/{mac}

Everything stands in the path, because query strings get stripped on the way. The API signs nothing, so the
``mac`` (keyed BLAKE2b, RFC 7693, 128 bits) is the only proof of origin; a leaked address forges one task
only.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from typing import Final, NamedTuple

from mwbatch.core.codec.ids import Attempt, Kid, RowNumber

PREFIX: Final = "/callbacks/v1/"
"""Where the receiver's route begins, below whatever path the callback base carries."""

NOBODY: Final = "https://no-callbacks.invalid"
"""The base of addresses for users whom nobody can call: RFC 6761 section 6.4,
no such host is ever resolved.
"""

MIN_KEY: Final = 16
"""The fewest bytes of a callback key."""

_KID: Final = re.compile(r"[a-z0-9]{1,16}")
_TAIL: Final = re.compile(
    r"/v1/(?P<kid>[a-z0-9]{1,16})/(?P<batch>[a-z0-9]{1,32})/(?P<row>0|[1-9][0-9]{0,8})-(?P<attempt>[1-9][0-9]?)"
    r"/(?P<mac>[0-9a-f]{32})(?![0-9a-zA-Z_-])"
)
_END: Final = re.compile(_TAIL.pattern + r"/?\Z")
_SLASHES: Final = r"(?:\\[uU]002[Ff]|[/\\]|%(?:25)*(?:2[Ff]|5[Cc])|&#(?:[xX]2[Ff]|47);)+"
_NAMED: Final = (
    rf"([vV]1{_SLASHES}[0-9A-Za-z]+{_SLASHES}[0-9A-Za-z]+{_SLASHES}[0-9]+-[0-9]+{_SLASHES})[0-9A-Fa-f]"
)
# Wider than an address, so that one that was cut, quoted, escaped or glued to other text is hidden too.
_SECRET: Final = re.compile(f"{_NAMED}+")
_WHOLE: Final = re.compile(f"{_NAMED}{{32}}(?![0-9A-Za-z_-])")


@dataclass(frozen=True, slots=True)
class Key:
    """A callback key: ``kid`` (1 to 16 of a-z and 0-9) names it in addresses,
    ``secret`` (16 to 64 bytes) signs them.

    ``made_at`` is for people (ISO 8601), None where nobody wrote it down.
    """

    kid: Kid
    secret: bytes
    made_at: str | None = None

    def __post_init__(self) -> None:
        if not _KID.fullmatch(self.kid):
            raise ValueError(f"callback key {self.kid!r} has no fitting name: 1 to 16 of a-z and 0-9")
        if not MIN_KEY <= len(self.secret) <= 64:
            raise ValueError(f"callback key {self.kid} has {len(self.secret)} bytes; it must have 16 to 64")

    def __repr__(self) -> str:
        return f"Key({self.kid})"


class Address(NamedTuple):
    """What an address says before its mac was verified."""

    kid: Kid
    batch: str
    row: RowNumber
    attempt: Attempt
    mac: str

    @property
    def tail(self) -> str:
        """The last five segments of its path, with a slash before each."""
        return f"/v1/{self.kid}/{self.batch}/{self.row}-{self.attempt}/{self.mac}"

    def signed_by(self, key: Key) -> bool:
        """Whether ``key``, and no other of the same bytes, made this address."""
        signed = mac(key, self.batch, self.row, self.attempt).encode()
        return key.kid == self.kid and compare_digest(signed, self.mac.encode())


def mac(key: Key, batch: str, row: RowNumber, attempt: Attempt) -> str:
    """Sign one address: 32 lower-case hex digits."""
    text = f"v1/{key.kid}/{batch}/{row}-{attempt}"
    return blake2b(text.encode("ascii"), key=key.secret, digest_size=16).hexdigest()


def write(base: str, key: Key, batch: str, row: RowNumber, attempt: Attempt) -> str:
    """Write the address of one attempt below a callback base."""
    return f"{base.rstrip('/')}{PREFIX}{key.kid}/{batch}/{row}-{attempt}/{mac(key, batch, row, attempt)}"


def find(text: str) -> Address | None:
    """Find one of our addresses anywhere in ``text`` (a proxy may have wrapped the URL);
    None where there is none.
    """
    return _address(_TAIL.search(text))


def at_end(path: str) -> Address | None:
    """Read the address that ends a raw path, whatever stands before;
    None unless every byte of it is in place.

    One slash behind it is forgiven: some add it to every URL.
    """
    return _address(_END.search(path))


def _address(found: re.Match[str] | None) -> Address | None:
    if found is None:
        return None
    kid, batch, row, attempt, mac = found.groups()
    return Address(Kid(kid), batch, RowNumber(int(row)), Attempt(int(attempt)), mac)


def masked(text: str) -> str:
    """The same text with every mac, whole or cut, hidden: what a log or a message may show."""
    return _SECRET.sub(r"\1***", text)


def without_macs(text: str) -> str:
    """The same text with the mac of every whole address hidden: what an export may show,
    which alters nothing else.
    """
    return _WHOLE.sub(r"\1***", text)
