"""What a create request must carry."""

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from mwbatch.simulator import Refusal, read_draft

BASE: dict[str, Any] = {"callback_url": "http://127.0.0.1/c", "image_url": "https://images.example.com/1.jpg"}
TAG = {"id": "a", "left": 1, "top": 2, "width": 3, "height": 4}
ANNOTATING: dict[str, Any] = {**BASE, "instruction": "?", "annotation_option": ["yes"], "tags": [TAG]}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"callback_url": None}, "callback_url"),
        ({"callback_url": "ftp://a/b"}, "callback_url"),
        ({"image_url": ""}, "image_url"),
        ({"image_url": "fmMFRQ"}, "image_url"),
        ({"image_url": 5}, "image_url"),
        ({"objects_to_tag": "cars"}, "objects_to_tag"),
    ],
)
def test_a_bad_tagging_request_names_its_fault(fields: dict[str, Any], named: str) -> None:
    """A tagging request that is refused is refused with 400 and the parameter's name."""
    with pytest.raises(Refusal, match=named) as refused:
        read_draft("tagging", orjson.dumps({**BASE, **fields}), "application/json")
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"instruction": None}, "instruction"),
        ({"annotation_option": None}, "annotation_option"),
        ({"annotation_option": []}, "annotation_option"),
        ({"annotation_option": ["yes", ""]}, "annotation_option"),
        ({"tags": None}, "tags"),
        ({"tags": []}, "tags"),
        ({"tags": ["a"]}, r"tags\[0\]"),
        ({"tags": [TAG, {**TAG, "left": "x"}]}, r"tags\[1\]\[left\]"),
        ({"tags": [{**TAG, "width": True}]}, r"tags\[0\]\[width\]"),
        ({"tags": [{**TAG, "top": "nan"}]}, r"tags\[0\]\[top\]"),
        ({"tags": [{"id": "a"}]}, r"tags\[0\]\[left\]"),
    ],
)
def test_a_bad_annotating_request_names_its_fault(fields: dict[str, Any], named: str) -> None:
    """An annotating request that is refused is refused with the parameter's name."""
    with pytest.raises(Refusal, match=named):
        read_draft("annotating", orjson.dumps({**ANNOTATING, **fields}), "application/json")


@pytest.mark.parametrize("body", [b"[]", b"{", b"1", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """A JSON body is an object or is refused."""
    with pytest.raises(Refusal):
        read_draft("tagging", body, "application/json")


def test_a_form_is_utf8() -> None:
    """A form whose escapes are no UTF-8 is refused."""
    with pytest.raises(Refusal, match="UTF-8"):
        read_draft("tagging", b"image_url=%ff", "application/x-www-form-urlencoded")


def test_tags_keep_the_order_of_their_index() -> None:
    """Nested form fields are ordered by index, not by appearance, and numbers become numbers."""
    boxes = "".join(
        f"&tags[{index}][{side}]={index}.5"
        for index in (10, 2)
        for side in ("left", "top", "width", "height")
    )
    form = f"callback_url=http://a/c&image_url=http://a/i&instruction=q&annotation_option[]=yes{boxes}"
    draft = read_draft("annotating", form.encode(), "application/x-www-form-urlencoded")
    assert [tag["left"] for tag in draft.params["tags"]] == [2.5, 10.5]


@pytest.mark.parametrize("needed", ["annotation_option", "tags"])
def test_a_form_without_what_is_needed(needed: str) -> None:
    """A form names what it lacks as JSON does; a tagging request needs neither options nor tags."""
    form = {
        "callback_url": "http://a/c",
        "image_url": "http://a/i",
        "instruction": "q",
        "annotation_option": "yes",
        **{f"tags[0][{side}]": "1" for side in ("left", "top", "width", "height")},
    }
    lacking = {name: value for name, value in form.items() if not name.startswith(needed)}
    body, kind = urlencode(lacking).encode(), "application/x-www-form-urlencoded"
    assert read_draft("annotating", urlencode(form).encode(), kind).kind == "annotating"
    with pytest.raises(Refusal, match=f"^{needed} is required$"):
        read_draft("annotating", body, kind)
    assert read_draft("tagging", body, kind).params["image_url"] == "http://a/i"


def test_objects_to_tag_has_a_default() -> None:
    """A tagging request without objects_to_tag means brands."""
    assert read_draft("tagging", orjson.dumps(BASE), "application/json").params["objects_to_tag"] == "brands"
