"""How a body is packed: plain, or by gzip within bounds."""

import zlib
from codecs import BOM_UTF8
from typing import Final

from mwbatch.callbacks.common.refusal import Reason, Rejected

_NONE: Final = ("", "identity")
_GZIP: Final = ("gzip", "x-gzip")
_MAGIC: Final = b"\x1f\x8b"
_WINDOW: Final = 16 + zlib.MAX_WBITS
"""What zlib calls a stream with the header of gzip."""

DENSEST: Final = 100
"""How many bytes one packed byte may stand for: gzip makes a thousand of nothing,
and of a callback's text four.
"""

PLENTY: Final = 1 << 20
"""What may stand in a packed body however small: reading it costs little."""


def check_coding(name: str) -> None:
    """Refuse a Content-Encoding that is not taken; raises `Rejected`."""
    if name.strip().lower() not in (*_NONE, *_GZIP):
        raise Rejected(Reason.ENCODING)


def decoded(raw: bytes, coding: str, most: int) -> bytes:
    """The text of a body. What is called gzip and is not is taken as it is:
    an application may have unpacked it already.

    Raises:
        Rejected: it would be longer than ``most`` bytes, or than any callback becomes of so few, or is not
            whole.
    """
    if coding.strip().lower() in _GZIP and raw.startswith(_MAGIC):
        # Or a few KiB would buy a second of reading, and hundreds of MiB,
        # through every address that is known.
        raw = _unpacked(raw, min(most, max(PLENTY, DENSEST * len(raw))))
    return raw.removeprefix(BOM_UTF8)


def _unpacked(raw: bytes, most: int) -> bytes:
    """MUST NOT unpack more than ``most`` bytes and one, nor a second stream:
    a small body can stand for endless work.
    """
    stream = zlib.decompressobj(_WINDOW)
    try:
        text = stream.decompress(raw, most + 1)
    except zlib.error:
        raise Rejected(Reason.NOT_JSON) from None
    if len(text) > most:
        raise Rejected(Reason.TOO_LARGE)
    if not stream.eof or stream.unused_data:
        raise Rejected(Reason.NOT_JSON)
    return text
