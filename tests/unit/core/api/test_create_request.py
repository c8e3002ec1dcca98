"""A create request: its body against the curl commands of the reference, and the table of
docs/reliability.md: what its answer proves.
"""

from urllib.parse import parse_qsl

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.api.create_request import (
    LONGEST_MESSAGE,
    OTHER_ADDRESS,
    UNREADABLE,
    BadForm,
    encode_create,
    explain,
    judge,
    words,
)
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.facts.kinds import EDGES, Verdict

CALLBACK = "http://www.example.com/callback"
IMAGE = "https://ibb.co/fmMFRQ"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
ANNOTATING: dict[str, Json] = {
    "image_url": IMAGE,
    "instruction": "Detect if tag is **good**, **bad**, or **great**.",
    "annotation_option": ["good", "bad", "great"],
    "tags": [
        {"id": "nk5DHouybZD2MvGqX", "left": 1408, "top": 0, "width": 601, "height": 121},
        {"id": "JwfffWsnqX6KBFqom", "left": 975, "top": 1396, "width": 1262, "height": 1465},
    ],
}

MAC = "0123456789abcdef0123456789abcdef"
ADDRESS = f"https://example.com/in/callbacks/v1/k1/b7/12-1/{MAC}"
OTHER = ADDRESS.replace("12-1", "13-1")
REFUSED, HALTED, UNKNOWN, CREATED = Verdict.REFUSED, Verdict.HALTED, Verdict.UNKNOWN, Verdict.CREATED


def test_tagging_is_byte_for_byte_the_reference() -> None:
    """A tagging request is what the reference's curl sends."""
    curl = f"callback_url={CALLBACK}&objects_to_tag=brands&image_url={IMAGE}"
    assert encode_create("tagging", {"image_url": IMAGE}, CALLBACK) == curl.encode()


def test_annotating_is_byte_for_byte_the_reference() -> None:
    """An annotating request is what the reference's curl sends; its raw spaces, which curl leaves in,
    become plus.
    """
    curl = [f"callback_url={CALLBACK}", f"image_url={IMAGE}", f"instruction={ANNOTATING['instruction']}"]
    curl += [f"annotation_option={option}" for option in ("good", "bad", "great")]
    curl += ["tags[0][id]=nk5DHouybZD2MvGqX", "tags[0][left]=1408", "tags[0][top]=0"]
    curl += [
        "tags[0][width]=601",
        "tags[0][height]=121",
        "tags[1][id]=JwfffWsnqX6KBFqom",
        "tags[1][left]=975",
    ]
    curl += ["tags[1][top]=1396", "tags[1][width]=1262", "tags[1][height]=1465"]
    assert encode_create("annotating", ANNOTATING, CALLBACK).decode() == "&".join(curl).replace(" ", "+")


@given(TEXTS, TEXTS, TEXTS)
def test_what_is_sent_is_what_is_read(image: str, callback: str, objects: str) -> None:
    """Any text survives the form: a server that decodes it has the same text."""
    body = encode_create("tagging", {"image_url": image, "objects_to_tag": objects}, callback)
    expected = [("callback_url", callback), ("objects_to_tag", objects), ("image_url", image)]
    assert parse_qsl(body.decode("ascii"), keep_blank_values=True) == expected


@given(st.lists(TEXTS, max_size=4), TEXTS)
def test_options_and_instruction_survive(options: list[str], instruction: str) -> None:
    """Every option is sent, in order, and the instruction unchanged."""
    request: dict[str, object] = {**ANNOTATING, "annotation_option": options, "instruction": instruction}
    pairs = parse_qsl(encode_create("annotating", request, CALLBACK).decode(), keep_blank_values=True)
    assert [value for name, value in pairs if name == "annotation_option"] == options
    assert dict(pairs)["instruction"] == instruction


def test_only_the_edges_of_a_tag_are_sent() -> None:
    """What else a tagging answer says about a tag stays here, and what a tag lacks is not made up."""
    tag = {"brand": "Pepsi", **dict.fromkeys(EDGES[1:], 1), "template_url": None}
    body = encode_create("annotating", ANNOTATING | {"tags": [tag]}, CALLBACK)
    assert body.endswith(b"great&tags[0][left]=1&tags[0][top]=1&tags[0][width]=1&tags[0][height]=1")


@pytest.mark.parametrize(
    ("type", "request_"),
    [
        ("transcription", {"image_url": IMAGE}),
        ("tagging", {}),
        ("tagging", {"image_url": 5}),
        ("tagging", {"image_url": "\ud83d"}),
        ("annotating", {"image_url": IMAGE}),
        ("annotating", {**ANNOTATING, "tags": 5}),
        ("annotating", {**ANNOTATING, "tags": [None]}),
        ("annotating", {**ANNOTATING, "tags": ["id"]}),
        ("annotating", {**ANNOTATING, "tags": ["none"]}),
        ("annotating", {**ANNOTATING, "tags": [["none"]]}),
        ("annotating", {**ANNOTATING, "annotation_option": [None]}),
    ],
)
def test_what_cannot_be_written_is_not_sent(type: str, request_: dict[str, object]) -> None:  # noqa: A002
    """A request with a missing or wrong field is a BadForm, which nothing leaves this machine for."""
    with pytest.raises(BadForm):
        encode_create(type, request_, CALLBACK)


def task(**fields: object) -> bytes:
    return orjson.dumps({"task_id": "t", **fields})


@pytest.mark.parametrize(
    ("verdict", "statuses"),
    [
        (Verdict.BUSY, [429]),
        (REFUSED, [400, 410, 411, 413, 414, 415, 422]),
        (HALTED, [300, 301, 302, 303, 304, 307, 308, 399, 401, 402, 403, 404, 405]),
        (UNKNOWN, [101, 408, 409, 425, 418, 499, 500, 501, 502, 503, 504, 520, 599, 999]),
    ],
)
def test_a_status_proves_what_the_table_says(verdict: Verdict, statuses: list[int]) -> None:
    """Each status but 2xx has the verdict of the table, even if the body looks like a task."""
    for status in statuses:
        outcome = judge(status, task(), ADDRESS)
        assert (outcome.verdict, outcome.status, outcome.task) == (verdict, status, None)


@pytest.mark.parametrize(
    ("statuses", "advice"),
    [
        ([300, 301, 307, 308, 399], "check MICROWORK_BASE_URL"),
        ([401], "check MICROWORK_API_KEY"),
        ([402], "the account wants payment"),
        ([403], "administrators only"),
        ([404, 405], "check MICROWORK_BASE_URL"),
        ([429], "asks to slow down"),
        ([500], "the API failed"),
        ([503], "offline for maintenance"),
    ],
)
def test_a_refusal_says_what_to_do(statuses: list[int], advice: str) -> None:
    """Each status that a user can do something about says what, in front of the API's own words."""
    for status in statuses:
        assert advice in explain(status, b"")
        assert advice in explain(status, b"nope")
        assert explain(status, b"nope").endswith("(nope)")
    for status in (400, 410, 422, 501, 299):
        assert (explain(status, b"nope"), explain(status, b"")) == ("nope", "the API gave no reason")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (task(callback_url=ADDRESS), CREATED),
        (task(), CREATED),
        (task(callback_url=None), CREATED),
        (task(callback_url=""), CREATED),
        (task(callbackUrl=ADDRESS.replace("example.com", "EXAMPLE.com:443")), CREATED),
        (task(callback_url=OTHER), UNKNOWN),
        (task(callback_url=ADDRESS.replace("12-1", "12-2")), UNKNOWN),
        (task(callback_url="http://www.example.com/callback"), UNKNOWN),
        (b"", UNKNOWN),
        (b"<html>", UNKNOWN),
        (b'{"task_id": "t"', UNKNOWN),
        (b"\xff\xfe{}", UNKNOWN),
        (b"[]", UNKNOWN),
        (b'{"ok": true}', UNKNOWN),
        (b"[" * 100_000, UNKNOWN),
    ],
)
def test_only_our_own_task_is_created(body: bytes, verdict: Verdict) -> None:
    """A 2xx proves a task only if it can be read and names no address but ours."""
    for status in (200, 201, 202):
        assert judge(status, body, ADDRESS).verdict is verdict


def test_a_task_of_another_address_is_shown() -> None:
    """An answer that names another address is in doubt, and carries what it named."""
    outcome = judge(200, task(callback_url=OTHER), ADDRESS)
    assert outcome.task is not None
    assert outcome.message == OTHER_ADDRESS


def test_a_plain_address_is_compared_as_text() -> None:
    """Users of the bare client have addresses of their own making."""
    mine = "http://www.example.com/callback"
    assert judge(200, task(callback_url=mine), mine).verdict is CREATED
    assert judge(200, task(callback_url=mine + "2"), mine).verdict is UNKNOWN


def test_a_wait_that_was_asked_for_is_passed_on() -> None:
    """Retry-After comes out in seconds, counted by the API's clock."""
    later, now = "Tue, 24 Nov 2026 03:19:42 GMT", "Tue, 24 Nov 2026 03:18:42 GMT"
    assert judge(429, b"", ADDRESS, "3").retry_after == 3.0
    assert judge(429, b"", ADDRESS, later, now).retry_after == 60.0
    assert judge(429, b"", ADDRESS).retry_after is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"status_code": 400, "error": "image_url is bad"}', "image_url is bad"),
        (b"<h1>no</h1>\r\n\x1b[31mred", "<h1>no</h1> [31mred"),
        (b'{"error": {"code": 3}}', '{"error": {"code": 3}}'),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (b"", "the API gave no reason"),
    ],
)
def test_the_apis_words_are_passed_on(body: bytes, said: str) -> None:
    """The error field if it is there, else the text: on one line, without control characters."""
    assert judge(422, body, ADDRESS).message == said


def test_advice_stands_before_the_apis_words() -> None:
    """A wrong key is said to be a wrong key, and where it comes from."""
    assert explain(401, b"go away") == "the API key is wrong: check MICROWORK_API_KEY (go away)"
    assert explain(503, b"") == "the API is offline for maintenance, try later"


@pytest.mark.parametrize(
    "said",
    [
        f"cannot reach {ADDRESS}",
        f"cannot reach {OTHER}",
        "callback_url=" + ADDRESS.replace(":", "%3A").replace("/", "%2F"),
        ADDRESS.replace("/", "\\/"),
        f"no mac {MAC}",
        f"no mac {MAC.upper()}",
        "x" * (LONGEST_MESSAGE - 20) + ADDRESS,
        "x" * 8180 + ADDRESS,
    ],
)
def test_no_message_shows_an_address(said: str) -> None:
    """However the API quotes a callback address, its mac is not in the message, nor a part of it."""
    message = judge(400, orjson.dumps({"error": said}), ADDRESS).message
    assert MAC[:8] not in message.lower()


@given(st.integers(100, 999), st.binary(max_size=200) | st.text(max_size=400).map(str.encode))
def test_judging_is_total(status: int, body: bytes) -> None:
    """Any answer has one verdict, never absent or unsent, and a short message."""
    outcome = judge(status, body, ADDRESS)
    assert outcome.verdict not in {Verdict.ABSENT, Verdict.UNSENT}
    assert len(outcome.message) <= LONGEST_MESSAGE
    assert (outcome.verdict is CREATED) == (not outcome.message)


def test_an_unreadable_success_says_so() -> None:
    """The message of a 2xx that is no task says what was wrong with it."""
    assert judge(200, b"{}", ADDRESS).message == f"{UNREADABLE}: a task needs a task_id"
    assert words(b"null") == "null"
