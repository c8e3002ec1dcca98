"""What a command came to, as whoever shows it takes it: every view is a function that makes one of a value.

Imported wherever a verb is, so it imports next to nothing itself.
"""

from dataclasses import dataclass

from mwbatch.errors import Exit


@dataclass(frozen=True, slots=True)
class Result:
    """``words`` for people, on lines without a trailing newline; ``value`` for pipes, as JSON, None where
    there is nothing to say; the exit code. ``folds``: words that a narrow terminal shows on more lines.
    """

    words: str = ""
    value: object = None
    exit: Exit = Exit.DONE
    folds: bool = True


def plain(value: object) -> Result:
    """A JSON value that is for people, too: indented."""
    from mwbatch.core.codec.json_codec import indented  # noqa: PLC0415 (few ask for it)

    return Result(indented(value), value, folds=False)
