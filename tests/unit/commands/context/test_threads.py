"""The event loop touches no disk: while that is slow, or a batch is large, everything else goes on."""

import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.reconcile import reconcile
from mwbatch.commands.verbs.rehearse import rehearse
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.api.address import Address
from mwbatch.core.api.unusable import Unusable
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.state.row_status import Status
from mwbatch.journal.home.batch_lock import WHO
from mwbatch.journal.interface.commit_times import Commits
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, silent

VERBS: dict[str, Callable[[Stage], Awaitable[Any]]] = {
    "submit": lambda stage: submit(
        stage.home, stage.client, stage.manifest(*range(6)), silent(), stage.context
    ),
    "resume": lambda stage: resume(stage.home, stage.client, "logos", silent(), stage.context),
    "retry": lambda stage: retry(
        stage.home, stage.client, "logos", Choice(Status.CANCELED, ("3",)), silent(), stage.context
    ),
    "cancel": lambda stage: cancel(stage.home, stage.client, "logos", ("1", "2"), stage.context),
    "begin": lambda stage: submit(
        stage.home, stage.client, replace(stage.manifest(7), batch="other"), silent(), stage.context
    ),
    "rehearse": lambda stage: rehearse(
        stage.home, stage.client.origin, stage.manifest(*range(6)), silent(), stage.context
    ),
    "reconcile": lambda stage: reconcile(
        stage.home, stage.client, str(stage.folder / "logos.csv"), stage.context
    ),
}

TOUCHES: Final = {"open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.link", "os.remove"}
"""What is more than a look at a name."""

_heard: list[Callable[[str, object], None]] = []
"""Who hears of them now; an audit hook stays for as long as the process runs."""


@pytest.fixture(scope="module")
def auditing() -> Iterator[None]:
    """Tell whoever wants to hear of each touch of the disk."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if _heard and event in TOUCHES:
            _heard[-1](event, arguments[0])

    sys.addaudithook(hook)
    yield
    _heard.clear()


UNSAID: Final = ("os.remove", WHO)


async def leave_misfits(stage: Stage) -> None:
    """Two callbacks come in that did not fit, one while the batch was not here."""
    ref, room = stage.home.find("logos"), stage.home.mailroom("receiver", Commits())
    for place in (ref, ref.info.batch_id):
        box = room.mailbox(place)
        address = Address(Kid("k1"), ref.info.batch_id, RowNumber(0), Attempt(1), "0" * 32)
        box.keep_reject(Unusable.of(address, "not_json", b"{", 1.0, 10), 1000)
        await box.close()


@pytest.mark.usefixtures("auditing")
@pytest.mark.parametrize("verb", VERBS)
@virtual
async def test_no_disk_is_touched_on_the_loop(stage: Stage, verb: str) -> None:
    """Whatever a verb does, nothing of the home is opened, listed, made, renamed or removed on the loop: no
    batch info, key, lock or segment. Only who holds a lock is unsaid there as it goes, which nothing may
    hinder.
    """
    await submit(stage.home, stage.client, stage.manifest(*range(4)), silent(), stage.context)
    await cancel(stage.home, stage.client, "logos", ("3",), stage.new_context())
    await leave_misfits(stage)
    stage.context, loop = stage.new_context(), threading.get_ident()
    doing = VERBS[verb](stage)  # which writes the manifest
    on_loop: list[str] = []

    def heard(event: str, name: object) -> None:
        # A name that stands in an open folder is relative; what Python imports lies elsewhere.
        if threading.get_ident() == loop and isinstance(name, str | Path) and (event, name) != UNSAID:
            path = Path(name)
            if not path.is_absolute() or path.is_relative_to(stage.folder):
                on_loop.append(f"{event} {name}\n" + "".join(traceback.format_stack(limit=14)))

    _heard.append(heard)
    try:
        await doing
    finally:
        _heard.remove(heard)
    assert not on_loop, on_loop[0]
