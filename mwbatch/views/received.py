"""What a receiver has done when it ends."""

from collections.abc import Mapping


def summary(counts: Mapping[str, object]) -> str:
    """The counts of a receiver in one sentence, for a log;
    those of refused requests stand under ``rejected``, by reason.
    """
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
