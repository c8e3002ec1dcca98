"""The record of a batch folder, ``batch.json``: the card, and what this home alone knows of the folder."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from mwbatch.core.limits import Limits
from mwbatch.core.text import BadJson, decode_object, encode
from mwbatch.errors import StoreError
from mwbatch.journal.card import Card
from mwbatch.journal.disk import DISK, Disk, content_of
from mwbatch.journal.replacing import Aside, aside

NAME: Final = "batch.json"
FORMAT: Final = 1

FIELDS: Final = (
    *(
        "name",
        "batch_id",
        "origin",
        "manifest",
        "id_column",
        "kids",
        "place",
        "began",
        "base",
        "clock",
        "echo",
    ),
    *("segments", "tasks", "forgiven", "drift", "behind", "limits", "again", "volatile", "format"),
)
"""The names as they stand in the file, in their order."""

_TUPLES: Final = ("kids", "place", "forgiven", "volatile", "drift")
_OWN: Final = ("place", "segments", "forgiven")


@dataclass(frozen=True, slots=True)
class Record:
    """What stands in ``batch.json``.

    ``place`` is the device and inode of the folder when it was made, so that a copy shows; ``segments`` the
    sizes in bytes of the segments that the last run left behind; ``forgiven`` the harm to the folder that a
    valid sweep of the whole span has made up for.
    """

    card: Card
    place: tuple[int, int] = (0, 0)
    segments: dict[str, int] = field(default_factory=dict)
    forgiven: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read that of a folder; raises `StoreError` where it cannot be understood."""
        path = folder / NAME
        try:
            record = cls._of(decode_object(content_of(path)), path)
        except (OSError, BadJson, KeyError, TypeError) as error:
            why = getattr(error, "strerror", None) or error
            raise StoreError(f"cannot read {path}: {why}") from error
        if flaw := record.flaw:
            raise StoreError(f"cannot read {path}: {flaw}")
        return record

    @classmethod
    def _of(cls, fields: dict[str, Any], path: Path) -> Self:
        if fields.get("format") != FORMAT:
            raise StoreError(
                f"{path} has format {fields.get('format')!r}; use the mwbatch that made it, or a newer one"
            )
        if strange := sorted(fields.keys() - {*FIELDS}):
            raise StoreError(
                f"{path} has fields that this mwbatch does not know ({', '.join(strange)}); use the one that "
                "wrote it"
            )
        fields |= {name: tuple(fields.get(name, ())) for name in _TUPLES}
        own = {name: fields.pop(name) for name in _OWN if name in fields}
        del fields["format"]
        return cls(Card(**fields | {"limits": Limits.stored(**fields.get("limits", {}))}), **own)

    @property
    def flaw(self) -> str:
        """What of it is of another kind than everybody relies on, since a file may hold anything.

        Empty where nothing is.
        """
        card = self.card
        words = (card.name, card.batch_id, card.origin, card.manifest, *card.kids)
        if not all(isinstance(word, str) for word in words):
            return "a name that is no text"
        if not all(isinstance(number, int) for number in (*self.place, card.tasks)):
            return "a number that is none"
        there = (card.echo, self.segments, card.again)
        return "" if all(isinstance(names, dict) for names in there) else "a table that is none"

    def write(self, folder: Path, disk: Disk = DISK, put: Callable[[Aside], None] = Aside.replace) -> None:
        """Write it into a folder, whole or not at all; ``put`` gives it its place.

        Raises:
            OSError: it cannot be.
        """
        own = {name: getattr(self, name) for name in _OWN}
        fields = asdict(self.card) | own | {"format": FORMAT}
        with aside(folder / NAME, disk) as new:
            new.write(encode({name: fields[name] for name in FIELDS}) + b"\n")
            put(new)
