"""Several processes that take in one inbox at once."""

import asyncio

from mwbatch.core.api.address import Address
from mwbatch.core.api.unusable import Unusable
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.facts.kinds import Seen, Via
from mwbatch.errors import Exit
from mwbatch.journal.home.home import Home
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.unusable_folder import UnusableFolder, read
from tests.e2e.support.stage import Stage

ROWS, SEGMENTS, PROCESSES = 20, 60, 6


async def fill(stage: Stage, batch_id: str) -> None:
    """Put answers to all rows into the inbox, each segment those of one task a row,
    and a reject beside each.
    """
    inbox = Home(stage.home).path / "inbox" / batch_id
    body = b'{"task_id":"x","response":{"tags":[]}}'
    for n in range(SEGMENTS):
        segments, shelf = Segments(inbox, f"receiver{n}"), UnusableFolder(inbox, f"receiver{n}", 1 << 20)
        await segments.append(
            [
                Seen(
                    1.0,
                    RowNumber(row),
                    Attempt(1),
                    f"t{row}-{n % 3}",
                    "completed",
                    Via.CALLBACK,
                    None,
                    None,
                    "a" * 32,
                    "b" * 64,
                    body,
                )
                for row in range(ROWS)
            ]
        )
        await segments.close()
        shelf.append(
            Unusable.of(
                Address(Kid("k1"), batch_id, RowNumber(n), Attempt(1), "0" * 32), "not_json", b"{", 1.0, 10
            )
        )
        shelf.close()


def test_six_at_once(patient: Stage) -> None:
    """Six `reconcile` at once take in an inbox: none fails, nothing is lost, and nothing is left behind."""
    batch_id = patient.json("submit", patient.manifest(ROWS), "--callback-url", "none")["batch_id"]
    for _ in range(2):
        asyncio.run(fill(patient, batch_id))
        started = [patient.start("reconcile", "m", "--unproved") for _ in range(PROCESSES)]
        for one in started:
            _, err = one.communicate(timeout=60)
            assert one.returncode in (Exit.DONE, Exit.ROWS, Exit.UNFINISHED, Exit.IN_USE), err.decode()
        assert not list((Home(patient.home).path / "inbox" / batch_id).rglob("*.jsonl"))
    assert patient.json("status", "m")["by_status"]["completed"] == ROWS
    assert {reject.row for reject in read(patient.home / "m")} == {*range(SEGMENTS)}
