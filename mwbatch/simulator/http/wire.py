"""How an answer travels, and how it fails to:
the one place that writes to a connection behind aiohttp's back.
"""

import asyncio
from typing import Final

import orjson
from aiohttp import web

from mwbatch.simulator.world.faults import Fault, Size

RUBBISH: Final = b'<html><body>{"task_id": '
_STRAY_AFTER_S: Final = 0.01
_REFUSALS: Final = {
    Fault.CREATED_500: (500, "internal error"),
    Fault.CREATED_503: (503, "offline for maintenance"),
    Fault.CREATED_LATE: (504, "gateway timeout"),
    Fault.NOT_CREATED_500: (500, "internal error"),
    Fault.NOT_CREATED_503: (503, "offline for maintenance"),
    Fault.BUSY: (429, "too many requests, slow down"),
}


def answer(document: object, status: int = 200) -> web.Response:
    """Write a JSON answer."""
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")


def refusal(status: int, message: str) -> web.Response:
    """Write an error as the sibling API does: ``{"status_code": 400, "error": "..."}``."""
    return answer({"status_code": status, "error": message}, status)


def busy(size: Size) -> web.Response:
    """Write a 429, with ``Retry-After`` when a size is given for it."""
    response = refusal(*_REFUSALS[Fault.BUSY])
    if size.retry_after_s is not None:
        response.headers["Retry-After"] = f"{size.retry_after_s:g}"
    return response


async def respond(request: web.Request, fault: Fault | None, document: object, size: Size) -> web.Response:
    """Answer a create request with ``document``, or as ``fault`` has it."""
    if fault in (None, Fault.PROXIED_TWICE, Fault.ONE_TASK_ID):
        return answer(document)
    if fault is Fault.BUSY:
        return busy(size)
    if fault in _REFUSALS:
        return refusal(*_REFUSALS[fault])
    if fault is Fault.CREATED_TIMEOUT:
        await asyncio.sleep(size.silent_s)
    return _broken(request, fault, orjson.dumps(document))


def _broken(request: web.Request, fault: Fault, body: bytes) -> web.Response:
    match fault:
        case Fault.CREATED_307:
            return web.Response(status=307, headers={"Location": request.path_qs})
        case Fault.ANSWER_RUBBISH:
            return web.Response(body=RUBBISH, content_type="application/json")
        case Fault.ANSWER_CUT:
            return _cut(request, _head(len(body)) + body[: len(body) // 2])
        case Fault.ANSWER_BAD_HEADERS:
            return _cut(request, _head(len(body), b"Content-Length: 7\r\n") + body)
        case Fault.STRAY_ANSWER:
            return _strayed(request, body)
        case _:
            return _cut(request, b"")


def _head(length: int, extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + b"Content-Length: %d\r\n%s\r\n" % (
        length,
        extra,
    )


def _cut(request: web.Request, sent: bytes) -> web.Response:
    # aiohttp finds the connection closing when it comes to send the response returned here, and drops it.
    if request.transport is not None:
        request.transport.write(sent)
        request.transport.close()
    return web.Response()


def _strayed(request: web.Request, body: bytes) -> web.Response:
    if request.transport is not None:
        write = request.transport.write
        asyncio.get_running_loop().call_later(_STRAY_AFTER_S, write, _head(len(body)) + body)
    return web.Response(body=body, content_type="application/json")
