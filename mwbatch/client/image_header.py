"""What the first bytes of an image tell of its size, and of how it is turned."""

import io
import struct
import warnings
from collections.abc import Iterator
from typing import Final

from mwbatch.core.manifest.image_size import ORIENTATIONS, UPRIGHT, Measured

FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF")
"""The formats that Pillow may try on bytes from the network: the fewer, the smaller the door."""

_ORIENTATION: Final = 0x0112
_WIDTH: Final = 0x0100
_LENGTH: Final = 0x0101
_HAS_EXIF: Final = 0x08
_FIRST: Final = 12
_CANVAS_END: Final = 30
"""Where the first chunk of a WebP begins, and where the one ends that tells its canvas."""


def size_in(head: bytes) -> Measured | None:
    """The size and orientation that the first bytes of an image tell; None where they do not yet, or are of
    no image.

    The orientation is that of EXIF, which browsers and OpenCV apply: one that XMP alone tells they ignore.
    Opening reads the header alone and allocates no pixels, so that a decompression bomb costs nothing;
    ``ImageFile.Parser`` would allocate them.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    from PIL import Image  # noqa: PLC0415 (slow to import)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large images, and of metadata that is cut off
        try:
            with Image.open(io.BytesIO(head), formats=FORMATS) as image:
                # Pillow turns the size of a TIFF by itself, and that of no other format.
                tags = getattr(image, "tag_v2", None)
                if tags is not None:
                    return _measured(tags[_WIDTH], tags[_LENGTH], tags.get(_ORIENTATION))
                return _measured(*image.size, _turned(image.info.get("exif")))
        except Exception:  # noqa: BLE001 (what Pillow's plugins raise for half a header is not documented)
            return None


def _measured(width: int, height: int, orientation: object) -> Measured | None:
    """What was found, where it is an image; an orientation that is none of the eight is as good as none."""
    if not (width and height):
        return None
    turned = isinstance(orientation, int) and orientation in ORIENTATIONS
    return Measured(width, height, int(orientation) if turned else UPRIGHT)  # type: ignore[call-overload]


def _turned(exif: object) -> object:
    """The orientation in a block of EXIF; None where none can be read in it."""
    from PIL import Image  # noqa: PLC0415 (as above)

    if not isinstance(exif, bytes):
        return None
    read = Image.Exif()
    try:
        read.load(exif)
        return read.get(_ORIENTATION)
    except Exception:  # noqa: BLE001 (as above; what is spoiled tells browsers nothing either)
        return None


def _webp(head: bytes) -> Measured | None:
    """The size in a WebP header, which Pillow reads from whole files alone (RFC 9649 sections 2.5 to 2.7).

    Its EXIF stands behind its pixels: where the header says that there is some, it is waited for.
    """
    if len(head) < 30:
        return None
    kind, body = head[12:16], head[20:30]
    if kind == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        if not body[0] & _HAS_EXIF:
            return Measured(width, height)
        exif = _chunk(head, b"EXIF")
        return None if exif is None else _measured(width, height, _turned(exif))
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return Measured((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return _measured(width & 0x3FFF, height & 0x3FFF, None)
    return None


def exif_at(head: bytes) -> int | None:
    """Where behind ``head`` the EXIF of a WebP may begin, which `size_in` waits for; None for all else."""
    if head[:4] != b"RIFF" or head[8:16] != b"WEBPVP8X" or not head[20] & _HAS_EXIF:
        return None
    *_, (at, _name, size) = _chunks(head)
    return at + size


def beside(head: bytes, tail: bytes) -> bytes:
    """The header of a WebP with what stands where `exif_at` says, so that `size_in` finds it.

    Who was asked for that and sends the file from its beginning knows no ranges: that is taken as it is.
    """
    return tail if tail.startswith(head[:_CANVAS_END]) else head[:_CANVAS_END] + tail


def _chunk(head: bytes, name: bytes) -> bytes | None:
    """The first chunk of this name in a RIFF file, empty where it ends without one;
    None where ``head`` does not reach so far.
    """
    end = 8 + int.from_bytes(head[4:8], "little")
    at = _FIRST
    for start, called, size in _chunks(head):
        at = start + size
        if called == name:
            return head[start + 8 : at] if at <= len(head) or end <= len(head) else None
    return b"" if at >= end else None


def _chunks(head: bytes) -> Iterator[tuple[int, bytes, int]]:
    """The chunks that begin in it: where, its name, and how long it is with its own head and padding."""
    at = _FIRST
    while at + 8 <= len(head):
        size = int.from_bytes(head[at + 4 : at + 8], "little")
        yield at, head[at : at + 4], 8 + size + size % 2
        at += 8 + size + size % 2
