"""Proxies: which one leads to a URL, and what may be shown of it. Nothing here reads the environment."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

from mwbatch.core.urls.hosts import host_of, is_loopback
from mwbatch.errors import UsageError

Proxies = Mapping[str, str]
"""Proxies by the scheme of what they lead to, and under ``no`` the hosts that need none:
as `urllib.request` has them.
"""

UNUSABLE: Final = "a proxy must be http(s)://[USER:PASSWORD@]HOST[:PORT]: check HTTPS_PROXY and HTTP_PROXY"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy; ``url`` may be shown, ``credentials`` (a value of ``Proxy-Authorization``;
    empty for none) never are.
    """

    url: str
    credentials: str = field(default="", repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """A proxy as variables name it: without a scheme it is spoken to in plain HTTP.

        Raises:
            UsageError: it cannot be used; nothing of it is quoted.
        """
        try:
            parts = urlsplit(text.strip() if "://" in text else f"http://{text.strip()}")
            port, host = parts.port, parts.hostname or ""
            host.encode("idna")
        except ValueError:
            raise UsageError(UNUSABLE) from None
        if parts.scheme not in ("http", "https") or not host:
            raise UsageError(UNUSABLE)
        shown = f"[{host}]" if ":" in host else host
        return cls(
            f"{parts.scheme}://{shown}:{port or (443 if parts.scheme == 'https' else 80)}", _basic(parts)
        )


def _basic(parts: SplitResult) -> str:
    """What proves to the proxy who we are (RFC 7617)."""
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def on_the_way(proxies: Proxies, url: str) -> Proxy | None:
    """The proxy that leads to a URL; None where it is reached without, as this machine always is.

    Raises:
        UsageError: it cannot be used.
    """
    parts = urlsplit(url)
    named = proxies.get(parts.scheme, "").strip()
    if not named or is_loopback(host_of(url)):
        return None
    # Slow to import; and typeshed does not know it, which has been there since Python 2.
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # noqa: PLC0415

    where = parts.netloc.rpartition("@")[2]
    return None if proxy_bypass_environment(where, dict(proxies)) else Proxy.read(named)
