"""The library in the words of its users: from a manifest to its answers."""

import asyncio
import logging
from pathlib import Path

import pytest

import mwbatch
from mwbatch.errors import BadValue, BatchBusy, Unfinished, UsageError
from mwbatch.simulator import Simulator


async def completed(home: mwbatch.Home, manifest: Path) -> mwbatch.Batch:
    """A batch whose rows have their answers."""
    batch = await home.submit(manifest, callback_url="none", settle=1)
    await batch.reconcile(wait=True, every=0.1, settle=1)
    return batch


async def test_submit_wait_and_read(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """A manifest is sent, its answers are waited for, proved and read, with types."""
    async with mwbatch.Home(tmp_path / "home") as home:
        batch = await home.submit(manifest, callback_url="none", max_cost=1, price=0.08, settle=1)
        assert batch.outcome.check().report.by_status[mwbatch.Status.PENDING] == 3
        proof = (await batch.reconcile(wait=True, every=0.1, settle=1)).check().proof
        assert proof is not None
        assert proof.paid_twice == 0
        there = [result async for result in batch.results()]
        assert [(one.id, one.columns["campaign"], one.status.value) for one in there] == [
            (f"shot-{n}", "autumn", "completed") for n in range(3)
        ]
        assert all(tag.brand and tag.width for one in there for tag in one.tags)
        assert (await batch.status()).check().complete


async def test_a_home_is_read_again(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """What one program submitted another one finds by name, by manifest and in the list, and goes on with."""
    async with mwbatch.Home(tmp_path / "home") as home:
        await completed(home, manifest)
    async with mwbatch.Home(tmp_path / "home") as again:
        assert [one.name for one in again.batches()] == ["logos"]
        assert again.batch(str(manifest)).name == again.batch("logos").name == "logos"
        created = await again.batch("logos").resume(settle=1)
        assert created.check().report.complete
        assert (await again.submit(manifest)).outcome.report.rows == 3
    assert len(await listed()) == 3


async def listed() -> list[mwbatch.Task]:
    """Every task of the account."""
    async with mwbatch.Client() as client:
        return [task async for task in client.tasks.list()]


async def test_what_is_open_is_raised_on_demand(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """A limit that holds rows back is no error by itself: `check` makes it one, as the exit code does."""
    async with mwbatch.Home(tmp_path / "home") as home:
        batch = await home.submit(manifest, callback_url="none", max_tasks=2, settle=1)
        assert batch.outcome.exit == 3
        with pytest.raises(Unfinished, match=r"the limit is reached.*1 planned") as raised:
            batch.outcome.check()
        assert raised.value.exit_code == 3
        with pytest.raises(Unfinished, match="1 planned, 2 pending"):
            (await batch.status()).check()


async def test_several_homes_and_batches_at_once(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """Homes share a process and a client; a batch that is at work is refused to a second task."""
    async with (
        mwbatch.Client() as client,
        mwbatch.Home(tmp_path / "a", client=client) as one,
        mwbatch.Home(tmp_path / "b", client=client) as other,
    ):
        sent = await asyncio.gather(*(home.submit(manifest, callback_url="none") for home in (one, other)))
        assert [batch.outcome.report.rows for batch in sent] == [3, 3]
        again = await asyncio.gather(*(one.batch("logos").resume() for _ in range(2)), return_exceptions=True)
        assert [type(came) for came in again].count(BatchBusy) == 1


async def test_nobody_is_asked_for_a_key_before_it_is_needed(tmp_path: Path, manifest: Path) -> None:
    """A home without a key can be looked at; what needs the API says how to give one."""
    async with mwbatch.Home(tmp_path / "home") as home:
        assert home.batches() == []
        with pytest.raises(UsageError, match="no API key: set MICROWORK_API_KEY"):
            await home.submit(manifest, callback_url="none")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"concurrency": 0}, "^concurrency is 0: a whole number from 1 to 1024 would do"),
        ({"rate": float("nan")}, "^rate is nan"),
        ({"max_cost": 5}, r"^max_cost is 5:.*\(price=\)"),
        ({"add": "yes"}, "^add is 'yes': True or False would do"),
        ({"again": "logos"}, r"^again is 'logos': several may be named: \['logos'\] would do"),
        ({"callback_url": " "}, "^callback_url is ' ': an empty word says nothing"),
        ({"batch": ""}, "^batch is ''"),
        ({"callback_url": "ftp://x"}, "^callback_url= 'ftp://x' must begin"),
        ({}, r"^no callback base: give callback_url= .* or callback_url='none'"),
    ],
)
async def test_keywords_are_checked_as_options_are(
    api: Simulator, tmp_path: Path, manifest: Path, options: dict[str, object], said: str
) -> None:
    """What the command line refuses is refused as a keyword, in the words of Python, and nothing is made."""
    async with mwbatch.Home(tmp_path / "home") as home:
        with pytest.raises(UsageError, match=said) as raised:
            await home.submit(manifest, **options)  # type: ignore[arg-type]
        assert "--" not in str(raised.value)
    assert not (tmp_path / "home").exists()


async def test_a_keyword_that_is_none(tmp_path: Path, manifest: Path) -> None:
    """A keyword that is misspelt is a TypeError, as it is of any function, and is not passed over."""
    async with mwbatch.Home(tmp_path / "home") as home:
        with pytest.raises(TypeError, match="unexpected keyword argument 'max_costs'"):
            await home.submit(manifest, max_costs=1)  # type: ignore[call-arg]


async def test_what_a_command_notes_is_logged(
    api: Simulator, tmp_path: Path, manifest: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What people read on a terminal a program finds in its log, a warning as one."""
    caplog.set_level(logging.INFO, "mwbatch")
    async with mwbatch.Home(tmp_path / "home") as home:
        await home.submit(manifest, callback_url="http://127.0.0.1:9", settle=1)
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert ("INFO", "3 tagging, 0 annotating; yours: campaign") in told
    assert [level for level, words in told if words.startswith("no receiver answers")] == ["WARNING"]


async def test_tasks(api: Simulator) -> None:
    """The raw API calls are resources of a client."""
    async with mwbatch.Client() as client:
        made = await client.tasks.create_tagging(
            image_url="https://images.example.com/1.jpg", callback_url="https://labels.example.com/1"
        )
        assert (await client.tasks.get(made.task_id)).type == "tagging"
        assert [task.task_id async for task in client.tasks.list(type="tagging", limit=5)] == [made.task_id]
        with pytest.raises(BadValue, match=r"^status is 'done': choose one of pending, completed, canceled"):
            [task async for task in client.tasks.list(status="done")]
        with pytest.raises(BadValue, match=r"^start_time is 'yesterday': write it as 2026"):
            [task async for task in client.tasks.list(start_time="yesterday")]


async def test_stop_finishes_what_is_in_flight(api: Simulator, tmp_path: Path, manifest: Path) -> None:
    """Who stops a home gets what was done so far, as after the first Ctrl-C; nothing is in doubt."""
    async with mwbatch.Home(tmp_path / "home") as home:
        home.stop()
        batch = await home.submit(manifest, callback_url="none")
        assert (batch.outcome.exit, batch.outcome.ending.reason) == (3, "interrupted")
        assert batch.outcome.report.by_status[mwbatch.Status.DOUBT] == 0
