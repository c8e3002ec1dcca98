"""Keeps the bytes of callbacks that did not fit: bounded, slowly, and never in anybody's way.

What is kept is evidence and no promise. The answer to the sender waits for nothing here, and no failure of
this reaches him: a reject is written behind his back, or only counted.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import Limits
from mwbatch.core.api.address import Address
from mwbatch.core.api.unusable import Unusable, line
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.errors import StoreError
from mwbatch.journal.files.closing import Lasting, in_thread
from mwbatch.journal.interface.belongings import Mailbox

_log: Final = logging.getLogger("mwbatch.callbacks")


@dataclass(slots=True)
class Bucket:
    """Tokens that come in at ``rate`` a second, ``most`` of them at a time.

    Full at ``now``, in seconds of any clock.
    """

    rate: float
    most: float
    now: float
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.most

    def take(self, now: float) -> bool:
        """Take one token, if there is one."""
        self.left = min(self.most, self.left + (now - self.now) * self.rate)
        self.now = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class _Allowance:
    """What this process may still keep of one batch, and what it has kept."""

    bucket: Bucket
    size: int
    known: set[tuple[RowNumber, Attempt, str]] = field(default_factory=set)


class _Loss(NamedTuple):
    """Why a reject is only counted."""

    cause: str
    words: str


TOO_FAST: Final = _Loss("rate", "they come too fast")
ENOUGH: Final = _Loss("process", "this process has kept as many as it may")
FULL: Final = _Loss("folder", "its rejects folder holds as many as it may; clear it once you have seen them")


class UnusableCallbacks:
    """The rejects of every batch of a home.

    ``mailbox_of`` tells where those of a batch, or of its inbox, are put down; ``now`` is a monotonic clock
    in seconds.
    """

    def __init__(
        self,
        mailbox_of: Callable[[str], Awaitable[Mailbox]],
        counts: Counts,
        limits: Limits,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mailbox_of, self._now = mailbox_of, now
        self._counts, self._limits = counts, limits
        self._allowances: dict[str, _Allowance] = {}
        self._waiting: deque[tuple[str, Unusable]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._said: set[tuple[str, str]] = set()

    def keep(self, address: Address, reason: str, raw: bytes, at: float) -> None:
        """Keep what was posted to an address, some time soon, unless that is known or too much.

        Never raises.
        """
        try:
            reject = self._admitted(address, reason, raw, at)
        except Exception as error:  # noqa: BLE001 (MUST NOT turn the answer that waits into another)
            self._lose(address.batch, _bug(error))
            return
        if reject is not None:
            self._waiting.append((address.batch, reject))
            if self._runner is None:
                self._runner = Lasting(self._run())

    async def close(self) -> None:
        """Write what waits: MUST come before what it is written to is closed."""
        while self._runner is not None:
            await asyncio.wait([self._runner])

    def _admitted(self, address: Address, reason: str, raw: bytes, at: float) -> Unusable | None:
        allowance = self._allowance(address.batch)
        if (address.row, address.attempt, sha256(raw).hexdigest()) in allowance.known:
            return None
        if not allowance.bucket.take(self._now()):
            self._lose(address.batch, TOO_FAST)
            return None
        reject = Unusable.of(address, reason, raw, at, self._limits.reject_body)
        if allowance.size + len(line(reject)) > self._limits.reject_segment:
            self._lose(address.batch, ENOUGH)
            return None
        allowance.size += len(line(reject))
        allowance.known.add(reject.identity)
        return reject

    def _allowance(self, batch: str) -> _Allowance:
        if batch not in self._allowances:
            bucket = Bucket(self._limits.reject_rate, self._limits.reject_burst, self._now())
            self._allowances[batch] = _Allowance(bucket, 0)
        return self._allowances[batch]

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, reject = self._waiting.popleft()
                loss = await self._written(batch, reject)
                if loss is None:
                    self._counts.kept += 1
                    continue
                allowance = self._allowances[batch]
                allowance.size -= len(line(reject))
                allowance.known.discard(reject.identity)
                self._lose(batch, loss)
        finally:
            self._runner = None

    async def _written(self, batch: str, reject: Unusable) -> _Loss | None:
        """Write one reject; returns why it could not be."""
        try:
            mailbox = await self._mailbox_of(batch)
            there = await in_thread(mailbox.keep_reject, reject, self._limits.reject_folder)
        except StoreError as error:
            return _Loss("disk", str(error))
        except Exception as error:  # noqa: BLE001 (nobody waits for this task)
            return _bug(error)
        return None if there else FULL

    def _lose(self, batch: str, loss: _Loss) -> None:
        """Count what is not kept, and say why, once for each cause."""
        self._counts.unkept += 1
        if (batch, loss.cause) not in self._said:
            self._said.add((batch, loss.cause))
            _log.warning("batch %s: callbacks that do not fit are only counted: %s", batch, loss.words)


def _bug(error: Exception) -> _Loss:
    return _Loss("bug", f"our own bug, please report it: {type(error).__name__}")
