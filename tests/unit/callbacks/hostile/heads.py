"""Headers at a signed address: how long the body is, how it comes, what it is, and much too much of them."""

import gzip
import zlib
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Final

from tests.unit.callbacks.hostile.entry import (
    BODY,
    CHUNKED,
    CLOSE,
    END,
    HOST,
    IN_TIME,
    JSON,
    LENGTH,
    Hostile,
    head,
    raw,
    says,
)

LENGTHS: Final[Mapping[str, Hostile]] = {
    "no length": head(b"", 411),
    "two lengths": head(LENGTH + b"Content-Length: 5\r\n", 400, body=BODY),
    "the same length twice": head(LENGTH + LENGTH, 400, body=BODY),
    "a list of lengths": head(b"Content-Length: 5, 5\r\n", 400, body=BODY),
    "an empty length": head(b"Content-Length:\r\n", 400, body=BODY),
    "a negative length": head(b"Content-Length: -1\r\n", 400),
    "a length in hex": head(b"Content-Length: 0x10\r\n", 400),
    "a length with a sign": head(b"Content-Length: +5\r\n", 400, body=BODY),
    "a length with a comma": head(b"Content-Length: 1,000\r\n", 400, body=BODY),
    "a length in other digits": head("Content-Length: \u0663\r\n".encode(), 400, body=BODY),
    "an endless length": head(b"Content-Length: " + b"9" * 30 + b"\r\n", 400),
    "a length beyond 63 bits": head(b"Content-Length: 9223372036854775808\r\n", 400, 413),
    "a great length": head(b"Content-Length: 9999999999\r\n", 413),
    "a length just too great": head(b"Content-Length: 100001\r\n", 413),
    "a length just too great, with its body": head(b"Content-Length: 100001\r\n", 413, body=b" " * 100_001),
    "a length of nothing": head(b"Content-Length: 0\r\n", 400),
}

CODINGS: Final[Mapping[str, Hostile]] = {
    "length and chunks": head(LENGTH + CHUNKED, 400, body=b"0\r\n\r\n"),
    "chunks and length": head(CHUNKED + LENGTH, 400, body=b"0\r\n\r\n"),
    "another coding": head(b"Transfer-Encoding: gzip\r\n", 400, body=BODY),
    "two codings": head(b"Transfer-Encoding: gzip, chunked\r\n", 400, body=b"0\r\n\r\n"),
    "chunked twice": head(b"Transfer-Encoding: chunked, chunked\r\n", 400, body=b"0\r\n\r\n"),
    "chunked in two headers": head(CHUNKED + CHUNKED, 400, body=b"0\r\n\r\n"),
    "chunked, then not": head(b"Transfer-Encoding: chunked, identity\r\n", 400, body=b"0\r\n\r\n"),
    "chunked in quotes": head(b'Transfer-Encoding: "chunked"\r\n', 400, body=b"0\r\n\r\n"),
    "chunked behind a tab": head(b"Transfer-Encoding:\tchunked\t\r\n", 400, body=b"0\r\n\r\n"),
    "chunked behind a form feed": head(b"Transfer-Encoding: \x0cchunked\r\n", 400, body=b"0\r\n\r\n"),
    "chunked with a null": head(b"Transfer-Encoding: chunked\0\r\n", 400, body=b"0\r\n\r\n"),
    "a coding hidden": head(b"Transfer-Encoding : chunked\r\n", 400, body=b"0\r\n\r\n"),
    "a coding under a line": head(b"Transfer_Encoding: chunked\r\n", 411),
    "chunks of HTTP 1.0": Hostile(
        [b"POST PATH HTTP/1.0\r\n" + HOST + JSON + CHUNKED + CLOSE + END + b"0\r\n\r\n"], says(400)
    ),
}

KINDS: Final[Mapping[str, Hostile]] = (
    {
        f"encoded in {name}": head(
            b"Content-Encoding: %b\r\nContent-Length: %d\r\n" % (name.encode(), len(text)), 415, body=text
        )
        for name, text in (
            ("deflate", zlib.compress(BODY)),
            ("br", BODY),
            ("zstd", BODY),
            ("gzip, gzip", gzip.compress(gzip.compress(b" " * 1_000_000))),
            ("identity, gzip", gzip.compress(BODY)),
            ("gzip;q=1", gzip.compress(BODY)),
        )
    }
    | {
        f"packed, {name}": head(
            b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(text), code, body=text
        )
        for name, text, code in (
            ("a bomb", gzip.compress(b" " * 50_000_000), 413),
            ("a bomb in many pieces", gzip.compress(b" " * 90_000) * 20, 400),
            ("a body just too long", gzip.compress(BODY.ljust(100_001)), 413),
            ("cut", gzip.compress(BODY)[:-1], 400),
            ("its beginning alone", b"\x1f\x8b", 400),
            ("with something behind it", gzip.compress(BODY) + b"x", 400),
            ("twice", gzip.compress(gzip.compress(BODY)), 400),
            ("a wrong checksum", gzip.compress(BODY)[:-8] + b"\0" * 8, 400),
            ("as zlib does", zlib.compress(BODY), 400),
            ("nothing", gzip.compress(b""), 400),
            ("no JSON", gzip.compress(b"{"), 400),
        )
    }
    | {
        "marked twice": head(b"Content-Length: %d\r\n" % (len(BODY) + 6), 400, body=(BOM_UTF8 * 2) + BODY),
        "marked alone": head(b"Content-Length: 3\r\n", 400, body=BOM_UTF8),
        "marked in the middle": head(b"Content-Length: 8\r\n", 400, body=b"{" + BOM_UTF8 + b'"a"}'),
        "marked in UTF-16": head(b"Content-Length: 6\r\n", 400, body="{}".encode("utf-16")),
    }
)

FORMS: Final[Mapping[str, Hostile]] = {
    "a folded header": head(b"X-A: b\r\n c\r\n" + LENGTH, 400),
    "a header without colon": head(b"nonsense\r\n" + LENGTH, 400),
    "a header without name": head(b": b\r\n" + LENGTH, 400),
    "a header with a space in its name": head(b"X A: b\r\n" + LENGTH, 400),
    "a null in a header": head(b"X-A: \0\r\n" + LENGTH, 400, body=BODY),
    "a null in a header's name": head(b"X-\0: b\r\n" + LENGTH, 400, body=BODY),
    "a carriage return in a header": head(b"X-A: b\rX-B: c\r\n" + LENGTH, 400, body=BODY),
    "a header of another script": head("X-é: b\r\n".encode() + LENGTH, 400, body=BODY),
    "a bare newline": raw(b"POST PATH HTTP/1.1\n" + HOST.replace(b"\r", b"") + b"\n", 400),
    "a bare carriage return": raw(b"POST PATH HTTP/1.1\r" + HOST, 400),
    "a long header": head(b"X-A: " + b"b" * 9000 + b"\r\n", 400),
    "a long name of a header": head(b"X" * 9000 + b": b\r\n", 400),
    "a header just too long": head(b"X-A: " + b"b" * 8191 + b"\r\n" + LENGTH, 400, body=BODY),
    "many headers": head(b"".join(b"X-%d: b\r\n" % i for i in range(100)), 400),
    "headers just too many": head(b"".join(b"X-%d: b\r\n" % i for i in range(65)) + LENGTH, 400, body=BODY),
    "two hosts": head(b"Host: y\r\n" + LENGTH, 400, body=BODY),
    "an expectation": head(LENGTH + b"Expect: tea\r\n", 417, body=BODY),
    "an upgrade to WebSocket": head(
        b"Upgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        b"Connection: Upgrade\r\n",
        411,
        within=IN_TIME,
    ),
}
