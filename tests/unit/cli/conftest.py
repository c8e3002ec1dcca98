"""The shared simulators."""

from tests.e2e.support.fixtures import apis, patient, slow, stage, stuck

__all__ = ["apis", "patient", "slow", "stage", "stuck"]
