"""The memory of an export grows by a few bytes a row, whatever the rows carry."""

from pathlib import Path

import pytest

from tests.bench.growing.export_memory import draw, exported

MOST_A_ROW = 200
"""Bytes, by the goals of the project; the fixed part may be 120 MB."""

FEW, MANY = 2_000, 14_000

TRIES = 3
"""What a busy machine adds to a peak, by threads that meet and memory that is given back late,
differs from run to run.
"""


@pytest.mark.parametrize("name", ["csv", "coco"])
def test_bytes_a_row(tmp_path: Path, name: str) -> None:
    """Twelve thousand rows more, of a kilobyte each on disk, take less than 200 bytes each."""
    peaks = []
    for count in (FEW, MANY):
        draw(tmp_path / str(count), count)
        peaks.append(min(exported(tmp_path / str(count), name).peak for _ in range(TRIES)))
    assert (peaks[1] - peaks[0]) / (MANY - FEW) < MOST_A_ROW
    assert peaks[0] < 120e6
