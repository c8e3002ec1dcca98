"""From a manifest to planned rows."""

import io
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mwbatch.commands.manifest import planning
from mwbatch.commands.manifest.planning import ManifestSource, choose, examine, readable
from mwbatch.commands.manifest.writing import write_plan
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.spending.budget import Limits
from mwbatch.errors import ManifestError, UsageError
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.naming import new_batch_id
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ORIGIN, Stage, silent


def made(stage: Stage, name: str, manifest: str) -> None:
    """A batch of the home."""
    stage.home.create(BatchInfo(name, new_batch_id(), ORIGIN, manifest, None, ()))


def test_a_batch_is_found_by_name_then_path_then_file_name(stage: Stage) -> None:
    """The name asked for, else the manifest's path, else the name that its file gives."""
    made(stage, "mine", "/data/logos.csv")
    made(stage, "brands", "/data/brands.csv")
    named = [
        ManifestSource("/data/brands.csv", batch="mine"),
        ManifestSource("logos.csv", known_as="/data/logos.csv"),
        ManifestSource("/other/brands.csv"),
        ManifestSource("/data/new.csv"),
    ]
    chosen = [choose(stage.home, source, ORIGIN) for source in named]
    assert [(one.info.name, one.ref is None) for one in chosen] == [
        ("mine", False),
        ("mine", False),
        ("brands", False),
        ("new", True),
    ]


@pytest.mark.parametrize(
    ("manifest", "former"), [("Gro\u00dfe L\u00e4den.csv", "Gro-e-L-den"), ("\u5e97\u82172.csv", "2")]
)
def test_a_batch_is_found_by_the_name_that_its_manifest_gave_once(
    stage: Stage, manifest: str, former: str
) -> None:
    """A batch that was named when letters beyond ASCII were left out is
    found by its manifest wherever that stands now.
    """
    made(stage, former, f"/data/{manifest}")
    for place in ("/data", "/moved"):
        assert choose(stage.home, ManifestSource(f"{place}/{manifest}"), ORIGIN).info.name == former


def test_several_batches_of_one_manifest(stage: Stage) -> None:
    """Where several batches were made from a manifest the user must name one."""
    made(stage, "one", "/m.csv")
    made(stage, "two", "/m.csv")
    with pytest.raises(UsageError, match="one, two; name one with --batch"):
        choose(stage.home, ManifestSource("/m.csv"), ORIGIN)


@virtual
async def test_standard_input_is_kept_aside(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows from standard input need a named batch, can be read twice, and leave no file behind."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"image_url\nhttps://a/1\n")))
    with pytest.raises(UsageError, match="--batch NAME"):
        async with readable(ManifestSource("-")):
            pass
    async with readable(ManifestSource("-", "piped", add=True)) as source:
        kept = Path(source.path)
        assert [(await examine(source, None, stage.context)).new for _ in range(2)] == [1, 1]
        assert (source.recorded, source.batch, source.add) == ("-", "piped", True)
    assert not kept.exists()


@virtual
async def test_a_pipe_is_read_once(stage: Stage) -> None:
    """What a shell hands over as ``<(…)`` is kept aside as standard input is, for a batch that is named."""
    read, write = os.pipe()
    path = f"/dev/fd/{read}"
    with pytest.raises(UsageError, match=f"the pipe {path} need the name of a batch: --batch NAME"):
        async with readable(ManifestSource(path)):
            pass
    os.write(write, b"image_url\nhttps://a/1\n")
    os.close(write)
    async with readable(ManifestSource(path, "piped")) as source:
        assert [(await examine(source, None, stage.context)).new for _ in range(2)] == [1, 1]
        assert source.recorded == "-"
    os.close(read)


@virtual
async def test_a_path_is_recorded_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative path is known by where it leads from here."""
    monkeypatch.chdir(tmp_path)
    async with readable(ManifestSource("m.csv")) as source:
        assert (source.path, source.recorded) == ("m.csv", str(tmp_path / "m.csv"))


@virtual
async def test_a_flood_of_mistakes_is_cut(stage: Stage) -> None:
    """Where rows were to be sent the first twenty mistakes are shown, and how to see the others."""
    source = stage.manifest()
    stage.write(source, "id,image_url", *(f"{n},nowhere" for n in range(300)))
    with pytest.raises(ManifestError) as refused:
        await examine(source, None, stage.context)
    assert len(refused.value.problems) == 22
    assert refused.value.problems[20].endswith(" and 280 more problems, which validate shows")


@virtual
async def test_every_mistake_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """All mistakes stand in one error, up to a limit and with their count; nothing is written."""
    monkeypatch.setattr("mwbatch.commands.manifest.manifest_survey.MAX_PROBLEMS", 2)
    source = stage.manifest()
    stage.write(source, "id,image_url", *(f"{n},nowhere" for n in range(3)))
    with pytest.raises(ManifestError) as refused:
        await examine(source, None, stage.context)
    assert [line.rsplit(":", 1)[-1] for line in refused.value.problems][2:] == [
        " and 1 more problem, which validate shows",
        "3 problems; nothing was sent. Mend what is wrong, then run the same command again",
    ]


@virtual
async def test_new_rows_get_the_numbers_that_follow(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows keep their numbers wherever they stand in the file later; new ones get those that follow."""
    monkeypatch.setattr("mwbatch.commands.manifest.manifests.BLOCK", 64)
    source = stage.manifest(*range(6))
    batch = await stage.opened()
    batch.keep(manifest=source.recorded, id_column="id")
    await write_plan(batch, source, await examine(source, batch, stage.context), stage.context)
    longer = stage.manifest("x", *range(6), "y")
    found = await examine(longer, batch, stage.context)
    await write_plan(batch, longer, found, stage.context)
    await batch.journal.close()
    rows = [(fact.row, fact.id) for fact in stage.on_disk() if isinstance(fact, Planned)]
    assert rows == [*((n, str(n)) for n in range(6)), (6, "x"), (7, "y")]


@virtual
async def test_a_file_that_changes_meanwhile(stage: Stage) -> None:
    """A manifest that grows between its two readings is refused."""
    source, batch = stage.manifest("a"), await stage.opened()
    found = await examine(source, batch, stage.context)
    stage.manifest("a", "b")
    with pytest.raises(UsageError, match="changed while it was being read"):
        await write_plan(batch, replace(source), found, stage.context)


@virtual
async def test_a_file_that_is_cut_meanwhile(stage: Stage) -> None:
    """A manifest that loses rows between its two readings is refused: they were told as new,
    and would not be sent.
    """
    source, batch = stage.manifest("a", "b"), await stage.opened()
    found = await examine(source, batch, stage.context)
    stage.manifest("a")
    with pytest.raises(UsageError, match="changed while it was being read"):
        await write_plan(batch, source, found, stage.context)


@pytest.mark.parametrize("ids", [False, True], ids=["without ids", "with ids"])
@virtual
async def test_only_what_was_compared_is_planned(stage: Stage, ids: bool) -> None:
    """A file that is sorted anew between its readings plans no row that the batch has,
    nor gives one another's URL.
    """
    column = "id" if ids else "my_own"
    source = stage.manifest("a", "b", column=column)
    await submit(stage.home, stage.client, source, silent(limits=Limits(max_tasks=1)), stage.new_context())
    batch = await stage.opened()
    stage.manifest("a", "b", "c", column=column)
    found = await examine(source, batch, stage.context)
    assert found.new == 1
    stage.manifest("c", "b", "a", column=column)
    with pytest.raises(UsageError, match="changed while it was being read"):
        await write_plan(batch, source, found, stage.context)
    assert sum(isinstance(fact, Planned) for fact in stage.on_disk()) == 2


@pytest.mark.parametrize("ids", [False, True], ids=["without ids", "with ids"])
@virtual
async def test_nothing_new_is_planned_but_what_was_compared(
    stage: Stage, ids: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file in which nothing is known yet, no row may become another between its readings,
    however far it is the same.
    """
    monkeypatch.setattr("mwbatch.commands.manifest.manifests.BLOCK", 64)
    column = "id" if ids else "my_own"
    source, batch = stage.manifest(*range(6), column=column), await stage.opened()
    found = await examine(source, batch, stage.context)
    stage.manifest(*range(5), "x", column=column)
    with pytest.raises(UsageError, match="changed while it was being read"):
        await write_plan(batch, source, found, stage.context)
    assert [fact.row for fact in stage.on_disk() if isinstance(fact, Planned)] == [0, 1, 2, 3, 4]


@virtual
async def test_what_asks_for_the_same_is_planned_as_it_stands(stage: Stage) -> None:
    """A column of the user's that changed between the readings changes nothing that was compared."""
    source, batch = stage.manifest(column="id"), await stage.opened()
    stage.write(source, "id,image_url,note", "a,https://a.example/1.jpg,first")
    found = await examine(source, batch, stage.context)
    stage.write(source, "id,image_url,note", "a,https://a.example/1.jpg,second")
    await write_plan(batch, source, found, stage.context)
    assert [fact.columns for fact in stage.on_disk() if isinstance(fact, Planned)] == [{"note": "second"}]


@virtual
async def test_a_fresh_url_is_that_of_its_row(stage: Stage) -> None:
    """A file that is sorted anew between its readings gives no row the URL of another."""
    source = stage.manifest()
    stage.write(source, "image_url", *(f"https://a.example/{n}.jpg?sv=1&sig=1" for n in "ab"))
    await submit(stage.home, stage.client, source, silent(limits=Limits(max_tasks=0)), stage.new_context())
    stage.write(source, "image_url", *(f"https://a.example/{n}.jpg?sv=1&sig=2" for n in "ab"))
    batch = await stage.opened()
    found = await examine(source, batch, stage.context)
    assert found.renewed == 2
    stage.write(source, "image_url", *(f"https://a.example/{n}.jpg?sv=1&sig=2" for n in "ba"))
    with pytest.raises(UsageError, match="changed while it was being read"):
        await write_plan(batch, source, found, stage.context)
    assert {fact.edition for fact in stage.on_disk() if isinstance(fact, Planned)} == {0}


def test_words_for_the_id_column() -> None:
    """Rows go by a column or by a digest."""
    assert planning._by(None) == "a digest of each request"
    assert planning._by("id") == "column id"
