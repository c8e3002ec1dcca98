"""mwbatch sends image tagging and annotating tasks to the Microwork API: no row paid twice, no answer lost,
and proof.

The words, each with its one meaning:

========  ====================================================================================================
manifest  the user's CSV or JSONL file; one line, one row
row       one thing to be labelled, numbered from 0 within its batch; its id is the manifest's, or a digest
batch     the rows of a manifest and all that is known about them, in a folder of its own
attempt   one create request for one row, numbered from 1
task      what the API made of an attempt
address   the callback URL of an attempt: it names batch, row and attempt, and is signed
fact      something that happened, in the past tense, never changed
journal   the grow-only set of a batch's facts: the only truth
fold      the pure function from facts to the state of a batch
verdict   what the outcome of one create request proves
sweep     a listing of the API's tasks that looks for our addresses
settle    to find out whether a task came of a request whose outcome is unknown
surplus   a task beyond the one that a row needs
========  ====================================================================================================

What stands in ``__all__`` is public, and loaded when it is first used::

    async with mwbatch.Client() as client:
        task = await client.tasks.create_tagging(image_url=picture, callback_url=hook)

    async with mwbatch.Home("labels") as home:
        batch = await home.submit("logos.csv", callback_url=base, max_cost=50, price=0.08)
        await batch.reconcile(wait=True)
        async for result in batch.results():
            print(result.id, [tag.brand for tag in result.tags])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mwbatch import errors
    from mwbatch.callbacks.common.counts import Counts
    from mwbatch.callbacks.common.hiding import HideAddresses
    from mwbatch.callbacks.common.limits import Limits as ReceiverLimits
    from mwbatch.callbacks.common.readiness import State as ReceiverState
    from mwbatch.callbacks.common.refusal import Reason as RefusalReason
    from mwbatch.callbacks.common.refusal import Reply
    from mwbatch.callbacks.common.subscriber import OnStored
    from mwbatch.callbacks.ops.mounting import RECEIVER
    from mwbatch.callbacks.ops.server import Running
    from mwbatch.client.transport.wire import Wire, WireResponse
    from mwbatch.core.api.task import Task
    from mwbatch.core.facts.kinds import Seen, Via
    from mwbatch.core.manifest.entry import Problem
    from mwbatch.core.pace.course import Ending
    from mwbatch.core.report.agreement import Differing
    from mwbatch.core.report.command_outcomes import (
        Canceled,
        Comparison,
        Created,
        Made,
        Proof,
        Ran,
        Reconciled,
    )
    from mwbatch.core.report.exported import Exported
    from mwbatch.core.report.key_use import KeyLine, Retired, Rotated, Use
    from mwbatch.core.report.preview import Rehearsal, Validation
    from mwbatch.core.report.progress import Report
    from mwbatch.core.spending.budget import Limits, Spent
    from mwbatch.core.spending.scrutiny import Scrutiny
    from mwbatch.core.state.row_status import Status
    from mwbatch.journal.interface.commit_times import Commits, Histogram
    from mwbatch.library.batch import Batch, Submitted
    from mwbatch.library.client import Client
    from mwbatch.library.home import Home
    from mwbatch.library.keys import Keys
    from mwbatch.library.reading.details import DamagedLine, Details, FoundTask, UnusableCallback
    from mwbatch.library.reading.results import Result, Tag
    from mwbatch.library.receiving import Receiver, receiver
    from mwbatch.library.reports import AuditReport, Standing
    from mwbatch.library.settings.keywords import (
        CheckOptions,
        CompareOptions,
        CreateOptions,
        ListenOptions,
        ManifestOptions,
        RunOptions,
        SubmitOptions,
    )
    from mwbatch.library.tasks import Tasks

__all__ = [
    "RECEIVER",
    "AuditReport",
    "Batch",
    "Canceled",
    "CheckOptions",
    "Client",
    "Commits",
    "CompareOptions",
    "Comparison",
    "Counts",
    "CreateOptions",
    "Created",
    "DamagedLine",
    "Details",
    "Differing",
    "Ending",
    "Exported",
    "FoundTask",
    "HideAddresses",
    "Histogram",
    "Home",
    "KeyLine",
    "Keys",
    "Limits",
    "ListenOptions",
    "Made",
    "ManifestOptions",
    "OnStored",
    "Problem",
    "Proof",
    "Ran",
    "Receiver",
    "ReceiverLimits",
    "ReceiverState",
    "Reconciled",
    "RefusalReason",
    "Rehearsal",
    "Reply",
    "Report",
    "Result",
    "Retired",
    "Rotated",
    "RunOptions",
    "Running",
    "Scrutiny",
    "Seen",
    "Spent",
    "Standing",
    "Status",
    "SubmitOptions",
    "Submitted",
    "Tag",
    "Task",
    "Tasks",
    "UnusableCallback",
    "Use",
    "Validation",
    "Via",
    "Wire",
    "WireResponse",
    "errors",
    "receiver",
]

_PLACES: Final = {
    "WireResponse": "client.transport.wire",
    "AuditReport": "library.reports",
    "Batch": "library.batch",
    "Canceled": "core.report.command_outcomes",
    "CheckOptions": "library.settings.keywords",
    "Client": "library.client",
    "CompareOptions": "library.settings.keywords",
    "Commits": "journal.interface.commit_times",
    "Comparison": "core.report.command_outcomes",
    "Counts": "callbacks.common.counts",
    "CreateOptions": "library.settings.keywords",
    "Created": "core.report.command_outcomes",
    "DamagedLine": "library.reading.details",
    "Details": "library.reading.details",
    "Differing": "core.report.agreement",
    "Ending": "core.pace.course",
    "Exported": "core.report.exported",
    "FoundTask": "library.reading.details",
    "HideAddresses": "callbacks.common.hiding",
    "Histogram": "journal.interface.commit_times",
    "Home": "library.home",
    "KeyLine": "core.report.key_use",
    "Keys": "library.keys",
    "Limits": "core.spending.budget",
    "ListenOptions": "library.settings.keywords",
    "Made": "core.report.command_outcomes",
    "ManifestOptions": "library.settings.keywords",
    "OnStored": "callbacks.common.subscriber",
    "Problem": "core.manifest.entry",
    "Proof": "core.report.command_outcomes",
    "RECEIVER": "callbacks.ops.mounting",
    "Ran": "core.report.command_outcomes",
    "Receiver": "library.receiving",
    "ReceiverLimits": "callbacks.common.limits:Limits",
    "ReceiverState": "callbacks.common.readiness:State",
    "Reconciled": "core.report.command_outcomes",
    "RefusalReason": "callbacks.common.refusal:Reason",
    "Rehearsal": "core.report.preview",
    "Reply": "callbacks.common.refusal",
    "Report": "core.report.progress",
    "Result": "library.reading.results",
    "Retired": "core.report.key_use",
    "Rotated": "core.report.key_use",
    "RunOptions": "library.settings.keywords",
    "Running": "callbacks.ops.server",
    "Scrutiny": "core.spending.scrutiny",
    "Seen": "core.facts.kinds",
    "Spent": "core.spending.budget",
    "Standing": "library.reports",
    "Status": "core.state.row_status",
    "SubmitOptions": "library.settings.keywords",
    "Submitted": "library.batch",
    "Tag": "library.reading.results",
    "Task": "core.api.task",
    "Tasks": "library.tasks",
    "UnusableCallback": "library.reading.details",
    "Use": "core.report.key_use",
    "Validation": "core.report.preview",
    "Via": "core.facts.kinds",
    "Wire": "client.transport.wire",
    "receiver": "library.receiving",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: importing mwbatch itself costs nothing."""
    if name == "errors":
        return import_module("mwbatch.errors")
    if name not in _PLACES:
        raise AttributeError(f"module 'mwbatch' has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    module, _, attribute = _PLACES[name].partition(":")
    module, _, attribute = _PLACES[name].partition(":")
    return getattr(import_module(f"mwbatch.{module}"), attribute or name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
