"""The callback keys of a home: ``keys.json``, made once although submitter and receiver may race.

::

    {"keys": [{"kid": "81c0", "secret": "…", "made_at": "…"}],     the newest last
     "retired": [{"kid": "07fe", "made_at": "…", "retired_at": "…"}]}

`rotation` changes the file afterwards.
"""

import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mwbatch.core.api.address import Key
from mwbatch.core.codec.ids import Kid
from mwbatch.core.codec.json_codec import BadJson, Json, decode_object, encode, field, maybe, objects
from mwbatch.core.codec.plain_text import text_of
from mwbatch.core.codec.times import iso
from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.files.disk import DISK, Disk, read_own
from mwbatch.journal.files.replacing import aside
from mwbatch.journal.keys.keyring import Keys, RetiredKey


def load(path: Path) -> Keys | None:
    """Read a key file; None when there is none.

    Raises:
        UsageError: others may read it, or it holds no usable key.
        StoreError: it cannot be read.
    """
    try:
        with read_own(path) as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read the callback keys in {path}: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"others can read the callback keys in {path}; close it: chmod 600 {path}")
    try:
        keys = _read(text)
    except (BadJson, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} holds no usable callback keys ({error}); restore it from a copy") from None
    if not keys.live:
        raise UsageError(f"{path} holds no callback key; restore it from a copy")
    return keys


def _read(text: bytes) -> Keys:
    if not text.strip():
        raise BadJson("it is empty")
    fields = decode_object(text_of(text).encode())
    live, retired = objects(fields["keys"]), objects(fields.get("retired", []))
    if live is None or retired is None:
        raise TypeError("no list of keys")
    return Keys(tuple(map(_live, live)), tuple(map(_retired, retired)))


def _live(key: dict[str, Json]) -> Key:
    secret = bytes.fromhex(field(key, "secret", str))
    return Key(Kid(field(key, "kid", str)), secret, maybe(key, "made_at", str))


def _retired(key: dict[str, Json]) -> RetiredKey:
    return RetiredKey(Kid(str(key["kid"])), maybe(key, "made_at", str), maybe(key, "retired_at", str))


def written(keys: Keys) -> bytes:
    """The text of a key file."""
    fields = {
        "keys": [{"kid": key.kid, "secret": key.secret.hex(), "made_at": key.made_at} for key in keys.live],
        "retired": [
            {"kid": key.kid, "made_at": key.made_at, "retired_at": key.retired_at} for key in keys.retired
        ],
    }
    return encode(fields) + b"\n"


def new_key(at: float, but: frozenset[Kid] = frozenset()) -> Key:
    """A random key whose name is none of ``but``; ``at`` is in seconds since the epoch."""
    kid = Kid(secrets.token_hex(2))
    while kid in but:
        kid = Kid(secrets.token_hex(2))
    return Key(kid, secrets.token_bytes(32), written_time(at))


def written_time(at: float) -> str:
    """Seconds since the epoch as a key file writes them, ISO 8601."""
    return iso(datetime.fromtimestamp(at, UTC))


def load_or_make(path: Path, disk: Disk = DISK, clock: Callable[[], float] = time.time) -> Keys:
    """Read the key file, made first when there is none; of two processes that race, both get the same.

    Raises:
        StoreError: it cannot be made.
    """
    if keys := load(path):
        return keys
    try:
        _make(path, disk, clock())
    except OSError as error:
        raise StoreError(f"cannot make the callback keys in {path}: {error.strerror}") from error
    keys = load(path)
    if keys is None:
        raise StoreError(f"cannot make the callback keys in {path}: it is a link that leads nowhere")
    return keys


def _make(path: Path, disk: Disk, at: float) -> None:
    """Put a key file in place, whole and durable, unless another one is there first."""
    disk.make_folder(path.parent)
    with aside(path, disk) as new:
        new.write(written(Keys((new_key(at),))))
        with suppress(FileExistsError):  # the other process was first: its keys are the keys
            new.put()
    disk.sync_folder(path.parent)
