"""The measure: a bare aiohttp handler that parses a callback and stores nothing.

A file after the port makes it append each body to that, with one fdatasync a request, as people do who were
told that a callback must not be lost.
"""

import gc
import os
import sys

import orjson
import uvloop
from aiohttp import web
from aiohttp.typedefs import Handler


async def parse(request: web.Request) -> web.Response:
    """Answer 200 to whatever is a callback."""
    callback = orjson.loads(await request.read())
    return web.Response(status=200 if callback["task_id"] else 400)


def syncing(path: str) -> web.Application:
    """The same, durably: a line, a sync, an answer."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def store(request: web.Request) -> web.Response:
        body = await request.read()
        if not orjson.loads(body)["task_id"]:
            return web.Response(status=400)
        os.write(file, body + b"\n")
        os.fdatasync(file)
        return web.Response()

    return application(store)


def application(handler: Handler) -> web.Application:
    """An application with one route."""
    app = web.Application(client_max_size=8 << 20)
    app.router.add_post("/callbacks/{rest:.*}", handler)
    return app


def main() -> None:
    """Listen until somebody ends this process."""
    port, *file = sys.argv[1:]
    app = syncing(*file) if file else application(parse)
    gc.set_threshold(20_000, 20, 20)
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None, backlog=1024, loop=loop)


if __name__ == "__main__":
    main()
