"""What the environment says beside the options: a variable, the proxies, the API key and its file."""

import os
import stat
from pathlib import Path

from mwbatch.core.codec.plain_text import MOST, NoText, text_of
from mwbatch.core.urls.proxies import Proxies
from mwbatch.core.words.hint import hint
from mwbatch.core.words.values import BASE_URL
from mwbatch.errors import UsageError


def variable(name: str, unset: str) -> str | None:
    """What a variable of the environment says; None where it is not set. ``unset`` is what that means,
    in words.

    Raises:
        UsageError: it is set, and blank: neither a value nor none, and taken for none it would lift a limit,
            or pay.
    """
    value = os.environ.get(name)
    if value is not None and not value.strip():
        raise UsageError(f"{name} is set, but empty: unset {name} {unset}, or give it a value")
    return value


def rooted(name: str, unset: str) -> Path | None:
    """The path that a variable names, None where it is not set; raises as `variable`, and for one that is
    not absolute: it would be another place in each working directory.
    """
    value = variable(name, unset)
    if value is None:
        return None
    if not Path(value).is_absolute():
        raise UsageError(
            f"{name} is {value!r}, which is another place in each working directory: make it "
            f"absolute, such as {Path(value).expanduser().absolute()}"
        )
    return Path(value)


def base_url() -> str:
    """Where the API is, as ``MICROWORK_BASE_URL`` says; else the real one. Raises as `variable`."""
    return variable("MICROWORK_BASE_URL", f"for {BASE_URL}") or BASE_URL


def proxies() -> Proxies:
    """What ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` say, in capitals or not;
    one that is empty names none.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    from urllib.request import getproxies_environment

    return getproxies_environment()


def api_key() -> str:
    """The API key, from ``MICROWORK_API_KEY`` or the file that ``MICROWORK_API_KEY_FILE`` names;
    never a flag.

    Raises:
        UsageError: neither is set, one that is needed is blank, or the file cannot be read.
    """
    if key := variable(
        "MICROWORK_API_KEY", "to have it read from the file that MICROWORK_API_KEY_FILE names"
    ):
        return key.strip()
    path = variable("MICROWORK_API_KEY_FILE", "and set MICROWORK_API_KEY to the key")
    if path is None:
        raise UsageError(
            "no API key: set MICROWORK_API_KEY, or MICROWORK_API_KEY_FILE to a file that holds it "
            f"(to try without one: {hint('simulate')})"
        )
    try:
        with Path(path).open("rb") as file:
            key = text_of(file.read(MOST + 1)).strip()
    except (OSError, NoText) as error:
        what = f"is {error}" if isinstance(error, NoText) else f"cannot be read ({error.strerror or error})"
        raise UsageError(
            f"{path}, which MICROWORK_API_KEY_FILE names, {what}: it should hold the API key"
        ) from None
    if not key:
        raise UsageError(f"{path}, which MICROWORK_API_KEY_FILE names, is empty")
    return key


def exposed_key_file() -> Path | None:
    """The file that the API key is read from, where everybody on this machine may read it, too; else None,
    as for a pipe.
    """
    path = os.environ.get("MICROWORK_API_KEY_FILE")
    if not path or os.environ.get("MICROWORK_API_KEY"):
        return None
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return None
    return Path(path) if stat.S_ISREG(mode) and mode & stat.S_IROTH else None
