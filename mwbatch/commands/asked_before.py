"""Asked before, and by whom: rows that would be sent are compared with every batch of the home, under its lock."""

import asyncio
import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mwbatch.commands.account import look_through
from mwbatch.commands.candidates import Candidates
from mwbatch.commands.desk import Desk
from mwbatch.commands.refusing import refused, unreadable, ways_on
from mwbatch.core.account import Account, of_others
from mwbatch.core.cells import shown
from mwbatch.core.digests import Digests, named
from mwbatch.core.facts import Withdrawn
from mwbatch.core.fold import Status
from mwbatch.core.hint import hint, typed
from mwbatch.core.hosts import kin
from mwbatch.core.overlaps import API, Ahead, Overlap, Overlaps, Repeats, consented
from mwbatch.core.plural import counted, rows
from mwbatch.errors import AskedBefore, StoreError, UsageError
from mwbatch.journal.asked import RECORD, asked
from mwbatch.journal.home import Card, Home
from mwbatch.journal.opened import Opened
from mwbatch.journal.segments import Segments

if TYPE_CHECKING:
    from mwbatch.client import Client

_IS_BATCH_ID: Final = re.compile(r"[a-z0-9]{10}").fullmatch


class Compared:
    """What a comparison with others came to: the rows, what of them was asked for before, and whom the user named."""

    def __init__(self, ahead: Ahead, overlaps: Overlaps, folders: dict[str, Path], named: list[str]) -> None:
        self.ahead, self.overlaps, self.folders, self._named = ahead, overlaps, folders, named

    def __bool__(self) -> bool:
        return self.overlaps.rows > 0

    def numbers(self) -> Iterator[int]:
        """The numbers of the rows that were asked for before."""
        return self.overlaps.numbers(self.ahead)

    def keep_consent(self, batch: Opened, at: float) -> None:
        """Keep on the card whom the user named, for the rows that the batch has now."""
        said: dict[str, float] = {"at": at, "rows": batch.state.end}
        batch.keep(again={**batch.card.again, **dict.fromkeys(self._named, said)})


async def unasked(
    home: Home,
    origin: str,
    candidates: Candidates,
    repeats: Repeats,
    desk: Desk,
    account: Account | None = None,
) -> Compared:
    """Compare rows that would be sent with those of every other batch at the same origin, and with what the account shows.

    MUST be called under the lock of the home where something is to be planned.

    Raises:
        AskedBefore: rows were asked for before, and the user did not say what is to become of them.
        UsageError: ``--again`` names what is not there.
        StoreError: a batch cannot be read: what it asked for cannot be told.
    """
    desk.tally.begin("comparing with other batches")
    card, names = candidates.card, candidates.names
    others = Others.of(home, origin, card, repeats)
    tell_departed(others.departed, desk)
    # Most homes begin with one batch, and nobody has to know what each of its rows asks for.
    own = candidates.may_repeat
    ahead = await candidates.ahead(names) if others or own or (account and account.found) else Ahead()
    overlaps = Overlaps(len(ahead))
    if ahead:
        others.refuse_unreadable(desk)
    for both, batches in others.groups.items() if ahead else ():
        fitting = ahead if both == names else await candidates.ahead(both)
        for folder, other in batches:
            allowed = consented(card.again, other.batch_id)
            told = candidates.keep and both == frozenset(other.volatile)
            try:
                await asyncio.to_thread(_take, overlaps, fitting, folder, other, both, allowed, told)
            except StoreError as error:
                raise unreadable(folder, str(error), desk) from error
    if own and ahead:
        assert candidates.batch is not None
        others.folders[card.batch_id] = candidates.batch.folder
        if card.batch_id not in others.named:
            await asyncio.to_thread(_take_own, overlaps, ahead, candidates.batch, names)
    if account is not None:
        account.add_to(
            overlaps,
            {card.batch_id, *others.folders, *others.named},
            lambda one: (lambda _: True) if one in others.named else consented(card.again, one),
            _known_to(candidates.batch),
        )
    compared = Compared(ahead, overlaps, others.folders, others.named)
    if compared and not repeats.only_new:
        raise await _refusal(home, candidates, compared, desk)
    return compared


def tell_departed(kept: list[Path], desk: Desk) -> None:
    """Tell people that nobody here knows what some batches have asked for: of each this is all that is left."""
    if kept:
        desk.tally.note(
            f"warning: what was asked for by batch {', '.join(file.stem for file in kept)} cannot be compared: it has sent "
            f"from this home, and its folder is gone. Put it back, or look through the account "
            f"with --against-api; if it was removed for good, this ends the warning: {typed('rm', *kept)}"
        )


async def _refusal(home: Home, candidates: Candidates, compared: Compared, desk: Desk) -> AskedBefore:
    """The error that says who asked for the same, and how to go on."""
    examples, overlaps = [], compared.overlaps
    for other in overlaps.there:
        assert other.example is not None
        ours, theirs = other.example
        before = f"task {shown(theirs)}"
        if isinstance(theirs, int):
            planned = Segments(compared.folders[other.batch_id], "view").read_row(theirs)
            before = f"its line {planned.line} ({shown(planned.id)})" if planned else f"its row {theirs}"
        examples.append(f"{await candidates.row(ours)} asks for what {before} asked for")
    return refused(
        overlaps, examples, await ways_on(home, candidates.source, overlaps, desk, candidates.card.batch_id)
    )


async def account_of(client: "Client", candidates: Candidates, repeats: Repeats, desk: Desk) -> Account:
    """What the tasks ask for that the account's listing shows: its first page, or all since the user said.

    It tells a wrong key, and an API that is not there, before anything is written.

    Raises:
        UsageError: not all that the user wanted was looked at.
        ApiError: the API refuses us or cannot be reached.
    """
    desk.tally.begin("asking the API")
    ours, names = candidates.card.batch_id, candidates.names
    page = await client.list_page(fresh=True)
    asked = {digest for _, _, digest in of_others(page.tasks, {ours}, names) if digest}
    # Of most pages no task asks for the same, and then nobody has to find rows by what they ask for.
    ahead = await candidates.ahead(names) if repeats.since or candidates.may_ask(asked) else Ahead()
    account = Account(ahead, ours, names)
    if repeats.since is None or not ahead:
        account.take(page.tasks)
    elif flaw := await look_through(client, account.take, repeats.since, desk):
        raise UsageError(f"the account was not looked through: {flaw}; nothing was sent")
    if candidates and account.bare:
        desk.tally.note(
            f"{account.bare:,} of {counted(account.listed, 'task')} show no inputs and cannot be compared"
        )
    return account


def _known_to(batch: Opened | None) -> Callable[[str], bool]:
    """Whether a batch knows a task; asked seldom, and then for few."""

    @cache
    def known() -> Digests:
        digests = Digests()
        for _, task in batch.state.tasks() if batch else ():
            digests.add(named(task.task_id))
        return digests

    return lambda task_id: named(task_id) in known()


def told_left_out(count: int, desk: Desk) -> int:
    """Say how many rows are left out; returns it."""
    if count:
        desk.tally.note(f"{rows(count)} left out: asked for before")
    return count


async def leave_out(batch: Opened, compared: Compared, desk: Desk) -> int:
    """Withdraw the rows that were asked for before, of those that would be sent now; returns how many."""
    state = batch.state
    gone = (number for number in compared.numbers() if number < state.end and state.is_sendable(number))
    return await batch.record_all(Withdrawn(desk.now(), row, state.row(row).fresh_attempt) for row in gone)


def _take(
    overlaps: Overlaps,
    ahead: Ahead,
    folder: Path,
    card: Card,
    names: frozenset[str],
    allowed: Callable[[int], bool],
    keep: bool,
) -> None:
    """Compare with one batch: it is folded only where it has asked for something that is asked for now."""
    places, numbers = array("Q"), array("Q")
    for block in asked(folder, names, keep=keep):
        for place, number in ahead.among(RECORD.iter_unpack(block)):
            places.append(place)
            numbers.append(number)
    if not places:
        return
    state = Segments(folder, "view").refresh()

    def status(number: int) -> Status:
        return state.row(number).status

    overlaps.take(
        ahead, Overlap(card.name, card.batch_id), zip(places, numbers, strict=True), status, allowed
    )


def _take_own(overlaps: Overlaps, ahead: Ahead, batch: Opened, names: frozenset[str]) -> None:
    """Compare with the other rows of the same batch: some were told apart before signatures were known."""
    state, card, sent = batch.state, batch.card, bytearray(batch.state.end)
    for number in ahead.numbers:
        if number < len(sent):
            sent[number] = 1
    shared = (
        (place, number)
        for block in asked(batch.folder, names, keep=False)
        for place, number in ahead.among(RECORD.iter_unpack(block))
        if number < len(sent) and not sent[number]
    )
    overlaps.take(
        ahead,
        Overlap(card.name, card.batch_id),
        shared,
        lambda number: state.row(number).status,
        consented(card.again, card.batch_id),
        own=True,
    )


class Others:
    """The other batches of a home at one origin, by the names that are volatile in comparing with each.

    ``named`` are the ids of those that the user wants paid again, which need no look; ``folders`` where each batch is;
    ``departed`` what is left of batches whose folders are gone.
    """

    def __init__(self) -> None:
        self.groups: dict[frozenset[str], list[tuple[Path, Card]]] = defaultdict(list)
        self.folders: dict[str, Path] = {}
        self.named: list[str] = []
        self.departed: list[Path] = []
        self._unreadable: list[tuple[Path, str]] = []

    def __bool__(self) -> bool:
        return bool(self.groups or self._unreadable)

    @classmethod
    def of(cls, home: Home, origin: str, ours: Card, repeats: Repeats) -> "Others":
        """Look at every card of the home.

        Raises:
            UsageError: ``--again`` names what is not there.
        """
        there, left, looked = cls(), dict.fromkeys(repeats.again), list(home.looked())
        there.departed = home.departed(card for _, card in looked)
        for folder, card in looked:
            words = [word for word in repeats.again if _means(word, folder, card)]
            for word in words:
                left.pop(word, None)
            if isinstance(card, StoreError):
                there._unreadable_at(folder, str(card), known=bool(words) or folder.name in ours.again)
                there.named += [folder.name] * bool(words)
            elif words:
                there.named.append(card.batch_id)
            elif card.batch_id != ours.batch_id and kin(card.origin) == kin(origin):
                there.groups[frozenset((*ours.volatile, *card.volatile))].append((folder, card))
                there.folders[card.batch_id] = folder
        for word in left:
            if word != API and not _IS_BATCH_ID(word):
                raise UsageError(
                    f"--again {word}: no batch of this name in {home.path}; see: {hint('status')}"
                )
            there.named.append(word)
        return there

    def _unreadable_at(self, folder: Path, reason: str, *, known: bool) -> None:
        if not known:
            self._unreadable.append((folder, reason))

    def refuse_unreadable(self, desk: Desk) -> None:
        """MUST come before anything is sent: nobody can tell what a batch asked for that cannot be read."""
        for folder, reason in self._unreadable:
            raise unreadable(folder, reason, desk)


def _means(word: str, folder: Path, card: Card | StoreError) -> bool:
    """Whether a word of the user names a batch: its folder, its id, or its manifest."""
    if isinstance(card, StoreError):
        return word == folder.name
    return word in (folder.name, card.name, card.batch_id) or str(Path(word).absolute()) == card.manifest
