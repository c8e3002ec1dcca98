"""Simulators shared by all tests: starting one costs more than most tests do."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mwbatch.simulator import Settings
from tests.e2e.support.stage import KEY, Api, Stage

FAST = Settings(port=0, api_key=KEY, complete_after=(0.0, 0.2))
NEVER = Settings(port=0, api_key=KEY, complete_after=(3600.0, 3600.0))
SLOW = Settings(port=0, api_key=KEY, complete_after=(0.0, 0.2), latency=0.04)
STUCK = Settings(port=0, api_key=KEY, latency=4.0)


@pytest.fixture(scope="session")
def apis() -> Iterator[Callable[[Settings], Api]]:
    """Give the simulator with these settings; it lives until the last test has run."""
    there: list[tuple[Settings, Api]] = []
    with ExitStack() as stack:

        def api(settings: Settings) -> Api:
            for known, running in there:
                if known == settings:
                    return running
            there.append((settings, stack.enter_context(Api(settings))))
            return there[-1][1]

        yield api


@pytest.fixture
def stage(tmp_path: Path, apis: Callable[[Settings], Api]) -> Stage:
    """A stage before a simulator that completes each task within 0.2 s."""
    return Stage(tmp_path, apis(FAST))


@pytest.fixture
def patient(tmp_path: Path, apis: Callable[[Settings], Api]) -> Stage:
    """A stage before a simulator whose tasks stay pending."""
    return Stage(tmp_path, apis(NEVER))


@pytest.fixture
def slow(tmp_path: Path, apis: Callable[[Settings], Api]) -> Stage:
    """A stage before a simulator that answers after 40 ms, so that the middle of a run is wide."""
    return Stage(tmp_path, apis(SLOW))


@pytest.fixture
def stuck(tmp_path: Path, apis: Callable[[Settings], Api]) -> Stage:
    """A stage before a simulator that holds every answer back for four seconds."""
    return Stage(tmp_path, apis(STUCK))
