"""The Microwork API, call by call.

A create is sent once and never again: what it proves is an `Outcome`. Reads are tried again under backoff.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import quote

from mwbatch.client.api_key import checked, fingerprint, hiding
from mwbatch.client.responses import asked_for, canceled_in, made, page_in, task_in
from mwbatch.client.retry import Sleep, Waits, again, passing, untaken
from mwbatch.client.transport.aiohttp_wire import AiohttpWire
from mwbatch.client.transport.wire import Wire, WireResponse
from mwbatch.core.api.create_request import BadForm, Outcome, encode_create, judge
from mwbatch.core.api.page import Page
from mwbatch.core.api.task import Task
from mwbatch.core.api.walk import REPEATS, ListedTasks
from mwbatch.core.codec.times import iso
from mwbatch.core.facts.kinds import Verdict
from mwbatch.core.urls.hosts import origin
from mwbatch.core.urls.proxies import Proxy
from mwbatch.core.words.values import (
    BASE_URL,
    CONCURRENCY,
    LONGEST_TIMEOUT,
    LONGEST_WALK,
    MOST_CONCURRENT,
    TIMEOUT,
    amount,
    whole,
)
from mwbatch.errors import Unsent, Unsure, UsageError

T = TypeVar("T")

ROUTES: Final[Mapping[str, str]] = {
    "tagging": "/v1/task/images/tagging",
    "annotating": "/v1/task/images/tags/annotating",
}
"""Where each type of task is created."""

LARGEST_PAGE: Final = 100
"""The most tasks that the API puts on one page of its listing."""


class Client:
    """One account at one API.

    Args:
        api_key: the user name of HTTP Basic auth; it shows in no error, repr or log.
        base_url: ``http(s)://host[:port][/path]``.
        timeout: seconds for a whole request and its answer.
        wire: another transport than aiohttp.
        limit: the most requests at a time; more than these wait for their turn, as long as it takes.
        tries: how often a read is sent in all while the API is busy, failing or away; 1 switches that off.
        proxy: ``http(s)://[user:password@]host[:port]``; None goes straight, whatever the environment says.

    It belongs to the event loop in which it is first used: in another one, and after `close`, `UsageError` is
    raised before anything is written. Raises `UsageError` for settings that cannot be.

    ``origin`` is the API, in the one form in which it is known, ``key`` the fingerprint of the API key,
    ``clock`` the last ``Date`` header that the API sent. ``waits`` is told why a read has to wait before it
    is tried again, and for how long; ``sleep`` waits.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str = BASE_URL,
        timeout: float = TIMEOUT,
        wire: Wire | None = None,
        *,
        limit: int = CONCURRENCY,
        tries: int = 5,
        proxy: Proxy | str | None = None,
    ) -> None:
        amount("timeout", timeout, 0.001, LONGEST_TIMEOUT)
        whole("limit", limit, 1, MOST_CONCURRENT, option="--concurrency")
        whole("tries", tries, 1, 1000)
        self.origin = origin(base_url)
        self.key = fingerprint(checked(api_key))
        self.clock: str | None = None
        self.waits: Waits = lambda *_: None
        self.sleep: Sleep = asyncio.sleep
        self._hide = hiding(api_key)
        way = Proxy.read(proxy) if isinstance(proxy, str) else proxy
        self._tries = tries
        self._wire = AiohttpWire(api_key, base_url, timeout, limit, way) if wire is None else wire

    def __repr__(self) -> str:
        return f"Client({self.origin}, key {self.key})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection; it may be called twice. The client is used no more."""
        await self._wire.close()

    async def attempt(self, type: str, request: Mapping[str, object], address: str) -> Outcome:  # noqa: A002
        """Send one create request, once, and judge what came of it; no trouble with the API is raised.

        Cancelled, `kept` tells of the error whether it proves that no byte left. Raises `UsageError` as every
        call does. ``request`` holds the API's own field names, as a `Planned` fact does; ``address`` becomes
        ``callback_url``.
        """
        try:
            body = encode_create(type, request, address)
        except BadForm as error:
            return Outcome(Verdict.REFUSED, message=str(error))
        try:
            answer = self._heard(await self._wire.send("POST", ROUTES[type], body=body))
        except Unsent as error:
            return Outcome(Verdict.UNSENT, message=error.message)
        except Unsure as error:
            return Outcome(Verdict.UNKNOWN, message=error.message)
        if answer.status < 300:  # what the headers say matters to those who must wait
            return judge(answer.status, answer.body, address)
        headers = answer.headers
        return judge(answer.status, answer.body, address, headers.get("Retry-After"), headers.get("Date"))

    async def create_tagging_task(
        self, image_url: str, callback_url: str, objects_to_tag: str = "brands"
    ) -> Task:
        """Ask people to draw boxes around ``objects_to_tag`` on one image. It costs money, and is sent once.

        Raises:
            Refused, Busy, Halted, Unsent: no task was made.
            Unsure: a task may exist.
        """
        request = {"image_url": image_url, "objects_to_tag": objects_to_tag}
        return made(await self.attempt("tagging", request, callback_url))

    async def create_annotating_task(
        self,
        image_url: str,
        callback_url: str,
        instruction: str,
        annotation_option: Sequence[str],
        tags: Sequence[Mapping[str, object]],
    ) -> Task:
        """Ask people to answer ``instruction`` for each of ``tags`` with one of ``annotation_option``.

        A tag has ``id``, ``left``, ``top``, ``width`` and ``height``, in pixels. It costs money, and is sent
        once.

        Raises:
            Refused, Busy, Halted, Unsent: no task was made.
            Unsure: a task may exist.
        """
        request = {
            "image_url": image_url,
            "instruction": instruction,
            "annotation_option": annotation_option,
            "tags": tags,
        }
        return made(await self.attempt("annotating", request, callback_url))

    async def retrieve(self, task_id: str) -> Task:
        """Look at one task. Raises `NotFound`, `OtherTask`, or another `ApiError` after the last try."""
        return (await self.retrieve_raw(task_id))[0]

    async def retrieve_raw(self, task_id: str) -> tuple[Task, bytes]:
        """Look at one task, and have the JSON text that came, unchanged; raises as `retrieve` does."""

        async def look() -> tuple[Task, bytes]:
            answer = await self._send("GET", _route(task_id))
            return task_in(answer, task_id), answer.body

        task, body = await self._again(look)
        return asked_for(task, task_id), body

    async def cancel(self, task_id: str) -> Task:
        """Cancel a pending task.

        Raises:
            NotFound: there is no such task.
            Unsure: nobody can tell what it is now (the API answers 500 for a completed task): `retrieve` it.
            ApiError: the API refused, or was not reached.
        """

        async def once() -> Task:
            return canceled_in(await self._send("POST", _route(task_id) + "/cancel"), task_id)

        return asked_for(await self._again(once, on=untaken), task_id)

    async def list_page(
        self,
        *,
        start_time: datetime | str | None = None,
        end_time: datetime | str | None = None,
        status: str | None = None,
        type: str | None = None,  # noqa: A002 - the API's name
        limit: int = LARGEST_PAGE,
        offset: int = 0,
        fresh: bool = False,
    ) -> Page:
        """One page of the account's tasks, newest first;
        ``start_time`` and ``end_time`` bound ``created_at``.

        ``type`` is filtered on this side, because the values that the API documents are not its own.
        ``fresh`` asks caches on the way for an answer from the API itself. Raises `ApiError` after the last
        try, and ValueError for a time without a zone, and for what cannot be written.
        """
        filters = {
            "start_time": start_time and iso(start_time),
            "end_time": end_time and iso(end_time),
            "status": status,
        }
        params = [(name, value) for name, value in filters.items() if value]
        params += [("limit", str(limit)), ("offset", str(offset))]

        async def look() -> Page:
            answer = await self._send("GET", "/v1/tasks", params=params, fresh=fresh)
            return page_in(answer, limit, offset, type)

        return await self._again(look)

    async def tasks(
        self,
        *,
        start_time: datetime | str | None = None,
        end_time: datetime | str | None = None,
        status: str | None = None,
        type: str | None = None,  # noqa: A002 - the API's name
        fresh: bool = False,
        tell: Callable[[str], None] | None = None,
    ) -> AsyncIterator[Task]:
        """Every task of the account, page by page, newest first.

        Tasks created meanwhile push others onto the next page: those are shown once. This is for looking, not
        for proof: where a status filter is set, tasks that leave it meanwhile hide others. It ends where page
        after page brings nothing new, and after six hours: then ``tell`` is called with the reason. ``type``
        is filtered on this side.
        """
        offset, shown, clock, why = (
            0,
            ListedTasks(),
            asyncio.get_running_loop().time,
            "it takes more than six hours",
        )
        until = clock() + LONGEST_WALK
        while clock() < until:
            page = await self.list_page(
                start_time=start_time, end_time=end_time, status=status, offset=offset, fresh=fresh
            )
            for task in page.tasks:
                if shown.is_new(task.task_id) and type in (None, task.type):
                    yield task
            if page.is_last:
                return
            if shown.leads_nowhere():
                why = REPEATS
                break
            offset += page.received
        if tell:
            tell(why)

    async def _again(
        self, call: Callable[[], Awaitable[T]], on: Callable[[BaseException], bool] = passing
    ) -> T:
        return await again(call, tries=self._tries, on=on, sleep=self.sleep, waits=self.waits)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        fresh: bool = False,
    ) -> WireResponse:
        return self._heard(await self._wire.send(method, path, params=params, body=body, fresh=fresh))

    def _heard(self, answer: WireResponse) -> WireResponse:
        """What every answer tells, and what of it may be shown."""
        self.clock = answer.headers.get("Date", self.clock)
        if (
            answer.status >= 300
        ):  # an error's words are shown to people, and some servers quote what they were sent
            return WireResponse(answer.status, answer.headers, self._hide(answer.body))
        return answer


def _route(task_id: str) -> str:
    """The path of one task."""
    if task_id.strip(".") == "":
        raise UsageError(f"{task_id!r} is not a task's id")
    return "/v1/task/" + quote(task_id, safe="", errors="surrogatepass")
