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
    from mwbatch.client.transport.wire import Answer, Wire
    from mwbatch.core.api.task import Task
    from mwbatch.core.report.outcomes import Created, Reconciled
    from mwbatch.core.report.progress import Report
    from mwbatch.core.state.fold import Status
    from mwbatch.library.batch import Batch, Submitted
    from mwbatch.library.client import Client
    from mwbatch.library.home import Home
    from mwbatch.library.options import CreateOptions, SubmitOptions
    from mwbatch.library.receiving import receiver
    from mwbatch.library.results import Result, Tag
    from mwbatch.library.tasks import Tasks

__all__ = [
    "Answer",
    "Batch",
    "Client",
    "CreateOptions",
    "Created",
    "Home",
    "Reconciled",
    "Report",
    "Result",
    "Status",
    "SubmitOptions",
    "Submitted",
    "Tag",
    "Task",
    "Tasks",
    "Wire",
    "errors",
    "receiver",
]

_PLACES: Final = {
    "Answer": "client.transport.wire",
    "Batch": "library.batch",
    "Client": "library.client",
    "CreateOptions": "library.options",
    "Created": "core.report.outcomes",
    "Home": "library.home",
    "Reconciled": "core.report.outcomes",
    "Report": "core.report.progress",
    "Result": "library.results",
    "Status": "core.state.fold",
    "SubmitOptions": "library.options",
    "Submitted": "library.batch",
    "Tag": "library.results",
    "Task": "core.api.task",
    "Tasks": "library.tasks",
    "Wire": "client.transport.wire",
    "receiver": "library.receiving",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: importing mwbatch itself costs nothing."""
    if name == "errors":
        return import_module("mwbatch.errors")
    if name not in _PLACES:
        raise AttributeError(f"module 'mwbatch' has no attribute {name!r}")
    return getattr(import_module(f"mwbatch.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
