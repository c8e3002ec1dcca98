"""The sample manifests."""

import pytest

from tests.unit.simulator.make_samples import FOLDER, samples


@pytest.mark.parametrize("name", samples())
def test_a_sample_is_what_its_script_makes(name: str) -> None:
    """Each sample manifest equals what the script makes."""
    assert (FOLDER / name).read_bytes() == samples()[name]


def test_the_samples_have_their_sizes() -> None:
    """A thousand rows, ten rows, and a hundred rows, the first two under a header."""
    lines = {name: content.count(b"\n") for name, content in samples().items()}
    assert lines == {"tagging.csv": 1001, "ten.csv": 11, "annotating.jsonl": 100}
