"""The admin port: is it alive, can it take callbacks, what did it do.

For the operator's eyes, never the internet's.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

from mwbatch.callbacks.receiver import Receiver
from mwbatch.core.codec.json_codec import Json, encode

if TYPE_CHECKING:
    from mwbatch.callbacks.ops.metrics import Metrics

NO_METRICS = (
    "501: metrics need prometheus-client beside mwbatch: pip install prometheus-client, then start again\n"
)


class Admin:
    """Answers for one receiver; ``connections`` tells how many it has open."""

    def __init__(self, receiver: Receiver, connections: Callable[[], int]) -> None:
        self._receiver = receiver
        self._metrics = _metrics(receiver, connections)
        self._pages = {"/healthz": self._health, "/readyz": self._ready, "/metrics": self._told}

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer any request."""
        page = self._pages.get(request.path)
        if page is None:
            return web.Response(status=404, text="404: Not Found")
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="405: Method Not Allowed", headers={"Allow": "GET,HEAD"})
        return page()

    def _health(self) -> web.Response:
        """200 while the event loop lives: where this is not answered, restart it."""
        return web.Response(text="ok\n")

    def _ready(self) -> web.Response:
        """200 while callbacks can be taken, else 503 and the reason: send them elsewhere, or wait."""
        hindrance = self._receiver.hindrance
        body: Json = {"ready": True} if hindrance is None else {"ready": False, "reason": hindrance.value}
        return web.Response(
            body=encode(body) + b"\n",
            status=503 if hindrance else 200,
            content_type="application/json",
        )

    def _told(self) -> web.Response:
        """The numbers in Prometheus' text format."""
        if self._metrics is None:
            return web.Response(status=501, text=NO_METRICS)
        return web.Response(body=self._metrics.text(), headers={"Content-Type": self._metrics.content_type})


def _metrics(receiver: Receiver, connections: Callable[[], int]) -> "Metrics | None":
    """None where the library is not installed: everything else works without."""
    try:
        from mwbatch.callbacks.ops.metrics import Metrics  # noqa: PLC0415 (an extra)
    except ImportError:
        return None
    return Metrics(receiver, connections)
