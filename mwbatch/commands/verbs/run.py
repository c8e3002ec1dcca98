"""Submit and receive in one process: from a manifest to its labels with one command."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mwbatch.callbacks.ops.server import Running, serve
from mwbatch.client import Client
from mwbatch.commands.context.callback_base import NO_BASE
from mwbatch.commands.context.context import Context
from mwbatch.commands.context.session import Session
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.sending.creating import SendOptions, create
from mwbatch.commands.settling.fetching import fetch
from mwbatch.commands.verbs.submit import planned
from mwbatch.core.pace.course import INTERRUPTED
from mwbatch.core.report.command_outcomes import Created, Ran
from mwbatch.core.state.row_status import Status
from mwbatch.core.urls.hosts import host_of, is_loopback
from mwbatch.core.words.values import HOST, LEAST_LOOK, LONGEST, POLL, PORT, amount, whole
from mwbatch.errors import BadValue, Exit, UsageError
from mwbatch.journal.interface.store import Store

LOOK: Final = 0.25
"""Seconds between two looks at what was stored."""

FIRST: Final = 1.0
"""Seconds before the first look at the API where no callback comes."""

RESTS: Final = 10.0
"""So many times as long as a look took is the API left alone, up to the time that the user named."""


@dataclass(frozen=True, slots=True)
class ReceiverAddress:
    """Where the receiver of a run listens. Raises `UsageError` for what cannot be."""

    host: str = HOST
    port: int = PORT
    tls_cert: Path | None = None
    tls_key: Path | None = None
    admin_host: str = HOST
    admin_port: int | None = None

    def __post_init__(self) -> None:
        for field in ("host", "admin_host"):
            if not (isinstance(host := getattr(self, field), str) and host):
                raise BadValue(
                    field, host, "the name or address of a network interface would do, such as 127.0.0.1"
                )
        whole("port", self.port, 0, 65_535)
        whole("admin_port", self.admin_port, 0, 65_535, none=True)


async def run(
    store: Store,
    client: Client,
    source: ManifestSource,
    options: SendOptions,
    door: ReceiverAddress,
    context: Context,
    poll: float = POLL,
) -> Ran:
    """Create the tasks of a manifest, receive their answers, fetch what stays away; raises as `submit` does.

    ``poll`` is the time in seconds between two looks at tasks whose callback has not come.
    """
    amount("poll", poll, LEAST_LOOK, LONGEST)
    async with await serve(
        store,
        door.host,
        door.port,
        tls_cert=door.tls_cert,
        tls_key=door.tls_key,
        admin_host=door.admin_host,
        admin_port=door.admin_port,
    ) as receiver:
        context.tally.note(f"receiving callbacks at {receiver.url}")
        if receiver.admin_url:
            context.tally.note(f"health and metrics at {receiver.admin_url}")
        if options.callback_url is None:
            options = replace(options, callback_url=own_base(receiver, client))
        async with planned(store, client, source, options, context, "run") as (batch, asking, beside):
            session = Session(batch, client, context)
            created = await create(session, asking)
            with context.in_flight():
                fetched = await _wait(session, created, poll, receiver)
            await batch.refresh()
            context.tally.begin("")
            report = await batch.reported()
            if session.is_stopping and report.unfinished:
                created.ending.because(Exit.UNFINISHED, INTERRUPTED)
            return Ran(report, created.ending, fetched, created.reasons, *beside)


def own_base(receiver: Running, client: Client) -> str:
    """The receiver's own address as callback base: only an API on this machine can call it.

    Raises:
        UsageError: the API is elsewhere.
    """
    if not is_loopback(host_of(client.origin)):
        raise UsageError(NO_BASE)
    return receiver.url


async def _wait(session: Session, created: Created, poll: float, receiver: Running) -> int:
    """Wait until nothing is pending, or waiting makes no sense any more.

    Returns how many answers were fetched.

    Raises:
        StoreError: the receiver can store nothing any more.
    """
    batch, tally = session.batch, session.tally
    pauses = _pauses(poll, unheard=not created.report.is_heard)
    fetched, next_poll = 0, session.ticks() + next(pauses)
    while created.ending.exit not in (Exit.API, Exit.MACHINE):
        if receiver.failure is not None:
            raise receiver.failure
        await batch.refresh()  # whoever stored it
        counts = batch.state.by_status()
        tally.begin("waiting for answers", sum(counts.values()), done=counts[Status.COMPLETED])
        if not counts[Status.PENDING] or await session.sleep(LOOK):
            break
        if session.ticks() >= next_poll:
            began = session.ticks()
            fetched += await fetch(session)
            took, now = session.ticks() - began, session.ticks()
            next_poll = now + min(poll, max(next(pauses), RESTS * took))
    return fetched


def _pauses(poll: float, *, unheard: bool) -> Iterator[float]:
    """Seconds between the looks: ``poll``.

    Where no callback comes, sooner at first, since answers may be there by then.
    """
    pause = FIRST if unheard else poll
    while True:
        yield min(pause, poll)
        pause *= 2
