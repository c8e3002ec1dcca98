"""The library before a simulator over real HTTP, in a folder of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mwbatch.simulator import Settings, Simulator, serve

KEY = "sim_key"


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    """A simulator that completes each task within 0.1 s; the environment leads to it."""
    there = await serve(Settings(port=0, api_key=KEY, complete_after=(0.0, 0.1)))
    monkeypatch.setenv("MICROWORK_BASE_URL", there.url)
    monkeypatch.setenv("MICROWORK_API_KEY", KEY)
    yield there
    await there.close()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Three pictures and a column of the user's."""
    path = tmp_path / "logos.csv"
    rows = (f"shot-{n},http://127.0.0.1:8900/pictures/100{n}.png,autumn\n" for n in range(3))
    path.write_text("id,image_url,campaign\n" + "".join(rows))
    return path
