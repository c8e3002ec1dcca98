"""A short part of the loops that kill the receiver and count what it acknowledged,
and the witness that judges them.
"""

import asyncio
import json
import random
from pathlib import Path
from zlib import crc32

import pytest

from tests.proof.torture.acks import BATCHES, Reign
from tests.proof.torture.judging.witness import look
from tests.proof.torture.schedules.deck import Deck

LINE = b'{"v":1,"fact":"seen","row":0,"attempt":1,"task_id":"t","sha256":"s","body":{"task_id":"t"}'


@pytest.mark.timeout(300)
def test_what_was_acknowledged_is_on_disk(tmp_path: Path) -> None:
    """After a dozen kills every acknowledged callback is on disk,
    and no line is damaged or was never sent.
    """
    reign = Reign(seed=1, folder=tmp_path, kills=12, rows=300)
    asyncio.run(reign.play())
    assert reign.broken == []
    assert reign.figures["kills"] == 12
    assert reign.figures["acknowledged callbacks"] > 50


def test_the_deck_comes_from_the_seed() -> None:
    """The same seed sends the same callbacks, of every kind, all of them JSON."""
    first, again = (Deck(random.Random(7), BATCHES, rows=10) for _ in range(2))
    drawn = [first.draw() for _ in range(200)]
    assert drawn == [again.draw() for _ in range(200)]
    assert all(first.kinds.values())
    assert len(first.kinds) == 6
    assert {json.loads(job.body)["task_id"] for job in drawn} == {f"t-{job.batch}-{job.row}" for job in drawn}


@pytest.mark.parametrize(
    ("text", "lines", "damaged", "torn"),
    [
        (LINE + b',"crc":"%08x"}\n' % crc32(LINE), 1, 0, 0),
        (LINE + b',"crc":"00000000"}\n', 0, 1, 0),
        (LINE + b',"crc":"%08x"}\n' % crc32(LINE) + LINE[:40], 1, 0, 1),
        (b"\n", 0, 1, 0),
    ],
)
def test_the_witness(tmp_path: Path, text: bytes, lines: int, damaged: int, torn: int) -> None:
    """The witness sees whole lines, damaged ones, and ends that were cut off."""
    folder = tmp_path / "inbox" / "b" / "results"
    folder.mkdir(parents=True)
    (folder / "x.jsonl").write_bytes(text)
    found = look(tmp_path)
    assert (len(found.lines), found.damaged, found.torn) == (lines, damaged, torn)
    assert [line.body for line in found.lines] == [b'{"task_id":"t"}'] * lines
