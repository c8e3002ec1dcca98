"""The callback keys of a home: ``keys.json``, made once although submitter and receiver may race."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mwbatch.core.address import Address, Key
from mwbatch.core.text import BadJson, decode_object, encode
from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.disk import DISK, Disk

NAME: Final = "keys.json"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that live now, the newest last: it signs new addresses, all of them verify."""

    live: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        """The key that signs new addresses."""
        return self.live[-1]

    def verify(self, address: Address) -> bool:
        """Whether one of the live keys made this address."""
        return any(key.kid == address.kid and address.signed_by(key) for key in self.live)


def load(path: Path) -> Keys | None:
    """Read a key file; None when there is none.

    Raises:
        UsageError: others may read it, or it holds no usable key.
        StoreError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read the callback keys in {path}: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"others can read the callback keys in {path}; close it: chmod 600 {path}")
    try:
        live = tuple(Key(item["kid"], bytes.fromhex(item["secret"])) for item in decode_object(text)["keys"])
    except (BadJson, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} holds no usable callback keys ({error}); restore it from a copy") from None
    if not live:
        raise UsageError(f"{path} holds no callback key; restore it from a copy")
    return Keys(live)


def load_or_make(path: Path, disk: Disk = DISK) -> Keys:
    """Read the key file, made first when there is none; of two processes that race, both get the same.

    Raises:
        StoreError: it cannot be made.
    """
    if keys := load(path):
        return keys
    try:
        _make(path, disk)
    except OSError as error:
        raise StoreError(f"cannot make the callback keys in {path}: {error.strerror}") from error
    keys = load(path)
    assert keys is not None
    return keys


def _make(path: Path, disk: Disk) -> None:
    """Put a key file in place, whole and durable, unless another one is there first."""
    disk.make_folder(path.parent)
    kid, secret = secrets.token_hex(2), secrets.token_hex(32)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    disk.write_file(aside, encode({"keys": [{"kid": kid, "secret": secret}]}) + b"\n")
    try:
        os.link(aside, path)
    except FileExistsError:
        pass  # the other process was first: its keys are the keys
    finally:
        aside.unlink()
    disk.sync_folder(path.parent)
