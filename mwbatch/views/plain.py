"""Results that need few words."""

from dataclasses import dataclass

from mwbatch.core.text import Json
from mwbatch.errors import Exit


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has said what there was to say: a server that was stopped, lines that were printed."""

    exit: Exit = Exit.DONE

    def text(self) -> str:
        """Nothing more."""
        return ""

    def json(self) -> Json:
        """Nothing more."""
        return None


@dataclass(frozen=True, slots=True)
class Plain:
    """A JSON value that is for people, too: indented."""

    value: Json
    exit: Exit = Exit.DONE

    def text(self) -> str:
        """The value as indented JSON."""
        import orjson  # noqa: PLC0415 (only to indent)

        return orjson.dumps(self.value, option=orjson.OPT_INDENT_2).decode()

    def json(self) -> Json:
        """The value."""
        return self.value
