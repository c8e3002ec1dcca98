"""How a request takes the way through a proxy, in the terms of aiohttp."""

from collections.abc import Mapping
from typing import NamedTuple

from yarl import URL

from mwbatch.core.urls.proxies import Proxy


class ProxyRoute(NamedTuple):
    """The proxy, if there is one; ``headers`` belong to the request itself,
    ``to_proxy`` to the one that makes a tunnel.

    ``handed_on``: the proxy hands each request on, and may answer it by itself.
    """

    proxy: URL | None
    headers: Mapping[str, str]
    to_proxy: Mapping[str, str] | None
    handed_on: bool


def way(proxy: Proxy | None, url: str) -> ProxyRoute:
    """The way to a URL: through a tunnel where that is https."""
    if proxy is None:
        return ProxyRoute(None, {}, None, handed_on=False)
    shown = {"Proxy-Authorization": proxy.credentials} if proxy.credentials else {}
    if url.lower().startswith("https:"):
        return ProxyRoute(URL(proxy.url), {}, shown, handed_on=False)
    return ProxyRoute(URL(proxy.url), shown, None, handed_on=True)
