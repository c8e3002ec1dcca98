"""The words of the probe: before money is spent,
``submit`` asks its own callback base whether a receiver stands there.

The question goes to a signed address under a batch id that no batch has, so it takes the whole way of a
callback, and only a receiver with the same keys answers. It stores nothing.
"""

from typing import Final

from mwbatch.core.api.address import Key, write
from mwbatch.core.codec.ids import FIRST, RowNumber
from mwbatch.core.codec.json_codec import BadJson, decode_object, encode

PROBE: Final = "probe"
"""The batch id of probes; real ones are longer."""

STRANGE: Final = "404: a receiver of mwbatch, with other keys"
"""What a receiver answers to a probe that none of its keys signed: that it is one,
which is all that strangers learn.
"""

MAX_NONCE: Final = 64
"""The longest nonce, in characters, that is echoed."""


def probe_address(base: str, key: Key) -> str:
    """The address below a callback base to which a probe is posted."""
    return write(base, key, PROBE, RowNumber(0), FIRST)


def question(nonce: str) -> bytes:
    """The probe's body, ``{"probe": nonce}``, to be posted as application/json."""
    return encode({"probe": nonce})


def answer(raw: bytes) -> bytes | None:
    """The receiver's body for a probe's body; None for what is no probe."""
    nonce = _field(raw, "probe")
    if nonce is None or len(nonce) > MAX_NONCE:
        return None
    return encode({"mwbatch": "receiver", "probe": nonce})


def is_answer(raw: bytes, nonce: str) -> bool:
    """Whether a response's body is a receiver's answer to the probe with this nonce."""
    return _field(raw, "mwbatch") == "receiver" and _field(raw, "probe") == nonce


def _field(raw: bytes, name: str) -> str | None:
    try:
        value = decode_object(raw).get(name)
    except BadJson:
        return None
    return value if isinstance(value, str) else None
