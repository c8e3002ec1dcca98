"""How a run begins: with a listing, and with trust restored where something speaks against the folder."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Final

from mwbatch.commands.context.session import Session
from mwbatch.commands.settling.believing import Listing, believed
from mwbatch.commands.settling.sweeping import Swept, glance
from mwbatch.core.codec.times import http_time
from mwbatch.core.facts.kinds import Started
from mwbatch.core.sweeps.doubt import SECOND_SWEEP, WITHOUT_WITNESS, Grounds
from mwbatch.core.sweeps.drift import WIDE
from mwbatch.core.sweeps.reach import Reach, next_number
from mwbatch.core.sweeps.span import PADDING, Span
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import counted, rows
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.distrust import forgive, least_listed, suspicions, too_few
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.keys.home_keys import strange_keys

OTHERS_SEND: Final = (
    "tasks of this batch were created between two listings: another process sends it, maybe from the folder "
    "of which this is a copy; go on there, or run the same command again once that has ended"
)
"""Why nothing is sent from a folder that may be a copy of one at work."""

_EVER: Final = datetime.min.replace(tzinfo=UTC)


async def last_base(batch: OpenBatch) -> str | None:
    """The callback base that was used last; None where there was none, or nobody can tell which.

    It stands in the batch info. Where an older version has sent and kept it in the journal alone, the API's
    clock tells, and never this machine's, which may have been wrong.
    """
    if batch.info.base is not None:
        return batch.info.base
    used: dict[datetime, set[str]] = defaultdict(set)
    for fact in await batch.starts():
        used[http_time(fact.clock) or _EVER].add(fact.base)
    last = used[max(used)] if used else set()
    return last.pop() if len(last) == 1 else None


async def catch_up(session: Session) -> None:
    """Ask the API for the tasks of the batch, as far back as the journal may have forgotten any.

    It proves key and origin, tells the server's clock, and shows tasks of which the journal does not know:
    the folder, or the whole home, may be older than it looks. Raises `ApiError` where the API refuses us or
    cannot be reached.
    """
    await tell_strange_keys(session)
    batch = session.batch
    session.tally.begin("asking the API")
    began = batch.info.began
    started = await batch.starts()
    batch.next_start = next_number(started)
    if batch.is_new or (began is None and not batch.state.spent()):
        new, _ = await glance(session, Span(()), pages=1)
        if not new and began is None:
            await batch.kept(began=session.client.clock)
    else:
        new = await _reach_back(session, started)
    if new:
        session.note(f"the API's listing told the journal something new about {rows(new)}")


async def _reach_back(session: Session, started: list[Started]) -> int:
    """List what this run has to know, or all since the batch began where record or listing cannot tell.

    Returns of how many tasks that told something new. Where neither listing can be believed the batch info
    keeps how far back the next run has to look, whatever this one sends: MUST be there before that.
    """
    batch = session.batch
    is_sound = not await in_thread(suspicions, batch) and batch.drift.is_within(PADDING)
    reach = Reach.of(batch.state, started, batch.info.behind) if is_sound else None
    new, flaws = await glance(session, reach.span) if reach else (0, [])
    if reach is None or flaws or reach.is_after(session.client.clock):
        padding = PADDING if batch.info.drift else WIDE
        more, flaws = await glance(session, Span((batch.info.began,), padding))
        new += more
    await batch.kept(behind=(reach.mark.number if reach else 0) if flaws else None)
    return new


async def tell_strange_keys(session: Session) -> None:
    """Tell people whose batch was signed with keys that this home lacks, as one that was moved here."""
    if words := await in_thread(strange_keys, session.batch.store, session.batch.info):
        session.note(f"warning: {words}")


async def restore_trust(session: Session, grounds: Grounds, *, vouched: bool = False) -> str:
    """Sweep the whole span where something speaks against the folder; returns why that failed, else nothing.

    A row may look as if it had never been sent although it was: nothing may be sent before this says so.
    Where the listing cannot tell, as it shows no addresses, the user may have ``vouched`` for the folder.
    """
    batch = session.batch
    found = await in_thread(suspicions, batch)
    if not found:
        return ""
    for words in found:
        session.note(f"warning: {words}")
    session.note("nothing is sent before the API's listing has shown what this folder may have forgotten")
    if not all(batch.info.echo.values()):
        return await _vouched(session, found) if vouched else _no_echo(batch)
    if not await session.wait_until(
        grounds.since + WITHOUT_WITNESS * grounds.settle, "the folder can be trusted"
    ):
        return "interrupted"
    reasons: list[str] = []
    shown = await _show_all(session, grounds, reasons)
    if shown is None and vouched and any(_vouching(batch) in reason for reason in reasons):
        return await _vouched(session, found)
    if shown is None:
        return "; ".join(reasons) or "interrupted"
    await in_thread(forgive, batch, found)
    session.note(
        f"two listings of {counted(shown.tasks, 'task')} show all there is: the folder is trusted again"
    )
    return ""


async def _vouched(session: Session, found: list[str]) -> str:
    """Trust the folder by the user's word, which is said; nothing speaks against sending then."""
    await in_thread(forgive, session.batch, found)
    session.note("the folder is trusted because you say so: what it has lost of what was sent is paid again")
    return ""


async def _show_all(session: Session, grounds: Grounds, reasons: list[str]) -> Swept | None:
    """Two valid sweeps of the whole span, far enough apart; the second, or None with the reason kept."""
    batch = session.batch
    listing = Listing(Span((batch.info.began,), WIDE), grounds, reasons)
    least = await in_thread(least_listed, batch)
    first = await believed(session, listing)
    if first and (few := too_few(first.ours, least)):
        reasons.append(_unshown(batch, few))
        return None
    if not first or not await session.wait_until(
        session.ticks() + SECOND_SWEEP * grounds.settle, "the folder can be trusted"
    ):
        return None
    second = await believed(session, listing, after=first)
    if second and (first.bare | second.bare).difference(batch.info.echo):
        reasons.append(_no_echo(batch))
        return None
    if first.forged or (second and second.forged):
        reasons.append("tasks stand at addresses of the batch that our keys did not sign; restore keys.json")
        return None
    if second and second.ours > first.ours:
        reasons.append(OTHERS_SEND)
        return None
    return second


def _no_echo(batch: OpenBatch) -> str:
    why = "and the API's listing does not show our addresses, so it cannot tell what was sent;"
    return _ways_on(batch, why, "if it has lost nothing, being on another disk")


def _unshown(batch: OpenBatch, few: str) -> str:
    why = (
        f"and {few}, so it stands still or is another account's: run the same command again later, "
        "with the key of then; or"
    )
    return _ways_on(batch, why, "if nothing is lost that was paid for")


def _ways_on(batch: OpenBatch, why: str, unless: str) -> str:
    return (
        f"the folder cannot be trusted, {why} put back what {batch.where} has lost from a copy (what was "
        f"sent and is known here: {hint('reconcile', batch.info.name)}); {unless}, say so: {_vouching(batch)}"
    )


def _vouching(batch: OpenBatch) -> str:
    return hint("resume", batch.info.name, "--trust-folder")
