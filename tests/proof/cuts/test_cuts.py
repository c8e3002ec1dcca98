"""A sample of all cuts; ``python -m tests.proof.cuts`` plays every one."""

import asyncio
import random
from pathlib import Path

import pytest

from mwbatch.commands.manifest.manifests import Manifest
from tests.proof.cuts.__main__ import drawn
from tests.proof.cuts.cut import Cut, How, SteppedLoop, cut_short
from tests.proof.cuts.play import play
from tests.proof.cuts.scenes import SCENES

SAMPLE = 4
"""Cuts of each scene."""


@pytest.mark.parametrize("name", SCENES)
def test_cut_short_it_leaves_nothing_behind(name: str) -> None:
    """Told to end at any step, once or more, a command leaves a true journal and no lock, task,
    thread or open file.
    """
    cuts = drawn(SCENES[name], random.Random(name), SAMPLE)
    wrong = {str(cut): faults for cut in cuts if (faults := play(SCENES[name], cut).faults)}
    assert not wrong, f"python -m tests.proof.cuts --only {name} --at … --how … --lag …"


@pytest.mark.parametrize("how", [How.CANCEL, How.TIMEOUT])
def test_a_manifest_is_closed(tmp_path: Path, how: How) -> None:
    """Told to end at any step of its reading, once or more, nobody leaves a manifest open."""
    manifest = tmp_path / "logos.csv"
    manifest.write_text("id,image_url\na,https://images.example.com/a.jpg\n")

    async def read() -> None:
        async with Manifest(manifest).chunks() as chunks:
            async for _ in chunks:
                pass

    for at in range(20):
        for times in (1, 2, 3):
            cut = Cut(tuple(range(at, at + times)), how, 3)
            with asyncio.Runner(loop_factory=lambda: SteppedLoop(3)) as runner:
                assert not runner.run(cut_short(read, tmp_path, cut)).faults, cut
