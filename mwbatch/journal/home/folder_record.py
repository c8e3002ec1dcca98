"""``batch.json`` of a batch folder: the batch info, and what this home alone knows of the folder."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from dataclasses import field as a_field
from pathlib import Path
from typing import Final, Self

from mwbatch.core.codec.ids import Kid
from mwbatch.core.codec.json_codec import Json, decode_object, each, encode, field, maybe, number, table
from mwbatch.core.spending.budget import Limits
from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import DISK, Disk, content_of
from mwbatch.journal.files.replacing import Staged, aside
from mwbatch.journal.interface.batch_info import BatchInfo

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

_KNOWN: Final = frozenset(FIELDS)

_OWN: Final = ("place", "segments", "forgiven")


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """What stands in ``batch.json``.

    ``place`` is the device and inode of the folder when it was made, so that a copy shows; ``segments`` the
    sizes in bytes of the segments that the last run left behind; ``forgiven`` the harm to the folder that a
    valid sweep of the whole span has made up for.
    """

    info: BatchInfo
    place: tuple[int, int] = (0, 0)
    segments: dict[str, int] = a_field(default_factory=dict)
    forgiven: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read that of a folder; raises `StoreError` where it cannot be understood."""
        path = folder / NAME
        try:
            return cls._of(decode_object(content_of(path)), path)
        except KeyError as error:
            raise StoreError(f"cannot read {path}: {error} is missing") from error
        except (OSError, TypeError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise StoreError(f"cannot read {path}: {why}") from error

    @classmethod
    def _of(cls, fields: dict[str, Json], path: Path) -> Self:
        if fields.get("format") != FORMAT:
            raise StoreError(
                f"{path} has format {fields.get('format')!r}; use the mwbatch that made it, or a newer one"
            )
        if strange := sorted(fields.keys() - _KNOWN):
            raise StoreError(
                f"{path} has fields that this mwbatch does not know ({', '.join(strange)}); use the one that "
                "wrote it"
            )
        device, inode = each(fields, "place", int) or (0, 0)
        sizes = table(fields, "segments")
        return cls(
            _info(fields),
            (device, inode),
            {name: field(sizes, name, int) for name in sizes},
            each(fields, "forgiven", str),
        )

    def write(self, folder: Path, disk: Disk = DISK, put: Callable[[Staged], None] = Staged.replace) -> None:
        """Write it into a folder, whole or not at all; ``put`` gives it its place.

        Raises:
            OSError: it cannot be.
        """
        own = {name: getattr(self, name) for name in _OWN}
        fields = asdict(self.info) | own | {"format": FORMAT}
        with aside(folder / NAME, disk) as new:
            new.write(encode({name: fields[name] for name in FIELDS}) + b"\n")
            put(new)


def _info(fields: dict[str, Json]) -> BatchInfo:
    echo, again = table(fields, "echo"), table(fields, "again")
    return BatchInfo(
        name=field(fields, "name", str),
        batch_id=field(fields, "batch_id", str),
        origin=field(fields, "origin", str),
        manifest=field(fields, "manifest", str),
        id_column=None if fields["id_column"] is None else field(fields, "id_column", str),
        kids=tuple(map(Kid, each(fields, "kids", str))),
        began=maybe(fields, "began", str),
        base=maybe(fields, "base", str),
        clock=maybe(fields, "clock", str),
        echo={kind: field(echo, kind, bool) for kind in echo},
        tasks=maybe(fields, "tasks", int) or 0,
        drift=each(fields, "drift", int),
        behind=maybe(fields, "behind", int),
        limits=_limits(table(fields, "limits")),
        again={batch: _numbers(table(again, batch)) for batch in again},
        volatile=each(fields, "volatile", str),
    )


def _numbers(said: dict[str, Json]) -> dict[str, float]:
    return {name: number(said, name) for name in said}


def _limits(said: dict[str, Json]) -> Limits:
    if strange := said.keys() - {"max_tasks", "price", "max_cost"}:
        raise TypeError(f"limits of other names: {', '.join(sorted(strange))}")
    amounts = {name: number(said, name) for name in said if said[name] is not None}
    return Limits.stored(maybe(said, "max_tasks", int), amounts.get("price"), amounts.get("max_cost"))
