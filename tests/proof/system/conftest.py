"""The shared simulators."""

from tests.e2e.fixtures import apis, slow

__all__ = ["apis", "slow"]
