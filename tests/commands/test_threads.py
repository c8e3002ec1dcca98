"""The event loop reads no facts: while the disk is slow, or a batch is large, everything else goes on."""

import threading
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mwbatch.commands.cancel import cancel
from mwbatch.commands.reconcile import reconcile
from mwbatch.commands.retry import Choice, retry
from mwbatch.commands.submit import resume, submit
from mwbatch.core.address import Address
from mwbatch.core.fold import Status
from mwbatch.core.ids import Attempt, Kid, RowNumber
from mwbatch.core.reject import Reject
from mwbatch.journal.disk import open_own
from mwbatch.journal.measure import Commits
from tests.commands.conftest import Stage, silent
from tests.virtual import virtual

VERBS: dict[str, Callable[[Stage], Awaitable[Any]]] = {
    "submit": lambda stage: submit(stage.home, stage.client, stage.manifest(*range(6)), silent(), stage.desk),
    "resume": lambda stage: resume(stage.home, stage.client, "logos", silent(), stage.desk),
    "retry": lambda stage: retry(
        stage.home, stage.client, "logos", Choice(Status.CANCELED, ("3",)), silent(), stage.desk
    ),
    "cancel": lambda stage: cancel(stage.home, stage.client, "logos", ("1", "2"), stage.desk),
    "reconcile": lambda stage: reconcile(
        stage.home, stage.client, str(stage.folder / "logos.csv"), stage.desk
    ),
}

READ_IN_THREADS = {"rows", "journal", "results", "rejects"}
"""Folders whose files grow with the batch, or with what is sent to it."""


async def leave_misfits(stage: Stage) -> None:
    """Two callbacks come in that did not fit, one while the batch was not here."""
    ref, room = stage.home.find("logos"), stage.home.mailroom("receiver", Commits())
    for place in (ref, ref.card.batch_id):
        box = room.mailbox(place)
        address = Address(Kid("k1"), ref.card.batch_id, RowNumber(0), Attempt(1), "0" * 32)
        box.keep_reject(Reject.of(address, "not_json", b"{", 1.0, 10), 1000)
        await box.close()


@pytest.mark.parametrize("verb", VERBS)
@virtual
async def test_no_segment_is_read_on_the_loop(
    stage: Stage, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a verb does to a batch that is there, its segments are opened in threads alone, and so are
    those of its inbox, and what did not fit.
    """
    await submit(stage.home, stage.client, stage.manifest(*range(4)), silent(), stage.desk)
    await cancel(stage.home, stage.client, "logos", ("3",), stage.new_desk())
    await leave_misfits(stage)
    stage.desk, loop = stage.new_desk(), threading.get_ident()
    on_loop: list[str] = []

    def opened(path: Path) -> int:
        if threading.get_ident() == loop and path.parent.name in READ_IN_THREADS:
            on_loop.append("".join(traceback.format_stack(limit=12)))
        return open_own(path)

    monkeypatch.setattr("mwbatch.journal.disk.open_own", opened)
    monkeypatch.setattr("mwbatch.journal.scan.open_own", opened)
    await VERBS[verb](stage)
    assert not on_loop, on_loop[0]
