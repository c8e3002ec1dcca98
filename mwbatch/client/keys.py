"""The API key: checked once, named by a fingerprint, shown to nobody but the API."""

from base64 import b64encode
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
