"""What comes from outside reaches people and files as printable text: ids,
URLs and words that an API made up.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web
from yarl import URL

from tests.e2e.support.fixtures import FAST
from tests.e2e.support.quoting import Quoting
from tests.e2e.support.stage import Stage
from tests.unit.cli.terminal.columns import on_terminal

EVIL: Final = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202e\u2066\u2028\t\n\r"
"""A title, an empty screen, red by one byte of C1, what turns the writing round, ends of lines."""

ESCAPED: Final = {"task_id": json.dumps(EVIL)[1:-1].encode(), "image_url": rb"\u001b[2J\ud83d"}
"""What comes behind each; half of a character stands where no command line has to name it."""

PASSED: Final = ("Authorization", "Content-Type")
LONGER: Final = re.compile(rb'("(task_id|image_url)":\s*"[^"]*)"')
OBEYED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]")


def _longer(found: "re.Match[bytes]") -> bytes:
    return found[1] + ESCAPED[found[2].decode()] + b'"'


class Cursed(Quoting):
    """The simulator, but that every task's id and picture end in what no terminal should get."""

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        path = re.sub(r"(/v1/task/[A-Za-z0-9]+)%[^/?]*", r"\1", request.raw_path)
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        url = URL(path, encoded=True)
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            text = LONGER.sub(_longer, await answer.read())
            return web.Response(status=answer.status, body=text, headers={"Date": answer.headers["Date"]})


@pytest.fixture(scope="module")
def cursed() -> Iterator[Cursed]:
    """Such an API."""
    with Cursed(FAST) as api:
        yield api


@pytest.fixture
def there(cursed: Cursed, tmp_path: Path) -> Stage:
    """A stage with two batches before it: ``m`` has answers, ``n`` asked for one of its rows again."""
    stage = Stage(tmp_path, cursed)
    manifest = stage.folder / "m.csv"
    manifest.write_text(f"id,image_url\na\u202eb,{stage.pictures}/1.jpg\nb,{stage.pictures}/2.jpg\n")
    stage.run("submit", "m.csv", "--callback-url", "none")
    stage.run("reconcile", "m", "--wait", "--every", "0.2", "--settle", "1")
    (stage.folder / "n.csv").write_text(f"id,image_url\nc,{stage.pictures}/1.jpg\n")
    stage.run("submit", "n.csv", "--callback-url", "none", "--again", "m")
    return stage


def one_task(stage: Stage) -> str:
    """The id of a task of ``m``."""
    return str(json.loads(stage.run("results", "m").out.splitlines()[0])["task_id"])


@pytest.mark.parametrize(
    "words",
    [
        ("results", "m"),
        ("results", "m", "--all"),
        ("results", "m", "--follow"),
        ("tasks", "list"),
        ("tasks", "get", "TASK"),
        ("tasks", "cancel", "TASK"),
        ("status", "m", "--rows", "completed"),
        ("status", "m", "--rows", "completed", "--json"),
        ("reconcile", "m", "--settle", "1"),
        ("reconcile", "m", "--list", "surplus"),
        ("reconcile", "m", "--list", "differing", "--json"),
        ("audit",),
        ("audit", "--json"),
        ("cancel", "n", "--yes"),
        ("export", "m", "--format", "csv", "-o", "-"),
        ("submit", "m.csv", "--callback-url", "none", "-v"),
        ("submit", "n.csv", "--batch", "other", "--callback-url", "none"),
    ],
    ids=" ".join,
)
def test_nothing_is_obeyed(there: Stage, words: tuple[str, ...]) -> None:
    """Whatever shows an id or a URL: a terminal gets nothing that it would obey, and no trace;
    JSON is exact.
    """
    words = tuple(one_task(there) if word == "TASK" else word for word in words)
    ran = on_terminal(there, 120, *words, TERM="dumb")
    shown = ran.out.replace("\r\n", "\n")
    assert not OBEYED.search(shown), shown
    assert "Traceback" not in shown
    assert ran.code in {0, 1, 2, 3}
    assert "\\u001b" in shown or "\\u202e" in shown or words[0] in {"reconcile", "submit", "cancel", "export"}


def test_data_is_exact(there: Stage) -> None:
    """What scripts read is what the API said, character by character."""
    assert one_task(there).endswith(EVIL)
    got = there.json("tasks", "get", one_task(there))
    assert got["task_id"] == one_task(there)
    assert json.loads(there.run("tasks", "get", one_task(there)).out) == got


def test_a_table_has_a_line_a_row(there: Stage) -> None:
    """An id with tabs and newlines in it makes no other columns or lines."""
    lines = there.run("status", "m", "--rows", "completed").out.splitlines()
    assert [line.count("\t") for line in lines] == [3, 3, 3]
