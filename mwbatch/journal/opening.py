"""From words to a store: the one place that knows which kinds there are."""

from pathlib import Path

from mwbatch.journal.home.home import Files
from mwbatch.journal.interface.store import Store


def store(where: Path, key_file: Path | None = None) -> Store:
    """The home that these words name: a folder, whose callback keys may lie elsewhere. Opens nothing."""
    return Files(where.absolute(), key_file)


def other_owner(where: Path) -> str:
    """Whose home it is, where it is not ours; empty where it is, or is not there yet."""
    import os  # noqa: PLC0415 (most commands need neither)
    import pwd  # noqa: PLC0415 (as above)

    try:
        uid = where.stat().st_uid
    except OSError:
        return ""
    if uid == os.geteuid():
        return ""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # in a container few users have names
        return f"user {uid}"
