"""The API key: checked once, named by a fingerprint, shown to nobody but the API."""

import re
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from hashlib import blake2b

from mwbatch.errors import UsageError


def checked(api_key: str) -> str:
    """Return a key that can be a user name of HTTP Basic auth (RFC 7617: visible ASCII, no colon).

    Raises:
        UsageError: it cannot; the message does not show it.
    """
    if not api_key:
        raise UsageError("there is no API key: set MICROWORK_API_KEY or MICROWORK_API_KEY_FILE")
    if not (api_key.isascii() and api_key.isprintable()) or " " in api_key or ":" in api_key:
        raise UsageError("the API key holds a space, a colon or a character that no key holds: copy it again")
    return api_key


def basic(api_key: str) -> str:
    """The value of the Authorization header: the key as user name, an empty password."""
    return "Basic " + b64encode(f"{api_key}:".encode("ascii")).decode("ascii")


def fingerprint(api_key: str) -> str:
    """Name a key without telling it: 64 bits of BLAKE2b, lower-case hex, the same on every machine."""
    return blake2b(api_key.encode(), digest_size=8, person=b"mwbatch api key").hexdigest()


def hiding(api_key: str) -> Callable[[bytes], bytes]:
    """What hides the key in an answer that quotes it: as it is or in Basic auth,
    percent-encoded or escaped as in JSON.
    """
    credentials = basic(api_key).removeprefix("Basic ").rstrip("=")
    pattern = "|".join("".join(map(_quoted, form)) for form in (api_key, credentials))
    return partial(re.compile(pattern.encode(), re.IGNORECASE).sub, b"***")


def _quoted(letter: str) -> str:
    """A pattern for one character, however it was quoted."""
    return (
        letter
        if letter.isalnum()
        else rf"\\*(?:{re.escape(letter)}|%(?:25)*{ord(letter):02X}|u00{ord(letter):02X})"
    )
