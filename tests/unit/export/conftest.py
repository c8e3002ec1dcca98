"""Exports of drawn batches, without the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mwbatch.core.manifest.image_size import Measured
from mwbatch.core.report.exported import Exported
from mwbatch.export.choices import FormatName
from mwbatch.export.writing import Export, Order
from tests.unit.export.batches import Drawn, batch

Write = Callable[..., Exported]


def written(
    opened: Any, name: str, path: Path, sizes: dict[int, Measured] | None = None, **order: Any
) -> Exported:
    """Export a batch, as the command does."""
    export = Export("logos", Order(FormatName(name), path, **order), opened.store)
    export.check()
    known = sizes or {}
    return export.write(export.survey(opened.journal), known.get, lambda _: True)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Export drawn rows to ``out`` in the test's folder."""

    def run(name: str, rows: list[Drawn], path: str = "out", **order: Any) -> Exported:
        return written(batch(tmp_path, rows), name, tmp_path / path, **order)

    return run
