"""Sabotage: the submitter with one of its safeguards taken out. The matrix must notice each."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, Final

from mwbatch.client import Client
from mwbatch.commands.context.session import Session
from mwbatch.commands.sending.creating import Creation
from mwbatch.commands.settling.settling import _close
from mwbatch.commands.settling.surplus import SurplusCanceled
from mwbatch.commands.settling.sweeping import Swept
from mwbatch.core.api.page import Page
from mwbatch.core.facts.kinds import Failed, Started
from mwbatch.core.state.row_status import Status
from mwbatch.journal.interface.open_batch import OpenBatch
from tests.support.sabotage import Sabotage

_refresh, _list_page = OpenBatch.refresh, Client.list_page


async def _start_in_memory(batch: OpenBatch, started: Started) -> None:
    """Let the state alone know what was started."""
    batch.state.add(started)


async def _read_once(batch: OpenBatch) -> None:
    """Read everything when the batch is opened, and never again."""
    if not batch.state.rows:
        await _refresh(batch)


async def _end_blindly(batch: OpenBatch, failed: Sequence[Failed]) -> list[bool]:
    """End attempts as absent without another look at what was written."""
    return await batch.record(failed)


async def _wait_for_nothing(*_: Any) -> bool:
    return True


def _believe_at_once() -> Callable[..., Any]:
    """A listing that nobody asked for shows nothing, each time later than before."""
    ends = count()

    async def believe(*_: Any, **__: Any) -> Swept:
        return Swept(0, 0, 0, frozenset(), str(next(ends)), ())

    return believe


async def _cancel_nothing(*_: Any) -> SurplusCanceled:
    return SurplusCanceled()


async def _list_nothing(session: Session, *_: Any) -> None:
    """What a run learns from its first listing is the server's clock alone."""
    batch = session.batch
    batch.keep(began=batch.info.began or "Sun, 15 Jun 2025 15:00:00 GMT")


async def _all_at_once(creation: Creation) -> None:
    """Send again whatever has no task, the first row with the others."""
    while not creation.sender.course.stopped and (left := creation.wanted()):
        await creation._send(creation._rows(again=True))
        if creation.wanted() == left or creation.batch.state.by_status()[Status.DOUBT]:
            return


async def _echo_taken_for_granted(creation: Creation) -> None:
    creation.batch.keep(echo={"tagging": True, "annotating": True})


async def _close_forged_too(*given: Any) -> None:
    session, absent, _, result = given
    await _close(session, absent, frozenset(), result)


async def _from_any_cache(client: Client, *, fresh: bool = False, **query: Any) -> Page:
    return await _list_page(client, **query)


def _nothing(*_: Any, **__: Any) -> Iterator[Any]:
    return iter(())


def _yes(*_: Any) -> bool:
    return True


SABOTAGE: Final[Sabotage] = {
    "started-not-written": {"mwbatch.journal.interface.open_batch.OpenBatch.start": _start_in_memory},
    "no-sweeps": {
        "mwbatch.commands.settling.settling.sweep": _believe_at_once(),
        "mwbatch.commands.settling.settling.believed": _believe_at_once(),
    },
    "no-validity": {"mwbatch.core.sweeps.sweep.Sweep.flaws": lambda *_: []},
    "no-last-reading": {
        "mwbatch.journal.interface.open_batch.OpenBatch.refresh": _read_once,
        "mwbatch.journal.interface.open_batch.OpenBatch.close_absent": _end_blindly,
    },
    "no-ties-to-known-tasks": {"mwbatch.core.sweeps.sweep.Sweep._missing": _nothing},
    "no-second-lock": {"mwbatch.journal.home.batch_lock.BatchLock._folder_locked": _yes},
    "no-lock-at-all": {
        "mwbatch.journal.home.batch_lock.BatchLock._folder_locked": _yes,
        "mwbatch.journal.home.batch_lock.BatchLock.check": lambda _: None,
    },
    "no-ties-of-answers": {
        "mwbatch.commands.settling.fetching.is_at": _yes,
        "mwbatch.client.client.asked_for": lambda task, _: task,
        "mwbatch.client.responses.asked_for": lambda task, _: task,
    },
    "no-ties-of-trust": {"mwbatch.commands.settling.beginning.least_listed": lambda _: 0},
    "no-first-page": {"mwbatch.core.spending.account.Account.take": _nothing},
    "no-other-batches": {"mwbatch.journal.home.batch_folder.BatchFolder.asked": _nothing},
    "no-cancelling": {"mwbatch.commands.sending.creating.cancel_surplus": _cancel_nothing},
    "no-canary": {"mwbatch.commands.sending.creating.Creation._send_again": _all_at_once},
    "belied-and-sent": {"mwbatch.commands.sending.creating.Creation.refuted": False},
    "forged-and-absent": {"mwbatch.commands.settling.settling._close": _close_forged_too},
    "from-caches": {"mwbatch.client.client.Client.list_page": _from_any_cache},
    "no-echo-first": {"mwbatch.commands.sending.creating.Creation.prove_echoes": _echo_taken_for_granted},
    "no-listing-first": {"mwbatch.commands.sending.creating.catch_up": _list_nothing},
    "no-settle": {"mwbatch.commands.context.session.Session.wait_until": _wait_for_nothing},
}
