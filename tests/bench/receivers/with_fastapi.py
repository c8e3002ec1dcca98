"""FastAPI on uvicorn, with one fdatasync a request."""

import os
import sys

import uvicorn
from fastapi import FastAPI, Request, Response


def application(path: str) -> FastAPI:
    """An application with one route."""
    app = FastAPI()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def store(rest: str, request: Request) -> Response:
        callback = await request.json()
        if not callback["task_id"]:
            return Response(status_code=400)
        os.write(file, await request.body() + b"\n")
        os.fdatasync(file)
        return Response()

    app.add_api_route("/callbacks/{rest:path}", store, methods=["POST"])
    return app


def main() -> None:
    """Listen until somebody ends this process."""
    port, file = sys.argv[1:]
    app = application(file)
    uvicorn.run(app, host="127.0.0.1", port=int(port), access_log=False, log_level="error", loop="uvloop")


if __name__ == "__main__":
    main()
