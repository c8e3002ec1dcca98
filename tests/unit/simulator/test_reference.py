"""The reference's own commands, sent byte for byte."""

import asyncio
from typing import Any

import aiohttp
import pytest

from mwbatch.simulator import Simulator
from tests.unit.simulator.conftest import FAST, IMAGE, SLOW, Start, get, tag

CALLBACK = "http://127.0.0.1:9/callback"
TAGGING = f"callback_url={CALLBACK}&objects_to_tag=brands&image_url={IMAGE}"
ANNOTATING = (
    f"callback_url={CALLBACK}&image_url={IMAGE}"
    "&instruction=Detect if tag is **good**, **bad**, or **great**."
    "&annotation_option=good&annotation_option=bad&annotation_option=great"
    "&tags[0][id]=nk5DHouybZD2MvGqX&tags[0][left]=1408&tags[0][top]=0&tags[0][width]=601&tags[0][height]=121"
    "&tags[1][id]=JwfffWsnqX6KBFqom&tags[1][left]=975&tags[1][top]=1396&tags[1][width]=1262&tags[1][height]=1465"
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TAGS = [
    {"id": "nk5DHouybZD2MvGqX", "left": 1408, "top": 0, "width": 601, "height": 121},
    {"id": "JwfffWsnqX6KBFqom", "left": 975, "top": 1396, "width": 1262, "height": 1465},
]


async def _post(session: aiohttp.ClientSession, simulator: Simulator, path: str, body: str) -> dict[str, Any]:
    async with session.post(simulator.url + path, data=body.encode(), headers=FORM) as answer:
        assert answer.status == 200, await answer.text()
        assert "Date" in answer.headers
        document: dict[str, Any] = await answer.json()
        return document


async def _completed(session: aiohttp.ClientSession, simulator: Simulator, task_id: str) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            task: dict[str, Any] = await get(session, simulator, f"/v1/task/{task_id}")
            if task["status"] == "completed":
                return task
            await asyncio.sleep(0.01)


async def test_a_tagging_task_is_answered_flat(start: Start, session: aiohttp.ClientSession) -> None:
    """The first command of the reference is answered with exactly the reference's keys."""
    task = await _post(session, await start(SLOW), "/v1/task/images/tagging", TAGGING)
    assert len(task.pop("task_id")) == 17
    assert task.pop("created_at").endswith("Z")
    assert task == {
        "callback_url": CALLBACK,
        "type": "tagging",
        "objects_to_tag": "brands",
        "status": "pending",
        "image_url": IMAGE,
    }


async def test_an_annotating_task_is_answered_flat(start: Start, session: aiohttp.ClientSession) -> None:
    """Unencoded brackets and repeated options are read, and the options come back as `options`."""
    task = await _post(session, await start(SLOW), "/v1/task/images/tags/annotating", ANNOTATING)
    assert task["options"] == ["good", "bad", "great"]
    assert task["tags"] == TAGS
    assert task["instruction"] == "Detect if tag is **good**, **bad**, or **great**."
    assert "annotation_option" not in task
    assert "params" not in task


async def test_json_is_as_good_as_a_form(start: Start, session: aiohttp.ClientSession) -> None:
    """The same request as JSON makes the same task."""
    simulator = await start(SLOW)
    fields = {
        "callback_url": CALLBACK,
        "image_url": IMAGE,
        "instruction": "?",
        "annotation_option": "one",
        "tags": TAGS,
    }
    async with session.post(f"{simulator.url}/v1/task/images/tags/annotating", json=fields) as answer:
        task = await answer.json()
    assert (task["options"], task["tags"]) == (["one"], TAGS)


async def test_a_retrieved_task_nests_its_inputs(start: Start, session: aiohttp.ClientSession) -> None:
    """A completed task has its inputs under `params`, and its answer under `response`."""
    simulator = await start(FAST)
    made = await _post(session, simulator, "/v1/task/images/tags/annotating", ANNOTATING)
    task = await _completed(session, simulator, made["task_id"])
    assert task["params"]["annotation_option"] == ["good", "bad", "great"]
    assert task["completed_at"] >= task["created_at"]
    labels = [tag.pop("label") for tag in task["response"]["tags"]]
    assert task["response"]["tags"] == TAGS
    assert set(labels) <= {"good", "bad", "great"}


async def test_a_canceled_task_is_shown(start: Start, session: aiohttp.ClientSession) -> None:
    """A pending task is canceled, even by the reference's command with its stray brace, and stays so."""
    simulator = await start(SLOW)
    made = await tag(session, simulator, CALLBACK)
    async with session.post(f"{simulator.url}/v1/task/{made['task_id']}/cancel}}") as answer:
        task = await answer.json()
    assert (task["status"], task["params"]["image_url"]) == ("canceled", IMAGE)
    assert "response" not in await get(session, simulator, f"/v1/task/{made['task_id']}")


async def test_the_listing_is_a_page(start: Start, session: aiohttp.ClientSession) -> None:
    """The listing is an object of docs, total, limit, offset and has_more."""
    simulator = await start(SLOW)
    made = await tag(session, simulator, CALLBACK)
    page = await get(session, simulator, "/v1/tasks")
    assert [doc["task_id"] for doc in page.pop("docs")] == [made["task_id"]]
    assert page == {"total": 1, "limit": 100, "offset": 0, "has_more": False}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/task/none", 404),
        ("POST", "/v1/task/none/cancel", 404),
        ("POST", "/v1/task/{done}/cancel", 500),
        ("GET", "/v1/nowhere", 404),
        ("PUT", "/v1/tasks", 405),
        ("GET", "/v1/tasks?limit=0", 400),
        ("GET", "/v1/tasks?limit=101", 400),
        ("GET", "/v1/tasks?offset=-1", 400),
        ("GET", "/v1/tasks?start_time=soon", 400),
        ("GET", "/v1/tasks?status=lost", 400),
    ],
)
async def test_a_refusal_says_its_status(
    start: Start, session: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    """Every error of the API is JSON with its status and a sentence."""
    simulator = await start(FAST)
    done = (await tag(session, simulator, CALLBACK))["task_id"]
    await _completed(session, simulator, done)
    async with session.request(method, simulator.url + path.format(done=done)) as answer:
        body = await answer.json()
    assert (answer.status, body["status_code"]) == (status, status)
    assert body["error"]


@pytest.mark.parametrize("user", [None, "", "other"])
async def test_a_wrong_key_is_401(start: Start, user: str | None) -> None:
    """Nothing of the API is answered without the right key."""
    simulator = await start(SLOW)
    headers = {} if user is None else {"Authorization": aiohttp.encode_basic_auth(user)}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{simulator.url}/v1/tasks") as answer,
    ):
        assert answer.status == 401
        assert (await answer.json())["status_code"] == 401


@pytest.mark.system
async def test_curl_itself_is_answered(start: Start) -> None:
    """The reference's first command, run by curl, is answered with a task."""
    simulator = await start(FAST)
    form = [part for field in TAGGING.split("&") for part in ("-d", field)]
    arguments = ["-s", "-X", "POST", f"{simulator.url}/v1/task/images/tagging", "-u", "sim_key:", *form]
    curl = await asyncio.create_subprocess_exec("curl", *arguments, stdout=asyncio.subprocess.PIPE)
    assert b'"status":"pending"' in (await curl.communicate())[0]
