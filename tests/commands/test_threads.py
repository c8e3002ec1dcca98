"""The event loop reads no facts: while the disk is slow, or a batch is large, everything else goes on."""

import threading
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mwbatch.commands.cancel import cancel
from mwbatch.commands.reconcile import reconcile
from mwbatch.commands.retry import Choice, retry
from mwbatch.commands.submit import resume, submit
from mwbatch.core.fold import Status
from mwbatch.journal.disk import read_own
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


@pytest.mark.parametrize("verb", VERBS)
@virtual
async def test_no_segment_is_read_on_the_loop(
    stage: Stage, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a verb does to a batch that is there, its segments are opened in threads alone."""
    await submit(stage.home, stage.client, stage.manifest(*range(4)), silent(), stage.desk)
    await cancel(stage.home, stage.client, "logos", ("3",), stage.new_desk())
    stage.desk, loop = stage.new_desk(), threading.get_ident()
    on_loop: list[str] = []

    def opened(*given: Any) -> Any:
        if threading.get_ident() == loop:
            on_loop.append("".join(traceback.format_stack(limit=12)))
        return read_own(*given)

    monkeypatch.setattr("mwbatch.journal.scan.read_own", opened)
    await VERBS[verb](stage)
    assert not on_loop, on_loop[0]
