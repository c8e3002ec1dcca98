"""`mwbatch status --watch`: it follows what other processes write, and ends when the batch is complete."""

import json
import subprocess

from tests.e2e.support.stage import COMMAND, Stage


def test_it_ends_with_the_batch(stage: Stage) -> None:
    """It goes on while rows are pending, takes in what reconciling fetches,
    and reports the whole at its end.
    """
    stage.run("submit", stage.manifest(5), "--callback-url", "none")
    words = [COMMAND, "status", "m", "--watch", "--json"]
    with subprocess.Popen(words, env=stage.env, cwd=stage.folder, stdout=subprocess.PIPE) as watching:
        stage.run("reconcile", "m", "--wait", "--every", "0.2", "--settle", "1")
        out, _ = watching.communicate(timeout=30)
    assert watching.returncode == 0
    assert json.loads(out)["by_status"]["completed"] == 5


def test_all_batches_are_watched_together(stage: Stage) -> None:
    """Without a name it goes on until every batch is complete, those that are made meanwhile included."""
    stage.run("submit", stage.manifest(3), "--callback-url", "none")
    stage.run("submit", stage.manifest(2, "n.csv", 3), "--callback-url", "none")
    words = [COMMAND, "status", "--watch", "--json"]
    with subprocess.Popen(words, env=stage.env, cwd=stage.folder, stdout=subprocess.PIPE) as watching:
        for name in "mn":
            assert watching.poll() is None
            stage.run("reconcile", name, "--wait", "--every", "0.2", "--settle", "1")
        out, _ = watching.communicate(timeout=30)
    counts = [batch["by_status"]["completed"] for batch in json.loads(out)["batches"]]
    assert (watching.returncode, counts) == (0, [3, 2])


def test_rows_are_not_watched(stage: Stage) -> None:
    """A list of rows is not watched: that is refused, and no flag is passed over."""
    ran = stage.run("status", "m", "--watch", "--rows", "pending")
    assert (ran.code, "leave out --rows" in ran.err) == (2, True)


def test_a_complete_batch_is_looked_at_once(stage: Stage) -> None:
    """Where nothing is open it ends at once."""
    stage.run("run", stage.manifest(2), "--port", "0")
    assert stage.json("status", "m", "--watch")["complete"]
