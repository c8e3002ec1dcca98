"""The API, call by call, over a wire in memory."""

import logging
import traceback
from urllib.parse import quote

import pytest

from mwbatch.client import Client, fingerprint
from mwbatch.client import retry as retry_door
from mwbatch.client.api_key import basic, hiding
from mwbatch.client.transport.wire import WireResponse
from mwbatch.errors import ApiError, Busy, Halted, NotFound, OtherTask, Refused, Unsent, Unsure, UsageError
from tests.unit.client.conftest import ADDRESS, KEY, FakeWire, Start, Talk, always, answer, http

TASK = {"task_id": "t", "status": "pending"}


def client(*plays: WireResponse | ApiError, tries: int = 1) -> tuple[Client, FakeWire]:
    wire = FakeWire(*plays)
    return Client(KEY, wire=wire, tries=tries), wire


async def test_a_tagging_task_is_created() -> None:
    """Creating a tagging task is one POST, and the task is what comes back."""
    api, wire = client(answer(TASK))
    assert (await api.create_tagging_task("https://ibb.co/a", ADDRESS)).task_id == "t"
    assert wire.sent == [("POST", "/v1/task/images/tagging")]
    assert wire.bodies == [
        f"callback_url={ADDRESS}&objects_to_tag=brands&image_url=https://ibb.co/a".encode()
    ]


async def test_what_went_well_is_handed_on_as_it_came() -> None:
    """An answer without an error is kept byte for byte, whatever it quotes: it is what was paid for."""
    told = answer(TASK | {"params": {"said": KEY}})
    api, _ = client(told)
    assert (await api.retrieve_raw("t"))[1] == told.body
    assert KEY.encode() in told.body


async def test_an_annotating_task_is_created() -> None:
    """Creating an annotating task is one POST to its own place."""
    api, wire = client(answer(TASK))
    await api.create_annotating_task("i", ADDRESS, "which?", ["a", "b"], [{"id": "x", "left": 1}])
    assert wire.sent == [("POST", "/v1/task/images/tags/annotating")]
    assert (wire.bodies[0] or b"").endswith(
        b"&image_url=i&instruction=which?&annotation_option=a&annotation_option=b&tags[0][id]=x&tags[0][left]=1"
    )


@pytest.mark.parametrize(
    ("play", "error"),
    [
        (answer({"error": "bad"}, 400), Refused),
        (answer(None, 401), Halted),
        (answer(None, 307), Halted),
        (answer(None, 429, Retry_After="3"), Busy),
        (answer(None, 500), Unsure),
        (answer({}, 200), Unsure),
        (Unsent("no connection"), Unsent),
        (Unsure("cut"), Unsure),
    ],
)
async def test_a_create_is_sent_once_and_says_what_it_proved(
    play: WireResponse | ApiError, error: type[ApiError]
) -> None:
    """However a create fails, it is sent exactly once, and the error's class is the verdict."""
    api, wire = client(play, tries=5)
    with pytest.raises(ApiError) as raised:
        await api.create_tagging_task("i", ADDRESS)
    assert type(raised.value) is error
    assert len(wire.sent) == 1


async def test_an_error_carries_what_the_api_said() -> None:
    """Status, words and the wait that was asked for are in the error."""
    api, _ = client(answer({"error": "slow down, please"}, 429, Retry_After="3"))
    with pytest.raises(Busy, match="slow down, please") as raised:
        await api.create_tagging_task("i", ADDRESS)
    assert (raised.value.status, raised.value.retry_after) == (429, 3.0)


async def test_a_task_is_retrieved_as_it_came() -> None:
    """The JSON text of a task is there, unchanged, beside what it says."""
    body = '{ "task_id":"a/b c?é", "response": {"tags": []} }'.encode()
    api, wire = client(WireResponse(200, {}, body))
    task, raw = await api.retrieve_raw("a/b c?é")
    assert (task.response, raw) == ({"tags": []}, body)
    assert wire.sent == [("GET", "/v1/task/a%2Fb%20c%3F%C3%A9")]
    assert await api.retrieve("a/b c?é") == task


async def test_an_answer_about_another_task_is_none() -> None:
    """A GET or a cancel that is answered with another task says nothing of the one that was asked for,
    and is not repeated.
    """
    api, wire = client(answer(TASK))
    for call in (api.retrieve, api.cancel):
        with pytest.raises(OtherTask, match="another task"):
            await call("another")
    assert len(wire.sent) == 2


@pytest.mark.parametrize("task_id", ["", ".", ".."])
async def test_an_id_that_would_change_the_path_is_refused(task_id: str) -> None:
    """An id that a server would take for a step in the path is not sent."""
    api, wire = client(answer(TASK))
    with pytest.raises(UsageError):
        await api.retrieve(task_id)
    assert wire.sent == []


@pytest.mark.parametrize(
    ("play", "error", "words"),
    [
        (answer(None, 404), NotFound, "no task t7"),
        (answer(None, 401), Halted, "check MICROWORK_API_KEY"),
        (answer(None, 429), Busy, "slow down"),
        (answer(None, 422), Refused, "null"),
        (answer(None, 503), ApiError, "maintenance"),
        (answer([], 200), Unsure, "cannot be read"),
        (WireResponse(200, {}, b"<html>"), Unsure, "cannot be read"),
    ],
)
async def test_a_read_that_fails_says_what_to_do(
    play: WireResponse, error: type[ApiError], words: str
) -> None:
    """Each status of a read has its error, with the next step in its message."""
    api, _ = client(play)
    with pytest.raises(ApiError, match=words) as raised:
        await api.retrieve("t7")
    assert type(raised.value) is error


async def test_reads_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read comes through trouble that passes."""
    monkeypatch.setattr(retry_door._Wait, "__call__", lambda *_: 0.0)
    api, wire = client(Unsure("cut"), answer(None, 503), answer(TASK), tries=3)
    assert (await api.retrieve("t")).task_id == "t"
    assert len(wire.sent) == 3


async def test_a_task_is_canceled() -> None:
    """Cancelling is one POST without a body."""
    api, wire = client(answer({"task_id": "t", "status": "canceled"}))
    assert (await api.cancel("t")).status == "canceled"
    assert (wire.sent, wire.bodies) == ([("POST", "/v1/task/t/cancel")], [None])


@pytest.mark.parametrize(
    ("play", "error"),
    [
        (answer(None, 500), Unsure),
        (answer(None, 503), Unsure),
        (answer({}, 200), Unsure),
        (Unsure("cut"), Unsure),
        (answer(None, 404), NotFound),
        (answer(None, 401), Halted),
    ],
)
async def test_a_cancel_in_doubt_is_not_repeated(
    play: WireResponse | ApiError, error: type[ApiError]
) -> None:
    """A cancel that may have worked is sent once: the task must be looked at."""
    api, wire = client(play, tries=5)
    with pytest.raises(ApiError) as raised:
        await api.cancel("t")
    assert type(raised.value) is error
    assert len(wire.sent) == 1


async def test_a_cancel_that_had_no_effect_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel that was certainly not taken is sent again."""
    monkeypatch.setattr(retry_door._Wait, "__call__", lambda *_: 0.0)
    api, wire = client(answer(None, 429), Unsent("no"), answer(TASK), tries=3)
    await api.cancel("t")
    assert len(wire.sent) == 3


async def test_the_clock_is_the_apis() -> None:
    """The last Date header is remembered, through answers that have none."""
    api, _ = client(answer(TASK, Date="Tue, 24 Nov 2026 03:18:42 GMT"), answer(TASK))
    assert api.clock is None
    for _ in range(2):
        await api.retrieve("t")
        assert api.clock == "Tue, 24 Nov 2026 03:18:42 GMT"


async def test_leaving_closes_the_wire() -> None:
    """The client closes its wire when it is left."""
    api, wire = client(answer(TASK))
    async with api:
        assert not wire.closed
    assert wire.closed


@pytest.mark.parametrize("key", ["", "a b", "a:b", "a\n", "käy"])
def test_a_key_that_cannot_be_one_is_refused_unseen(key: str) -> None:
    """A wrong key is refused before anything is sent, and not shown."""
    with pytest.raises(UsageError) as raised:
        Client(key)
    assert not key or key not in str(raised.value)


def test_a_fingerprint_names_a_key_for_good() -> None:
    """A key has one short fingerprint, on every machine and in every version: it stands in journals."""
    assert fingerprint("k") == fingerprint("k") == "be72ce9b63915520"
    assert fingerprint("k") != fingerprint("l")
    assert Client(KEY).key == fingerprint(KEY)


@pytest.mark.parametrize("key", ["k-1/+=&", "a.b|c\\d", "sk_live"])
def test_a_quoted_key_is_hidden(key: str) -> None:
    """However an answer quotes the key, alone or in Basic auth, it becomes stars, and all else stands."""
    for secret in (key, basic(key).removeprefix("Basic ").rstrip("=")):
        once, escaped = (
            quote(secret, safe=""),
            "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in secret),
        )
        for said in (secret, once, quote(once), secret.replace("/", "\\/"), escaped, secret.upper()):
            assert hiding(key)(f"<{said}>".encode()) == b"<***>"
    assert hiding(key)(b"another, key_1") == b"another, key_1"


async def hang_up(talk: Talk) -> None:
    await talk.hear()


async def leak(url: str, call: str, *args: object) -> str:
    """Everything that a caller could see of a failing call: error, traceback and the repr of both ends."""
    async with Client(KEY, url, 2.0, tries=1) as api:
        try:
            seen = repr(await getattr(api, call)(*args))
        except ApiError as error:
            seen = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)
        return seen + repr(api) + repr(api._wire)


@pytest.mark.parametrize(
    "reply",
    [
        http({"error": f"the key {KEY} is wrong, see {ADDRESS}"}, "401 Unauthorized"),
        http({"error": f"cannot call {ADDRESS}"}, "400 Bad Request"),
        http({"error": f"you sent {basic(KEY)} and {KEY.upper()}"}, "403 Forbidden"),
        http({"error": quote(f"you sent {basic(KEY)} and {KEY}", safe="")}, "400 Bad Request"),
        http({"error": {"sent": f"{basic(KEY)}, {KEY}"}}, "500 Internal Server Error"),
        f"HTTP/1.1 200 OK\r\nX {KEY}: {ADDRESS}\r\n\r\n".encode(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" + KEY.encode(),
        b"",
    ],
)
async def test_neither_key_nor_address_leaks(
    reply: bytes, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the API key nor a mac shows in an error, a traceback, a repr or a log,
    whatever the API quotes.
    """
    caplog.set_level(logging.DEBUG)
    server = await start(always(reply) if reply else hang_up)
    request = {"image_url": "i"}
    seen = await leak(server.url, "create_tagging_task", "i", ADDRESS)
    seen += await leak(server.url, "attempt", "tagging", request, ADDRESS)
    seen += await leak(server.url, "retrieve", "t") + await leak(server.url, "list_page") + caplog.text
    encoded = server.requests[0].split(b"Basic ")[1].split(b"\r\n")[0].decode()
    for secret in (KEY, encoded, ADDRESS[-32:]):
        assert secret not in seen
