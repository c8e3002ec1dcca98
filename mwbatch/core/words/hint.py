"""Commands that people are told to type: each passes this door, so that all of them can be found, tried,
and run as they stand.

What somebody typed to say where things are (``--home``, ``--base-url``) is said again, else the command would
go elsewhere.
"""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from mwbatch.core.words.printable import cell

_NO_HOME: Final = frozenset(("help", "simulate", "tasks"))
_NO_API: Final = frozenset(
    ("export", "help", "keys", "make-annotating", "results", "serve-callbacks", "simulate", "status")
)
TAKEN_BY: Final[Mapping[str, frozenset[str]]] = {
    "--home": _NO_HOME,
    "--callback-key-file": _NO_HOME,
    "--base-url": _NO_API,
}
"""The options that are said again, with the verbs that do not have them."""

_ESCAPED: Final = {"'": "\\'", "\\": "\\\\"}

_given: ContextVar[Mapping[str, str] | None] = ContextVar("given", default=None)


@contextmanager
def given(options: Mapping[str, str]) -> Iterator[None]:
    """Within the block say again what the user typed of `TAKEN_BY`, with every command that he is told."""
    before = _given.set(options)
    try:
        yield
    finally:
        _given.reset(before)


def hint(verb: str, *words: str | Path) -> str:
    """A command of mwbatch to type, quoted for a shell; ``verb`` may have a second word,
    such as ``keys list``.
    """
    again = [
        word
        for option, value in (_given.get() or {}).items()
        if verb.split(maxsplit=1)[0] not in TAKEN_BY[option]
        for word in (option, value)
    ]
    return typed("mwbatch", *verb.split(), *words, *again)


def typed(*words: str | Path) -> str:
    r"""Words as a shell is given them, on one line;
    what no terminal may get is written by its bytes (``$'a\012b'``).
    """
    return " ".join(
        shlex.quote(word) if cell(word) == word else _by_bytes(word) for word in map(_safe, words)
    )


def _by_bytes(word: str) -> str:
    """Quoted as bash, zsh and POSIX have it since 2024: an octal number has three digits,
    whatever comes behind it.
    """
    return f"$'{''.join(_octal(one) if cell(one) != one else _ESCAPED.get(one, one) for one in word)}'"


def _octal(character: str) -> str:
    # What was no UTF-8 in the name of a file is a lone half of a character, and is that byte again.
    errors = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", errors))


def _safe(word: str | Path) -> str:
    """A path that begins as options do, so that it is none."""
    return f"./{word}" if isinstance(word, Path) and str(word).startswith("-") else str(word)
