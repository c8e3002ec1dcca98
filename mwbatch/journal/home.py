"""The home: the folder of all batches, their keys, and the inbox of callbacks whose batch is not here yet.

::

    keys.json, home.lock
    {name}/batch.json, lock, digests.bin, rows/, journal/, results/, rejects/
    inbox/{batch id}/results/, rejects/
    .begun/{batch id}.jsonl
    .written.jsonl
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from mwbatch.core.address import Key
from mwbatch.core.batch_names import wrong_with
from mwbatch.core.hint import hint
from mwbatch.core.text import encode
from mwbatch.errors import NameTaken, StoreError, UsageError
from mwbatch.journal.begun import FOLDER as BEGUN
from mwbatch.journal.begun import Begun
from mwbatch.journal.card import CARD
from mwbatch.journal.card import Card as Card  # noqa: PLC0414 (the home hands it out)
from mwbatch.journal.disk import DISK, Disk
from mwbatch.journal.home_lock import LOCK
from mwbatch.journal.keys import NAME as KEYS
from mwbatch.journal.keys import Keys, load, load_or_make
from mwbatch.journal.replacing import Aside, aside

INBOX: Final = "inbox"
TAKEN: Final = frozenset((INBOX, KEYS, LOCK))
"""Names that no batch can have."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Home:
    """One home folder. Looking into it creates nothing."""

    def __init__(self, path: Path, key_file: Path | None = None, disk: Disk = DISK) -> None:
        self.path, self._disk = path, disk
        self.key_path = key_file or path / KEYS

    def kept_keys(self) -> Keys | None:
        """The callback keys as they are; None where none were ever made.

        Raises:
            UsageError: they are unusable, or missing although a batch has addresses signed with one.
        """
        keys = load(self.key_path)
        if keys is None and (orphans := [card.name for _, card in self.cards() if card.kids]):
            raise UsageError(
                f"{self.key_path} is gone, but batch {orphans[0]} has addresses signed with it; restore it from a copy: "
                f"new keys would refuse the callbacks that people are being paid for"
            )
        return keys

    def keys(self) -> Keys:
        """The callback keys, made at the first call ever; raises as `kept_keys` does, since none are made anew."""
        return self.kept_keys() or load_or_make(self.key_path, self._disk)

    def strange_keys(self, card: Card) -> str:
        """What to tell of a batch with addresses signed with keys that are not here; empty where all are. Raises as `keys`."""
        missing = sorted({*card.kids} - self.keys().kids) if card.kids else []
        if not missing:
            return ""
        return (
            f"batch {card.name} has addresses signed with callback key {', '.join(missing)}, which {self.key_path} does not "
            f"have (was the batch moved here?): callbacks at them are refused. Name the file that has it with "
            f"--callback-key-file, or fetch what they would bring: {hint('reconcile', card.name, '--wait')}"
        )

    def departed(self, there: Iterable[Card | StoreError]) -> list[Path]:
        """What is kept of batches that have sent from this home and are not ``there``, by the cards that `looked` gives.

        None where one of these cannot be looked into: it may be the one that is missing.
        """
        known = {card.batch_id if isinstance(card, Card) else "" for card in there}
        if "" in known:
            return []
        return sorted(file for file in (self.path / BEGUN).glob("[a-z0-9]*.jsonl") if file.stem not in known)

    def signing_key(self) -> Key:
        """The key that signs new addresses, durable before this returns.

        Raises:
            UsageError: as `keys`.
            StoreError: its durability cannot be had.
        """
        key = self.keys().newest
        try:
            # Another process may have put the file in place this moment, and not have synced the folder yet.
            self._disk.sync_folder(self.key_path.resolve().parent)
        except PermissionError:
            pass  # a folder that is not ours to read: whoever may write there sees to it
        except OSError as error:
            raise StoreError(f"cannot sync {self.key_path.parent}: {error.strerror}") from error
        return key

    def cards(self) -> Iterator[tuple[Path, Card]]:
        """Each batch folder with its card, by name.

        Raises:
            StoreError: the home, or a batch in it, cannot be looked into.
        """
        for folder in self._folders():
            if _holds_batch(folder):
                yield folder, Card.read(folder)

    def looked(self) -> Iterator[tuple[Path, Card | StoreError]]:
        """The same, but where a batch cannot be looked into, why: facts without a card are a batch, too.

        Raises:
            StoreError: the home cannot be looked into.
        """
        return ((folder, card) for folder in self._folders() if (card := _card_or_why(folder)))

    def readable(self) -> Iterator[tuple[Path, Card]]:
        """The same without those: who looks for one batch is not stopped by another. MUST NOT tell what was asked before."""
        return ((folder, card) for folder, card in self.looked() if isinstance(card, Card))

    def has_folders(self) -> bool:
        """Whether there may be a batch here at all; raises as `cards`."""
        return any(path.is_dir() for path in self._folders())

    def _folders(self) -> list[Path]:
        try:
            return sorted(self.path.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            # MUST NOT look empty: the rows of a batch that is not seen would be paid again.
            raise StoreError(f"cannot read {self.path}: {error.strerror}") from error

    def refuse_copies(self, folder: Path, card: Card) -> None:
        """Raise `StoreError` where the home has a batch twice: each folder would send what the other one does not know."""
        for other, its in self.looked():
            if other != folder and isinstance(its, Card) and its.batch_id == card.batch_id:
                copy = other if place_of(folder) == card.place else folder
                raise StoreError(
                    f"{folder} and {other} are the same batch, and what one sends the other would send again: move the copy, "
                    f"{copy}, out of {self.path}, then run the same command again"
                )

    def find(self, batch: str) -> tuple[Path, Card]:
        """The folder and the card of a batch, by its name, by the path of its manifest, or by the name that somebody gave its folder.

        Raises:
            UsageError: there is none; the message lists those that are there.
            StoreError: what has this name cannot be looked into.
        """
        looked = list(self.looked())
        there = [(folder, card) for folder, card in looked if isinstance(card, Card)]
        path = os.path.abspath(batch)  # noqa: PTH100 (Path would not resolve "..")
        for folder, card in there:
            if card.name == batch:
                return folder, card
        fitting = [(folder, card) for folder, card in there if card.manifest == path] or [
            (folder, card) for folder, card in there if known_paths(path) & known_paths(card.manifest)
        ]
        fitting = fitting or [(folder, card) for folder, card in there if folder.name == batch]
        if len({card.batch_id for _, card in fitting}) == 1:
            return fitting[0]
        if fitting:
            names = ", ".join(card.name for _, card in fitting)
            raise UsageError(f"several batches were made from {batch}: {names}; name the one that you mean")
        for folder, why in looked:
            if folder.name == batch and isinstance(why, StoreError):
                raise why
        from difflib import get_close_matches  # noqa: PLC0415 (needed here alone)

        names = (
            ", ".join(card.name for _, card in there) or f"none yet: {hint('submit', 'MANIFEST')} makes one"
        )
        known = {
            name: card.name
            for _, card in there
            for name in (card.name, card.manifest, Path(card.manifest).name)
        }
        close = get_close_matches(batch, known, 1, 0.7)
        meant = f" (did you mean {known[close[0]]}?)" if close else ""
        with suppress(OSError):  # the word may be too long for a path
            if not meant and Path(path).is_file():
                meant = " (no batch was made from this file yet: submit it first)"
        raise UsageError(f"no batch {batch} in {self.path}{meant}; batches there: {names}")

    def check_new(self, name: str) -> None:
        """See that a new batch may have this name; raises `UsageError` where it may not."""
        check_name(name)
        if wrong := wrong_with(name, TAKEN, (folder.name for folder in self._folders())):
            raise UsageError(wrong)

    def create(self, card: Card) -> tuple[Path, Card]:
        """Make a new batch, durable before this returns; of several that do so at once, one does.

        A folder without a card, as a crash leaves it, is used.

        Raises:
            NameTaken: a batch is there.
            UsageError: the name cannot be that of a folder.
            StoreError: the folder cannot be made, or has lost its card.
        """
        self.check_new(card.name)
        folder = self.path / card.name
        if any(folder.glob("*/*.jsonl")) and not _holds_batch(folder):
            raise StoreError(
                f"{folder} has facts of a batch, and its {CARD} is gone: put it back from a copy of the folder; a new "
                f"batch would know nothing of what was sent"
            )
        try:
            self._disk.make_folder(folder)
            card = replace(card, place=place_of(folder))
            with self._aside(folder, card) as new:
                new.put()
        except FileExistsError:
            raise NameTaken(
                f"{folder} is the folder of batch {Card.read(folder).name}: name that one with --batch, or another one"
            ) from None
        except OSError as error:
            raise StoreError(f"cannot make {folder}: {error.strerror}") from error
        return folder, card

    def write(self, folder: Path, card: Card) -> Card:
        """Write the card of a batch, whole or not at all."""
        try:
            with self._aside(folder, card) as new:
                new.replace()
        except OSError as error:
            raise StoreError(f"cannot write {folder / CARD}: {error.strerror}") from error
        return card

    @contextmanager
    def _aside(self, folder: Path, card: Card) -> Iterator[Aside]:
        with aside(folder / CARD, self._disk) as new:
            new.write(encode(asdict(card)) + b"\n")
            yield new

    def begun(self, batch_id: str) -> Begun:
        """What is kept outside of a batch's folder of how far it has come."""
        return Begun(self.path / BEGUN / f"{batch_id}.jsonl", self._disk)

    def inbox(self, batch_id: str) -> Path:
        """The folder for callbacks of a batch that is not here."""
        return self.path / INBOX / batch_id


def check_name(name: str) -> None:
    """Raise `UsageError` for what cannot be the name of a batch, which is that of a folder."""
    if not _NAME.fullmatch(name) or name in TAKEN:
        raise UsageError(f"a batch cannot be named {name!r}: letters, digits, '.', '_', '-'; see --batch")


def _holds_batch(folder: Path) -> bool:
    """Whether a name in the home is that of a batch; raises `StoreError` where nobody can tell."""
    try:
        (folder / CARD).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if not _NAME.fullmatch(folder.name):  # the lost+found of a file system, and the like
            return False
        raise StoreError(f"cannot read {folder}: {error.strerror}") from error
    return True


def _card_or_why(folder: Path) -> Card | StoreError | None:
    try:
        if _holds_batch(folder):
            return Card.read(folder)
    except StoreError as error:
        return error
    return StoreError(f"{folder / CARD} is gone") if any(folder.glob("rows/*.jsonl")) else None


def known_paths(path: str) -> frozenset[str]:
    """The paths by which a manifest is known: its own, and where that leads to if it is a link."""
    try:
        return frozenset((path, os.path.realpath(path)))
    except ValueError:  # a NUL: no file has such a path
        return frozenset((path,))


def place_of(folder: Path) -> tuple[int, int]:
    """Device and inode of a folder: a copy of it has others.

    Raises:
        StoreError: it cannot be looked at.
    """
    try:
        stat = folder.stat()
    except OSError as error:
        raise StoreError(f"cannot look at {folder}: {error.strerror}") from error
    return stat.st_dev, stat.st_ino
