"""Which hosts are this machine, which are near, and what that allows."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from mwbatch.core.values import SETTLE_FLOOR
from mwbatch.errors import BadValue, UsageError


def settle_at(seconds: float, origin: str) -> None:
    """Raise `BadValue` where a settle time is too short for the API at ``origin``."""
    if seconds < SETTLE_FLOOR and not is_loopback(host_of(origin)):
        raise BadValue(
            "settle",
            seconds,
            f"too short: a request may arrive minutes after it was given up, and a row would be paid twice; at least "
            f"{SETTLE_FLOOR:g} unless the API is on this machine",
        )


def host_of(url: str) -> str:
    """The host that a URL names, without port and brackets."""
    return urlsplit(url).hostname or ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: by its name, or its IP address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        name = host.rstrip(".").lower()
        return name == "localhost" or name.endswith(".localhost")


def is_near(host: str) -> bool:
    """Whether a host is this machine, or stands in a network that strangers do not route."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return is_loopback(host) or host.rstrip(".").lower().endswith(".local")


def plain_origin(url: str) -> str:
    """A base URL as batches have it on their card, told without the library that reads URLs for requests.

    Raises:
        UsageError: it is no URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("the base URL cannot be read: check MICROWORK_BASE_URL") from None
    host = (parts.hostname or "") if ":" not in (parts.hostname or "") else f"[{parts.hostname}]"
    shown = "" if port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{host}{shown}{parts.path}".rstrip("/")
