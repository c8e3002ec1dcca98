"""Stage two as a command: from a tagging batch's answers to a manifest, whole or not at all."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from mwbatch.commands.verbs import make_annotating as module
from mwbatch.commands.verbs.make_annotating import make_annotating
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.submit import submit
from mwbatch.commands.verbs.validate import validate
from mwbatch.core.report.command_outcomes import Made
from mwbatch.core.report.second_stage import BoxQuestion, Filter, ask
from mwbatch.core.spending.scrutiny import Leave
from mwbatch.errors import UsageError
from mwbatch.views import outcomes
from tests.conftest import Synced
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, clock, silent

QUESTION = BoxQuestion("Is it good?", ("good", "bad"))


async def tagged(stage: Stage, count: int, answered: int) -> None:
    """A tagging batch of which some rows are answered."""
    await submit(stage.home, stage.client, stage.manifest(*range(count)), silent(), stage.context)
    await tagged_now(stage, answered)


async def tagged_now(stage: Stage, answered: int) -> None:
    """Answers for the first rows of the batch."""
    batch = await stage.opened()
    for row in range(answered):
        task = stage.world.get(next(iter(batch.state.row(row).tasks)), clock())
        stage.world.early(task, clock())
    await reconcile(stage.home, stage.client, "logos", stage.context, ReconcileOptions())


async def made(stage: Stage, question: BoxQuestion = QUESTION, **options: Any) -> Made:
    """Make the manifest ``stage two.jsonl``."""
    chosen = options.pop("chosen", Filter())
    return await make_annotating(
        stage.home, "logos", question, chosen, stage.folder / "two.jsonl", stage.context, **options
    )


def rows(stage: Stage) -> list[dict[str, Any]]:
    """The manifest."""
    return [json.loads(line) for line in (stage.folder / "two.jsonl").read_bytes().splitlines()]


def hidden(folder: Path) -> list[str]:
    """Files that were written aside and left there."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@virtual
async def test_it_is_durable(stage: Stage, synced: Synced) -> None:
    """The manifest is on disk before it has its name, and the name once the command ends."""
    await tagged(stage, 5, 3)
    synced.clear()
    await made(stage)
    (written, _), (folder, names) = synced
    assert written.name.startswith(".two.jsonl.")
    assert (folder, "two.jsonl" in names) == (stage.folder, True)


@virtual
async def test_completed_rows_alone(stage: Stage) -> None:
    """Each answered image is a row with all of its tags; the others are counted,
    and the manifest is a good one.
    """
    await tagged(stage, 5, 3)
    found = await made(stage)
    assert (found.rows + found.images_without, found.waiting) == (3, 2)
    assert sum(len(row["tags"]) for row in rows(stage)) == found.tags > 0
    assert [row["source_row"] for row in rows(stage)] == sorted(row["source_row"] for row in rows(stage))
    checked = await validate(found.path)
    assert (checked.found, checked.by_type["annotating"]) == (0, found.rows)


@virtual
async def test_people_see_what_is_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """While answers are read people see so, and of how many; in the end nothing is under way."""
    await tagged(stage, 5, 3)
    seen = list[tuple[str, int, int]]()

    def asked(*given: Any) -> Any:
        tally = stage.context.tally
        seen.append((tally.phase, tally.done, tally.total))
        return ask(*given)

    monkeypatch.setattr(module, "ask", asked)
    await made(stage)
    assert seen == [("reading answers", done, 5) for done in range(3)]
    assert stage.context.tally.phase == ""


@virtual
async def test_the_question_is_checked_first(stage: Stage) -> None:
    """A question or options that no manifest would take are refused, and nothing is written."""
    await tagged(stage, 5, 3)
    with pytest.raises(UsageError, match=r"--instruction .*--option"):
        await made(stage, BoxQuestion(" ", ("a", "a")))
    assert not (stage.folder / "two.jsonl").exists()


@virtual
async def test_one_answer_on_purpose(stage: Stage) -> None:
    """One answer is no choice unless the user says so; then the next step that is printed says so too."""
    await tagged(stage, 5, 5)
    with pytest.raises(
        UsageError, match=r"--option has one answer only .* 'yes\|no'; or allow it: --single-option"
    ):
        await made(stage, BoxQuestion("Is it?", ("yes,no",)))
    found = await made(stage, BoxQuestion("Is it?", ("seen",), single=True))
    assert outcomes.made(found).words.endswith(f"mwbatch submit {found.path} --single-option")
    assert (await validate(found.path, leave=Leave(single_option=True))).found == 0
    assert (await validate(found.path)).found == found.rows


@virtual
async def test_pictures_that_nobody_will_see(stage: Stage) -> None:
    """Rows whose picture has a URL that has expired meanwhile are counted: they need a fresh one."""
    source = stage.manifest()
    ends = [int(clock()) + after + n for after in (60, 7200, 10_000_000) for n in range(9)]
    urls = (f"https://a.example/{n}?Expires={n}&Signature=s&Key-Pair-Id=k" for n in ends)
    stage.write(source, "image_url", *urls)
    await submit(stage.home, stage.client, source, silent(), stage.context)
    await tagged_now(stage, len(ends))
    await asyncio.sleep(3600)
    found = await made(stage)
    left = [int(row["image_url"].partition("?Expires=")[2].partition("&")[0]) for row in rows(stage)]
    assert found.expired == sum(end in ends[:9] for end in left) > 0
    assert found.expiring == sum(end in ends[9:18] for end in left) > 0
    told = f"{found.expired} rows with a picture whose signed URL has expired, by this machine's clock"
    assert told in outcomes.made(found).words


@virtual
async def test_nothing_to_ask_about(stage: Stage) -> None:
    """Without an answer, or with all tags filtered out, it says so and writes nothing."""
    await tagged(stage, 2, 0)
    with pytest.raises(UsageError, match="no tagging row of batch logos is completed yet"):
        await made(stage)
    await tagged(stage, 2, 2)
    with pytest.raises(UsageError, match="is left to ask about"):
        await made(stage, chosen=Filter(frozenset({"no such brand"})))
    assert hidden(stage.folder) == []
    assert not (stage.folder / "two.jsonl").exists()


@virtual
async def test_a_file_that_is_there_stays(stage: Stage) -> None:
    """What the user has at the path is never replaced; a manifest that was made there is, with force,
    and then at once.
    """
    await tagged(stage, 5, 5)
    (stage.folder / "two.jsonl").write_text("mine")
    for force in (False, True):
        with pytest.raises(UsageError, match="is yours"):
            await made(stage, force=force)
    assert (stage.folder / "two.jsonl").read_text() == "mine"
    (stage.folder / "two.jsonl").unlink()
    await made(stage)
    with pytest.raises(UsageError, match="--force"):
        await made(stage)
    assert (await made(stage, force=True)).rows == len(rows(stage))


@virtual
async def test_stopped_half_way(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted, it leaves no half of a manifest."""
    monkeypatch.setattr("mwbatch.commands.verbs.make_annotating.GROUP", 1)
    await tagged(stage, 3, 3)
    stage.context.stopping.set()
    with pytest.raises(UsageError, match="interrupted"):
        await made(stage)
    assert (hidden(stage.folder), (stage.folder / "two.jsonl").exists()) == ([], False)


@virtual
async def test_an_annotating_batch_has_nothing_for_it(stage: Stage) -> None:
    """A batch without tagging rows is refused with the reason."""
    source = stage.manifest()
    box = '"[{""left"":1,""top"":2,""width"":3,""height"":4}]"'
    stage.write(
        source, "image_url,instruction,annotation_option,tags", f"https://a.example/1,Is it?,a|b,{box}"
    )
    await submit(stage.home, stage.client, source, silent(), stage.context)
    with pytest.raises(UsageError, match="has no tagging rows"):
        await made(stage)


@virtual
async def test_rows_of_the_second_stage_are_asked_nothing_again(stage: Stage) -> None:
    """In a batch with rows of both types only the answers with tags become questions."""
    source = stage.manifest()
    box = '"[{""left"":1,""top"":2,""width"":3,""height"":4}]"'
    head, picture = "id,image_url,instruction,annotation_option,tags", "https://images.example.com"
    stage.write(source, head, f"a,{picture}/a.jpg,,,", f"b,{picture}/b.jpg,Good?,yes|no,{box}")
    await submit(stage.home, stage.client, source, silent(), stage.context)
    await tagged_now(stage, 2)
    found = await made(stage)
    assert (found.rows + found.images_without, found.waiting, found.unusable) == (1, 0, 0)
