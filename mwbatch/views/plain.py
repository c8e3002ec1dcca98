"""What a result is to whoever shows it, and results that need few words.

Imported wherever a verb is, so it imports next to nothing itself.
"""

from dataclasses import dataclass
from typing import Protocol

from mwbatch.errors import Exit


class Result(Protocol):
    """What a command came to: it prints itself for people and for pipes, and knows its exit code."""

    @property
    def exit(self) -> Exit:
        """The exit code."""
        ...

    def text(self) -> str:
        """Words for people."""
        ...

    def json(self) -> object:
        """A JSON value for pipes."""
        ...


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


@dataclass(frozen=True, slots=True)
class Page(Plain):
    """An object whose ``text`` people read as it stands."""

    value: dict[str, object]

    def text(self) -> str:
        """Its text."""
        return str(self.value["text"]).rstrip("\n")
