"""Bodies of create requests, against the curl commands of the reference."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.form import EDGES, BadForm, encode_create
from mwbatch.core.text import Json

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
        ("annotating", {**ANNOTATING, "annotation_option": [None]}),
    ],
)
def test_what_cannot_be_written_is_not_sent(type: str, request_: dict[str, object]) -> None:  # noqa: A002
    """A request with a missing or wrong field is a BadForm, which nothing leaves this machine for."""
    with pytest.raises(BadForm):
        encode_create(type, request_, CALLBACK)
