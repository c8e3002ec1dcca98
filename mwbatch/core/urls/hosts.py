"""Which API a base URL means, which hosts are this machine, which are near, and what that allows."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from mwbatch.core.words.values import SETTLE_FLOOR
from mwbatch.errors import BadValue, UsageError

_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(r"(?!.{254})[0-9a-z_-]{1,63}(\.[0-9a-z_-]{1,63})*")
"""What can be looked up (RFC 1035 section 2.3.4), and underscores, which some networks allow themselves."""


def origin(url: str) -> str:
    """The one form in which an API is known, of any base URL that leads to it.

    Lower case, no default port, no slash or dot at the end, an IP address in its shortest form; the path as
    it is.

    Raises:
        UsageError: not an absolute http or https URL, or one with a user, a query or a fragment; no password
            is quoted.
    """
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, _host(parts.hostname or "")
    except ValueError:
        raise UsageError("the base URL cannot be read: check MICROWORK_BASE_URL") from None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
        raise UsageError("the base URL must be http(s)://host[:port][/path]: check MICROWORK_BASE_URL")
    if parts.query or parts.fragment:
        raise UsageError("the base URL has a query or a fragment: check MICROWORK_BASE_URL")
    shown = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}{parts.path}".rstrip("/")


def names_host(url: str) -> bool:
    """Whether a URL names a host that can be looked up."""
    try:
        return bool(_host(urlsplit(url.strip()).hostname or ""))
    except ValueError:
        return False


def without_user(url: str) -> str:
    """What may be shown of a URL, or of what was meant to be one: all behind the last ``@``,
    since a password may stand before it.
    """
    before, at, rest = url.rpartition("@")
    return f"…@{rest}" if at and before else url


def known(stored: str) -> str:
    """The origin of a batch info or a fact, which an older version may have written in another form:
    as `origin` has it.
    """
    try:
        return origin(stored)
    except UsageError:
        return stored


def kin(stored: str) -> str:
    """An origin as batches are compared by it: all names of this machine are one.

    They may lead to several servers (one at 127.0.0.1, one at ::1), so a batch stays with the one that it
    names; but what was asked for at one of them may have been asked for at the other.
    """
    plain = known(stored)
    host = host_of(plain)
    # whoever calls these gets to this machine
    here = is_loopback(host) or host in ("0.0.0.0", "::")  # noqa: S104
    return plain.replace(f"[{host}]" if ":" in host else host, "localhost", 1) if here else plain


def _host(name: str) -> str:
    """A host in one form; raises ValueError for what cannot be one."""
    address = _address(name)
    if address is not None:
        return f"[{address.compressed}]" if address.version == 6 else address.compressed
    plain = name.removesuffix(".").encode("idna").decode() if not name.isascii() else name.removesuffix(".")
    if plain and not _NAME.fullmatch(plain := plain.lower()):
        raise ValueError("no name of a host")
    plain.encode().decode(
        "idna"
    )  # raises UnicodeError, which is a ValueError, for what begins with xn-- and says nothing
    return plain


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a host is; None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def settle_at(seconds: float, origin: str) -> None:
    """Raise `BadValue` where a settle time is too short for the API at ``origin``."""
    if seconds < SETTLE_FLOOR and not is_loopback(host_of(origin)):
        raise BadValue(
            "settle",
            seconds,
            "too short: a request may arrive minutes after it was given up, and a row would be paid twice; "
            f"at least {SETTLE_FLOOR:g} unless the API is on this machine",
        )


def host_of(url: str) -> str:
    """The host that a URL names, without port and brackets."""
    return urlsplit(url).hostname or ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: by its name, or its IP address."""
    if (address := _address(host)) is not None:
        return address.is_loopback
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def is_near(host: str) -> bool:
    """Whether a host is this machine, or stands in a network that strangers do not route."""
    if (address := _address(host)) is not None:
        return not address.is_global
    return is_loopback(host) or host.rstrip(".").lower().endswith(".local")
