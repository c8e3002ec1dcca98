"""The same work under another name in one batch: a fresh signature, a link, a list of mistakes.

It is never paid again.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Final

import orjson
import pytest

from mwbatch.commands.manifest.comparing import compare
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.rehearse import rehearse
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.kinds import Planned, Started
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.spending.budget import Limits
from mwbatch.core.spending.overlaps import Repeats
from mwbatch.core.state.row_status import Status
from mwbatch.errors import AskedBefore, ManifestError, UsageError
from mwbatch.journal.interface.labelled import results
from mwbatch.journal.interface.open_batch import look
from mwbatch.simulator.world.forms import Draft
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ORIGIN, Play, Stage, answer, silent
from tests.unit.core.urls.test_signed_urls import SIGNED

ROWS: Final = 3


def signed(query: str, n: int, rows: int = ROWS, *, ids: bool = False) -> list[str]:
    """The lines of a manifest, signed for the ``n``-th time."""
    urls = [f"https://pictures.example.com/{row}.jpg?{query.format(n=n)}" for row in range(rows)]
    return (
        ["id,image_url", *(f"shot-{row},{url}" for row, url in enumerate(urls))]
        if ids
        else ["image_url", *urls]
    )


async def sent(stage: Stage, source: ManifestSource, **options: object) -> Created:
    """Submit as a user whom nobody can call."""
    return await submit(stage.home, stage.client, source, silent(**options), stage.new_context())


def urls(stage: Stage) -> list[str]:
    """The image of every task that the API made for us."""
    return [task.draft.params["image_url"] for task in stage.world._tasks.values()]


@pytest.mark.parametrize("ids", [False, True], ids=["without ids", "with ids"])
@pytest.mark.parametrize("query", SIGNED.values(), ids=SIGNED)
@virtual
async def test_a_fresh_signature_is_no_new_row(stage: Stage, query: str, ids: bool) -> None:
    """A manifest that is signed anew, twice, has the rows that it had: nothing is sent,
    and nothing is a mistake.
    """
    source = stage.manifest()
    for n in (1, 2, 3):
        stage.write(source, *signed(query, n, ids=ids))
        created = await sent(stage, source)
        assert (created.report.rows, stage.tasks) == (ROWS, ROWS)


@pytest.mark.parametrize("ids", [False, True], ids=["without ids", "with ids"])
@virtual
async def test_rows_that_are_not_sent_yet_take_the_fresh_url(stage: Stage, ids: bool) -> None:
    """What a limit held back leaves with the URL of today; what was sent keeps its own,
    and ``started`` says which it was.
    """
    source = stage.manifest()
    stage.write(source, *signed(SIGNED["S3"], 1, ids=ids))
    await sent(stage, source, limits=Limits(max_tasks=1))
    stage.write(source, *signed(SIGNED["S3"], 2, ids=ids))
    rehearsed = await rehearse(stage.home, ORIGIN, source, silent(), stage.context)
    assert (rehearsed.renewed, rehearsed.known) == (ROWS - 1, ROWS)
    again = stage.new_context()
    await submit(stage.home, stage.client, source, silent(limits=Limits(max_tasks=ROWS)), again)
    assert "2 rows not sent yet take their URL as it is signed now" in again.tally.notes
    assert [url.endswith("ab1") for url in urls(stage)] == [True, False, False]
    editions = [fact.editions for fact in stage.on_disk() if isinstance(fact, Started) and fact.editions]
    assert editions == [((1, 1), (2, 1))]
    ref = stage.home.find("logos")
    lines = {int(planned.row): planned for planned in (await look(stage.home, ref)).journal.rows()}
    assert [lines[row].edition for row in range(ROWS)] == [0, 1, 1]


@virtual
async def test_the_id_of_a_row_outlives_its_signature(stage: Stage) -> None:
    """A row without an id of its own keeps the digest of its first edition, so that scripts find it again."""
    source = stage.manifest()
    stage.write(source, *signed(SIGNED["GCS"], 1))
    await sent(stage, source, limits=Limits(max_tasks=0))
    names = [fact.id for fact in stage.on_disk() if isinstance(fact, Planned)]
    for n in (2, 3):
        stage.write(source, *signed(SIGNED["GCS"], n))
        await sent(stage, source, limits=Limits(max_tasks=0))
    await sent(stage, source, limits=Limits(max_tasks=ROWS))
    stage.world.complete_all(stage.wire.left_at[-1] + 1)
    ref = stage.home.find("logos")
    planned = list((await look(stage.home, ref)).journal.rows())
    assert [(row.id, row.edition) for row in planned] == [(name, 2) for name in names]
    assert all(url.endswith("s3") for url in urls(stage))


@virtual
async def test_a_rejected_row_is_retried_with_its_fresh_url(stage: Stage) -> None:
    """A picture that could not be read, since its link had expired, is asked for with the link of today."""
    refused = [True]

    def play(_: Draft) -> Play:
        return answer(422) if refused[0] else None

    stage.wire.always = play
    source = stage.manifest()
    stage.write(source, *signed(SIGNED["Azure"], 1))
    await sent(stage, source)
    assert stage.statuses() == {"rejected": ROWS}
    refused[0] = False
    stage.write(source, *signed(SIGNED["Azure"], 2))
    assert (await sent(stage, source)).report.by_status[Status.REJECTED] == ROWS
    await retry(stage.home, stage.client, "logos", Choice(), silent(), stage.new_context())
    assert len(urls(stage)) == ROWS
    assert all("h2" in url or "s2" in url for url in urls(stage))


@virtual
async def test_an_open_row_is_never_renewed(stage: Stage) -> None:
    """A row in doubt, or with a task, keeps its edition; canceled and withdrawn ones take the fresh URL,
    unsent.
    """
    plays = iter([None, answer(500)])
    stage.wire.always = lambda _: next(plays)
    source, context = stage.manifest(), stage.new_context()
    stage.write(source, *signed(SIGNED["S3"], 1))
    asyncio.get_running_loop().call_later(60.0, context.stopping.set)  # before the doubt is settled
    await submit(stage.home, stage.client, source, silent(limits=Limits(max_tasks=2)), context)
    assert stage.statuses() == {"planned": 1, "doubt": 1, "pending": 1}
    await cancel(stage.home, stage.client, "logos", [], stage.new_context())
    stage.write(source, *signed(SIGNED["S3"], 2))
    found = await rehearse(stage.home, ORIGIN, source, silent(), stage.context)
    assert (found.known, found.renewed, found.new) == (3, 2, 0)  # all but the one in doubt


@virtual
async def test_a_parameter_that_the_user_calls_volatile(stage: Stage) -> None:
    """It is kept with the batch: named once, a link with another token is the same row ever after."""
    source = stage.manifest()
    lines = [
        ["image_url", f"https://a.example/1.jpg?token={n}", f"https://a.example/2.jpg?token={n}"]
        for n in range(3)
    ]
    stage.write(source, *lines[0])
    await sent(stage, replace(source, volatile=("token",)))
    stage.write(source, *lines[1])
    assert (await sent(stage, source)).report.rows == 2
    assert (stage.tasks, stage.home.find("logos").info.volatile) == (2, ("token",))


@virtual
async def test_named_late_it_still_tells_the_rows_that_are_there(stage: Stage) -> None:
    """A batch that was planned without it is compared without it, too."""
    source = stage.manifest()
    stage.write(source, "image_url", "https://a.example/1.jpg?token=1")
    await sent(stage, source)
    stage.write(source, "image_url", "https://a.example/1.jpg?token=2")
    assert (await sent(stage, replace(source, volatile=("token",)))).report.rows == 1
    assert stage.tasks == 1


@virtual
async def test_another_version_of_a_picture_is_another_row(stage: Stage) -> None:
    """Honest work goes on: the same picture in another version, or with another question, is new."""
    source, fresh = stage.manifest(), SIGNED["S3"].format(n=1)
    stage.write(source, "image_url", *(f"https://a.example/1.jpg?versionId={n}&{fresh}" for n in range(3)))
    assert (await sent(stage, source)).report.rows == 3


@virtual
async def test_a_new_id_for_the_same_picture_is_a_copy(stage: Stage) -> None:
    """With ids two names for one picture are a mistake, whatever signatures they carry."""
    source = stage.manifest()
    one, two = (f"https://a.example/1.jpg?{SIGNED['CloudFront'].format(n=n)}" for n in (1, 2))
    stage.write(source, "id,image_url", f"a,{one}", f"b,{two}")
    with pytest.raises(ManifestError, match="asks for exactly what line 2"):
        await sent(stage, source)
    assert stage.tasks == 0


@virtual
async def test_a_signed_file_is_compared_by_what_it_asks(stage: Stage) -> None:
    """`reconcile MANIFEST` takes a fresh signature for no change."""
    source = stage.manifest()
    stage.write(source, *signed(SIGNED["S3"], 1))
    await sent(stage, source)
    stage.write(source, *signed(SIGNED["S3"], 2, rows=ROWS + 1))
    batch = await look(stage.home, stage.home.find("logos"))
    told = await compare(batch, source.path)
    assert (told.added, told.gone, told.changed) == (1, 0, 0)


@virtual
async def test_results_show_the_edition_that_holds(stage: Stage) -> None:
    """A result names the request as it was sent last."""
    source = stage.manifest()
    stage.write(source, *signed(SIGNED["S3"], 1, rows=1))
    await sent(stage, source, limits=Limits(max_tasks=0))
    stage.write(source, *signed(SIGNED["S3"], 2, rows=1))
    await sent(stage, source, limits=Limits(max_tasks=1))
    batch = await look(stage.home, stage.home.find("logos"))
    [line] = results(batch, every=True)
    assert line["request"]["image_url"] == urls(stage)[0]


@virtual
async def test_a_link_is_known_by_its_own_path_and_by_its_targets(stage: Stage) -> None:
    """Whichever of the two was handed in first, the other is the same manifest."""
    source = stage.manifest("a", "b")
    link = Path(source.path).with_name("latest.csv")
    link.symlink_to(source.path)
    await sent(stage, source)
    assert (await sent(stage, ManifestSource(str(link)))).report.batch == "logos"
    assert stage.home.find(str(link)).info.name == "logos"
    other = Path(source.path).with_name("other.csv")
    other.symlink_to(stage.manifest("x", name="week1.csv").path)
    await sent(stage, ManifestSource(str(other)))
    assert (await sent(stage, ManifestSource(str(other.resolve())))).report.batch == "other"
    assert stage.tasks == 3


@virtual
async def test_a_link_that_leads_elsewhere_now_is_refused(stage: Stage) -> None:
    """``latest.csv`` points to this week's file: its rows are another batch's,
    or are added because the user says so.
    """
    weeks = [stage.manifest(name, name=f"{name}.csv") for name in ("week1", "week2")]
    link = Path(weeks[0].path).with_name("latest.csv")
    link.symlink_to(weeks[0].path)
    await sent(stage, ManifestSource(str(link)))
    link.unlink()
    link.symlink_to(weeks[1].path)
    with pytest.raises(UsageError, match=r"no row in common.*--batch NAME.*--add"):
        await sent(stage, ManifestSource(str(link)))
    assert stage.tasks == 1
    assert (await sent(stage, ManifestSource(str(link), add=True))).report.rows == 2


@virtual
async def test_another_file_at_the_same_path_is_refused(stage: Stage) -> None:
    """A file without a row of the batch is another manifest, be it where that one was."""
    await sent(stage, stage.manifest("a", "b"))
    with pytest.raises(UsageError, match="no row in common"):
        await sent(stage, stage.manifest("c", "d"))
    assert (await sent(stage, replace(stage.manifest("c", "d"), add=True))).report.rows == 4


@virtual
async def test_a_list_of_mistakes_knows_its_batch(stage: Stage) -> None:
    """Mended where it lies, moved or renamed, it is added to the batch that put it aside."""
    source = replace(stage.manifest("a", "b"), skip_invalid=True)
    stage.write(source, "id,image_url", "a,https://a.example/1.jpg", "b,not a url", "c,")
    await sent(stage, source)
    mended = Path(source.path).with_name("mended.jsonl")
    rows = [orjson.loads(line) for line in source.aside.read_bytes().splitlines()]
    mended.write_bytes(
        b"".join(
            orjson.dumps(row | {"image_url": f"https://a.example/{row['id']}.jpg"}) + b"\n" for row in rows
        )
    )
    assert (
        await rehearse(stage.home, ORIGIN, ManifestSource(str(mended)), silent(), stage.context)
    ).batch == "logos"
    created = await sent(stage, ManifestSource(str(mended)))
    assert (created.report.batch, created.report.rows, stage.tasks) == ("logos", 3, 3)
    assert all("mwbatch_batch" not in fact.columns for fact in stage.on_disk() if isinstance(fact, Planned))


@virtual
async def test_a_list_of_mistakes_of_another_home(stage: Stage) -> None:
    """Its batch is not here: it is refused, with the two ways on."""
    source = stage.manifest()
    stage.write(source, "id,image_url,mwbatch_batch", "a,https://a.example/1.jpg,zzzzzzzzzz")
    with pytest.raises(UsageError, match=r"batch zzzzzzzzzz.*--home.*--batch"):
        await sent(stage, source)
    assert (await sent(stage, replace(source, batch="mine"))).report.batch == "mine"


async def told_apart(stage: Stage, *, sent_first: bool) -> ManifestSource:
    """A batch of before: its three pictures stand there twice, signed otherwise, the second time not sent."""
    source = stage.manifest()
    stage.write(source, *signed(SIGNED["S3"], 1))
    limits = Limits(max_tasks=ROWS if sent_first else 0)
    await sent(stage, source, limits=limits)
    batch = await stage.opened()
    await batch.record(
        [
            plan._replace(
                row=RowNumber(ROWS + plan.row),
                id=f"{plan.row:032x}",
                request=plan.request | {"image_url": url},
            )
            for plan, url in zip(list(batch.journal.rows()), signed(SIGNED["S3"], 2)[1:], strict=True)
        ]
    )
    await batch.journal.close()
    return source


@pytest.mark.parametrize("sent_first", [True, False], ids=["sent", "planned"])
@virtual
async def test_rows_that_were_told_apart_before_are_not_paid_twice(stage: Stage, sent_first: bool) -> None:
    """Where rows of one batch differ in their signatures alone the later ones are
    sent only if the user says so, and he is told how.
    """
    source = await told_apart(stage, sent_first=sent_first)
    limits = Limits(max_tasks=9)
    name = stage.home.find("logos").info.name
    with pytest.raises(
        AskedBefore, match=rf"3 of {3 if sent_first else 6} rows to be sent were asked"
    ) as refused:
        await sent(stage, source, limits=limits)
    ways = refused.value.asked["ways"]
    assert [way.split()[-2:] for way in ways] == [["--only-new"], ["--again", name]]
    with pytest.raises(AskedBefore):
        await resume(stage.home, stage.client, name, silent(limits=limits), stage.new_context())
    assert stage.tasks == ROWS * sent_first
    left = await sent(stage, source, limits=limits, repeats=Repeats(only_new=True))
    assert (left.left_out, stage.tasks) == (ROWS, ROWS)
    again = await sent(stage, source, limits=limits)
    assert (again.report.by_status[Status.CANCELED], stage.tasks) == (ROWS, ROWS)


@virtual
async def test_rows_that_were_told_apart_before_are_paid_again_by_the_users_word(stage: Stage) -> None:
    """``--again`` with the batch's own name sends them, and it is kept: no later run asks once more."""
    source = await told_apart(stage, sent_first=True)
    name = stage.home.find("logos").info.name
    limits = Limits(max_tasks=ROWS + 1)
    await sent(stage, source, limits=limits, repeats=Repeats(again=(name,)))
    assert stage.tasks == ROWS + 1
    await resume(stage.home, stage.client, name, silent(limits=Limits(max_tasks=9)), stage.new_context())
    assert stage.tasks == 2 * ROWS


@virtual
async def test_a_retry_of_what_another_row_of_the_batch_has(stage: Stage) -> None:
    """A row that was given up is not opened again unasked where
    another row of its batch has the same request.
    """
    source = await told_apart(stage, sent_first=True)
    await sent(stage, source, limits=Limits(max_tasks=9), repeats=Repeats(only_new=True))
    canceled = Choice(Status.CANCELED)
    with pytest.raises(AskedBefore):
        await retry(stage.home, stage.client, "logos", canceled, silent(), stage.new_context())
    assert stage.tasks == ROWS
