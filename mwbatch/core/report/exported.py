"""What an export came to, as plain values."""

from dataclasses import dataclass, field

from mwbatch.core.report.checked import Checked
from mwbatch.core.words.plural import rows
from mwbatch.errors import Exit


@dataclass(slots=True)
class Exported(Checked):
    """An export; all but the first three are counts.

    ``rows`` of the batch, ``completed`` of them with an answer; ``images`` and ``tags`` that were written,
    and the images among them ``without_tags``; ``without_size``: images whose size nobody knows, left out
    where the format needs it. ``outside`` and ``without_area``: boxes that reach beyond their image, or have
    no area; ``clipped`` those that were cut to it, ``dropped`` those that were left out, as was wanted;
    ``turned`` those of which an extent was below 0, ``as_sent`` those that the answer tells no numbers of.
    Left out, and with them the pictures that they lie in (``unusable``): boxes of which nothing lies within
    (``gone``), tags whose numbers are none (``unplaced``; a table has their line); answers without a list of
    tags (``unreadable``). ``oriented``: pictures that are stored turned, of whose boxes some fit but one of
    their frames (``only_displayed``, ``only_stored``).
    """

    batch: str
    format: str
    path: str
    rows: int = 0
    completed: int = 0
    images: int = 0
    tags: int = 0
    without_tags: int = 0
    without_size: int = 0
    left_out: int = 0
    outside: int = 0
    without_area: int = 0
    clipped: int = 0
    dropped: int = 0
    turned: int = 0
    as_sent: int = 0
    gone: int = 0
    unplaced: int = 0
    unusable: int = 0
    unreadable: int = 0
    oriented: int = 0
    only_displayed: int = 0
    only_stored: int = 0
    damaged: int = 0
    categories: list[str] = field(default_factory=list)
    stopped: bool = False
    unfinished: bool = False
    """Whether completeness was demanded and is not there."""

    @property
    def exit(self) -> Exit:
        """0, as `results`; 3 when completeness was demanded and is not there."""
        return Exit.UNFINISHED if self.unfinished else Exit.DONE

    def why(self) -> str:
        """That rows are missing in it."""
        return f"{self.path} has {self.completed:,} of {rows(self.rows)} of batch {self.batch}"

    def json(self) -> dict[str, object]:
        """The object for scripts."""
        return {
            "batch": self.batch,
            "format": self.format,
            "path": None if self.stopped else self.path,
            "rows": self.rows,
            "completed": self.completed,
            "images": self.images,
            "tags": self.tags,
            "without_tags": self.without_tags,
            "without_size": self.without_size,
            "left_out": self.left_out,
            "outside": self.outside,
            "without_area": self.without_area,
            "clipped": self.clipped,
            "dropped": self.dropped,
            "turned": self.turned,
            "as_sent": self.as_sent,
            "gone": self.gone,
            "unplaced": self.unplaced,
            "unusable": self.unusable,
            "unreadable": self.unreadable,
            "oriented": self.oriented,
            "only_displayed": self.only_displayed,
            "only_stored": self.only_stored,
            "damaged_lines": self.damaged,
            "categories": self.categories,
        }
