"""The laws of a store, of its keyring, and of what it keeps of a batch beside the facts:
every store passes them.

A store's test is a class a suite with a ``make`` of its own: ``class TestMine(StoreLaws)``.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import LIMITS
from mwbatch.callbacks.storing.unusable_callbacks import UnusableCallbacks
from mwbatch.core.api.address import Address, mac
from mwbatch.core.api.unusable import Unusable
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.facts.digests import stable_digest
from mwbatch.core.facts.kinds import Fact
from mwbatch.core.manifest.image_size import Measured
from mwbatch.core.state.row_status import Status
from mwbatch.errors import BatchBusy, NameTaken, UsageError
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.belongings import RECORD, Keep, Mailbox
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.distrust import forgive, suspicions
from mwbatch.journal.interface.journal import Intake, Journal
from mwbatch.journal.interface.open_batch import OpenBatch, look, looking
from mwbatch.journal.interface.ref import usable
from mwbatch.journal.interface.store import Store
from mwbatch.journal.keys.home_keys import kept_keys, keys_of, signing_key
from tests.support.facts import answer, plan, show, start

INFO = BatchInfo("logos", "b234567890", "https://api.test", "/manifests/logos.csv", "id", ())
AT = 1_700_000_000.0


class Made(ABC):
    """A store for each test."""

    @abstractmethod
    def make(self, folder: Path) -> Store:
        """A new store, which may keep things in a folder of its own."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        """The store, in which nothing is."""
        return self.make(tmp_path / "home")


class StoreLaws(Made):
    """What list, find, create, open, act, holder and planning promise."""

    def test_nothing_is_there_at_first(self, store: Store) -> None:
        """A store begins empty, says so, and looking leaves it so."""
        assert list(store.batches()) == []
        assert store.departed(store.batches()) is None
        with pytest.raises(UsageError, match=r"no batch logos in .*none yet"):
            store.find("logos")
        assert list(store.batches()) == []

    def test_what_was_created_is_found(self, store: Store) -> None:
        """A batch is found by its name and by its manifest's path, and has the info that it was made with."""
        ref = store.create(INFO)
        assert ref == store.find("logos") == store.find("/manifests/logos.csv")
        assert (ref.info, ref.name, store.open(ref).info) == (INFO, "logos", INFO)
        assert list(store.batches()) == [ref]

    def test_batches_come_by_name(self, store: Store) -> None:
        """Whatever the order in which they were made."""
        for name in ("b", "c", "a"):
            store.create(replace(INFO, name=name, batch_id=name))
        assert [ref.name for ref in usable(store.batches())] == ["a", "b", "c"]

    def test_a_name_is_given_once(self, store: Store) -> None:
        """A second batch of a name is refused, and the first one is what it was."""
        store.create(INFO)
        with pytest.raises(NameTaken, match="logos"):
            store.create(replace(INFO, batch_id="c234567890"))
        assert store.find("logos").info == INFO

    @pytest.mark.parametrize("name", ["", ".hidden", "a/b", "inbox", "Keys.json", "CON", "LOGOS", "x" * 101])
    def test_some_names_are_nobodys(self, store: Store, name: str) -> None:
        """What no disk could take, or would take for another one, names no batch, whoever keeps it."""
        store.create(INFO)
        for ask in (lambda: store.check_new(name), lambda: store.create(replace(INFO, name=name))):
            with pytest.raises(UsageError):
                ask()

    def test_who_errs_hears_what_may_be_meant(self, store: Store) -> None:
        """An unknown word names the batches that are there, and the one that is nearly it."""
        store.create(INFO)
        with pytest.raises(UsageError, match=r"did you mean logos\?.*batches there: logos"):
            store.find("logo")

    def test_one_manifest_of_two_batches_is_not_enough(self, store: Store) -> None:
        """Where two batches were made from one manifest each is found by its name alone."""
        for name in ("a", "b"):
            store.create(replace(INFO, name=name, batch_id=name))
        with pytest.raises(UsageError, match="a, b"):
            store.find(INFO.manifest)
        assert store.find("b").info.batch_id == "b"

    async def test_one_at_a_time_acts(self, store: Store) -> None:
        """Whoever comes while another one acts is refused, in the same process too;
        afterwards the batch is free.
        """
        ref = store.create(INFO)
        assert store.holder(ref) is None
        async with store.act(ref, "submit") as batch:
            assert (batch.acting, store.open(ref).acting) == (True, False)
            assert "mwbatch submit" in str(store.holder(ref))
            with pytest.raises(BatchBusy, match="mwbatch submit"):
                async with store.act(ref, "cancel"):
                    pass
            assert batch.term is not None
            assert batch.term.alive
            batch.hold()
        assert store.holder(ref) is None
        async with store.act(ref, "cancel") as batch:
            batch.hold()

    async def test_two_batches_know_nothing_of_each_other(self, store: Store) -> None:
        """Who acts on one batch holds up nobody at another one, and writes none of its facts."""
        one, other = store.create(INFO), store.create(replace(INFO, name="other", batch_id="c234567890"))
        async with store.act(one, "submit") as first, store.act(other, "submit") as second:
            await first.record([plan(0)])
            await second.record([plan(0), plan(1)])
        assert [(await look(store, ref)).state.planned for ref in (one, other)] == [1, 2]

    @pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError])
    async def test_the_lock_goes_however_it_is_left(self, store: Store, error: type[BaseException]) -> None:
        """By an error or cancelled, the batch is free afterwards, and what was recorded is there."""
        ref = store.create(INFO)

        async def work() -> None:
            async with store.act(ref, "submit") as batch:
                await batch.record([plan(0)])
                raise error

        with pytest.raises(error):
            await work()
        assert store.holder(ref) is None
        assert (await look(store, ref)).state.planned == 1

    async def test_who_acts_knows_what_is_there_now(self, store: Store) -> None:
        """Under the lock the batch info and the facts are those of this moment,
        not those of when the batch was found.
        """
        ref = store.create(INFO)
        async with store.act(ref, "submit") as batch:
            await batch.record([plan(0)])
            batch.keep(kids=("k1",))
        async with store.act(ref, "resume") as batch:
            assert (batch.info.kids, batch.state.planned) == (("k1",), 1)

    async def test_who_only_looks_may_write_what_he_saw(self, store: Store) -> None:
        """Without the lock a batch is read as it is, and what the API showed is recorded."""
        ref = store.create(INFO)
        async with looking(store, ref, "reconcile") as batch:
            await batch.record([plan(0), show(1)])
        seen = await look(store, ref)
        assert seen.state.by_status()[Status.PENDING] == 1
        assert seen.report().home == store.where

    def test_one_has_the_turn(self, store: Store) -> None:
        """Of two who would plan one waits; it may be taken twice by who has it,
        and released by who has not.
        """
        one, other = store.planning(), store.planning()
        assert [one.take(), one.take(), other.take()] == [True, True, False]
        other.release()
        assert not other.take()
        one.release()
        assert other.take()
        other.release()

    def test_a_file_is_known_by_its_content(self, store: Store, tmp_path: Path) -> None:
        """What was written from a home is known until somebody changes it;
        its user's paths are not the store's.
        """
        store.create(INFO)
        file = tmp_path / "export.csv"
        file.write_text("a,b\n")
        assert not store.written.knows(file)
        store.written.note((file, file))
        assert (store.written.knows(file), store.written.claims(file)) == (True, False)
        file.write_text("a,c\n")
        assert not store.written.knows(file)


class KeyringLaws(Made):
    """What load, make, rotate, retire and mark promise."""

    def test_looking_makes_none(self, store: Store) -> None:
        """Keys are made by who needs them, and not by who looks."""
        assert (store.keys.load(), kept_keys(store)) == (None, None)
        keys = keys_of(store)
        assert keys == store.keys.load() == store.keys.make() == keys_of(store)
        assert signing_key(store) == keys.newest

    def test_a_new_key_signs_and_the_old_one_verifies(self, store: Store) -> None:
        """After a rotation both verify what they signed; retired, the old one does no more,
        and its name is kept.
        """
        old, new = store.keys.rotate(AT).newest, store.keys.rotate(AT).newest
        address = Address(old.kid, "b1", RowNumber(1), Attempt(1), mac(old, "b1", RowNumber(1), Attempt(1)))
        keys = store.keys.load()
        assert keys is not None
        assert (old.kid != new.kid, keys.newest, keys.verify(address)) == (True, new, True)
        retired = store.keys.retire(old.kid, AT + 1)
        assert retired == store.keys.load() == store.keys.retire(old.kid, AT + 9)
        assert (retired.is_retired(old.kid), retired.verify(address), old.kid in retired.kids) == (
            True,
            False,
            True,
        )

    def test_the_newest_is_never_retired(self, store: Store) -> None:
        """Nor one that there never was; the keys are as before."""
        kid = store.keys.rotate(AT).newest.kid
        for name, words in ((kid, "make another one first"), ("zz", "no callback key 'zz'")):
            with pytest.raises(UsageError, match=words):
                store.keys.retire(Kid(name), AT)
        assert signing_key(store).kid == kid

    def test_a_change_shows_without_reading(self, store: Store) -> None:
        """The mark differs after each change, and stays while there is none."""
        marks = [store.keys.mark()]
        store.keys.make()
        marks.append(store.keys.mark())
        assert store.keys.mark() == marks[-1]
        kid = signing_key(store).kid
        store.keys.rotate(AT)
        marks.append(store.keys.mark())
        store.keys.retire(kid, AT)
        marks.append(store.keys.mark())
        assert len({*marks}) == 4


class BelongingsLaws(Made):
    """What is promised of a batch beside its facts: batch info, trust, inbox, what did not fit, sizes,
    what rows ask for.
    """

    async def opened(self, store: Store, *facts: Fact) -> OpenBatch:
        """The batch with some facts."""
        if not list(store.batches()):
            store.create(INFO)
        batch = await look(store, store.find("logos"))
        await batch.record(facts)
        return batch

    async def test_the_batch_info_is_kept(self, store: Store) -> None:
        """What was changed in the batch info is there for the next one, and the rest as it was."""
        batch = await self.opened(store)
        assert batch.own.has(batch.info)
        batch.keep(began="now", echo={"tagging": True})
        assert store.find("logos").info == replace(INFO, began="now", echo={"tagging": True})
        assert (store.open(batch.ref).info, batch.own.has(INFO)) == (batch.info, False)

    async def test_what_was_forgiven_is_told_no_more(self, store: Store) -> None:
        """Nothing speaks against a batch at first; a hole does, until it is forgiven;
        another one does again.
        """
        batch = await self.opened(store, plan(0))
        assert suspicions(batch) == []
        await batch.record([plan(4)])
        assert suspicions(batch) == ["3 planned rows are gone"]
        forgive(batch, suspicions(batch))
        assert (suspicions(batch), suspicions(await look(store, batch.ref))) == ([], [])
        await batch.record([show(1, row=0)])
        assert suspicions(batch) == ["1 rows have an outcome and no start"]
        assert not batch.own.damage()

    async def test_known_tasks_are_not_forgotten(self, store: Store) -> None:
        """How many tasks the API had told of is known to whoever opens the batch later,
        also where fewer are seen then.
        """
        store.create(INFO)
        async with store.act(store.find("logos"), "submit") as batch:
            await batch.start(start(1, ((0, 3),)))
            await batch.record([show(1, f"t-{row}", row=row) for row in range(3)])
        later = store.open(store.find("logos"))
        assert (later.known_tasks(), later.own.trust.was_sent(), later.state.confirmed()) == (3, True, 0)

    async def test_what_was_known_at_the_end_is_not_forgotten(self, store: Store) -> None:
        """How many tasks were known at the beginning of a run, and at its end, is known to the next."""
        batch = await self.opened(store)
        batch.own.trust.begin(3)
        assert store.open(batch.ref).own.trust.tasks() == 3
        batch.own.trust.end(9)
        assert store.open(batch.ref).own.trust.tasks() == 9

    async def test_what_came_before_the_batch_is_taken_in(self, store: Store) -> None:
        """Callbacks of an id that is not here are put into its inbox, and are the batch's once it is;
        a second time nothing is new.
        """
        room = store.mailroom("receiver", Commits())
        box = room.mailbox(INFO.batch_id)
        box.journal.index()
        assert await box.journal.append([answer(1)]) == [True]
        await box.close()
        assert (box.is_inbox, room.inboxes()) == (True, [INFO.batch_id])
        batch = await self.opened(store, plan(0), plan(1))

        assert [await batch.own.take_in(keeping(batch.journal)) for _ in range(2)] == [1, 0]
        assert (await look(store, batch.ref)).state.by_status()[Status.COMPLETED] == 1

    async def test_what_was_seen_of_the_clock_is_kept(self, store: Store) -> None:
        """How far the dates of tasks lie from the server's clock is known to the next run,
        which begins its listings by it.
        """
        await self.opened(store)
        async with store.act(store.find("logos"), "submit") as batch:
            batch.drift.created([("2024-01-01T00:00:07.000Z", "Mon, 01 Jan 2024 00:00:00 GMT")])
            seen = batch.drift.kept
        assert store.find("logos").info.drift == seen == (7, 7)

    async def test_a_batch_is_found_as_the_same(self, store: Store) -> None:
        """However often it is looked for it is one batch, which may stand in a set."""
        await self.opened(store)
        assert len({store.find("logos"), store.find("logos")}) == 1

    async def test_a_batch_that_is_here_takes_its_own(self, store: Store) -> None:
        """What comes for a batch that is here is in its journal at once,
        and what waited in the inbox shows, and is moved.
        """
        room = store.mailroom("receiver", Commits())
        before = room.mailbox(INFO.batch_id)
        before.journal.index()
        await before.journal.append([answer(1)])
        await before.close()
        await self.opened(store, plan(0), plan(1))
        box = room.mailbox(store.find("logos"))
        room.look()
        box.check()
        box.journal.index()
        assert (box.is_inbox, room.gone, bool(box.waiting())) == (False, "", True)
        await box.journal.append([answer(1, row=1)])
        assert await box.take_in(keeping(box.journal)) == 1
        assert box.waiting() == ()
        await box.close()
        assert (await look(store, store.find("logos"))).state.by_status()[Status.COMPLETED] == 2

    async def test_what_did_not_fit_is_kept_once(self, store: Store) -> None:
        """Each reject once, wherever it came in, in the order of its coming,
        and no more than there is room for.
        """
        room, rejects = (
            store.mailroom("receiver", Commits()),
            [_reject(row, at=9.0 - row) for row in range(3)],
        )
        inbox = room.mailbox(INFO.batch_id)
        assert inbox.keep_reject(rejects[0], 10_000)
        assert inbox.keep_reject(rejects[1], 10_000)
        await inbox.close()
        batch = await self.opened(store)
        box = room.mailbox(batch.ref)
        assert [box.keep_reject(one, 10_000) for one in (rejects[1], rejects[2])] == [True, True]
        assert not box.keep_reject(_reject(7, at=1.0), 10)
        await box.close()
        assert batch.own.rejects() == rejects[::-1]

    async def test_the_receiver_keeps_them_so(self, store: Store) -> None:
        """A reject that the receiver is given is with the batch once it has closed."""
        batch = await self.opened(store)
        box, counts = store.mailroom("receiver", Commits()).mailbox(batch.ref), Counts()

        async def mailbox(_: str) -> Mailbox:
            return box

        rejects = UnusableCallbacks(mailbox, counts, LIMITS)
        rejects.keep(
            Address(Kid("k1"), INFO.batch_id, RowNumber(3), Attempt(1), "0" * 32), "not_json", b"{", AT
        )
        await rejects.close()
        await box.close()
        assert ([one.row for one in batch.own.rejects()], counts.kept) == ([3], 1)

    async def test_sizes_are_kept(self, store: Store) -> None:
        """A size is known to who added it at once, and to the next one once it is flushed."""
        batch = await self.opened(store)
        sizes = batch.own.image_sizes()
        sizes.add(5, Measured(640, 480))
        assert (sizes.get(5), sizes.get(4), sizes.get(99)) == (Measured(640, 480), None, None)
        sizes.flush()
        assert (await look(store, batch.ref)).own.image_sizes().get(5) == Measured(640, 480)

    async def test_what_rows_ask_for_is_told(self, store: Store) -> None:
        """Each row with its stable digest, whether it is kept for the next time or not;
        rows that were added later too.
        """
        batch = await self.opened(store, plan(0), plan(1))
        for end, keep in ((2, False), (2, True), (3, True)):
            await batch.record([plan(row) for row in range(2, end)])
            told = [one for block in batch.own.asked(keep=keep) for one in RECORD.iter_unpack(block)]
            assert told == [(n, stable_digest(p.type, p.request)) for n, p in enumerate(batch.journal.rows())]
        assert batch.planned(2) == plan(2)


def keeping(journal: Journal | Intake) -> Keep:
    """What is taken in goes into this journal."""

    async def keep(facts: Sequence[Fact]) -> int:
        return sum(await journal.append(facts))

    return keep


def _reject(row: int, at: float) -> Unusable:
    return Unusable.of(
        Address(Kid("k1"), INFO.batch_id, RowNumber(row), Attempt(1), "0" * 32), "not_json", b"{", at, 100
    )
