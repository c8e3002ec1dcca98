"""`mwbatch simulate`: what it says as it begins."""

import json
import signal

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
