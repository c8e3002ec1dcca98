"""The public names of mwbatch: scripts rest on them."""

import subprocess
import sys

import mwbatch


def test_the_public_names_are_frozen() -> None:
    """A public name is never removed, and never added without thought."""
    frozen = (
        "RECEIVER AuditReport Batch Canceled CheckOptions Client Commits CompareOptions "
        "Comparison Counts CreateOptions Created DamagedLine Details Differing Ending Exported "
        "FoundTask HideAddresses Histogram Home KeyLine Keys Limits ListenOptions Made "
        "ManifestOptions OnStored Problem Proof Ran Receiver ReceiverLimits ReceiverState "
        "Reconciled RefusalReason Rehearsal Reply Report Result Retired Rotated RunOptions Running "
        "Scrutiny Seen Spent Standing Status SubmitOptions Submitted Tag Task Tasks "
        "UnusableCallback Use Validation Via Wire WireResponse errors receiver "
    )
    assert mwbatch.__all__ == frozen.split()


def test_every_public_name_is_there() -> None:
    """Each public name leads to something, and another one to an AttributeError."""
    assert all(callable(getattr(mwbatch, name)) for name in mwbatch.__all__[1:] if name != "errors")
    assert mwbatch.errors.MwbatchError.exit_code == 70
    assert not hasattr(mwbatch, "nothing_of_the_kind")


def test_importing_costs_nothing() -> None:
    """Importing mwbatch loads no other module of it and no library."""
    code = (
        "import sys, mwbatch; print([m for m in sys.modules if m.startswith(('mwbatch.', 'aiohttp', "
        "'orjson'))])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
