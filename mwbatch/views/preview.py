"""What a manifest holds, and what a submission of it would do, as words and as JSON."""

from typing import Final

from mwbatch.core.report.preview import Rehearsal, Validation
from mwbatch.core.words.plural import counted, rows
from mwbatch.errors import NOTHING_SENT
from mwbatch.views.plain import Result

SHOWN_REPEATS: Final = 20
"""How many identical rows are named for people, with the line of the first; scripts get more."""


def validated(checked: Validation) -> Result:
    """A manifest that was checked: its problems, one a line, then the counts."""
    words = "\n".join([*(problem.text(checked.path) for problem in checked.problems), *_counts(checked)])
    value = {
        "manifest": checked.path,
        "valid": checked.valid,
        "accepted_by": checked.accepted_by,
        "asked_before": checked.refused.fields.get("asked_before") if checked.refused else None,
        "rows": checked.rows,
        "by_type": checked.by_type,
        "repeated": checked.repeated,
        "repeats": [{"line": line, "first_line": first} for line, first in checked.repeats],
        "repeated_urls": checked.repeated_urls,
        "id_column": checked.id_column,
        **checked.scrutiny.json(),
        "cost": checked.cost,
        "unreachable_images": checked.unreachable,
        "problem_count": checked.found,
        "problems": [{"line": p.line, "column": p.column, "message": p.message} for p in checked.problems],
    }
    return Result(words, value, checked.exit)


def rehearsed(told: Rehearsal) -> Result:
    """A dry run, one sentence a line."""
    value = {
        "dry_run": True,
        "batch": told.batch,
        "new_batch": told.is_new,
        "new_rows": told.new,
        "known_rows": told.known,
        "renewed_rows": told.renewed,
        "repeated_rows": told.repeated,
        "problem_count": told.problems,
        "by_type": told.by_type,
        **(told.scrutiny.json() if told.scrutiny else {}),
        "has_key": not told.no_key,
        "has_callback_url": not told.no_base,
        "left_out": told.left_out,
        "to_send": told.to_send,
        "held_back": told.held,
        "cost": told.cost,
        **told.spent.json(),
    }
    return Result("\n".join(_steps(told)), value, told.exit)


def _counts(checked: Validation) -> list[str]:
    types = ", ".join(f"{count:,} {kind}" for kind, count in checked.by_type.items() if count)
    good = " without a mistake" if checked.found else ""
    count = rows(checked.rows) if checked.rows or not checked.found else "no row"
    known = (
        f", {_ids(checked)}" if checked.rows else ""
    )  # a header that was not understood says nothing of ids
    lines = [f"{checked.path}: {count}{good}{f' ({types})' if types else ''}{known}"]
    lines += [*checked.scrutiny.yours(), *checked.scrutiny.text()]
    lines += [
        f"{checked.path}:{line}: the same as line {first}" for line, first in checked.repeats[:SHOWN_REPEATS]
    ]
    if checked.repeated:
        lines.append(
            f"left out, since each row counts once: {rows(checked.repeated)} identical to an earlier one"
        )
    if checked.repeated_urls:
        lines.append(f"{rows(checked.repeated_urls)} with a picture that an earlier row shows too")
    if checked.unreachable is not None:
        missing = f"{counted(checked.unreachable, 'picture')} cannot be fetched"
        lines.append(missing if checked.unreachable else "every picture that was asked for can be fetched")
    if checked.cost is not None:
        lines.append(f"estimated cost: {checked.rows:,} x {checked.price:g} = {checked.cost:,.2f}")
    if checked.found > len(checked.problems):
        lines.append(f"only the first {len(checked.problems):,} of the problems are shown")
    if checked.accepted_by:
        had = f"no problem: batch {checked.accepted_by} has these rows as they are, and they stay so"
        return [*lines, had]
    if checked.found:
        return [*lines, f"{counted(checked.found, 'problem')}: mend what is wrong, then validate again"]
    why = str(checked.refused).replace(NOTHING_SENT, "", 1)  # nobody meant to send
    return [*lines, f"submit would refuse this: {why}" if checked.refused else "no problems"]


def _ids(checked: Validation) -> str:
    if checked.id_column is None:
        return "known by a digest of their request (no id column)"
    return f"known by column {checked.id_column}"


def _steps(told: Rehearsal) -> list[str]:
    composition = [told.scrutiny.composition(told.by_type)] if told.new and told.scrutiny else []
    lines = [f"dry run: batch {told.batch} {'would be new' if told.is_new else 'is there already'}"]
    lines.append(f"  {rows(told.new)} to plan, {rows(told.known)} known already")
    if told.renewed:
        lines.append(f"  {rows(told.renewed)} not sent yet would take their URL as it is signed now")
    lines += [f"  {line}" for line in (*composition, *told.besides)]
    if told.problems:
        lines.append(f"  {counted(told.problems, 'problem')}: their rows would be put aside")
    if told.left_out:
        lines.append(f"  {rows(told.left_out)} would be left out, asked for before")
    lines += [f"  {lack}" for lack in (told.no_base, told.no_key) if lack]
    if spent := told.spent.text():
        lines.append(f"  {spent}")
    of = f"{told.to_send:,} of " if told.held else ""
    cost = f", for about {told.cost:,.2f}" if told.cost is not None else ""
    lines.append(f"  {of}{rows(told.to_send + told.held)} to send{cost}")
    return lines
