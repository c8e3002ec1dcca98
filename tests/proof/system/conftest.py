"""The shared simulators."""

from tests.e2e.support.fixtures import apis, slow

__all__ = ["apis", "slow"]
