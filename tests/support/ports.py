"""Ports of loopback for whoever must be told one before it listens."""

import socket
from contextlib import suppress
from secrets import SystemRandom


def free_port() -> int:
    """A port on which nobody listens, drawn from below those that most
    kernels give to connections and to port 0.

    A port that the kernel chose and got back may be the next one that it chooses, for another test.
    """
    for _ in range(100):
        port = SystemRandom().randrange(16_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port of loopback can be listened on")


def listens(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
