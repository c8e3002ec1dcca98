"""Proxies: which one leads to a URL, and what may be shown of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.urls.proxies import Proxy, on_the_way
from mwbatch.errors import UsageError

NAMED = {"https": "http://one:3128", "http": "two", "no": "near.test,.corp.test,9.9.9.9"}


@pytest.mark.parametrize(
    ("url", "way"),
    [
        ("https://api.microwork.io", "http://one:3128"),
        ("http://api.microwork.io/v1", "http://two:80"),
        ("https://near.test:8443", None),
        ("https://a.corp.test", None),
        ("https://9.9.9.9", None),
        ("http://127.0.0.1:8900", None),
        ("http://localhost", None),
        ("https://[::1]:1", None),
        ("ftp://x", None),
    ],
)
def test_the_way(url: str, way: str | None) -> None:
    """A proxy leads to what its variable is for; to this machine, and to what `NO_PROXY` names, none does."""
    proxy = on_the_way(NAMED, url)
    assert (proxy and proxy.url) == way
    assert on_the_way({**NAMED, "no": "*"}, url) is None
    assert on_the_way({"https": " ", "no": ""}, url) is None


@pytest.mark.parametrize(
    ("text", "url", "credentials"),
    [
        ("http://proxy:3128", "http://proxy:3128", ""),
        (" proxy:3128/ ", "http://proxy:3128", ""),
        ("https://proxy", "https://proxy:443", ""),
        ("http://[::2]", "http://[::2]:80", ""),
        ("http://me:p%40ss@proxy", "http://proxy:80", "Basic bWU6cEBzcw=="),
        ("me@proxy:1", "http://proxy:1", "Basic bWU6"),
    ],
)
def test_what_it_is(text: str, url: str, credentials: str) -> None:
    """Host and port are shown, who we are is said to the proxy alone."""
    proxy = Proxy.read(text)
    assert (proxy.url, proxy.credentials) == (url, credentials)
    assert "Basic" not in repr(proxy)


@given(
    st.sampled_from(
        ["socks5://me:hush@h:1", "http://me:hush@h:x", "http://me:hush@", "http://me:hush@[::", "://me:hush@"]
    )
)
def test_what_is_none(text: str) -> None:
    """What cannot be used is refused, and nothing of it quoted."""
    with pytest.raises(UsageError, match="check HTTPS_PROXY") as raised:
        Proxy.read(text)
    assert "hush" not in str(raised.value)
