"""Asked before, and by whom: rows to be sent are compared with every batch of the home, under its lock."""

import re
from array import array
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from mwbatch.commands.asking.account import look_through
from mwbatch.commands.asking.others import Others, tell_departed
from mwbatch.commands.asking.refusing import refused, unreadable, ways_on
from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.candidates import Candidates
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.digests import Digests, named
from mwbatch.core.facts.kinds import Withdrawn
from mwbatch.core.manifest.cells import shown
from mwbatch.core.spending.account import Account, of_others
from mwbatch.core.spending.overlaps import Ahead, Overlap, Overlaps, Repeats, consented
from mwbatch.core.state.row_status import Status
from mwbatch.core.words.plural import counted, rows
from mwbatch.core.words.values import SINCE
from mwbatch.errors import AskedBefore, StoreError, UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.belongings import RECORD
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.interface.ref import Ref, usable
from mwbatch.journal.interface.store import Store

if TYPE_CHECKING:
    from mwbatch.client import Client

_IS_BATCH_ID: Final = re.compile(r"[a-z0-9]{10}").fullmatch


class Compared:
    """What a comparison came to: the rows, what of them was asked for before, and whom the user named."""

    def __init__(self, ahead: Ahead, overlaps: Overlaps, refs: dict[str, Ref], named: list[str]) -> None:
        self.ahead, self.overlaps, self.refs, self._named = ahead, overlaps, refs, named

    def __bool__(self) -> bool:
        return self.overlaps.rows > 0

    def numbers(self) -> Iterator[int]:
        """The numbers of the rows that were asked for before."""
        return self.overlaps.numbers(self.ahead)

    async def keep_consent(self, batch: OpenBatch, at: float) -> None:
        """Keep in the batch info whom the user named, for the rows that the batch has now."""
        said: dict[str, float] = {"at": at, "rows": batch.state.end}
        await batch.kept(again={**batch.info.again, **dict.fromkeys(self._named, said)})


async def unasked(
    store: Store,
    origin: str,
    candidates: Candidates,
    repeats: Repeats,
    context: Context,
    account: Account | None = None,
) -> Compared:
    """Compare rows to be sent with those of the other batches at the origin, and with what the account shows.

    MUST be called under the lock of the home where something is to be planned.

    Raises:
        AskedBefore: rows were asked for before, and the user did not say what is to become of them.
        UsageError: ``--again`` names what is not there.
        StoreError: a batch cannot be read: what it asked for cannot be told.
    """
    context.tally.begin("comparing with other batches")
    info, names = candidates.info, candidates.names
    others = await in_thread(Others.of, store, origin, info, repeats)
    tell_departed(others.departed, context)
    # Most homes begin with one batch, and nobody has to know what each of its rows asks for.
    own = candidates.may_repeat
    ahead = await candidates.ahead(names) if others or own or (account and account.found) else Ahead()
    overlaps = Overlaps(len(ahead))
    if ahead:
        others.refuse_unreadable(context)
        await _compare(store, overlaps, candidates, others, context)
    if own and ahead:
        assert candidates.batch is not None
        others.refs[info.batch_id] = candidates.batch.ref
        if info.batch_id not in others.named:
            await in_thread(_take_own, overlaps, ahead, candidates.batch, names)
    if account is not None:
        account.add_to(
            overlaps,
            {info.batch_id, *others.refs, *others.named},
            lambda one: (lambda _: True) if one in others.named else consented(info.again, one),
            _known_to(candidates.batch),
        )
    compared = Compared(ahead, overlaps, others.refs, others.named)
    if compared and not repeats.only_new:
        raise await _refusal(store, candidates, compared, context, account)
    return compared


async def _compare(
    store: Store, overlaps: Overlaps, candidates: Candidates, others: Others, context: Context
) -> None:
    """Compare with the other batches, with all at once for which the same names are volatile."""
    for names, batches in others.groups.items():
        ahead = await candidates.ahead(names)
        for ref in batches:
            allowed = consented(candidates.info.again, ref.info.batch_id)
            keep = candidates.keep and names == frozenset(ref.info.volatile)
            try:
                await in_thread(_take, overlaps, ahead, store, ref, names, allowed, keep)
            except StoreError as error:
                raise unreadable(ref, error, context) from error


async def _refusal(
    store: Store, candidates: Candidates, compared: Compared, context: Context, account: Account | None
) -> AskedBefore:
    """The error that says who asked for the same, as far as was looked, and how to go on."""
    examples, overlaps = [], compared.overlaps
    for other in overlaps.there:
        assert other.example is not None
        ours, theirs = other.example
        before = f"task {shown(theirs)}"
        if isinstance(theirs, int):
            planned = store.open(compared.refs[other.batch_id]).planned(theirs)
            before = f"its line {planned.line} ({shown(planned.id)})" if planned else f"its row {theirs}"
        examples.append(f"{await candidates.row(ours)} asks for what {before} asked for")
    return refused(
        overlaps,
        examples,
        await ways_on(store, candidates.source, overlaps, context, candidates.info.batch_id),
        account.listed if account and account.in_part and account.found - compared.refs.keys() else None,
    )


async def account_of(
    store: Store, client: "Client", candidates: Candidates, repeats: Repeats, context: Context
) -> Account:
    """What the tasks ask for that the account's listing shows: its first page, or all since the user said.

    All of the last `SINCE`, too, where rows are to be left out that somebody outside of this home asked for:
    of whom one page shows some, the next may show more, and those would be paid again. It tells a wrong key,
    and an API that is not there, before anything is written.

    Raises:
        UsageError: not all that was to be looked at was looked at.
        ApiError: the API refuses us or cannot be reached.
    """
    context.tally.begin("asking the API")
    ours, names = candidates.info.batch_id, candidates.names
    page = await client.list_page(fresh=True)
    asked = {digest for _, _, digest in of_others(page.tasks, {ours}, names) if digest}
    # Of most pages no task asks for the same, and then nobody has to find rows by what they ask for.
    ahead = await candidates.ahead(names) if repeats.since or candidates.may_ask(asked) else Ahead()
    account = Account(ahead, ours, names, in_part=not page.is_last)
    account.take(page.tasks)
    leaves_out = repeats.only_new and account.in_part and await in_thread(_outside, store, account)
    if ahead and (since := repeats.since or (SINCE if leaves_out else None)):
        account = Account(ahead, ours, names)
        if flaw := await look_through(client, account.take, since, context):
            raise UsageError(f"the account was not looked through: {flaw}; nothing was sent")
    if candidates and account.bare:
        context.tally.note(
            f"{account.bare:,} of {counted(account.listed, 'task')} show no inputs and cannot be compared"
        )
    return account


def _outside(store: Store, account: Account) -> bool:
    """Whether anybody asked for the same of whom this home has no record."""
    return bool(account.found - {ref.info.batch_id for ref in usable(store.batches())})


def _known_to(batch: OpenBatch | None) -> Callable[[str], bool]:
    """Whether a batch knows a task; asked seldom, and then for few."""

    @cache
    def known() -> Digests:
        digests = Digests()
        for _, task in batch.state.tasks() if batch else ():
            digests.add(named(task.task_id))
        return digests

    return lambda task_id: named(task_id) in known()


def told_left_out(count: int, context: Context) -> int:
    """Say how many rows are left out; returns it."""
    if count:
        context.tally.note(f"{rows(count)} left out: asked for before")
    return count


async def leave_out(batch: OpenBatch, compared: Compared, context: Context) -> int:
    """Withdraw the rows that were asked for before, of those that would be sent now; returns how many."""
    state = batch.state
    gone = (number for number in compared.numbers() if number < state.end and state.is_sendable(number))
    return await batch.record_all(
        Withdrawn(context.now(), RowNumber(row), state.row(row).fresh_attempt) for row in gone
    )


def _take(
    overlaps: Overlaps,
    ahead: Ahead,
    store: Store,
    ref: Ref,
    names: frozenset[str],
    allowed: Callable[[int], bool],
    keep: bool,
) -> None:
    """Compare with one batch: it is folded only where it has asked for something that is asked for now."""
    places, numbers = array("Q"), array("Q")
    batch = store.open(ref)
    for block in batch.own.asked(names, keep=keep, whole=True):
        for place, number in ahead.among(RECORD.iter_unpack(block)):
            places.append(place)
            numbers.append(number)
    if not places:
        return
    state, info = batch.journal.refresh(), ref.info

    def status(number: int) -> Status:
        return state.row(number).status

    overlaps.take(
        ahead, Overlap(info.name, info.batch_id), zip(places, numbers, strict=True), status, allowed
    )


def _take_own(overlaps: Overlaps, ahead: Ahead, batch: OpenBatch, names: frozenset[str]) -> None:
    """Compare with the other rows of the same batch: some were told apart before signatures were known."""
    state, info, sent = batch.state, batch.info, bytearray(batch.state.end)
    for number in ahead.numbers:
        if number < len(sent):
            sent[number] = 1
    shared = (
        (place, number)
        for block in batch.own.asked(names, keep=False)
        for place, number in ahead.among(RECORD.iter_unpack(block))
        if number < len(sent) and not sent[number]
    )
    overlaps.take(
        ahead,
        Overlap(info.name, info.batch_id),
        shared,
        lambda number: state.row(number).status,
        consented(info.again, info.batch_id),
        own=True,
    )
