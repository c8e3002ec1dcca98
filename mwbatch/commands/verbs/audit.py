"""Asking what was asked: every request of a home that has several tasks, what was paid for it, and where."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from mwbatch.client import Client
from mwbatch.commands.asking.account import look_through
from mwbatch.commands.asking.others import tell_departed
from mwbatch.commands.context.context import Context
from mwbatch.core.api.task import Task
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.report.audit import Audit, Audited
from mwbatch.core.spending.account import of_others
from mwbatch.core.urls.hosts import kin
from mwbatch.errors import StoreError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.batches import each, info_of
from mwbatch.journal.interface.belongings import RECORD
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.interface.ref import Ref
from mwbatch.journal.interface.store import Store


async def audit(
    store: Store, context: Context, client: Client | None = None, since: str | None = None
) -> list[Audited]:
    """Look at every batch of the home, one API at a time; no lock is taken, nothing is written.

    With a ``client`` the account's tasks ``since`` then are looked at too, for the batches at its origin.
    Raises `ApiError` where the API refuses us or cannot be reached.
    """
    there: dict[str, list[OpenBatch]] = defaultdict(list)
    unreadable = []
    looked = list(each(store, info_of))
    tell_departed(store.departed(one for one, _ in looked), context)
    for ref, info in looked:
        if isinstance(ref, Ref) and not isinstance(info, StoreError):
            there[kin(info.origin)].append(store.open(ref))
        else:
            unreadable.append(str(info))
    if client is not None:
        there.setdefault(kin(client.origin), [])
    found = []
    for origin, batches in there.items():
        asking = client if client and kin(client.origin) == origin else None
        found.append(await _audited(batches, context, asking, since, unreadable))
        unreadable = []
    return found or [Audited((), Audit(), {}, tuple(unreadable))]


async def _audited(
    batches: list[OpenBatch],
    context: Context,
    client: Client | None,
    since: str | None,
    unreadable: list[str],
) -> Audited:
    told = Audit()
    names = frozenset(name for batch in batches for name in batch.info.volatile)
    context.tally.begin("reading batches", 2 * len(batches))
    good = []
    for batch in batches:
        try:
            await in_thread(told.learn, _rows(batch, names))
            good.append(batch)
        except StoreError as error:
            unreadable.append(str(error))
        context.tally.done += 1
    listed, bare, flaw = None, 0, ""
    if client is not None and since is not None:
        ours, listed = {batch.info.batch_id for batch in good}, 0

        def take(tasks: Sequence[Task]) -> None:
            nonlocal listed, bare
            assert listed is not None
            listed += len(tasks)
            bare += _take(told, tasks, ours, names)

        flaw = await look_through(client, take, since, context)
    context.tally.begin("reading batches", 2 * len(batches), done=len(batches))
    for number, batch in enumerate(good):
        try:
            await in_thread(_count, told, number, batch, names)
        except StoreError as error:  # what was counted of it so far was paid
            unreadable.append(str(error))
        context.tally.done += 1
    told.finish()
    plans = await in_thread(_plans, told, good, unreadable)
    names_of = tuple((batch.info.name, batch.info.batch_id) for batch in good)
    return Audited(names_of, told, plans, tuple(dict.fromkeys(unreadable)), listed, bare, flaw)


def _rows(batch: OpenBatch, names: frozenset[str]) -> Iterator[tuple[int, bytes]]:
    return (pair for block in batch.own.asked(names, keep=False) for pair in RECORD.iter_unpack(block))


def _count(told: Audit, number: int, batch: OpenBatch, names: frozenset[str]) -> None:
    state = batch.journal.refresh()
    told.count(number, _rows(batch, names), state.row, {row for row, _ in state.surplus()})


def _take(told: Audit, tasks: Sequence[Task], ours: set[str], names: frozenset[str]) -> int:
    """Take in the tasks that no batch of the home knows; returns how many of them show no inputs."""
    bare = 0
    for task, whose, digest in of_others(tasks, ours, names):
        if digest is None:
            bare += 1
        else:
            told.strange(digest, (task.task_id, whose, task.status))
    return bare


def _plans(told: Audit, batches: list[OpenBatch], unreadable: list[str]) -> dict[tuple[int, int], Planned]:
    """The planned rows of the requests that are told one by one.

    Those that cannot be read any more are missing.
    """
    wanted: dict[int, set[int]] = defaultdict(set)
    for _, request in told.told():
        for held in request.rows:
            wanted[held.batch].add(held.row)
    plans = dict[tuple[int, int], Planned]()
    for number, rows in wanted.items():
        try:
            for planned in batches[number].journal.rows(rows.__contains__):
                plans[number, planned.row] = planned
        except StoreError as error:
            unreadable.append(str(error))
    return plans
