"""Names that are made: of a batch, of its folder, of the home."""

import os
import re
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from mwbatch.core.words.batch_names import in_ascii, is_reserved, unreserved, wrong_with
from mwbatch.errors import UsageError

INBOX: Final = "inbox"
KEYS: Final = "keys.json"
LOCK: Final = "home.lock"
TAKEN: Final = frozenset((INBOX, KEYS, LOCK))
"""Names that no batch can have: a folder home has them for itself, and batches may move there."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def is_name(name: str) -> bool:
    """Whether a batch may ever have been named so."""
    return bool(_NAME.fullmatch(name))


def check_name(name: str) -> None:
    """Raise `UsageError` for what cannot be the name of a batch, which is that of a folder."""
    if not is_name(name) or name in TAKEN:
        raise UsageError(f"a batch cannot be named {name!r}: letters, digits, '.', '_', '-'; see --batch")


_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 of them, so that each byte at random gives each as often."""


def new_batch_id() -> str:
    """A short random batch id: 50 bits, lower-case letters and digits."""
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in os.urandom(10))


def check_new(name: str, there: Iterable[str]) -> None:
    """Raise `UsageError` where a new batch may not have this name beside those that are there."""
    check_name(name)
    if wrong := wrong_with(name, TAKEN, there):
        raise UsageError(wrong)


def name_for(manifest: str) -> str:
    """The name that a batch gets from the file name of its manifest."""
    stem = _stem(manifest)
    said = in_ascii(stem)
    name = _plain(said)
    if any(letter.isalnum() and not letter.isascii() for letter in said):
        # MUST differ for each such file: what is left of its name says little, or nothing.
        name = f"{name[:90]}-{_digest(stem)}" if name else ""
    return _unreserved(name[:100] or _unsaid(stem))


def former_name(manifest: str) -> str:
    """The name that it got from versions that left out every letter beyond ASCII."""
    stem = _stem(manifest)
    return _unreserved(_plain(stem)[:100] or _unsaid(stem))


def _stem(manifest: str) -> str:
    return re.sub(r"(\.(csv|jsonl|ndjson|gz))+$", "", Path(manifest).name, flags=re.IGNORECASE)


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.").lstrip("-._")


def _unreserved(name: str) -> str:
    return unreserved(name) if is_reserved(name, TAKEN) else name


def _unsaid(stem: str) -> str:
    """The name for a file whose name has nothing that a folder's may have: each has one of its own."""
    return f"batch-{_digest(stem)}" if stem else "batch"


def _digest(stem: str) -> str:
    return blake2b(stem.encode(errors="surrogateescape"), digest_size=3).hexdigest()


def default_home() -> Path:
    """The user's data directory for mwbatch, whatever the working directory is.

    Raises:
        UsageError: nobody can tell where that is; a place in the working directory would be another one in
        each.
    """
    from platformdirs import user_data_path  # noqa: PLC0415 (not needed when MWBATCH_HOME is set)

    try:
        home = user_data_path("mwbatch")
    except RuntimeError:
        home = Path()
    if not home.is_absolute():
        raise UsageError(
            "this user has no home directory (HOME, or an entry in the list of users): name a folder for all "
            "batches with --home or MWBATCH_HOME"
        )
    return home
