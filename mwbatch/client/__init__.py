"""The asynchronous client of the Microwork API: the only room that knows aiohttp's client, and tenacity."""

from mwbatch.client.aiohttp_wire import base as origin
from mwbatch.client.client import BASE_URL, Client
from mwbatch.client.keys import fingerprint
from mwbatch.client.retry import again
from mwbatch.client.wire import Answer, Wire, kept
from mwbatch.core.page import Page

__all__ = ["BASE_URL", "Answer", "Client", "Page", "Wire", "again", "fingerprint", "kept", "origin"]
