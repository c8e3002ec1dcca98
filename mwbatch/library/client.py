"""The API as a program meets it: one object, with what can be asked for as its attributes."""

import logging
from types import TracebackType
from typing import Self

from mwbatch import client as api
from mwbatch.client.transport.wire import Wire
from mwbatch.core.urls.hosts import origin
from mwbatch.core.urls.proxies import Proxies, Proxy, on_the_way
from mwbatch.core.words.values import CONCURRENCY, TIMEOUT
from mwbatch.errors import ApiError
from mwbatch.library.messages import spoken
from mwbatch.library.settings.environment import api_key as key_of_the_environment
from mwbatch.library.settings.environment import base_url as url_of_the_environment
from mwbatch.library.settings.environment import proxies
from mwbatch.library.tasks import Tasks

_log = logging.getLogger("mwbatch")


class Client:
    """One account at one API; ``tasks`` are its tasks. All arguments are keywords, and optional.

    Args:
        api_key: by default ``MICROWORK_API_KEY``, or what the file holds that
            ``MICROWORK_API_KEY_FILE`` names. It shows in no error, repr or log.
        base_url: by default ``MICROWORK_BASE_URL``, else the real API.
        timeout: seconds for a whole request and its answer.
        concurrency: the most requests at a time; more than these wait for their turn, as long as it takes.
        tries: how often a read is sent in all while the API is busy, failing or away. A create is sent once.
        proxy: ``http(s)://[user:password@]host[:port]``; by default what ``HTTPS_PROXY``, ``HTTP_PROXY`` and
            ``NO_PROXY`` say.
        trust_env: False goes straight, whatever these say.
        wire: an HTTP client of your own. It MUST keep the laws of `Wire`: they are what keeps a row from
            being paid twice.

    It belongs to the event loop in which it is first used. Leave it by ``async with``, or `close` it.

    Raises:
        UsageError: there is no API key, or a setting cannot be.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = TIMEOUT,
        concurrency: int = CONCURRENCY,
        tries: int = 5,
        proxy: str | None = None,
        trust_env: bool = True,
        wire: Wire | None = None,
    ) -> None:
        with spoken():
            url = base_url or url_of_the_environment()
            there: Proxies = proxies() if trust_env else {}
            way = Proxy.read(proxy) if proxy else on_the_way(there, origin(url))
            key = key_of_the_environment() if api_key is None else api_key
            self._api = api.Client(key, url, timeout, wire, limit=concurrency, tries=tries, proxy=way)
        self._api.waits = _waits
        self.tasks = Tasks(self._api)

    @classmethod
    def _around(cls, there: api.Client) -> Self:
        """A client with a connection to the API that is there already, as the command line has one."""
        made = cls.__new__(cls)
        made._api, made.tasks = there, Tasks(there)  # noqa: SLF001 (our own)
        return made

    @property
    def origin(self) -> str:
        """The API, in the one form in which it is known."""
        return self._api.origin

    def __repr__(self) -> str:
        return repr(self._api)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection; it may be called twice. The client is used no more."""
        await self._api.close()


def _waits(error: ApiError | None, seconds: float) -> None:
    """Log why the API has to be asked again."""
    if error is not None:
        _log.info("the API is asked again in %.1f s: %s", seconds, error)
