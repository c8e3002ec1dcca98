"""What the receiver allows, each limit a named value, once.

They are listed in `docs/reliability.md`; aiohttp's own defaults suit a server that knows its clients, and
this one stands open to the internet.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    body: int = 8 << 20
    """One callback's body."""
    containers: int = 1 << 19
    """Objects and arrays in one body, by their brackets: a real body of full size has 300,000;
    four million `[` would hold
    everybody up for a second, and take half a gigabyte. The figures for what is in a body are our own."""
    members: int = 1 << 20
    """What is in them, by its commas: a real body of full size has 850,000."""
    held: int = 64 << 20
    """All bodies in memory at once, by what has come of them, until the answer."""
    backlog: int = 64 << 20
    """Lines of one batch that wait for the disk."""
    body_seconds: float = 10.0
    """How long a body may stay away, or come more slowly than it should, altogether;
    and how long it waits for its turn.
    """
    body_rate: float = 32 << 10
    """Bytes that buy a body one more second: each that comes so fast may go on."""
    connections: int = 1024
    """Beyond this the one that has waited longest for a request makes room;
    where none waits the new one is aborted.
    """
    answer_seconds: float = 10.0
    """How long an answer may lie here because its receiver does not read."""
    sending: int = 32 << 10
    """The kernel's buffer for the answers on one connection;
    it makes megabytes of it where nobody reads them.
    """
    keepalive_seconds: float = 15.0
    """How long a connection may be idle; in aiohttp also the deadline of a request's head."""
    lingering_seconds: float = 2.0
    """How long a refused body is read and thrown away, so that the sender gets to see the refusal."""
    handshake_seconds: float = 5.0
    """TLS handshake."""
    shutdown_seconds: float = 10.0
    """What is in flight may take this long once the receiver closes."""
    probe_seconds: float = 5.0
    """Between two looks for space on a disk that was full."""
    reload_seconds: float = 5.0
    """Between two looks whether certificate and key have changed."""
    request_line: int = 2048
    """The request line."""
    header: int = 8190
    """One header."""
    headers: int = 64
    """How many headers."""
    head: int = 32 << 10
    """What may have come of a head that is not whole:
    the limits above would let it hold 256 KiB for 15 seconds.
    """
    queue: int = 4096
    """Connections that the kernel holds until they are accepted: beyond it a sender waits a second,
    then three.
    """
    reject_body: int = 64 << 10
    """What is kept of the body of a callback that does not fit; the figures for rejects are our own."""
    reject_segment: int = 4 << 20
    """Rejects of one batch that one process keeps."""
    reject_folder: int = 16 << 20
    """Rejects of one batch that all processes keep together."""
    reject_rate: float = 1.0
    """Rejects of one batch that are kept each second, once the burst is used up."""
    reject_burst: int = 32
    """Rejects of one batch that are kept at once."""


LIMITS: Final = Limits()
"""The limits where no others are given."""
