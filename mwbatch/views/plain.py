"""Results that need few words; imported wherever a verb is, so it imports next to nothing itself."""

from dataclasses import dataclass

from mwbatch.errors import Exit


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has said what there was to say: a server that was stopped, lines that were printed."""

    exit: Exit = Exit.DONE

    def text(self) -> str:
        """Nothing more."""
        return ""

    def json(self) -> object:
        """Nothing more."""
        return None


@dataclass(frozen=True, slots=True)
class Plain:
    """A JSON value that is for people, too: indented."""

    value: object
    exit: Exit = Exit.DONE

    def text(self) -> str:
        """The value as indented JSON."""
        from mwbatch.core.text import indented  # noqa: PLC0415 (few ask for it)

        return indented(self.value)

    def json(self) -> object:
        """The value."""
        return self.value
