"""The receiver on a socket of its own, and beside it the admin port for whoever looks after it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import LIMITS, Limits
from mwbatch.callbacks.common.periodic import every
from mwbatch.callbacks.common.readiness import Event
from mwbatch.callbacks.common.subscriber import OnStored
from mwbatch.callbacks.net.listener import Listener
from mwbatch.callbacks.net.tls import Certificate
from mwbatch.callbacks.ops.admin import Admin
from mwbatch.callbacks.receiver import Receiver
from mwbatch.core.words.values import HOST
from mwbatch.errors import BadValue, StoreError
from mwbatch.journal.files.closing import closed_whole
from mwbatch.journal.interface.store import Store


class Running:
    """A receiver that listens; an async context manager that closes it.

    ``url`` is the callback base of a sender on this machine, ``port`` the port that was chosen, ``admin_url``
    where the admin port is, or None.
    """

    def __init__(
        self, front: Listener, behind: Listener | None, receiver: Receiver, stack: AsyncExitStack
    ) -> None:
        self._receiver, self._stack = receiver, stack
        self.url, self.port = front.url, front.port
        self.admin_url = behind.url if behind else None

    @property
    def counts(self) -> Counts:
        """What the receiver has done so far."""
        return self._receiver.counts

    @property
    def failure(self) -> StoreError | None:
        """The first error after which a journal writes nothing any more: time to end, with its exit code.

        Ask once more after closing, which may fail too.
        """
        return self._receiver.failure

    async def close(self) -> None:
        """Stop listening, let what is in flight be answered, then close the journals; last the admin port."""
        self._receiver.readiness.take(Event.CLOSING)
        await closed_whole(self._stack.aclose())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def serve(
    store: Store,
    host: str,
    port: int,
    *,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    admin_host: str = HOST,
    admin_port: int | None = None,
    limits: Limits = LIMITS,
    on_stored: OnStored | None = None,
) -> Running:
    """Listen for callbacks of every batch in ``store``; port 0 lets the kernel choose.

    ``tls_cert`` is a PEM chain, ``tls_key`` its key, unless that stands in the same file; both are read again
    when they change. The admin port, where one is given, listens before the journals are read.

    Raises:
        UsageError: a port is taken, a host is not ours, or keys or certificate are unusable.
        StoreError: a batch of the home cannot be read.
    """
    _check_hosts(host=host, admin_host=admin_host)
    receiver, behind = Receiver(store, limits=limits, on_stored=on_stored), None
    if tls_cert or tls_key:
        receiver.certificate = Certificate(tls_cert, tls_key, receiver.troubles)
    certificate = receiver.certificate
    front = Listener(receiver.answer, limits, receiver.counts)
    async with _unwound() as stack:
        if admin_port is not None:
            behind = Listener(Admin(receiver, lambda: front.connections).answer, limits, Counts())
            stack.push_async_callback(behind.close)
            await behind.open(admin_host, admin_port, flags="--admin-")
        await stack.enter_async_context(receiver.opened())
        stack.push_async_callback(front.close)
        await front.open(host, port, tls=certificate.context if certificate else None)
        receiver.readiness.take(Event.LISTENING)
        if certificate:
            await stack.enter_async_context(every(limits.reload_seconds, certificate.refresh))
        return Running(front, behind, receiver, stack.pop_all())


@asynccontextmanager
async def _unwound() -> AsyncIterator[AsyncExitStack]:
    """What is begun one after the other, and ended as a whole where one of it fails,
    however often that is cancelled.
    """
    stack = AsyncExitStack()
    try:
        yield stack
    except BaseException:
        await closed_whole(stack.aclose())
        raise


def _check_hosts(**hosts: str) -> None:
    for field, name in hosts.items():
        if not name:  # asyncio would listen everywhere
            raise BadValue(field, name, "name one address of this machine, such as 127.0.0.1")
