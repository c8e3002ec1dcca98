"""The variables of proxies, which other programs have, too: as these read them."""

import os

import pytest

from mwbatch.core.urls.proxies import on_the_way
from mwbatch.library.settings.environment import proxies

API = "https://api.microwork.io"


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://one:1"}, "http://one:1"),
        ({"https_proxy": "http://two:2", "HTTPS_PROXY": "http://one:1"}, "http://two:2"),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTP_PROXY": "http://one:1"}, None),
        ({"HTTPS_PROXY": "http://one:1", "NO_PROXY": "microwork.io"}, None),
        ({"HTTPS_PROXY": "http://one:1", "no_proxy": "*"}, None),
    ],
)
def test_the_way_to_the_api(said: dict[str, str], way: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small letters go before capitals, an empty variable names none, and `NO_PROXY` is believed."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    proxy = on_the_way(proxies(), API)
    assert (proxy and proxy.url) == way
