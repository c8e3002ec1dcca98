"""What was hardly meant as it stands is refused before it is paid for, and only then."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from mwbatch.commands.manifest.manifests import Manifest
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.rehearse import rehearse
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.commands.verbs.validate import validate
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.kinds import Planned, Retried
from mwbatch.core.manifest.entry import Entry
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.spending.budget import Limits
from mwbatch.core.state.row_status import Status
from mwbatch.errors import Exit, ManifestError, UsageError
from mwbatch.views.plain import Result
from mwbatch.views.preview import rehearsed, validated
from tests.support.virtual import virtual
from tests.unit.commands.conftest import EPOCH, ORIGIN, Stage, answer, clock, silent

BOX = '"[{""left"":1,""top"":2,""width"":3,""height"":4}]"'
PICTURE = "https://images.example.com"
DAY = 86_400


def signed(name: str, ends: float) -> str:
    """A URL as CloudFront signs it; it expires so many seconds from the beginning of the test."""
    return f"{PICTURE}/{name}.jpg?Expires={int(EPOCH + ends)}&Signature=s&Key-Pair-Id=k"


def written(stage: Stage, *lines: str, **said: Any) -> ManifestSource:
    """A manifest of these lines: CSV, or JSONL where they begin so."""
    source = stage.manifest(name="logos.jsonl" if lines[0].startswith("{") else "logos.csv")
    stage.write(source, *lines)
    return replace(source, **said)


async def sent(stage: Stage, *lines: str, **said: Any) -> Created:
    """Submit a manifest of these lines."""
    return await submit(
        stage.home, stage.client, written(stage, *lines, **said), silent(), stage.new_context()
    )


async def refused(stage: Stage, *lines: str, **said: Any) -> list[str]:
    """What is said where such a manifest is not sent; validation and a dry run say the same."""
    source = written(stage, *lines, **said)
    with pytest.raises(ManifestError) as real:
        await submit(stage.home, stage.client, source, silent(), stage.new_context())
    with pytest.raises(ManifestError) as rehearsed:
        await rehearse(stage.home, ORIGIN, source, silent(), stage.new_context())
    assert stage.wire.creates == []
    validated = await validate(source.path, leave=source.leave, context=stage.new_context())
    texts = [problem.text(source.path) for problem in validated.problems]
    assert [
        line.replace("the API's clock", "this machine's clock") for line in real.value.problems[: len(texts)]
    ] == texts
    assert [*rehearsed.value.problems[: len(texts)]] == texts
    assert validated.exit is Exit.USAGE
    return [text.removeprefix(source.path).partition(" (")[0] for text in texts]


@virtual
async def test_misspelt_columns(stage: Stage) -> None:
    """Columns that look like known ones are never bought as a tagging task's own: the header is told once."""
    header = "ID,image_url,Instruction,Annotation_Options,\u200bTags"
    lines = [f"{n},{PICTURE}/1.jpg,Is it?,a|b,{BOX}" for n in range(3)]
    assert await refused(stage, header, *lines) == [
        ":1: ID: is another spelling of id, which is missing",
        ":1: Instruction: is another spelling of instruction, which is missing",
        ":1: Annotation_Options: is another spelling of annotation_option, which is missing",
        ":1: \\u200bTags: is another spelling of tags, which is missing",
    ]
    assert list(stage.home.batches()) == []


@virtual
async def test_misspelt_keys(stage: Stage) -> None:
    """Keys may differ line by line: each misspelt name is told where it comes first,
    in a row of whatever kind.
    """
    rows: list[dict[str, Any]] = [
        {"image_url": f"{PICTURE}/1.jpg", "Tags": 1, "tags": None},
        {"image_url": f"{PICTURE}/2.jpg", "annotationOption": ["a", "b"]},
        {"image_url": "ftp://x", "customId": "a"},
        {"image_url": f"{PICTURE}/3.jpg", "annotationOption": ["a", "b"], "customId": "b"},
    ]
    assert await refused(stage, *map(json.dumps, rows)) == [
        ":2: annotationOption: is another spelling of annotation_option, which is missing",
        ":3: image_url: must begin with http:// or https://, not 'ftp://x'",
        ":3: customId: is another spelling of custom_id, which is missing",
    ]


@virtual
async def test_columns_of_the_users_own(stage: Stage) -> None:
    """What the user calls his own is kept with the row; from then on the batch knows it,
    also for rows that are added.
    """
    header, rows = "image_url,Tags,shelf", [f"{PICTURE}/{n}.jpg,spring,{n}" for n in range(3)]
    await sent(stage, header, *rows[:2], own_columns=frozenset({"Tags"}))
    assert (await sent(stage, header, *rows)).exit is Exit.DONE
    batch = await stage.opened()
    shelves = {row.row: row.columns for row in batch.journal.rows()}
    assert shelves == {n: {"Tags": "spring", "shelf": str(n)} for n in range(3)}


@virtual
async def test_a_column_that_comes_later(stage: Stage) -> None:
    """That rows are known does not make a misspelt column the user's own: no row of the batch has it."""
    await sent(stage, "id,image_url", f"a,{PICTURE}/1.jpg")
    with pytest.raises(ManifestError, match="Tags: is another spelling of tags"):
        await sent(stage, "id,image_url,Tags", f"a,{PICTURE}/1.jpg,", f"b,{PICTURE}/2.jpg,{BOX}")
    assert stage.tasks == 1


ASKED = "id,image_url,instruction,annotation_option,tags"


@virtual
async def test_values_that_nobody_means(stage: Stage) -> None:
    """One answer, a question that is none, and what programs write where nothing is there,
    are told row by row.
    """
    assert await refused(
        stage,
        ASKED,
        f'a,{PICTURE}/1.jpg,Is it?,"yes,no",{BOX}',
        f"b,{PICTURE}/2.jpg,None,yes|no,{BOX}",
        f"undefined,{PICTURE}/3.jpg,Is it?,yes|#N/A,{BOX}",
    ) == [
        ":2: annotation_option: has one answer only to choose, 'yes,no'",
        ":3: instruction: is 'None', which programs write where nothing is there",
        ":4: id: is 'undefined', which programs write where nothing is there",
        ":4: annotation_option: is '#N/A', which programs write where nothing is there",
    ]


@virtual
async def test_one_answer_on_purpose(stage: Stage) -> None:
    """One answer is enough for a user who says so; the row is known from then, with or without his word."""
    lines = [ASKED, f"a,{PICTURE}/1.jpg,Is it?,seen,{BOX}"]
    await sent(stage, *lines, single_option=True)
    assert (await sent(stage, *lines)).exit is Exit.DONE
    assert stage.tasks == 1


@virtual
async def test_expired(stage: Stage) -> None:
    """Pictures whose URL has expired are mistakes, by the API's clock, with their number."""
    rows = [f"{n},{signed(str(n), n * DAY)}" for n in (-2, -1, 3)]
    told = await refused(stage, "id,image_url", *rows)
    assert [line.partition(", ")[0] for line in told] == [
        ":2: image_url: its signature expired at 2023-11-12T22:13:20Z",
        ":3: image_url: its signature expired at 2023-11-13T22:13:20Z",
    ]
    with pytest.raises(
        ManifestError, match=r"URLs of 2 pictures expired \(by the API's clock, 2023-11-14T22:13:20Z\)"
    ):
        await sent(stage, "id,image_url", *rows)


@virtual
async def test_the_clock_of_the_api(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose clock is wrong refuses nothing that the API's clock takes; where no clock is told,
    its own serves.
    """
    context = stage.new_context()
    context.now = lambda: clock() + 9 * DAY
    source = written(stage, "id,image_url", f"a,{signed('a', DAY / 2)}")
    assert _value(validated(await validate(source.path, context=context)))["expired_urls"] == 1
    await submit(stage.home, stage.client, source, silent(), context)
    assert any(
        "within 24 hours, the first at 2023-11-15T10:13:20Z (by the API's clock" in n
        for n in context.tally.notes
    )
    timeless = answer(200, {"docs": [], "total": 0, "has_more": False})
    del timeless.headers["Date"]  # type: ignore[attr-defined]
    stage.wire.reads = timeless
    with pytest.raises(ManifestError, match="this machine's clock"):
        await submit(
            stage.home,
            stage.client,
            written(stage, "id,image_url", f"b,{signed('b', 1)}", batch="b"),
            silent(),
            context,
        )


async def bought_by_an_older_program(stage: Stage, *lines: str) -> ManifestSource:
    """The batch of a manifest of these lines, planned as a program that took all of it did."""
    source = written(stage, *lines)
    batch, entries = await stage.opened(), [one async for chunk in Manifest(source.path) for one in chunk]
    await batch.record(
        [
            Planned(EPOCH, RowNumber(number), one.id, one.line, one.type, one.request, one.columns)
            for number, one in enumerate(entries)
            if isinstance(one, Entry)
        ]
    )
    await batch.journal.close()
    return source


@virtual
async def test_accepted_once(stage: Stage) -> None:
    """What was accepted once is no mistake a week later, whatever it says: it is sent,
    and so are rows that are added.
    """
    lines = [
        "image_url,instruction,annotation_option,tags,Type",
        f"{signed('a', -DAY)},None,nan,{BOX},x",
        f"{signed('b', -DAY)},,,,x",
    ]
    await bought_by_an_older_program(stage, *lines)
    for _ in range(2):
        assert (await sent(stage, *lines)).exit is Exit.DONE
    assert (await sent(stage, *lines, f"{PICTURE}/c.jpg,,,,x")).exit is Exit.DONE
    assert stage.tasks == 3


@virtual
async def test_unsent_rows_whose_url_has_expired(stage: Stage) -> None:
    """Rows that were planned and not sent are counted where their URL has expired;
    no edition is made of another old one.
    """
    lines = ["id,image_url", *(f"{n},{signed(n, DAY)}" for n in "abc")]
    stage.wire.plays = [None, answer(401)]
    await sent(stage, *lines)
    await asyncio.sleep(7 * DAY)
    old = [line.replace("Signature=s", "Signature=t") for line in lines]
    context, source = stage.new_context(), written(stage, *old)
    told = "warning: 1 row planned before is still to be sent with a URL that has expired"
    assert told in rehearsed(await rehearse(stage.home, ORIGIN, source, silent(), context)).words
    await submit(stage.home, stage.client, source, silent(), context)
    assert sum(told in note for note in context.tally.notes) == 1
    assert stage.tasks == 3
    assert not any(fact.edition for fact in stage.on_disk() if isinstance(fact, Planned))


@virtual
async def test_only_new_rows_are_refused(stage: Stage) -> None:
    """Of a file that has grown the new rows alone are told; the others are known."""
    lines = ["image_url,instruction,annotation_option,tags", f"{PICTURE}/a.jpg,None,nan,{BOX}"]
    await bought_by_an_older_program(stage, *lines)
    with pytest.raises(ManifestError) as wrong:
        await sent(stage, *lines, f"{PICTURE}/b.jpg,null,good|bad,{BOX}")
    assert [line.split(":")[1:3] for line in wrong.value.problems[:-1]] == [["3", " instruction"]]


@virtual
async def test_what_was_accepted_once_is_never_put_aside(stage: Stage) -> None:
    """With ``skip_invalid`` new rows alone go aside; what the batch has stays there, whatever it says."""
    lines = ["image_url,instruction,annotation_option,tags", f"{PICTURE}/a.jpg,None,nan,{BOX}"]
    await bought_by_an_older_program(stage, *lines)
    created = await sent(stage, *lines, f"{PICTURE}/b.jpg,null,good|bad,{BOX}", skip_invalid=True)
    assert (created.skipped, stage.tasks) == (1, 1)
    (aside,) = stage.folder.glob("*.invalid.*")
    assert "a.jpg" not in aside.read_text()


@virtual
async def test_put_aside(stage: Stage) -> None:
    """With ``skip_invalid`` such rows go aside whole, with all that is wrong, and the others are sent;
    mended they follow.
    """
    good = {"id": "a", "image_url": f"{PICTURE}/1.jpg"}
    bad = {
        "id": "b",
        "image_url": f"{PICTURE}/2.jpg",
        "Instruction": "Is it?",
        "AnnotationOptions": ["yes", "no"],
        "Tags": [{"left": 1, "top": 2, "width": 3, "height": 4}],
        "n": 7,
    }
    also = {**bad, "id": "c", "image_url": signed("c", -1)}
    created = await sent(stage, *map(json.dumps, (bad, good, also)), skip_invalid=True)
    assert (created.skipped, created.exit, stage.tasks) == (2, Exit.ROWS, 1)
    aside = stage.folder / "logos.jsonl.invalid.jsonl"
    first, second = map(json.loads, aside.read_text().splitlines())
    assert first["mwbatch_error"].count("another spelling") == 3
    assert {name: cell for name, cell in first.items() if not name.startswith("mwbatch_")} == bad
    assert "Tags" in second["mwbatch_error"]
    assert "expired" in second["mwbatch_error"]
    names = {"Instruction": "instruction", "AnnotationOptions": "annotation_option", "Tags": "tags"}
    mended = {names.get(name, name): cell for name, cell in bad.items()} | {"mwbatch_error": "none any more"}
    aside.write_text(json.dumps(mended))
    await submit(
        stage.home, stage.client, ManifestSource(str(aside), batch="logos"), silent(), stage.new_context()
    )
    rows = {row.id: row for row in (await stage.opened()).journal.rows()}
    assert (rows["b"].type, rows["b"].columns, stage.tasks) == ("annotating", {"n": 7}, 2)


@virtual
async def test_what_is_told_before_it_is_paid(stage: Stage) -> None:
    """Before anything is created people read how many rows of which type,
    and what of it they called theirs.
    """
    lines = [
        "image_url,instruction,annotation_option,tags,shelf,callback_url",
        f"{PICTURE}/1.jpg,Is it?,a|b,{BOX},x,",
    ]
    lines += [f"{PICTURE}/{n}.jpg,,,,x," for n in range(2, 120)]
    asked: list[str] = []
    source, context = written(stage, *lines), stage.new_context()
    dry = rehearsed(await rehearse(stage.home, ORIGIN, source, silent(), context))
    with pytest.raises(UsageError, match="as you said"):
        await submit(stage.home, stage.client, source, silent(confirm=asked.append), context)
    told = "118 tagging, 1 annotating; yours: shelf, callback_url"
    unused = "column callback_url is not used: mwbatch gives each task an address of its own"
    assert asked == [f"create 119 tasks at {ORIGIN}?"]
    assert {told, unused} <= {*context.tally.notes}
    assert f"  {told}\n  {unused}\n" in dry.words
    found = validated(await validate(source.path))
    assert f"yours: shelf, callback_url\n{unused}\n" in found.words
    own = [_value(one)["own_columns"] for one in (found, dry)]
    assert own == [["shelf", "callback_url"]] * 2


WISHES: dict[str, dict[str, Any]] = {
    "a base that is no URL": {"callback_url": "labels.example.com"},
    "a base with a query": {"callback_url": "https://labels.example.com/?a=1"},
    "no base": {"callback_url": None},
}


@pytest.mark.parametrize("name", ["a/b", "..", "inbox", ""])
@virtual
async def test_a_name_that_is_none(stage: Stage, name: str) -> None:
    """What cannot be the name of a batch is refused by a dry run too, before the manifest is read."""
    source = ManifestSource("nowhere.csv", batch=name, known_as="-")
    with pytest.raises(UsageError, match="a batch cannot be named"):
        await rehearse(stage.home, ORIGIN, source, silent(), stage.context)
    with pytest.raises(UsageError, match="a batch cannot be named"):
        await submit(stage.home, stage.client, source, silent(), stage.context)


@pytest.mark.files
@virtual
async def test_keys_that_are_none(stage: Stage) -> None:
    """Where the callback keys cannot be used no batch is made; a dry run says the same."""
    stage.path.mkdir()
    (stage.path / "keys.json").write_text("[]")
    with pytest.raises(UsageError, match="keys"):
        await rehearse(stage.home, ORIGIN, stage.manifest("a"), silent(), stage.context)
    with pytest.raises(UsageError, match="keys"):
        await submit(stage.home, stage.client, stage.manifest("a"), silent(), stage.context)
    assert list(stage.home.batches()) == []


@pytest.mark.parametrize("options", WISHES.values(), ids=WISHES)
@virtual
async def test_wishes_come_first(stage: Stage, options: dict[str, Any]) -> None:
    """What cannot be wished leaves nothing behind: no batch, no new row, no opened attempt,
    no changed limit.
    """
    source, bad = (
        written(stage, "image_url", f"{PICTURE}/a.jpg"),
        silent(**options, limits=Limits(max_tasks=7)),
    )
    with pytest.raises(UsageError, match="callback"):
        await submit(stage.home, stage.client, source, bad, stage.context)
    assert list(stage.home.batches()) == []
    await (await stage.opened(2)).journal.close()
    before = stage.on_disk()
    with pytest.raises(UsageError, match="callback"):
        await submit(stage.home, stage.client, replace(source, batch="logos", add=True), bad, stage.context)
    with pytest.raises(UsageError, match="callback"):
        await resume(stage.home, stage.client, "logos", bad, stage.context)
    with pytest.raises(UsageError, match="callback"):
        await retry(stage.home, stage.client, "logos", Choice(Status.REJECTED), bad, stage.context)
    assert (stage.on_disk(), stage.home.find("logos").info.limits) == (before, Limits())


@virtual
async def test_no_attempt_is_opened_in_vain(stage: Stage) -> None:
    """A retry that has nowhere to send callbacks opens no attempt."""
    stage.wire.plays = [answer(400)]
    await submit(stage.home, stage.client, stage.manifest("a"), silent(), stage.context)
    with pytest.raises(UsageError, match="must begin with"):
        await retry(
            stage.home,
            stage.client,
            "logos",
            Choice(Status.REJECTED),
            silent(callback_url="x"),
            stage.context,
        )
    assert not any(isinstance(fact, Retried) for fact in stage.on_disk())


@virtual
async def test_a_rehearsal_says_what_is_missing(stage: Stage) -> None:
    """A dry run takes a base that is not named yet and a key that is not there, and says so;
    a bad base it refuses.
    """
    source = stage.manifest("a")
    dry = await rehearse(
        stage.home, ORIGIN, source, silent(callback_url=None), stage.context, "no API key: set it"
    )
    found = rehearsed(dry)
    assert found.exit is Exit.DONE
    assert "no callback base: give --callback-url" in found.words
    assert "no API key: set it" in found.words
    assert (_value(found)["has_key"], _value(found)["has_callback_url"]) == (False, False)
    with pytest.raises(UsageError, match="must begin with"):
        await rehearse(stage.home, ORIGIN, source, silent(callback_url="x"), stage.context)
    await submit(stage.home, stage.client, source, silent(), stage.context)
    assert (
        await rehearse(stage.home, ORIGIN, source, silent(callback_url=None), stage.context)
    ).no_base == ""


@virtual
async def test_given_up_before_anything_was_sent(stage: Stage) -> None:
    """Rows that were given up before their batch had a base are not
    opened again where none is named either.
    """
    await (await stage.opened(2)).journal.close()
    await cancel(stage.home, stage.client, "logos", (), stage.new_context(), lambda _: True)
    before = stage.on_disk()
    with pytest.raises(UsageError, match="no callback base"):
        await retry(
            stage.home,
            stage.client,
            "logos",
            Choice(Status.CANCELED),
            silent(callback_url=None),
            stage.context,
        )
    assert stage.on_disk() == before


@virtual
async def test_a_rehearsal_warns_of_a_clear_base(stage: Stage) -> None:
    """A dry run warns of a base that strangers could listen to, as the run itself does."""
    options = silent(callback_url="http://labels.example.com")
    await rehearse(stage.home, ORIGIN, stage.manifest("a"), options, stage.context)
    assert any("travel in clear" in note for note in stage.context.tally.notes)


def _value(result: Result) -> Any:
    """What a script gets."""
    return result.value
