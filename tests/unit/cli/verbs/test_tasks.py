"""What `mwbatch tasks` says of a listing that is not what it should be."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mwbatch.errors import Exit
from tests.e2e.support.stage import Stage


class Deaf(BaseHTTPRequestHandler):
    """An API that shows its first page whatever it is asked for, and always says that there is more."""

    def do_GET(self) -> None:
        """Answer."""
        docs = [{"task_id": name, "type": "tagging", "status": "pending"} for name in "ab"]
        body = json.dumps({"docs": docs, "has_more": True}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("words", "code"), [((), Exit.UNFINISHED), (("--limit", "2"), Exit.DONE)])
def test_a_listing_that_repeats_itself(tmp_path: Path, words: tuple[str, ...], code: Exit) -> None:
    """Tasks are shown once each, and where the rest cannot be seen it is said, with 3;
    who wants no more is told nothing.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), Deaf) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stage = Stage(tmp_path, None, {"MICROWORK_BASE_URL": f"http://127.0.0.1:{server.server_port}"})
        ran = stage.run("tasks", "list", "-q", *words)
        server.shutdown()
    assert [json.loads(line)["task_id"] for line in ran.out.splitlines()] == ["a", "b"]
    assert ran.code == code
    assert ("the listing repeats itself" in ran.err) == (code is Exit.UNFINISHED)


@pytest.mark.parametrize(
    "words", [("--type", "foo"), ("--status", "cancelled"), ("--start-time", "foo"), ("--end-time", "12:00")]
)
def test_no_listing_of_what_cannot_be(stage: Stage, words: tuple[str, ...]) -> None:
    """A type, status or time that there is none of is refused,
    instead of an empty listing that looks like an answer.
    """
    ran = stage.run("tasks", "list", *words)
    assert (ran.code, ran.out) == (2, "")
    assert words[0] in ran.err
