"""A plugin for pytest: coverage notes which test passes a line, and how long each test takes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from coverage import Coverage

FOLDER: Final = "MWBATCH_MUTANTS"
"""The variable that names the folder for what is noted."""

_took: dict[str, float] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let what runs from here on be this test's."""
    noting = Coverage.current()
    if noting is not None:
        noting.switch_context(item.nodeid)
    yield
    if noting is not None:
        noting.switch_context("")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep how long it took, preparation and end included; where workers run the tests,
    it is told to whoever leads them.
    """
    _took[report.nodeid] = _took.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it down."""
    if not hasattr(session.config, "workerinput"):
        Path(os.environ[FOLDER], "seconds.json").write_text(json.dumps(_took), encoding="utf-8")
