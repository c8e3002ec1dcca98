"""Stage two: an annotating manifest out of a tagging batch's answers. It sends nothing."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

from mwbatch.commands.context.clocks import clock_of
from mwbatch.commands.context.context import Context
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.report.command_outcomes import Made
from mwbatch.core.report.second_stage import BoxQuestion, Filter, ask
from mwbatch.core.urls.expiry import Expiring
from mwbatch.core.words.hint import hint
from mwbatch.errors import UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.journal import Journal
from mwbatch.journal.interface.labelled import labelled
from mwbatch.journal.interface.naming import name_for
from mwbatch.journal.interface.store import Store
from mwbatch.journal.outputs.placing import free
from mwbatch.journal.outputs.user_files import Output

GROUP: Final = 256
"""Rows between two looks at whether the user wants to stop."""


async def make_annotating(
    store: Store,
    name: str,
    question: BoxQuestion,
    chosen: Filter,
    path: Path,
    context: Context,
    *,
    force: bool = False,
) -> Made:
    """Write a manifest that asks ``question`` about the tags of every completed tagging row.

    Raises:
        UsageError: there is no such batch, it has no answers of tagging rows, the question is none, or the
            path is taken.
        StoreError: the batch cannot be read, or the manifest not be written.
    """
    check(question)
    opened = await in_thread(lambda: store.open(store.find(name)))
    output = Output(store, path, force)
    await in_thread(output.check)
    context.tally.begin("reading answers")
    expiring = Expiring(clock_of(context))
    with context.in_flight():
        made = await in_thread(
            _write, opened.info.name, opened.journal, question, chosen, output, context, expiring
        )
    context.tally.begin("")
    return replace(made, expired=expiring.expired, expiring=expiring.soon, single=question.single)


def check(question: BoxQuestion) -> None:
    """Raise `UsageError` for a question that no manifest would take."""
    if wrong := question.wrong():
        raise UsageError(
            "; ".join(
                f"--{'instruction' if name == 'instruction' else 'option'} {told}" for name, told in wrong
            )
        )


def _write(
    name: str,
    journal: Journal,
    question: BoxQuestion,
    chosen: Filter,
    output: Output,
    context: Context,
    expiring: Expiring,
) -> Made:
    path = output.path
    counts = Counter[str]()
    counts["tagging"] = sum(planned.type == "tagging" for planned in journal.rows())
    context.tally.total = counts["tagging"]
    with output.file() as target, target.open() as file:
        for planned, answer in labelled(journal.answered()):
            if planned.type != "tagging":
                continue
            asked = ask(name, planned, answer, question, chosen)
            counts.update(asked.counts, completed=1, rows=asked.row is not None)
            if asked.row is not None:
                file.write(encode(asked.row) + b"\n")
                expiring.count(planned.request["image_url"])
            context.tally.done = counts["completed"]
            if counts["completed"] % GROUP == 0 and context.stopping.is_set():
                raise UsageError(f"interrupted: {path} was not written")
        if not counts["rows"]:
            raise UsageError(_nothing(name, counts))
    return Made(
        name,
        str(path),
        rows=counts["rows"],
        tags=counts["asked"],
        images_without=counts["completed"] - counts["rows"],
        filtered=counts["filtered"],
        beyond=counts["beyond"],
        unusable=counts["unusable"],
        waiting=counts["tagging"] - counts["completed"],
        name=name_for(str(path)),
        later=str(free(path)),
    )


def _nothing(name: str, counts: Counter[str]) -> str:
    """Why there is nothing to ask about, and what to do."""
    if not counts["tagging"]:
        return f"batch {name} has no tagging rows: stage two asks about boxes that people drew"
    if not counts["completed"]:
        return f"no tagging row of batch {name} is completed yet: see {hint('status', name)}"
    return f"no tag of batch {name} is left to ask about ({counts['filtered']:,} filtered out): ask for less"
