"""What people answer: of the simulator's own pictures the truth, of others something that stays the same."""

import pytest

from mwbatch.simulator.world import pictures
from mwbatch.simulator.world.answers import response
from mwbatch.simulator.world.forms import Draft

REFERENCE = "http://images.data.microwork.io/templates/"


@pytest.mark.parametrize(
    ("url", "shelf"),
    [
        ("http://127.0.0.1:8900/pictures/{}.png", "http://127.0.0.1:8900/templates/"),
        ("https://images.example.com/{}.jpg", REFERENCE),
    ],
)
def test_templates_lie_beside_the_pictures_they_are_drawn_in(url: str, shelf: str) -> None:
    """The brand's template is fetched from where the picture is, if that is one of ours; else it is where
    the reference's are.
    """
    tags = [
        tag
        for number in range(1000, 1040)
        for tag in response(Draft("tagging", "http://a.test", {"image_url": url.format(number)}))["tags"]
    ]
    found = {template for tag in tags if (template := tag.get("template_url"))}
    assert found
    assert all(str(template).startswith(shelf) for template in found)


def test_of_our_pictures_the_truth_is_answered() -> None:
    """Each brand that was drawn is found, where it was drawn."""
    answer = response(Draft("tagging", "http://a.test", {"image_url": "http://a.test/pictures/1003.png"}))
    found = [(tag["left"], tag["top"], tag["width"], tag["height"]) for tag in answer["tags"]]
    assert found == [(box.left, box.top, box.width, box.height) for box in pictures.truth(1003)]
