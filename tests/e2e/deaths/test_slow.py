"""A thousand slow connections against the real receiver, held open by our own senders,
and by an outsider's tool.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.proof.torture.slow import measure, memory, receiving

SLOW = ("-c", "1000", "-i", "3", "-r", "200", "-l", "10", "-p", "3")
"""A thousand connections, 200 a second, for ten seconds; a probe must be answered within three."""


def test_a_thousand_slow_connections(tmp_path: Path) -> None:
    """While a thousand great heads are never whole, callbacks take under a second,
    and memory and descriptors hold.
    """
    figures = measure(tmp_path, connections=1000, seconds=4.0, kind="fat heads")
    assert figures.broken() == []
    assert figures.open > 900


@pytest.mark.system
@pytest.mark.parametrize("attack", [("-H",), ("-B",), ("-X", "-k", "5"), ("-R",)], ids="".join)
def test_slowhttptest(tmp_path: Path, attack: tuple[str, ...]) -> None:
    """The attacks of slowhttptest, by heads, bodies, reads and ranges,
    do not make the receiver unavailable.
    """
    with receiving(tmp_path) as (process, port, _):
        words = ["slowhttptest", *attack, *SLOW, "-u", f"http://127.0.0.1:{port}/callbacks/x"]
        done = subprocess.run(words, capture_output=True, check=True, timeout=60, stdin=subprocess.DEVNULL)
        plain = re.sub(rb"\x1b\[[0-9;]*m", b"", done.stdout)
        available = re.findall(rb"service available:\s*(\w+)", plain)
        assert set(available) == {b"YES"}
        assert memory(process.pid) < 300
