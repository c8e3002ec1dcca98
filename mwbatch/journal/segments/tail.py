"""Reading on: what was written to a folder of a batch since the last look, without reading anything twice.

One way for all who follow a growing journal: the state that is kept in step, the results as they come, the
tasks that a receiver watches. What a writer took back again, since its disk was full, stays known until
`is_cut` is asked.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Generic

from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import read_own
from mwbatch.journal.interface.health import Damage, DamageKind
from mwbatch.journal.segments.scan import Taken, Tip, placed, segments_in


class Tail(Generic[Taken]):
    """Some folders of a batch, in this order, each segment read on from where the last look at it ended.

    ``take`` makes of a line what is wanted, as `placed` says; a line that is not whole yet waits for the next
    look.
    """

    def __init__(self, folder: Path, names: Sequence[str], take: Callable[[bytes], Taken]) -> None:
        self._folder, self._take = folder, take
        self._tips: dict[Path, Tip] = {}
        self._damage: dict[str, list[Damage]] = {name: [] for name in names}

    @property
    def damage(self) -> dict[str, list[Damage]]:
        """What could not be used, by folder, as of the last look that was read to its end."""
        return self._damage

    def is_cut(self) -> bool:
        """Whether something that was read is not there any more.

        A writer cuts off what a full disk did not take.
        """
        return any(_is_cut(path, tip) for path, tip in self._tips.items())

    def look(self) -> Iterator[tuple[Path, int, Taken]]:
        """What is new with its segment and byte offset.

        Of a segment that is cut everything. Raises as `placed`.
        """
        for path, lines in self._segments():
            for offset, taken in lines:
                yield path, offset, taken

    def catch_up(self) -> None:
        """The same, for a ``take`` that keeps what it wants."""
        for _, lines in self._segments():
            deque(lines, maxlen=0)

    def _segments(self) -> Iterator[tuple[Path, Iterator[tuple[int, Taken]]]]:
        for name, damage in self._damage.items():
            # What is bad at an end is met again, or has become something by now.
            damage[:] = [one for one in damage if one.kind is DamageKind.DAMAGED]
            for path in segments_in(self._folder / name):
                tip = self._tips.setdefault(path, Tip())
                yield path, placed(path, partial(_note, damage), self._take, tip=tip)


def _note(damage: list[Damage], one: Damage) -> None:
    if one not in damage:
        damage.append(one)


def _is_cut(path: Path, tip: Tip) -> bool:
    try:
        with read_own(path) as file:
            return not tip.fits(file.fileno())
    except FileNotFoundError:  # a segment that vanishes was empty
        return tip.end > 0
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
