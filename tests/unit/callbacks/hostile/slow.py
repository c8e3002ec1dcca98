"""Senders that take their time, stop in the middle, say too much at once,
or go on after they were refused.
"""

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
    LIMITS,
    Hostile,
    says,
)

TO: Final = b"POST PATH HTTP/1.1\r\n" + HOST + JSON
ASTRAY: Final = b"POST WRONG HTTP/1.1\r\n" + HOST + JSON
GOOD: Final = TO + LENGTH + CLOSE + END + BODY
LOST: Final = ASTRAY + LENGTH + CLOSE + END + BODY
KEPT: Final = ASTRAY + LENGTH + END + BODY

HEAD: Final = LIMITS.keepalive_seconds - 0.2
"""Seconds for which a slow head is borne, less what clocks differ by."""
SLOW_BODY: Final = LIMITS.body_seconds - 0.2


def drops(text: bytes) -> list[bytes]:
    """A byte at a time."""
    return [text[at : at + 1] for at in range(len(text))]


def drip(before: bytes, text: bytes, *codes: int, lasting: float, within: float = IN_TIME) -> Hostile:
    """A byte every tenth of a second: each comes in time, the whole never does."""
    return Hostile([before, *drops(text)], says(*codes), within, lasting, pause=0.1)


HEADS: Final[Mapping[str, Hostile]] = {
    "silence": Hostile([], says(0), IN_TIME, HEAD),
    "half a request line": Hostile([b"POST /"], says(0), IN_TIME, HEAD),
    "half a head": Hostile([TO], says(0), IN_TIME, HEAD),
    "a head without its last newline": Hostile([TO + LENGTH + b"\r"], says(0), IN_TIME, HEAD),
    "a request line that drips": drip(b"", b"POST /" + b"a" * 90, 0, lasting=HEAD),
    "newlines that drip": drip(b"", b"\r\n" * 45, 0, lasting=HEAD),
    "headers that drip": Hostile([TO, *[b"X-A: b\r\n"] * 60], says(0), IN_TIME, HEAD, pause=0.1),
    "a header that drips": drip(TO + b"X-A: ", b"b" * 90, 0, lasting=HEAD),
    "a head that grows": Hostile([TO, *[b"X-A: " + b"b" * 1500 + b"\r\n"] * 20], says(0), pause=0.05),
    "a head after a refusal that drips": drip(KEPT, b"POST /" + b"a" * 90, 404, lasting=HEAD),
    "silence after a refusal": Hostile([KEPT], says(404), IN_TIME, HEAD),
}

BODIES: Final[Mapping[str, Hostile]] = {
    "no body": Hostile([TO + LENGTH + END], says(408), IN_TIME, SLOW_BODY),
    "a body without its last byte": Hostile([GOOD[:-1]], says(408), IN_TIME, SLOW_BODY),
    "a body that drips": drip(TO + LENGTH + END, BODY, 408, lasting=SLOW_BODY),
    "a chunk size that drips": drip(TO + CHUNKED + END, b"0" * 90, 408, lasting=SLOW_BODY),
    "a chunk that drips": drip(TO + CHUNKED + END + b"1000\r\n", b" " * 90, 408, lasting=SLOW_BODY),
    "chunks that drip": Hostile(
        [TO + CHUNKED + END, *[b"1\r\n \r\n"] * 60], says(408), IN_TIME, SLOW_BODY, pause=0.1
    ),
    "trailers that drip": Hostile(
        [TO + CHUNKED + END + b"2\r\n{}\r\n0\r\n", *[b"X-A: b\r\n"] * 30],
        says(408),
        IN_TIME,
        SLOW_BODY,
        pause=0.1,
    ),
    "a body held back": Hostile(
        [TO + LENGTH + b"Expect: 100-continue\r\n" + END], ((100, 408),), IN_TIME, SLOW_BODY
    ),
    "a stranger's body held back": Hostile(
        [ASTRAY + LENGTH + b"Expect: 100-continue\r\n" + CLOSE + END], says(404)
    ),
    "a stranger's body that never comes": Hostile([ASTRAY + LENGTH + END], says(404)),
    "a body that never comes, to nowhere": Hostile(
        [ASTRAY.replace(b"WRONG", b"/nowhere") + LENGTH + END], says(404)
    ),
    "a stranger's body that drips": drip(
        ASTRAY + b"Content-Length: 90\r\n" + END, b" " * 90, 404, lasting=0.0
    ),
    "a stranger's endless body": Hostile(
        [ASTRAY + b"Content-Length: 90000000000\r\n" + END, *[b" " * 60_000] * 50], says(404), pause=0.05
    ),
    "a stranger's endless chunks": Hostile(
        [ASTRAY + CHUNKED + END, *[b"ea60\r\n" + b" " * 60_000 + b"\r\n"] * 50], says(404), pause=0.05
    ),
    "a stranger's broken chunks": Hostile([ASTRAY + CHUNKED + END, b"zz\r\n"], says(404), pause=0.1),
    "a body too large that is sent all the same": Hostile(
        [TO + b"Content-Length: 3000000\r\n" + END, *[b" " * 60_000] * 50], says(413), pause=0.05
    ),
}

HALF_CLOSED: Final[Mapping[str, Hostile]] = {
    # Who says that nothing follows may be answered or not (RFC 9112 section 9.6);
    # aiohttp ends the connection.
    "half closed at once": Hostile([], says(0), half_closed=True),
    "half closed in the head": Hostile([TO], says(0, 400), half_closed=True),
    "half closed in the body": Hostile([GOOD[:-1]], says(0, 400), half_closed=True),
    "half closed in a chunk": Hostile([TO + CHUNKED + END + b"5\r\n{"], says(0, 400), half_closed=True),
    "half closed after a stranger's request": Hostile([LOST], says(0, 404), half_closed=True),
}

MANY: Final[Mapping[str, Hostile]] = {
    "ten requests at once": Hostile([KEPT * 9 + LOST], ((404,) * 10,)),
    "three hundred requests at once": Hostile([KEPT * 299 + LOST], ((404,) * 300,), IN_TIME),
    # What comes in one piece with rubbish is rubbish.
    "a request after one that asked for the end": Hostile([LOST + GOOD], says(400)),
    "a request after the end": Hostile([LOST, GOOD], says(404), pause=0.1),
    "rubbish after a callback": Hostile([GOOD.replace(CLOSE, b"") + b"\0\0\0\0\r\n\r\n"], says(400)),
    "rubbish after a refusal": Hostile([KEPT, b"\0\0\0\0\r\n\r\n"], ((404, 400),), pause=0.3),
    "a request behind a body too short": Hostile(
        [ASTRAY + b"Content-Length: 9\r\n" + END + b"123456789" + LOST], ((404, 404),)
    ),
    "a request behind the last chunk": Hostile([ASTRAY + CHUNKED + END + b"0\r\n\r\n" + LOST], ((404, 404),)),
    "requests behind one that is slow": Hostile([TO + LENGTH + END, LOST[:50]], says(400, 408), IN_TIME),
    "a request behind an upgrade": Hostile(
        [ASTRAY + b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n" + LOST],
        ((404,), (404, 404)),
    ),
}
