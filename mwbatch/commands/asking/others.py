"""The other batches of a home that may have asked for the same, and what is left of those that are gone."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

from mwbatch.commands.asking.refusing import unreadable
from mwbatch.commands.context.context import Context
from mwbatch.core.spending.overlaps import API, Repeats
from mwbatch.core.urls.hosts import kin
from mwbatch.core.words.hint import hint
from mwbatch.errors import UsageError
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.ref import Ref, UnusableBatch
from mwbatch.journal.interface.store import Departed, Store

_IS_BATCH_ID: Final = re.compile(r"[a-z0-9]{10}").fullmatch


class Others:
    """The other batches of a home at one origin, by the names that are volatile in comparing with each.

    ``named`` are the ids of those that the user wants paid again, which need no look; ``refs`` the batches by
    their ids; ``departed`` what is left of those that are gone.
    """

    def __init__(self) -> None:
        self.groups: dict[frozenset[str], list[Ref]] = defaultdict(list)
        self.refs: dict[str, Ref] = {}
        self.named: list[str] = []
        self.departed: Departed | None = None
        self._unreadable: list[UnusableBatch] = []

    def __bool__(self) -> bool:
        return bool(self.groups or self._unreadable)

    @classmethod
    def of(cls, store: Store, origin: str, ours: BatchInfo, repeats: Repeats) -> "Others":
        """Look at every batch info of the home.

        Raises:
            UsageError: ``--again`` names what is not there.
        """
        there, left, looked = cls(), dict.fromkeys(repeats.again), list(store.batches())
        there.departed = store.departed(looked)
        for one in looked:
            words = [word for word in repeats.again if _means(word, one)]
            for word in words:
                left.pop(word, None)
            if isinstance(one, UnusableBatch):
                there._unreadable += [one] * (not words and one.name not in ours.again)
                there.named += [one.name] * bool(words)
            elif words:
                there.named.append(one.info.batch_id)
            elif one.info.batch_id != ours.batch_id and kin(one.info.origin) == kin(origin):
                there.groups[frozenset((*ours.volatile, *one.info.volatile))].append(one)
                there.refs[one.info.batch_id] = one
        for word in left:
            if word != API and not _IS_BATCH_ID(word):
                raise UsageError(
                    f"--again {word}: no batch of this name in {store.where}; see: {hint('status')}"
                )
            there.named.append(word)
        return there

    def refuse_unreadable(self, context: Context) -> None:
        """MUST come before anything is sent: nobody can tell what a batch asked for that cannot be read."""
        for one in self._unreadable:
            raise unreadable(one, one.why, context)


def _means(word: str, one: Ref | UnusableBatch) -> bool:
    """Whether a word of the user names a batch: by its name here or of its own, its id, or its manifest."""
    if isinstance(one, UnusableBatch):
        return word == one.name
    info = one.info
    return word in (one.name, info.name, info.batch_id) or str(Path(word).absolute()) == info.manifest


def tell_departed(gone: Departed | None, context: Context) -> None:
    """Tell people that nobody here knows what some batches have asked for."""
    if gone is not None:
        context.tally.note(
            f"warning: what was asked for by batch {', '.join(gone.batch_ids)} cannot be compared: it has "
            f"sent from this home, and its folder is gone. Put it back, or look through the account "
            f"with --against-api; if it was removed for good, this ends the warning: {gone.forget}"
        )
