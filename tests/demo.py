"""`make demo`: a thousand pictures tagged, then their tags annotated,
by a simulated API over real HTTP on this machine.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from mwbatch.simulator import Settings
from tests.support.ports import free_port, listens

ROWS = 1000
ROOT = Path(__file__).parents[1]
HOME = ROOT / "demo"
COMMAND = str(Path(sys.executable).with_name("mwbatch"))
SIMULATOR = Settings().port
"""The sample manifests name pictures at this port, so no other one will do."""
QUESTION = (
    *("--instruction", "Is this logo **clear**, **blurred** or **covered**?"),
    *("--option", "clear", "--option", "blurred", "--option", "covered"),
)


def main() -> int:
    """Run the demonstration; 0 when every row is completed and was paid for once."""
    if listens(SIMULATOR):
        print(f"port {SIMULATOR} is in use: end the process that listens there, then run make demo again")
        return 2
    shutil.rmtree(HOME, ignore_errors=True)
    url = f"http://127.0.0.1:{SIMULATOR}"
    for name in [name for name in os.environ if name.startswith(("MWBATCH_", "MICROWORK_"))]:
        del os.environ[name]  # what the user has set is for batches that are paid
    os.environ |= {"MWBATCH_HOME": str(HOME), "MICROWORK_API_KEY": "sim_key", "MICROWORK_BASE_URL": url}
    with _simulator():
        _mwbatch("run", "sample_manifests/tagging.csv", "--port", str(_port()), "--yes")
        _mwbatch("make-annotating", "tagging", *QUESTION, "-o", f"{HOME.name}/quality.jsonl")
        _mwbatch("run", f"{HOME.name}/quality.jsonl", "--port", str(_port()), "--yes")
        _mwbatch("export", "quality", "--format", "csv", "-o", f"{HOME.name}/quality.csv")
        with urlopen(f"{url}/_sim/ledger") as answer:
            ledger = json.load(answer)
    return 0 if _proved(ledger) else 1


@contextmanager
def _simulator() -> Iterator[None]:
    words = [COMMAND, "simulate", "--port", str(SIMULATOR), "--quiet"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            while running.poll() is None and not listens(SIMULATOR):
                time.sleep(0.02)
            yield
        finally:
            running.terminate()


def _mwbatch(*words: str) -> None:
    # The terminal is inherited, so that people see the progress bar that they will have.
    print("$", shlex.join(["mwbatch", *words]), flush=True)
    subprocess.run([COMMAND, *words], cwd=ROOT, check=False)


def _proved(ledger: dict[str, list[object]]) -> bool:
    """Compare what mwbatch says with what the simulator says,
    which knows every task that was ever created.
    """
    told, annotated = _status("tagging"), _status("quality")
    paid = Counter(len(tasks) for tasks in ledger.values())
    print(f"\nthe simulator's own ledger: {paid[1]:,} rows paid once, {paid.total() - paid[1]:,} paid twice")
    print(
        "\nnext, look at what there is now (mwbatch is in .venv/bin):",
        "  export MWBATCH_HOME=$PWD/demo PATH=$PWD/.venv/bin:$PATH",
        "  mwbatch status tagging",
        "  mwbatch results quality | head -1    # each tag with its brand and its label",
        "  head -3 demo/quality.csv",
        "  ls demo/tagging/*    # the journal: plain JSON lines",
        sep="\n",
    )
    done = told["complete"] and told["by_status"]["completed"] == ROWS and annotated["complete"]
    return bool(done and paid == {1: ROWS + annotated["rows"]})


def _status(batch: str) -> Any:
    words = [COMMAND, "status", batch, "--json"]
    return json.loads(subprocess.run(words, capture_output=True, check=True).stdout)


def _port() -> int:
    """8080, as in the README; another one where that is taken."""
    return free_port() if listens(8080) else 8080


if __name__ == "__main__":
    sys.exit(main())
