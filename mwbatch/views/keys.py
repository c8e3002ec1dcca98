"""The callback keys, and what became of them, as words and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from mwbatch.core.report.key_use import KeyLine, Retired, Rotated
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import rows
from mwbatch.views.listing import listing
from mwbatch.views.plain import Result


def listed(lines: Sequence[KeyLine]) -> Result:
    """Every key, one a line."""
    return listing("keys", [asdict(line) for line in lines])


def rotated(found: Rotated) -> Result:
    """A new key: what is so now, and what comes next."""
    words = f"callback key {found.kid} signs new addresses from now on"
    if found.verifying:
        words += (
            f"; {', '.join(found.verifying)} accepted until retired\n"
            f"A receiver notices by itself; a run that is under way goes on with the key that it began with."
        )
    value = {
        "kid": found.kid,
        "made_at": found.made_at,
        "verifying": list(found.verifying),
        "key_file": found.key_file,
    }
    return Result(words, value)


def retired(found: Retired) -> Result:
    """A key that is retired: how to get the answers of those that wait for callbacks at its addresses."""
    kid = found.kid
    lines = [f"callback key {kid} is retired: callbacks at addresses that it signed are refused"]
    lines += [
        f"{rows(use.waiting)} of batch {use.batch} may be answered there: "
        f"{hint('reconcile', use.batch, '--wait')}"
        for use in found.uses
    ]
    lines += [
        f"warning: batch {batch} is in use by {who}, which may sign more addresses with {kid}, and "
        f"their callbacks are refused: end it (Ctrl-C), then {hint('resume', batch)} signs with the "
        "newest key"
        for batch, who in found.running
    ]
    value = {
        "kid": kid,
        "retired_at": found.retired_at,
        "waiting": [{"batch": use.batch, "rows": use.waiting} for use in found.uses],
        "running": [{"batch": batch, "by": who} for batch, who in found.running],
    }
    return Result("\n".join(lines), value)
