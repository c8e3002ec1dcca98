"""What is kept of a batch beside its facts, in its folder and outside of it."""

from dataclasses import replace
from pathlib import Path

from mwbatch.journal.home.batch_folder import BatchFolder
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.open_batch import look
from tests.support.facts import answer, plan, start

INFO = BatchInfo("logos", "b234567890", "https://api.test", "/manifests/logos.csv", "id", ())


async def test_results_are_measured_once_nobody_writes_them(tmp_path: Path) -> None:
    """While others may store answers the sizes of rows and journal are noted, those of results only in the
    end: what grows this moment may not be durable yet.
    """
    home = Home(tmp_path / "home")
    home.create(INFO)
    receiver = await look(home, home.find("logos"), "receiver")
    await receiver.record([answer(1)])
    async with home.act(home.find("logos"), "submit") as batch:
        await batch.record([plan(0)])
        await batch.start(start(1))
        folder = batch.own
        assert isinstance(folder, BatchFolder)
        places = list[set[str]]()
        for ended in (False, True):
            folder.record = replace(folder.record, segments={})
            folder.trust.measure(ended=ended)
            places.append({name.partition("/")[0] for name in folder.record.segments})
        assert places == [{"rows", "journal"}, {"rows", "journal", "results"}]
    await receiver.journal.close()
