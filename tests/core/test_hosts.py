"""The origin of an API, told where no request is made."""

import pytest

from mwbatch.client import origin
from mwbatch.core.hosts import plain_origin
from mwbatch.errors import UsageError


@pytest.mark.parametrize(
    "url",
    [
        "https://api.microwork.io",
        "https://API.microwork.io/",
        "http://127.0.0.1:8900",
        "http://[::1]:8900/v2/",
        "https://api.example.com:443/x",
        "http://api.example.com:80",
    ],
)
def test_an_origin_told_without_the_library_for_requests(url: str) -> None:
    """It is the one that a client has, and that stands on the card of its batches."""
    assert plain_origin(url) == origin(url)


@pytest.mark.parametrize("url", ["http://[", "http://a:b"])
def test_no_origin(url: str) -> None:
    """What is no URL is refused."""
    with pytest.raises(UsageError, match="MICROWORK_BASE_URL"):
        plain_origin(url)
