"""What a receiver has done when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass

from mwbatch.errors import Exit


@dataclass(frozen=True, slots=True)
class Received:
    """The counts of a receiver; those of refused requests stand under ``rejected``, by reason."""

    counts: Mapping[str, object]
    exit: Exit = Exit.DONE

    def sentence(self) -> str:
        """All of it in one sentence, for a log."""
        counts = self.counts
        text = (
            f"received {counts['received']:,} callbacks: {counts['stored']:,} stored, "
            f"{counts['repeated']:,} repeated"
        )
        for name, words in (("inbox", "for batches that are not here"), ("mismatched", "with two task ids")):
            text += f", {counts[name]:,} {words}" if counts[name] else ""
        rejected = counts["rejected"]
        assert isinstance(rejected, dict)
        if rejected:
            text += "; not answered 200: " + ", ".join(f"{count:,} {why}" for why, count in rejected.items())
        return text

    def text(self) -> str:
        """Nothing more: the sentence was told."""
        return ""

    def json(self) -> dict[str, object]:
        """The counts."""
        return dict(self.counts)
