"""The card of a batch: what is known of the batch as a whole, in ``batch.json``."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from mwbatch.core.hosts import known
from mwbatch.core.limits import Limits
from mwbatch.core.text import BadJson, decode_object
from mwbatch.errors import OtherApi, StoreError
from mwbatch.journal.disk import content_of

FORMAT: Final = 1
CARD: Final = "batch.json"


@dataclass(frozen=True, slots=True)
class Card:
    """What stands in ``batch.json``.

    ``origin`` is the API's scheme and host, pinned; ``kids`` the callback keys that signed addresses of the batch;
    ``place`` the device and inode of the folder when it was made, so that a copy shows; ``began`` the server's clock
    before the first request; ``base`` the callback base that was used last, and ``clock`` the server's clock when the last
    run sent its first request; ``echo`` whether the listing was seen to show our addresses, for each type of task;
    ``segments`` the sizes in bytes of the segments that the last run left behind, and ``tasks`` how many tasks
    the API had told of by then, at the most; ``forgiven`` the harm to the folder that a valid sweep of the whole span has
    made up for; ``drift`` how far the dates of tasks lay from the server's clock, least and greatest in seconds, empty while that was never seen; ``behind`` the number of the last start up to which a
    listing could be believed at the beginning of a run, None where that is so of all; ``again``: by batch id, of other batches whose requests
    the user wants paid again, when (``at``) and for how many of the rows (``rows``); ``volatile`` the parameters of URLs
    that mean nothing.
    """

    name: str
    batch_id: str
    origin: str
    manifest: str
    id_column: str | None
    kids: tuple[str, ...]
    place: tuple[int, int] = (0, 0)
    began: str | None = None
    base: str | None = None
    clock: str | None = None
    echo: dict[str, bool] = field(default_factory=dict)
    segments: dict[str, int] = field(default_factory=dict)
    tasks: int = 0
    forgiven: tuple[str, ...] = ()
    drift: tuple[int, ...] = ()
    behind: int | None = None
    limits: Limits = field(default_factory=Limits)
    again: dict[str, dict[str, float]] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    format: int = FORMAT

    def pinned(self, origin: str) -> None:
        """Raise `OtherApi` where the batch belongs to another API than the one at ``origin``."""
        if known(self.origin) != known(origin):
            raise OtherApi(
                f"batch {self.name} belongs to {self.origin}, and MICROWORK_BASE_URL is {origin}: its tasks live "
                f"there; set MICROWORK_BASE_URL back (its rows need a batch of their own at another API: submit --batch NAME)"
            )

    @property
    def flaw(self) -> str:
        """What of it is of another kind than everybody relies on, since a file may hold anything; empty where nothing is."""
        words = (self.name, self.batch_id, self.origin, self.manifest, *self.kids)
        if not all(isinstance(word, str) for word in words):
            return "a name that is no text"
        if not all(isinstance(number, int) for number in (*self.place, self.tasks)):
            return "a number that is none"
        there = (self.echo, self.segments, self.again)
        return "" if all(isinstance(names, dict) for names in there) else "a table that is none"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the card of a batch folder; raises `StoreError` where it cannot be understood."""
        path = folder / CARD
        try:
            fields: dict[str, Any] = decode_object(content_of(path))
            if fields.get("format") != FORMAT:
                raise StoreError(
                    f"{path} has format {fields.get('format')!r}; use the mwbatch that made it, or a newer one"
                )
            if strange := sorted(fields.keys() - cls.__dataclass_fields__.keys()):
                raise StoreError(
                    f"{path} has fields that this mwbatch does not know ({', '.join(strange)}); use the one that wrote it"
                )
            fields |= {
                name: tuple(fields.get(name, ()))
                for name in ("kids", "place", "forgiven", "volatile", "drift")
            }
            card = cls(**fields | {"limits": Limits.stored(**fields.get("limits", {}))})
        except (OSError, BadJson, KeyError, TypeError) as error:
            raise StoreError(f"cannot read {path}: {error}") from error
        if flaw := card.flaw:
            raise StoreError(f"cannot read {path}: {flaw}")
        return card
