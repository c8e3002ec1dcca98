"""A plugin for pytest: coverage notes which test passes a line, itself or in a process that it starts,
and how long each test takes.
"""

import json
import os
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Final

import pytest
from coverage import Coverage

from tests.proof.mutants.handing import hand_down

FOLDER: Final = "MWBATCH_MUTANTS"
"""The variable that names the folder for what is noted."""

MEASURED: Final = "COVERAGE_PROCESS_CONFIG"
"""The variable by which coverage measures the processes that are started, too."""

hand_down(MEASURED)

_took: dict[str, float] = {}
_failed: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let what runs from here on, and what is started, be this test's."""
    _note_as(item.nodeid)
    yield
    _note_as("")


def _note_as(test: str) -> None:
    noting = Coverage.current()
    if noting is not None:
        noting.switch_context(test)
        config = copy(noting.config)
        config.context = test
        os.environ[MEASURED] = config.serialize()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep how long it took, preparation and end included, and whether it failed; where workers run
    the tests, it is told to whoever leads them.
    """
    if report.failed:
        _failed.add(report.nodeid)
    _took[report.nodeid] = _took.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it down."""
    if not hasattr(session.config, "workerinput"):
        for name, noted in (("seconds", _took), ("failed", sorted(_failed))):
            Path(os.environ[FOLDER], f"{name}.json").write_text(json.dumps(noted), encoding="utf-8")
