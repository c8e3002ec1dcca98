"""What a folder home keeps of a batch beside its facts: in the batch's folder, its inbox, and ``.begun``."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import Disk
from mwbatch.journal.home.begun import Begun
from mwbatch.journal.home.folder_record import NAME, FolderRecord
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.belongings import Keep
from mwbatch.journal.interface.health import Damage, DamageKind, shrunk
from mwbatch.journal.segments.folders import JOURNAL, RESULTS, ROWS
from mwbatch.journal.segments.journal import Segments, damage_of, segment_sizes
from mwbatch.journal.segments.unusable_folder import distinct

if TYPE_CHECKING:
    from mwbatch.core.api.unusable import Unusable
    from mwbatch.journal.home.image_sizes import ImageSizes

MOVED: Final = (
    "the folder was copied or restored: it is another one on the disk "
    "than the one that this batch last wrote to"
)


class BatchFolder:
    """The folder of one batch as its home keeps it.

    ``record`` is what stands in it now, or will by the next `write`.
    """

    def __init__(
        self, journal: Segments, record: FolderRecord, inbox: Path, begun: Begun, disk: Disk
    ) -> None:
        self.path, self.journal, self._inbox, self.begun, self._disk = (
            journal.folder,
            journal,
            inbox,
            begun,
            disk,
        )
        self.record = self._written = record
        self.trust = FolderTrust(self)

    def has(self, info: BatchInfo) -> bool:
        """Whether all stands there already."""
        return self._written == replace(self.record, info=info)

    def write(self, info: BatchInfo) -> None:
        """Write it."""
        self.record = replace(self.record, info=info)
        try:
            self.record.write(self.path, self._disk)
        except OSError as error:
            raise StoreError(f"cannot write {self.path / NAME}: {error.strerror}") from error
        self._written = self.record

    def damage(self) -> list[Damage]:
        """Rows that are gone, then those of the journal as it was read last, and of the inbox as it is now.

        Of what is gone it is the rows that count: what else is lost the API shows once more.
        """
        gone = [damage for damage in self.shrunk() if damage.where.startswith(f"{self.path / ROWS}/")]
        return [*gone, *self.journal.health().lost, *damage_of(self._inbox)]

    def shrunk(self) -> list[Damage]:
        """What segments have lost that were larger once.

        Nothing where the folder was taken away with all of them.
        """
        known = (
            self.trust.known_sizes() if self.path.is_dir() else {}
        )  # MUST come first: segments grow meanwhile
        return shrunk(self.path, known, segment_sizes(self.path))

    def asked(
        self, volatile: Collection[str] = (), *, keep: bool = True, whole: bool = False
    ) -> Iterator[bytes]:
        """What the rows ask for, by the file beside them as far as that goes."""
        from mwbatch.journal.home.row_digests import asked  # noqa: PLC0415 (only who sends compares)

        lost = self.trust.lost_rows() if whole else []
        damage: list[Damage] = []
        yield from asked(self.path, volatile, keep=keep, report=damage.append)
        if whole and (lost := [*lost, *map(_harmed, damage)]):
            raise StoreError(f"batch {self.record.info.name} has lost rows ({lost[0]})")

    def image_sizes(self) -> "ImageSizes":
        """Those in the folder."""
        from mwbatch.journal.home.image_sizes import ImageSizes  # noqa: PLC0415 (only some exports need them)

        return ImageSizes(self.path)

    async def take_in(self, keep: Keep) -> int:
        """Move what is in the inbox."""
        from mwbatch.journal.home.inbox import merge  # noqa: PLC0415 (asyncio, as in `Segments`)

        return await merge(self._inbox, self.path, self.journal, keep) if self._inbox.is_dir() else 0

    def rejects(self) -> "list[Unusable]":
        """Those in the folder and in the inbox."""
        return distinct(self.path, self._inbox)

    def close(self) -> None:
        """Release the file outside."""
        self.begun.close()


class FolderTrust:
    """Trust in a folder: it is where it was made, and no segment is shorter than it was known to be."""

    def __init__(self, folder: BatchFolder) -> None:
        self._folder = folder

    @property
    def forgiven(self) -> tuple[str, ...]:
        """As it stands in the record."""
        return self._folder.record.forgiven

    def forgive(self, words: Collection[str]) -> None:
        """Keep them, and where the folder is now."""
        folder = self._folder
        forgiven = tuple(dict.fromkeys((*self.forgiven, *words)))
        folder.record = replace(folder.record, forgiven=forgiven, place=place_of(folder.path))
        folder.write(folder.record.info)

    def moved(self) -> list[str]:
        """Whether the folder is another one than was made."""
        is_here = place_of(self._folder.path) == self._folder.record.place
        return [] if is_here else [MOVED]

    def lost(self) -> list[str]:
        """Damage first, then what is gone."""
        return [*self._damaged(), *self._gone()]

    def lost_rows(self) -> list[str]:
        """What is gone of the segments of rows."""
        return [words for words in self._gone() if words.startswith(f"{ROWS}/")]

    def was_sent(self) -> bool:
        """Whether there ever was a segment of a journal."""
        return any(name.startswith(JOURNAL) for name in self.known_sizes())

    def tasks(self) -> int:
        """By the batch info, and by what is noted outside."""
        return max(self._folder.record.info.tasks, self._folder.begun.tasks())

    def known_sizes(self) -> dict[str, int]:
        """How large each segment was, by the record and by what is noted outside, which is read."""
        return _greatest(self._folder.record.segments, self._folder.begun.sizes())

    def measure(self, *, ended: bool = False) -> None:
        """The sizes of the segments. What was more before stays so: that loss shows."""
        folder, there = self._folder, segment_sizes(self._folder.path)
        if not ended:  # results may be growing this moment, and not be durable yet
            there = {name: size for name, size in there.items() if not name.startswith(f"{RESULTS}/")}
            there |= folder.journal.written
        folder.record = replace(folder.record, segments=_greatest(self.known_sizes(), there))

    def begin(self, tasks: int) -> None:
        """Write them beside the batches."""
        self._folder.begun.write(self._folder.record.segments, tasks)

    def go_on(self) -> None:
        """Add the size of our own segment."""
        written = self._folder.journal.written
        name = next(name for name in written if name.startswith(JOURNAL))
        self._folder.begun.add(name, written[name])

    def end(self, tasks: int) -> None:
        """Write the sizes, unless they stand there."""
        begun, sizes = self._folder.begun, self._folder.record.segments
        if (begun.sizes(), begun.tasks()) != (sizes, tasks):
            begun.write(sizes, tasks)

    def _damaged(self) -> Iterator[str]:
        for damage in self._folder.journal.health().damage:
            if damage.kind is DamageKind.DAMAGED or (damage.kind is DamageKind.TORN and _matters(damage)):
                yield _harmed(damage)

    def _gone(self) -> Iterator[str]:
        for one in self._folder.shrunk():
            yield f"{_segment(one)} has lost {one.size} bytes" if one.offset else f"{_segment(one)} is gone"


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


def _matters(damage: Damage) -> bool:
    """Whether a torn end may hide a ``started``.

    It should not have been acknowledged, but a bad disk tears too.
    """
    return _segment(damage).startswith((f"{ROWS}/", f"{JOURNAL}/"))


def _harmed(damage: Damage) -> str:
    return f"{_segment(damage)} is {damage.kind} at byte {damage.offset}, {damage.size} bytes"


def _segment(damage: Damage) -> str:
    """The segment below the folder of its batch."""
    return "/".join(Path(damage.where).parts[-2:])


def _greatest(*there: Mapping[str, int]) -> dict[str, int]:
    """For each name the greatest size."""
    names = dict.fromkeys(name for sizes in there for name in sizes)
    return {name: max(sizes.get(name, 0) for sizes in there) for name in names}
