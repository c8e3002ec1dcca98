"""The home of before part F opens, is added to, settled and exported, by whatever code comes."""

import asyncio
import shutil
from pathlib import Path
from typing import Final

import orjson
import pytest

from mwbatch.client import Client
from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.sending.creating import SendOptions
from mwbatch.commands.verbs.export import export
from mwbatch.commands.verbs.reconcile import reconcile
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.codec.json_codec import objects
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.report.progress import Report
from mwbatch.core.spending.budget import Limits
from mwbatch.core.state.row_status import Status
from mwbatch.errors import Exit
from mwbatch.export.choices import FormatName
from mwbatch.export.writing import Order
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.labelled import results
from mwbatch.journal.interface.open_batch import read
from tests.proof.old_homes.api import KeptApi, clock
from tests.support.virtual import virtual

KEPT: Final = Path(__file__).parent / "home-1"
ORIGIN: Final = "http://127.0.0.1:8900"


class Kept:
    """A copy of the kept home, and the API as it was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "kept"
        shutil.copytree(KEPT, self.folder)
        (self.folder / "home" / "keys.json").chmod(0o600)
        self.home, self.api = Home(self.folder / "home"), KeptApi(self.folder / "listing.jsonl")
        self.client = Client("sim_key", ORIGIN, wire=self.api)

    def context(self) -> Context:
        """A context in virtual time."""
        return Context(now=clock, ticks=lambda: asyncio.get_running_loop().time())

    def report(self, name: str) -> Report:
        """Where a batch stands."""
        return read(self.home, self.home.find(name)).report()

    async def submit(self, name: str, manifest: str, limits: Limits | None = None) -> Created:
        """Hand a manifest in again, to the batch that was made from it."""
        source = ManifestSource(str(self.folder / manifest), batch=name)
        options = SendOptions("none", limits=limits or Limits())
        return await submit(self.home, self.client, source, options, self.context())


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A copy for each test."""
    return Kept(tmp_path)


def test_it_has_rows_in_all_six_statuses(kept: Kept) -> None:
    """Every status is read as it was written."""
    assert kept.report("logos").by_status == {
        Status.PLANNED: 2,
        Status.DOUBT: 1,
        Status.PENDING: 1,
        Status.COMPLETED: 2,
        Status.CANCELED: 1,
        Status.REJECTED: 1,
    }


def test_rows_that_differ_in_signatures_alone_stay_two_rows(kept: Kept) -> None:
    """Two rows that an older version told apart are two rows for ever, each with its own task."""
    report = kept.report("signed")
    assert (report.rows, report.by_status[Status.COMPLETED], report.by_status[Status.PENDING]) == (3, 1, 2)


def test_its_answers_are_read(kept: Kept) -> None:
    """Results carry the ids, the columns and what people answered."""
    lines = list(results(read(kept.home, kept.home.find("logos"))))
    assert [(line["id"], line["columns"].get("shelf"), line["via"]) for line in lines] == [
        ("shot-0", 0, "callback"),
        ("shot-4", 4, "callback"),
    ]
    said = lines[1]["response"]
    assert isinstance(said, dict)
    assert all(tag["label"] in ("yes", "no") for tag in objects(said["tags"]) or [{}])


@virtual
async def test_handed_in_again_it_sends_what_is_missing_and_nothing_else(kept: Kept) -> None:
    """The same manifest again: the two planned rows and the one in doubt are sent, none that has a task."""
    created = await kept.submit("logos", "logos.jsonl", Limits(max_tasks=20))
    assert sorted(kept.api.created) == [f"https://images.example.com/{n}.jpg" for n in (5, 6, 7)]
    assert created.report.by_status[Status.DOUBT] == created.report.by_status[Status.PLANNED] == 0


@virtual
async def test_rows_that_differ_in_signatures_alone_are_not_sent_again(kept: Kept) -> None:
    """Their manifest again: all rows are known, nothing is sent."""
    created = await kept.submit("signed", "signed.csv")
    assert kept.api.created == []
    assert created.report.rows == 3


@virtual
async def test_rows_are_added(kept: Kept) -> None:
    """A grown manifest adds its new row to the batch, behind the rows that are there."""
    manifest = kept.folder / "logos.jsonl"
    more = {"id": "shot-8", "image_url": "https://images.example.com/8.jpg"}
    manifest.write_bytes(manifest.read_bytes() + orjson.dumps(more) + b"\n")
    created = await kept.submit("logos", "logos.jsonl", Limits(max_tasks=20))
    assert created.report.rows == 9
    assert "https://images.example.com/8.jpg" in kept.api.created


@virtual
async def test_it_is_reconciled(kept: Kept) -> None:
    """The listing of then covers every task, and none was paid twice."""
    account = await reconcile(kept.home, kept.client, "signed", kept.context())
    assert account.proof is not None
    assert (account.proof.paid_twice, account.exit) == (0, Exit.UNFINISHED)  # two rows are pending still


@virtual
async def test_it_is_exported(kept: Kept, tmp_path: Path) -> None:
    """An export has the tags of its completed tagging rows."""
    opened = kept.home.open(kept.home.find("logos"))
    told = await export(opened, kept.context(), Order(FormatName.CSV, tmp_path / "out.csv"))
    assert told.completed == 2
    assert "shot-0" in (tmp_path / "out.csv").read_text()
