"""`mwbatch status --watch`: it follows what other processes write, and ends when the batch is complete."""

import json
import subprocess

from tests.e2e.stage import COMMAND, Stage


def test_it_ends_with_the_batch(stage: Stage) -> None:
    """It goes on while rows are pending, takes in what reconciling fetches, and reports the whole at its end."""
    stage.run("submit", stage.manifest(5), "--callback-url", "none")
    words = [COMMAND, "status", "m", "--watch", "--json"]
    with subprocess.Popen(words, env=stage.env, cwd=stage.folder, stdout=subprocess.PIPE) as watching:
        stage.run("reconcile", "m", "--wait", "--every", "0.2", "--settle", "1")
        out, _ = watching.communicate(timeout=30)
    assert watching.returncode == 0
    assert json.loads(out)["by_status"]["completed"] == 5


def test_a_complete_batch_is_looked_at_once(stage: Stage) -> None:
    """Where nothing is open it ends at once."""
    stage.run("run", stage.manifest(2), "--port", "0")
    assert stage.json("status", "m", "--watch")["complete"]
