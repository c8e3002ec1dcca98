"""Bodies at a signed address: broken chunks, and what is no strict JSON or names no task."""

from collections.abc import Mapping
from typing import Final

from tests.unit.callbacks.hostile.entry import AT_ONCE, BODY, CHUNKED, IN_TIME, Hostile, body, head


def chunks(text: bytes, *codes: int, within: float = AT_ONCE) -> Hostile:
    """A chunked body as it stands on the wire."""
    return head(CHUNKED, *codes, body=text, within=within)


CHUNKS: Final[Mapping[str, Hostile]] = {
    "no chunks": chunks(b"0\r\n\r\n", 400),
    "a bad chunk size": chunks(b"zz\r\n{}\r\n0\r\n\r\n", 400),
    "an empty chunk size": chunks(b"\r\n{}\r\n0\r\n\r\n", 400),
    "a negative chunk": chunks(b"-1\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk with a sign": chunks(b"+2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk size in 0x": chunks(b"0x2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk size under a line": chunks(b"0_2\r\n{}\r\n0\r\n\r\n", 400),
    "a space before a chunk size": chunks(b" 2\r\n{}\r\n0\r\n\r\n", 400),
    "an endless chunk size": chunks(b"f" * 40 + b"\r\n", 400),
    "a chunk too long": chunks(b"1\r\n{}}}}\r\n0\r\n\r\n", 400),
    "a chunk too short": chunks(b"5\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk without its end": chunks(b"2\r\n{}0\r\n\r\n", 400),
    "a chunk ended by a newline": chunks(b"2\n{}\n0\n\n", 400),
    "a chunk extension": chunks(b"2;" + b"x" * 9000 + b"\r\n{}\r\n0\r\n\r\n", 400),
    "a newline in a chunk extension": chunks(b"2;x\ny\r\n{}\r\n0\r\n\r\n", 400),
    "chunks without end": chunks(b"2\r\n{}\r\n", 408, within=IN_TIME),
    "chunks without the last newline": chunks(b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY), 408, within=IN_TIME),
    "a great chunk": chunks(b"7fffffff\r\n" + b" " * 150_000, 413, within=IN_TIME),
    "chunks too many": chunks((b"400\r\n" + b" " * 1024 + b"\r\n") * 100 + b"0\r\n\r\n", 413),
    "chunks of one byte": chunks(b"1\r\n \r\n" * 20_000 + b"0\r\n\r\n", 400),
    "a trailer that is none": chunks(b"2\r\n{}\r\n0\r\nnonsense\r\n\r\n", 400),
    "a trailer too long": chunks(b"2\r\n{}\r\n0\r\nX-A: " + b"b" * 9000 + b"\r\n\r\n", 400),
    "trailers too many": chunks(b"2\r\n{}\r\n0\r\n" + b"X-A: b\r\n" * 1000 + b"\r\n", 400),
}

SYNTAX: Final[Mapping[str, Hostile]] = {
    name: body(text)
    for name, text in {
        "blanks": b" \r\n\t ",
        "a brace": b"{",
        "JSON cut short": BODY[:-1],
        "JSON and a brace": BODY + b"}",
        "JSON twice": BODY + BODY,
        "JSON by the line": BODY + b"\n" + BODY,
        "a trailing comma": b'{"task_id":"t",}',
        "single quotes": b"{'task_id':'t'}",
        "a name without quotes": b'{task_id:"t"}',
        "a comment": b'{"task_id":"t"/**/}',
        "a leading zero": b'{"task_id":"t","n":01}',
        "a number in hex": b'{"task_id":"t","n":0x1}',
        "NaN": b'{"task_id":"t","n":NaN}',
        "Infinity": b'{"task_id":"t","n":Infinity}',
        "minus Infinity": b'{"task_id":"t","n":-Infinity}',
        "a number beyond a double": b'{"task_id":"t","n":1e999}',
        "a raw newline in a string": b'{"task_id":"t\n"}',
        "a raw null": b'{"task_id":"t\0"}',
        "a null behind": BODY + b"\0",
        "an unknown escape": b'{"task_id":"\\x41"}',
        "half an escape": b'{"task_id":"\\ud8"}',
        "a form": b"task_id=t&response=1",
        "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        "YAML": b"task_id: !!python/object/apply:os.system [id]",
        "pickle": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.",
    }.items()
}

TEXT: Final[Mapping[str, Hostile]] = {
    name: body(text)
    for name, text in {
        "UTF-16": BODY.decode().encode("utf-16"),
        "UTF-16 without a mark": BODY.decode().encode("utf-16-le"),
        "UTF-32": BODY.decode().encode("utf-32"),
        "latin-1": b'{"task_id":"\xe9"}',
        "half a character": b'{"task_id":"\xc3"}',
        "a character too long": b'{"task_id":"\xc0\xaf"}',
        "a surrogate in UTF-8": b'{"task_id":"\xed\xa0\xbd"}',
        "beyond Unicode": b'{"task_id":"\xf4\x90\x80\x80"}',
    }.items()
}

SIZES: Final[Mapping[str, Hostile]] = {
    name: body(text)
    for name, text in {
        "65 arrays deep": b'{"task_id":"t","a":' + b"[" * 64 + b"]" * 64 + b"}",
        "65 objects deep": b'{"task_id":"t","a":' + b'{"a":' * 64 + b"1" + b"}" * 64 + b"}",
        "90,000 deep": b"[" * 90_000,
        "90,000 deep, whole": b"[" * 45_000 + b"]" * 45_000,
        "50,000 digits": b"1" * 50_000,
        "a task id of 50,000 digits": b'{"task_id":' + b"1" * 50_000 + b"}",
        "a great exponent": b'{"task_id":1e99999999}',
    }.items()
}

TASKS: Final[Mapping[str, Hostile]] = {
    f"a task that is {name}": body(text)
    for name, text in {
        "null": b"null",
        "true": b"true",
        "a number": b"17",
        "a string": b'"t"',
        "a list": b'[{"task_id":"t"}]',
        "empty": b"{}",
        "without an id": b'{"response":{"tags":[]},"task":{"status":"completed"}}',
        "named null": b'{"task_id":null}',
        "named nothing": b'{"task_id":""}',
        "named true": b'{"task_id":true}',
        "named below zero": b'{"task_id":-1}',
        "named 1.5": b'{"task_id":1.5}',
        "named by a list": b'{"task_id":["t"]}',
        "named by an object": b'{"task_id":{"$gt":""}}',
        "a prototype": b'{"__proto__":{"task_id":"t"}}',
    }.items()
}
