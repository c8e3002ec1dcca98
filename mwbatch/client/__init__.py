"""The asynchronous client of the Microwork API: the only room that knows aiohttp's client, and tenacity."""

from mwbatch.client.api_key import fingerprint
from mwbatch.client.client import Client
from mwbatch.client.retry import again
from mwbatch.client.transport.wire import Wire, WireResponse, kept
from mwbatch.core.api.page import Page
from mwbatch.core.words.values import BASE_URL

__all__ = ["BASE_URL", "Client", "Page", "Wire", "WireResponse", "again", "fingerprint", "kept"]
