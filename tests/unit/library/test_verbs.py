"""Every verb as a method."""

import asyncio
import io
import json
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import click
import pytest

import mwbatch
from mwbatch.cli import app
from mwbatch.core.words.keywords import _FLAGS, keyword
from mwbatch.errors import BadValue, Findings, Invalid, StoreError, UsageError
from mwbatch.library.settings.groups import AskedBeforeOptions, MeantOptions, RowSelection, Spending
from mwbatch.simulator import Simulator
from tests.documents import verbs
from tests.support.ports import free_port
from tests.unit.library.test_batches import completed
from tests.unit.library.test_closed import hints

METHODS: dict[str, Callable[..., Any]] = {
    "audit": mwbatch.Home.audit,
    "cancel": mwbatch.Batch.cancel,
    "export": mwbatch.Batch.export,
    "keys list": mwbatch.Keys.list,
    "keys retire": mwbatch.Keys.retire,
    "keys rotate": mwbatch.Keys.rotate,
    "make-annotating": mwbatch.Batch.make_annotating,
    "reconcile": mwbatch.Batch.reconcile,
    "results": mwbatch.Batch.results,
    "resume": mwbatch.Batch.resume,
    "retry": mwbatch.Batch.retry,
    "run": mwbatch.Home.run,
    "serve-callbacks": mwbatch.Home.serve_callbacks,
    "status": mwbatch.Batch.status,
    "submit": mwbatch.Home.submit,
    "tasks cancel": mwbatch.Tasks.cancel,
    "tasks get": mwbatch.Tasks.get,
    "tasks list": mwbatch.Tasks.list,
    "validate": mwbatch.Home.validate,
}
PROGRAMS = {"help", "simulate"}
"""Verbs that are for people alone."""

TALK = {"json", "quiet", "verbose", "log_format", "raw"}
PLACES = {"path", "callback_key_file", "base_url", "timeout"}
"""What is said of a home and a client when they are made."""

ELSEWHERE = {
    "reconcile": {"list"},  # details(), and Reconciled.differing
    "results": {"follow", "output", "force", "require_complete"},  # follow(), a file of one's own, check()
    "status": {"rows", "watch", "require_complete"},  # results(all=True), follow(), check()
    "submit": {"dry_run"},  # rehearse()
}
"""Options for which there is another method."""


def keywords(method: Callable[..., Any]) -> set[str]:
    """The keywords that a method takes, those of its typed dictionary too."""
    there = {*signature(method).parameters} - {"self", "options"}
    if "options" in signature(method).parameters:
        if signature(method).parameters["options"].kind.name != "VAR_KEYWORD":
            return there | {"options"}
        [kind] = get_args(hints(method)["options"])
        there |= get_type_hints(kind).keys()
    return there


def test_every_verb_has_its_method() -> None:
    """No verb is left out."""
    assert {name.removeprefix("mwbatch ") for name, _ in verbs()} == {*METHODS} | PROGRAMS


@pytest.mark.parametrize(("name", "command"), [(n.removeprefix("mwbatch "), c) for n, c in verbs()])
def test_every_option_is_a_keyword(name: str, command: click.Command) -> None:
    """Each option of a verb is a keyword of its method, or has another method; and none is added."""
    if name in PROGRAMS:
        return
    options = {keyword(one.opts[0][2:]) for one in command.params if isinstance(one, click.Option)}
    options -= TALK | PLACES | ELSEWHERE.get(name, set())
    wanted = {"confirm" if one == "yes" else one for one in options}
    arguments = {str(one.name) for one in command.params if isinstance(one, click.Argument)}
    ours = {"manifest"} if name == "reconcile" else {"on_stored"} if name == "serve-callbacks" else set()
    assert keywords(METHODS[name]) - ours == wanted | arguments - ({"batch"} - wanted)


def test_keywords_have_the_types_of_options() -> None:
    """The typed dictionary says of each option what its dataclass says; of several words any will do."""
    told = get_type_hints(mwbatch.SubmitOptions)
    for group in (Spending, AskedBeforeOptions, MeantOptions, RowSelection):
        for name, kind in get_type_hints(group).items():
            if name != "yes":
                assert told[name] == (Iterable[str] if get_origin(kind) is tuple else kind)


def test_flags_are_known() -> None:
    """What messages call an option that takes no value is one."""
    there = {
        one.opts[0][2:]
        for _, command in verbs()
        for one in command.params
        if isinstance(one, click.Option) and one.is_flag
    }
    assert there - {"json", "quiet", "verbose", "help"} >= _FLAGS
    assert isinstance(app, click.Group)


async def test_what_stands_before_a_submission(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """A manifest is validated and rehearsed without a key being used or anything written."""
    async with mwbatch.Home(tmp_path / "home") as home:
        with pytest.raises(BadValue, match=r"^price is -1"):
            await home.validate(manifest, price=-1)
        found = await home.validate(manifest, price=0.08)
        assert (found.check().rows, found.cost) == (3, 0.24)
        told = await home.rehearse(manifest, callback_url="none", price=0.08, max_tasks=2)
        assert (told.to_send, told.held, told.no_key, told.cost) == (2, 1, "", 0.16)
        manifest.write_text("id,image_url\na,nowhere\n")
        with pytest.raises(Invalid, match=r"logos.csv:2: image_url"):
            (await home.validate(manifest)).check()
    assert not (tmp_path / "home").exists()


async def test_what_lacks_a_key_is_rehearsed(tmp_path: Path, manifest: Path) -> None:
    """A dry run says that there is no key."""
    async with mwbatch.Home(tmp_path / "home") as home:
        assert "no API key" in (await home.rehearse(manifest, callback_url="none")).no_key


async def test_validation_knows_what_was_asked_for(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """A manifest of rows that another batch asked for is refused as its submission would be."""
    async with mwbatch.Home(tmp_path / "home") as home:
        await completed(home, manifest)
        other = manifest.with_name("other.csv")
        other.write_text(manifest.read_text())
        with pytest.raises(Invalid, match=r"only_new=True"):
            (await home.validate(other)).check()
        with pytest.raises(mwbatch.errors.AskedBefore, match=r"again=…|only_new=True") as raised:
            await home.submit(other, callback_url="none")
        assert raised.value.asked["rows"] == 3
        sent = await home.submit(other, callback_url="none", again=["logos"], settle=1)
        assert sent.outcome.report.rows == 3
        found = await home.audit(price=0.08)
        assert (found.asked_again, found.tasks_beyond, found.cost) == (3, 3, 0.24)
        assert (found.details["asked_again"], found.details["tasks_beyond"]) == (3, 3)
        with pytest.raises(Findings, match="3 requests were asked for more than once"):
            found.check()


async def test_what_can_be_read_but_once_is_read_once(
    api: Simulator, tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest on standard input is checked and compared with nothing, whatever batches there are."""
    async with mwbatch.Home(tmp_path / "home") as home:
        await home.submit(manifest, callback_url="none", settle=1)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(manifest.read_bytes())))
        found = await home.validate("-")
        assert (found.rows, found.refused) == (3, None)
        assert (await home.validate(manifest)).refused is None


async def test_run_receives(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """Submitting and receiving in one go ends with every answer."""
    async with mwbatch.Home(tmp_path / "home") as home:
        batch = await home.run(manifest, port=0, poll=0.5)
        assert batch.outcome.check().report.complete
        assert [report.batch for report in (await home.status()).check().batches] == ["logos"]
        with pytest.raises(BadValue, match=r"^port is 70000"):
            await home.run(manifest, port=70_000)


async def test_follow_gives_answers_as_they_come(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """A program beside a receiver gets each answer once, and catches up with what it has not handled."""
    async with (
        mwbatch.Home(tmp_path / "home") as home,
        await home.serve_callbacks(port=free_port()) as receiver,
    ):
        batch = await home.submit(manifest, callback_url=receiver.url)
        came = [result.id async for result in batch.follow(every=0.1)]
        assert sorted(came) == ["shot-0", "shot-1", "shot-2"]
        assert [result.id async for result in batch.follow(but=came[:2])] == came[2:]
        assert receiver.counts.received == 3


async def test_follow_says_what_it_cannot_give(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """Where rows are lost, whose answers nobody can be shown, following ends with an error."""
    async with mwbatch.Home(tmp_path / "home") as home:
        batch = await home.run(manifest, port=free_port(), poll=0.5)
        [segment] = [
            path for path in (tmp_path / "home").rglob("*.jsonl") if b'"planned"' in path.read_bytes()
        ]
        segment.write_bytes(segment.read_bytes().partition(b"\n")[2])
        with pytest.raises(StoreError, match="cannot be shown"):
            assert [result async for result in batch.follow()]


async def test_follow_is_stopped(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """Who waits for answers that do not come is let go by `stop`."""
    async with mwbatch.Home(tmp_path / "home") as home:
        batch = await home.submit(manifest, callback_url="none")
        asyncio.get_running_loop().call_soon(home.stop)
        assert [result async for result in batch.follow()] == []


async def test_second_thoughts(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """Rows are given up by their ids, and sent again."""
    async with mwbatch.Home(tmp_path / "home") as home:
        batch = await home.submit(manifest, callback_url="none", max_tasks=1, settle=1)
        left = [row.id async for row in batch.results(all=True) if row.status is mwbatch.Status.PLANNED]
        told = await batch.cancel(ids=left)
        assert (told.withdrawn, told.canceled) == (2, 0)
        again = await batch.retry(status="canceled", ids=left[:1], max_tasks=3, settle=1)
        assert again.report.spent.tasks == 2
        with pytest.raises(BadValue, match=r"^ids is 'shot-1'"):
            await batch.cancel(ids="shot-1")
        with pytest.raises(UsageError, match="no row never"):
            await batch.cancel(ids=["never"])


async def test_taking_answers_home(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """Completed rows are exported, asked about again, and looked at one by one."""
    async with mwbatch.Home(tmp_path / "home") as home:
        batch = await completed(home, manifest)
        found = await batch.export(format="csv", output=tmp_path / "logos.csv.out", require_complete=True)
        assert found.check().completed == 3
        with pytest.raises(BadValue, match=r"^format is 'xml': choose one of csv, parquet"):
            await batch.export(format="xml", output=tmp_path / "x")
        made = await batch.make_annotating(
            instruction="Is it clear?", options=["clear", "blurred"], output=tmp_path / "clear.jsonl"
        )
        assert made.rows == len((tmp_path / "clear.jsonl").read_text().splitlines())
        assert json.loads((tmp_path / "clear.jsonl").read_text().splitlines()[0])["source_batch"] == "logos"
        details = await batch.details()
        assert (details.surplus, details.damaged, details.unusable) == ((), (), ())
        with pytest.raises(UsageError, match=r"^instruction="):
            await batch.make_annotating(instruction=" ", options=["a", "b"], output=tmp_path / "y")


async def test_keys(tmp_path: Path) -> None:
    """Callback keys are made, listed and retired."""
    async with mwbatch.Home(tmp_path / "home") as home:
        first = await home.keys.rotate()
        second = await home.keys.rotate()
        assert [(key.kid, key.use) for key in await home.keys.list()] == [
            (first.kid, "verifies"),
            (second.kid, "signs"),
        ]
        assert (await home.keys.retire(first.kid)).kid == first.kid
        with pytest.raises(UsageError):
            await home.keys.retire(second.kid)


async def test_a_table_needs_arrow(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """Where the extra is not installed, the message says what to install."""
    async with mwbatch.Home(tmp_path / "home") as home:
        batch = await completed(home, manifest)
        if find_spec("pyarrow") is None:
            with pytest.raises(UsageError, match="pip install pyarrow"):
                batch.table()
        else:
            table = batch.table()
            assert table.column("id").to_pylist()[0] == "shot-0"
            assert {"brand", "campaign"} <= {*table.schema.names}
            assert table.num_rows >= 3
