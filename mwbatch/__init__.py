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

    async with mwbatch.Client(api_key) as client:
        task = await client.create_tagging_task(image_url, callback_url)

    home = mwbatch.Home(Path("labels"))
    async with mwbatch.Client(api_key) as client:
        wishes = mwbatch.Wishes(callback_url=base)
        created = await mwbatch.submit(home, client, mwbatch.Source("logos.csv"), wishes)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mwbatch import errors
    from mwbatch.callbacks.receiver import application as receiver
    from mwbatch.client import Client
    from mwbatch.commands.context.context import Desk
    from mwbatch.commands.manifest.planning import Source
    from mwbatch.commands.sending.creating import Wishes
    from mwbatch.commands.verbs.reconcile import Manner, reconcile
    from mwbatch.commands.verbs.submit import resume, submit
    from mwbatch.core.state.batch import Batch
    from mwbatch.journal.home.home import Home
    from mwbatch.journal.seam.labelled import results
    from mwbatch.journal.seam.open_batch import look

__all__ = [
    "Batch",
    "Client",
    "Desk",
    "Home",
    "Manner",
    "Source",
    "Wishes",
    "errors",
    "look",
    "receiver",
    "reconcile",
    "results",
    "resume",
    "submit",
]

_PLACES: Final = {
    "Batch": "core.state.batch:Batch",
    "Client": "client:Client",
    "Desk": "commands.context.context:Desk",
    "Home": "journal.home.home:Home",
    "Manner": "commands.verbs.reconcile:Manner",
    "Source": "commands.manifest.planning:Source",
    "Wishes": "commands.sending.creating:Wishes",
    "look": "journal.seam.open_batch:look",
    "receiver": "callbacks.receiver:application",
    "reconcile": "commands.verbs.reconcile:reconcile",
    "results": "journal.seam.labelled:results",
    "resume": "commands.verbs.submit:resume",
    "submit": "commands.verbs.submit:submit",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: importing mwbatch itself costs nothing."""
    if name == "errors":
        return import_module("mwbatch.errors")
    if name not in _PLACES:
        raise AttributeError(f"module 'mwbatch' has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    return getattr(import_module(f"mwbatch.{module}"), attribute)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
