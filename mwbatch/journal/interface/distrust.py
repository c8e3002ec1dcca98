"""What speaks against trusting a batch folder: damage, loss, or that it is a copy.

Where there is a suspicion, a row may look as if it had never been sent although it was. So nothing new is
sent before a valid sweep of the batch's whole span, after which it is `forgiven`.
"""

from collections.abc import Collection, Iterator

from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import counted, rows
from mwbatch.errors import StoreError
from mwbatch.journal.interface.open_batch import OpenBatch


def suspicions(batch: OpenBatch) -> list[str]:
    """What speaks against the record as it was read last, and was not forgiven: words that stay the same."""
    # Each move is told, whatever was forgiven: that forgives the place where it is then.
    return [*batch.own.trust.moved(), *_unforgiven(batch, [*_lost(batch), *_holes(batch)])]


def forgive(batch: OpenBatch, found: Collection[str]) -> None:
    """Keep that a valid sweep of the whole span has made up for what was found, and for what it brought back.

    Raises:
        BatchBusy, StoreError: it cannot be kept.
    """
    batch.hold()
    # What the sweeps brought back has no start on disk: that is the same suspicion, not a new one.
    batch.own.trust.forgive([*found, *suspicions(batch)])


def least_listed(batch: OpenBatch) -> int:
    """How many tasks of the batch a listing of all has to show, whatever the journal has lost.

    As many as the API had told of; and one where something was sent and a part of the record is lost: a
    listing without any task of the batch is tied to nothing. Ask before listing: another process may learn of
    more meanwhile.
    """
    was_sent = batch.info.kids or batch.info.echo or batch.own.trust.was_sent()
    return max(batch.known_tasks(), bool(was_sent and _unforgiven(batch, _lost(batch))))


def too_few(ours: int, least: int) -> str:
    """Why a listing that shows ``ours`` tasks of a batch is none of all of them; empty where it may be."""
    if ours >= least:
        return ""
    shown = counted(ours, "task")
    listed = f"the API's listing shows {shown} of the batch"
    return f"{listed}, and of what was sent {least:,} or more were to be listed"


def refuse_lost_rows(batch: OpenBatch) -> None:
    """Raise `StoreError` where planned rows are lost, forgiven or not: nobody knows their numbers."""
    lost = batch.own.trust.lost_rows()
    if missing := batch.state.unplanned():
        lost.insert(0, f"{missing:,} planned rows are gone")
    if lost:
        raise StoreError(
            f"no rows can be added to batch {batch.info.name} ({lost[0]}): one of them could get the number, "
            f"and the answers, of a row that is lost; put its rows back from a copy of {batch.where}, or go "
            f"on with the rows that are left: {hint('resume', batch.info.name)}"
        )


def tell_hidden(batch: OpenBatch) -> None:
    """Raise `StoreError` where rows are lost, once the others were shown:
    nobody would see that there are more answers.
    """
    if missing := batch.state.unplanned():
        raise StoreError(
            f"{rows(missing)} of batch {batch.info.name} cannot be shown: what was asked is lost, any "
            f"answers are kept; put its rows back from a copy of {batch.where}, and see: "
            f"{hint('reconcile', batch.info.name, '--list', 'damaged')}"
        )


def _unforgiven(batch: OpenBatch, there: list[str]) -> list[str]:
    return [words for words in there if words not in batch.own.trust.forgiven]


def _lost(batch: OpenBatch) -> list[str]:
    """What of the record is lost, as the store and as the batch info tell."""
    return [*batch.own.trust.lost(), *_forgotten(batch)]


def _forgotten(batch: OpenBatch) -> Iterator[str]:
    """It knows of requests only once their start is durable: where there is no start, it was lost."""
    info = batch.info
    if (info.kids or info.echo) and not batch.state.begun():
        last = (
            f", the last run at {info.clock}" if info.clock else ""
        )  # so that the next such loss has other words
        kids = ", ".join(info.kids) or "unknown"
        yield f"requests were sent with callback key {kids}{last}, and no start is on disk"


def _holes(batch: OpenBatch) -> Iterator[str]:
    """Rows that must exist because a later one does, and attempts of which something came without a start."""
    state = batch.state
    if missing := state.unplanned():
        yield f"{missing} planned rows are gone"
    if unstarted := state.unstarted():
        # MUST stay as it is, also for one row: batch infos keep what was forgiven by these words.
        yield f"{unstarted} rows have an outcome and no start"
