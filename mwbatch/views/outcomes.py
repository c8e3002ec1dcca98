"""What commands came to, as words and as JSON: the report, and what is particular to the command."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mwbatch.core.report.command_outcomes import Canceled, Comparison, Created, Made, Proof, Ran, Reconciled
from mwbatch.core.sweeps.sweep import NO_ECHO
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import counted, rows
from mwbatch.core.words.printable import cell
from mwbatch.views.plain import Result
from mwbatch.views.terminal.words import report_text


def created(run: Created | Ran) -> Result:
    """A run of `submit`, `resume`, `retry` or `run`, ready to be shown."""
    fetched = run.fetched if isinstance(run, Ran) else 0
    reason = run.ending.reason
    sentences = (
        *((f"ended early: {reason}",) if reason else ()),
        *_still_open(run.reasons),
        *_fetched(fetched, "fetched from the API"),
    )
    fields: dict[str, object] = {
        "ended": reason or None,
        "open_because": list(run.reasons),
        "skipped": run.skipped,
        "left_out": run.left_out,
    }
    return _outcome(run, sentences, fields | ({"fetched": fetched} if isinstance(run, Ran) else {}))


def reconciled(found: Reconciled) -> Result:
    """A reconciliation, ready to be shown."""
    proof, comparison = found.proof, found.comparison
    sentences = (
        *_fetched(found.fetched, "fetched from the API"),
        *_fetched(found.taken_in, "taken in from the inbox"),
        *((compared(comparison),) if comparison else ()),
        *_differing(found),
        *_still_open(found.reasons if proof is None or proof.paid_twice is not None else ()),
        *((proved(proof),) if proof else ()),
        *_without_proof(found),
    )
    fields: dict[str, object] = {
        "fetched": found.fetched,
        "taken_in": found.taken_in,
        "canceled": list(found.canceled),
        "cancelled": list(found.canceled),  # as it was called first: scripts read it
        "open_because": list(found.reasons),
        "paid_twice": proof.paid_twice if proof else None,
        "listed": proof.listed if proof else None,
        "listed_at": proof.at if proof else None,
        "known_tasks": proof.known if proof else None,
        "known_tasks_listed": proof.covers if proof else None,
        "unproved": proof is not None and proof.paid_twice is None,
        "differing_answers": len(found.differing),
        "unanswered_tasks": len(found.unanswered),
        "comparison": _object(comparison) if comparison else None,
    }
    return _outcome(found, sentences, fields)


def proved(proof: Proof) -> str:
    """The sentence that users came for."""
    covers = f"covers {proof.covers:,} of {proof.known:,} known tasks"
    if proof.paid_twice is None:
        return f"paid twice: cannot be told, {'; '.join(proof.reasons)}; the listing {covers}"
    at = f" at {proof.at}" if proof.at else ""
    seen = counted(proof.listed, "task")
    return f"paid twice: {proof.paid_twice:,}, by a listing of {seen}{at}, which {covers}"


def compared(found: Comparison) -> str:
    """A file and a batch, in one sentence."""
    if not (found.added or found.gone or found.changed):
        return f"{found.path} and the batch have the same rows"
    return (
        f"{found.path} has {rows(found.added)} that the batch lacks, lacks {found.gone:,} that the batch "
        f"has, and has changed {found.changed:,}"
    )


def _object(found: Comparison) -> dict[str, object]:
    return {"manifest": found.path, "added": found.added, "gone": found.gone, "changed": found.changed}


def _differing(found: Reconciled) -> Iterator[str]:
    see = hint("reconcile", found.report.batch, "--list", "differing")
    if count := len(found.differing):
        yield f"the API lists {counted(count, 'answer')} otherwise than stored: {see}"
    if count := len(found.unanswered):
        yield (
            f"{counted(count, 'answer')} came by callback of which the API knows nothing, so that somebody "
            f"else may have called: {see}"
        )


def _without_proof(found: Reconciled) -> tuple[str, ...]:
    """How to go on where no proof will ever be had."""
    proof = found.proof
    if (
        proof is None
        or proof.paid_twice is not None
        or found.unproved
        or NO_ECHO not in " ".join(proof.reasons)
    ):
        return ()
    return (
        (
            "where an API never shows them, go without the proof: "
            f"{hint('reconcile', found.report.batch, '--unproved')}"
        ),
    )


def canceled(found: Canceled) -> Result:
    """A cancellation, ready to be shown."""
    name = found.report.batch
    sentences = [
        f"{rows(found.withdrawn)} withdrawn, {counted(found.canceled, 'task')} canceled",
        *map(cell, found.kept),
    ]
    if found.doubtful:
        sentences.append(
            f"{rows(found.doubtful)} in doubt may have a task that has not shown yet: "
            f"{hint('reconcile', name)}, then {hint('cancel', name)} again"
        )
    if found.interrupted:
        sentences.append("interrupted: run the same command again")
    fields: dict[str, object] = {
        "withdrawn": found.withdrawn,
        "canceled": found.canceled,
        "in_doubt": found.doubtful,
        "kept": list(found.kept),
        "interrupted": found.interrupted,
    }
    return _outcome(found, sentences, fields)


def made(made: Made) -> Result:
    """A manifest that was made: what was written, what was left out, and the next step."""
    lines = [f"{made.path}: {rows(made.rows)} that ask about {counted(made.tags, 'tag')}"]
    left = {
        "images without a tag to ask about": made.images_without,
        "tags filtered out": made.filtered,
        "tags beyond --max-tags": made.beyond,
        "tags whose box no manifest takes": made.unusable,
    }
    lines += [f"  left out: {count:,} {what}" for what, count in left.items() if count]
    if made.waiting:
        lines.append(
            f"  {rows(made.waiting)} have no answer yet: once they have, make it again under another "
            f"name (-o {made.later}), and add its rows: "
            f"{hint('submit', Path(made.later), '--batch', made.name)}"
        )
    for count, when in ((made.expired, "has expired"), (made.expiring, "will expire within 24 hours")):
        if count:
            lines.append(
                f"  {rows(count)} with a picture whose signed URL {when}, by this machine's clock: "
                "put a fresh one there"
            )
    leave = ["--single-option"] * made.single
    words = "\n".join([*lines, "next:", f"  {hint('submit', Path(made.path), *leave)}"])
    value = {
        "batch": made.batch,
        "manifest": made.path,
        "rows": made.rows,
        "tags": made.tags,
        "images_without_tags": made.images_without,
        "filtered": made.filtered,
        "beyond_max_tags": made.beyond,
        "unusable": made.unusable,
        "waiting": made.waiting,
        "expired_urls": made.expired,
        "expiring_urls": made.expiring,
    }
    return Result(words, value, made.exit)


def _outcome(
    told: Created | Ran | Reconciled | Canceled, sentences: Iterable[str], fields: dict[str, object]
) -> Result:
    """The report of a command, with sentences before it and fields beside it."""
    words = "\n".join((*sentences, report_text(told.report)))
    return Result(words, told.report.json() | fields, told.exit)


def _still_open(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"still open: {cell(reason)}" for reason in reasons)


def _fetched(count: int, how: str) -> tuple[str, ...]:
    return (f"answers of {rows(count)} {how}",) if count else ()
