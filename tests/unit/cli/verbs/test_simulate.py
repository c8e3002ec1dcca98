"""`mwbatch simulate`: what it says as it begins."""

import json
import signal
import socket

import pytest

from tests.e2e.support.stage import Stage


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_where_it_is(stage: Stage, words: tuple[str, ...]) -> None:
    """It prints the two variables that lead to it, for a shell or for scripts,
    and tells people what they are for.
    """
    with stage.running("simulate", "--port", "0", *words) as started:
        assert started.stdout is not None
        lines = [started.stdout.readline().decode() for _ in range(1 if words else 2)]
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=20)
    pairs = [line.removeprefix("export ").strip().split("=", 1) for line in lines]
    variables = json.loads(lines[0]) if words else dict(pairs)
    assert variables.keys() == {"MICROWORK_BASE_URL", "MICROWORK_API_KEY"}
    assert f"the simulator is at {variables['MICROWORK_BASE_URL']}" in said.decode()
    assert b"Ctrl-C ends it" in said
    assert started.returncode == 128 + signal.SIGINT


def test_where_it_cannot_listen(stage: Stage) -> None:
    """It says why in the system's words, and for a name that no host can have in others."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = stage.run("simulate", "--port", str(taken.getsockname()[1]))
    assert (ran.code, "(Address already in use)" in ran.err) == (2, True)
    ran = stage.run("simulate", "--port", "0", "--host", "a" * 64 + ".test")
    assert ran.code == 2
    assert "cannot listen on" in ran.err
    assert "Operation not permitted" not in ran.err
