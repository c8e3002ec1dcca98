"""What people hand in as text, by one rule: UTF-8, with or without a byte order mark;
or what it is instead, and what to do.
"""

import codecs
from typing import Final

BOM: Final = codecs.BOM_UTF8

MOST: Final = 64 << 20
"""The most bytes of a file that is read as a whole: a million ids have some 40 MB."""

HEAD: Final = 64
"""The bytes at the beginning of a file that tell what it is."""

TO_UTF8: Final = "-t UTF-8"
"""So ends what to do about another coding: a command, to which the name of the file may be added."""

_BZIP2: Final = "packed with bzip2: unpack it, or pack it with gzip"
_FORMATS: Final = {
    b"PK\x03\x04": "a zip archive or a spreadsheet: export the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet or document of an old Office: export the sheet as CSV",
    b"PAR1\x15": "Parquet: convert it to CSV or JSONL",
    b"ARROW1\0": "Arrow: convert it to CSV or JSONL",
    b"Obj\x01": "Avro: convert it to CSV or JSONL",
    b"SQLite format 3\0": "a SQLite database: export the table as CSV",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it, or pack it with gzip",
    **{b"BZh%d1AY&SY" % level: _BZIP2 for level in range(1, 10)},
    b"\xfd7zXZ\0": "packed with xz: unpack it, or pack it with gzip",
    b"7z\xbc\xaf": "packed with 7-Zip: unpack it, or pack it with gzip",
    b"\x1f\x8b": "packed with gzip: unpack it",
    b"\x89PNG": "a picture (PNG): name the list of pictures, not one of them",
    b"\xff\xd8\xff": "a picture (JPEG): name the list of pictures, not one of them",
    b"GIF89a": "a picture (GIF): name the list of pictures, not one of them",
    b"%PDF": "a PDF: export the table as CSV",
    codecs.BOM_UTF32_LE: f"UTF-32: save it as UTF-8, for example with iconv -f UTF-32 {TO_UTF8}",
    codecs.BOM_UTF32_BE: f"UTF-32: save it as UTF-8, for example with iconv -f UTF-32 {TO_UTF8}",
}
_UTF16: Final = f"UTF-16: save it as UTF-8, for example with iconv -f UTF-16{{}} {TO_UTF8}"
_CONTROLS: Final = bytes({*range(32), 127} - set(b"\t\n\v\f\r\x1b"))
FEW: Final = 4
"""So many control characters at the beginning are no slip in a text."""

_BINARY: Final = "no text: give a file in UTF-8"


class NoText(ValueError):
    """This is no text that we take; the message says what it is instead, and what to do:
    to stand behind ``is``.
    """


def instead(head: bytes) -> str:
    """What begins so, where it is no text, and what to do; empty for what may be text."""
    for mark, what in _FORMATS.items():
        if head.startswith(mark):
            return what
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _UTF16.format("")
    head = head[: min(HEAD, len(head) & ~1)]
    for order, zeros in (("LE", head[1::2]), ("BE", head[::2])):
        if zeros and not zeros.strip(b"\0") and 2 * head.count(0) <= len(head):
            return _UTF16.format(order)
    return _BINARY if len(head) - len(head.translate(None, _CONTROLS)) >= FEW else ""


def text_of(raw: bytes) -> str:
    """The text of a whole file, without the mark that it may begin with.

    Raises:
        NoText: it is no UTF-8, or longer than `MOST`.
    """
    if len(raw) > MOST:
        raise NoText(f"longer than {MOST >> 20} MiB")
    if what := instead(raw):
        raise NoText(what)
    try:
        return raw.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise NoText(f"not UTF-8: byte 0x{raw[error.start]:02x} in line {line} (save it as UTF-8)") from None
