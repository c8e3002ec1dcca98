r"""A callback that did not fit, kept to be looked at: it is no fact, and no rule rests on it.

A line of a reject segment is checked like that of a fact, but carries neither its name nor its fields, so
that neither is ever taken for the other::

    {"v":1,"at":1700000000.0,"row":7,"attempt":1,"reason":"not_json", … ,"body":"e30=","crc":"89abcdef"}\n
"""

import re
from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final, Self

from mwbatch.core.api.address import Address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json, field, number
from mwbatch.core.facts.lines import VERSION, BadLine, sealed, unsealed

OVERLAP: Final = 512
"""Bytes that are looked at beyond those kept: a mac that the cut would go through is hidden too."""

_SLASH: Final = rb"(?:\\?/|%2[Ff]|\\u002[Ff])"
_ADDRESS: Final = re.compile(
    rb"(%bv1%b[a-z0-9]+%b[a-z0-9]+%b[0-9]+-[0-9]+%b)([0-9a-fA-F]+)" % ((_SLASH,) * 5)
)


@dataclass(frozen=True, slots=True)
class Unusable:
    """One callback that did not fit, posted to the address of ``row`` and ``attempt``.

    ``size`` (bytes) and ``sha256`` are of the whole body as it came; ``body`` is its beginning
    (``truncated``: not all of it), in which ``*`` stands for each digit of a mac.
    """

    at: float
    row: RowNumber
    attempt: Attempt
    reason: str
    size: int
    sha256: str
    truncated: bool
    body: bytes

    @classmethod
    def of(cls, address: Address, reason: str, raw: bytes, at: float, most: int) -> Self:
        """Keep ``most`` bytes of a body posted to ``address``; ``at`` is in seconds since the epoch."""
        body = masked_body(raw[: most + OVERLAP], address.mac)[:most]
        name = sha256(raw).hexdigest()
        return cls(at, address.row, address.attempt, reason, len(raw), name, len(raw) > most, body)

    @property
    def identity(self) -> tuple[RowNumber, Attempt, str]:
        """The same body, posted to the same address."""
        return self.row, self.attempt, self.sha256


def masked_body(raw: bytes, mac: str) -> bytes:
    """As many bytes, with ``mac`` hidden in any case and UTF, and every mac that stands in an address."""
    known = re.compile(rb"\0*".join(digit.encode() for digit in mac), re.IGNORECASE)
    hidden = known.sub(lambda found: re.sub(rb"[^\0]", b"*", found[0]), raw)
    return _ADDRESS.sub(lambda found: found[1] + b"*" * len(found[2]), hidden)


def line(reject: Unusable) -> bytes:
    """Write one reject as one line, newline included."""
    return sealed({"v": VERSION, **asdict(reject), "body": b64encode(reject.body).decode()})


def parse(text: bytes) -> Unusable:
    """Read one line, without newline; raises `BadLine` for anything but a whole reject of this version."""
    try:
        return _of(unsealed(text))
    except (KeyError, TypeError, Error) as error:
        raise BadLine(f"no reject: {error}") from None


def _of(record: dict[str, Json]) -> Unusable:
    if record.pop("v", None) != VERSION:
        raise BadLine("another version")
    if strange := record.keys() - {*Unusable.__slots__}:
        raise BadLine(f"no reject: {', '.join(sorted(strange))} is unknown")
    return Unusable(
        at=number(record, "at"),
        row=RowNumber(field(record, "row", int)),
        attempt=Attempt(field(record, "attempt", int)),
        reason=field(record, "reason", str),
        size=field(record, "size", int),
        sha256=field(record, "sha256", str),
        truncated=field(record, "truncated", bool),
        body=b64decode(field(record, "body", str), validate=True),
    )
