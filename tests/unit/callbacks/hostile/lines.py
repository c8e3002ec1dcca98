"""What is no HTTP at all, and request lines: methods, versions, paths."""

from collections.abc import Mapping
from typing import Final

from tests.unit.callbacks.hostile.entry import (
    BODY,
    CLOSE,
    END,
    HOST,
    IN_TIME,
    JSON,
    LENGTH,
    Hostile,
    line,
    raw,
)

GREETINGS: Final[Mapping[str, Hostile]] = {
    "nothing": raw(b"", 0, within=IN_TIME),
    "a newline": raw(b"\r\n", 0, within=IN_TIME),
    "newlines": raw(b"\r\n" * 1000, 0, within=IN_TIME),
    "spaces": raw(b" " * 3000, 400),
    "nulls": raw(b"\0" * 500, 400),
    "a TLS hello": raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50, 400),
    "an SSLv2 hello": raw(b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80", 400),
    "HTTP 2": raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "an upgrade to HTTP 2": raw(
        b"POST WRONG HTTP/1.1\r\n"
        + HOST
        + b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: "
        b"AAMAAABkAAQAAP__\r\n" + b"Content-Length: 0\r\n\r\n",
        404,
    ),
    "SSH": raw(b"SSH-2.0-OpenSSH_9.2\r\n", 400),
    "SMTP": raw(b"EHLO evil.example\r\nMAIL FROM:<a@b>\r\n", 400),
    "Redis": raw(b"*1\r\n$8\r\nFLUSHALL\r\n", 400),
    "SOCKS": raw(b"\x05\x01\x00", 400),
    "the PROXY protocol": raw(b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nPOST PATH HTTP/1.1\r\n\r\n", 400),
    "an answer": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 400),
    "an endless line": raw(b"P" * 100_000, 400),
    "an endless path": raw(b"POST /" + b"a" * 100_000, 400),
}

METHODS: Final[Mapping[str, Hostile]] = {
    f"{name} at {where}": line(f"{name} {path} HTTP/1.1".encode(), code)
    for name in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
    for where, path, code in (("an address", "PATH", 405), ("a forged one", "WRONG", 404))
} | {
    "a method of its own": line(b"STEAL PATH HTTP/1.1", 400),
    "a method in small letters": line(b"post PATH HTTP/1.1", 400),
    "a method of WebDAV": line(b"PROPFIND PATH HTTP/1.1", 405),
    "connect": raw(b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + CLOSE + END, 404),
    "everything": raw(b"OPTIONS * HTTP/1.1\r\n" + HOST + CLOSE + END, 404),
}

VERSIONS: Final[Mapping[str, Hostile]] = {
    "a path only": raw(b"GET PATH\r\n\r\n", 400),
    "HTTP 0.9": line(b"POST PATH HTTP/0.9", 400),
    "HTTP 1": line(b"POST PATH HTTP/1", 400),
    "HTTP 1.2": line(b"POST PATH HTTP/1.2", 400),
    "HTTP 7": line(b"POST PATH HTTP/7.0", 400),
    "HTTP with many digits": line(b"POST PATH HTTP/1.111111111111111", 400),
    "ICE": line(b"POST PATH ICE/1.1", 400),
    "no version": line(b"POST PATH ", 400),
    "HTTP 1.1 without a host": raw(b"POST WRONG HTTP/1.1\r\n" + JSON + LENGTH + CLOSE + END + BODY, 400),
}

PATHS: Final[Mapping[str, Hostile]] = {
    "a forged mac": line(b"POST WRONG HTTP/1.1", 404),
    "a mac in capitals": line(b"POST /callbacks/v1/k/b234567890/0-1/" + b"A" * 32 + b" HTTP/1.1", 404),
    "an address and two slashes": line(b"POST PATH// HTTP/1.1", 404),
    "an address and a letter": line(b"POST PATHa HTTP/1.1", 404),
    "an address cut short": line(b"POST /callbacks/v1/k/b234567890/0-1/ HTTP/1.1", 404),
    "a row below zero": line(b"POST /callbacks/v1/k/b234567890/-1-1/" + b"0" * 32 + b" HTTP/1.1", 404),
    "an endless row": line(
        b"POST /callbacks/v1/k/b234567890/" + b"9" * 900 + b"-1/" + b"0" * 32 + b" HTTP/1.1", 404
    ),
    "a key file for a key": line(
        b"POST /callbacks/v1/../../keys.json/b/0-1/" + b"0" * 32 + b" HTTP/1.1", 404
    ),
    "a batch above": line(b"POST /callbacks/v1/k/../0-1/" + b"0" * 32 + b" HTTP/1.1", 404),
    "a long path": line(b"POST /" + b"a" * 3000 + b" HTTP/1.1", 400),
    "a long way below": line(b"POST " + b"/a" * 900 + b" HTTP/1.1", 404),
    "a long way below that is too long": line(b"POST " + b"/a" * 1200 + b" HTTP/1.1", 400),
    "no slash": line(b"POST callbacks HTTP/1.1", 400),
    "another host": line(b"POST http://evil.example/ HTTP/1.1", 404),
    "another port": line(b"POST http://x:99999999/ HTTP/1.1", 400),
    "a file": line(b"POST file:///etc/passwd HTTP/1.1", 400, 404),
    "dots": line(b"POST /../../etc/passwd HTTP/1.1", 404),
    "escaped dots": line(b"POST /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", 404),
    "back slashes": line(b"POST \\..\\..\\windows HTTP/1.1", 400),
    "a null in the path": line(b"POST PATH\0 HTTP/1.1", 400),
    "an escaped null": line(b"POST PATH%00 HTTP/1.1", 404),
    "an escaped newline": line(b"POST PATH%0d%0aX-A:%20b HTTP/1.1", 404),
    "escaped slashes": line(b"POST /%2F%2F%2F%2F HTTP/1.1", 404),
    "escaped letters": line(b"POST /%63allbacks%2Fv1%2Fk HTTP/1.1", 404),
    "escapes twice": line(b"POST /%252e%252e%252f HTTP/1.1", 404),
    "bad escapes": line(b"POST PATH%zz%u0041 HTTP/1.1", 404),
    "escapes that are not UTF-8": line(b"POST /%ff%fe%c0%af HTTP/1.1", 404),
    "latin-1 in the path": line(b"POST PATH\xe9 HTTP/1.1", 400),
    "UTF-8 in the path": line("POST PATH/é💣 HTTP/1.1".encode(), 400),
    "a digit of another script": line(
        "POST /callbacks/v1/k/b234567890/\u0663-\u0661/0 HTTP/1.1".encode(), 400
    ),
    "a space in the path": line(b"POST PATH x HTTP/1.1", 400),
    "a tab for a space": line(b"POST\tPATH\tHTTP/1.1", 400),
    "a fragment": line(b"POST /x#PATH HTTP/1.1", 404),
    "an address in the query": line(b"POST /?PATH HTTP/1.1", 404),
    "an endless query": line(b"POST WRONG?" + b"a=b&" * 1000 + b" HTTP/1.1", 400),
    "the admin's pages": line(b"GET /metrics HTTP/1.1", 404),
    "a shell": line(b"POST /cgi-bin/;cat${IFS}/etc/passwd HTTP/1.1", 404),
}
