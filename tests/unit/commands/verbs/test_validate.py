import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest import manifest_survey as module
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.manifest.urls import Urls
from mwbatch.commands.verbs.submit import submit
from mwbatch.commands.verbs.validate import can_be_compared, compared, validate
from mwbatch.core.spending.overlaps import Repeats
from mwbatch.errors import AskedBefore, Exit, UsageError
from mwbatch.journal.memory.home import MemoryHome
from mwbatch.views.preview import validated
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ORIGIN, Stage, silent

SAMPLES = Path(__file__).parents[4] / "sample_manifests"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "m.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


async def test_counts(tmp_path: Path) -> None:
    """Good rows are counted by type, identical ones once, and the cost is that of the rows."""
    picture = "https://images.example.com"
    question = '''q,a|b,"[{""left"":1,""top"":2,""width"":3,""height"":4}]"'''
    path = written(
        tmp_path,
        "image_url,instruction,annotation_option,tags",
        *(f"{picture}/{n},,," for n in (1, 2, 1)),
        f"{picture}/1,{question}",
    )
    found = await validate(path, price=0.08)
    assert validated(found).words.replace(str(path), "M").splitlines() == [
        "M: 3 rows (2 tagging, 1 annotating), known by a digest of their request (no id column)",
        "M:4: the same as line 2",
        "left out, since each row counts once: 1 row identical to an earlier one",
        "1 row with a picture that an earlier row shows too",
        "estimated cost: 3 x 0.08 = 0.24",
        "no problems",
    ]
    assert found.exit is Exit.DONE
    assert validated(found).value == {
        "manifest": str(path),
        "valid": True,
        "accepted_by": None,
        "asked_before": None,
        "rows": 3,
        "by_type": {"tagging": 2, "annotating": 1},
        "repeated": 1,
        "repeats": [{"line": 4, "first_line": 2}],
        "repeated_urls": 1,
        "id_column": None,
        "own_columns": [],
        "expired_urls": 0,
        "expiring_urls": 0,
        "first_expiry": None,
        "cost": 0.24,
        "unreachable_images": None,
        "problem_count": 0,
        "problems": [],
    }


async def test_duplicates(tmp_path: Path) -> None:
    """The same request under two ids is a problem unless duplicates are allowed;
    one id for two requests always is.
    """
    path = written(tmp_path, "id,image_url", "a,https://a/1", "b,https://a/1", "a,https://a/2")
    assert [problem.text("m") for problem in (await validate(path)).problems] == [
        (
            "m:3: id: 'b' asks for exactly what line 2 asks for (keep the old ids, or leave these rows "
            "out: --only-new)"
        ),
        "m:4: id: 'a' is line 2 with another request (give the new request a new id)",
    ]
    assert [problem.line for problem in (await validate(path, allow_duplicates=True)).problems] == [4]


async def test_ids_that_are_decimal_numbers(tmp_path: Path) -> None:
    """An id that is known otherwise than it is written is told with an example;
    a whole number is its digits, silently.
    """
    path = tmp_path / "m.jsonl"
    lines = [f'{{"id": {name}, "image_url": "https://a/{name}"}}\n' for name in ("7", "1.0", "2.0", "3.5")]
    path.write_text("".join(lines[:1]))
    assert "decimal number" not in validated(await validate(path)).words
    path.write_text("".join(lines))
    told = next(
        line for line in validated(await validate(path)).words.splitlines() if "decimal number" in line
    )
    assert told.startswith("2 rows with a decimal number for an id, known by its digits: 1.0 as '1' (")
    assert told.endswith(", first line 2")


async def test_what_there_is_none_of_is_not_told(tmp_path: Path) -> None:
    """Of a manifest without repetitions nothing is said of any."""
    lines = validated(await validate(written(tmp_path, "id,image_url", "a,https://a.example/1"))).words
    assert lines.replace(str(tmp_path), "").splitlines() == [
        "/m.csv: 1 row (1 tagging), known by column id",
        "no problems",
    ]


async def test_many_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a limit problems are counted, not kept, and the report says so."""
    monkeypatch.setattr(module, "MAX_PROBLEMS", 2)
    found = await validate(written(tmp_path, "id,image_url", *(f"{n},x" for n in range(5))))
    assert (found.found, [problem.line for problem in found.problems]) == (5, [2, 3])
    assert validated(found).words.splitlines()[-2:] == [
        "only the first 2 of the problems are shown",
        "5 problems: mend what is wrong, then validate again",
    ]
    value: Any = validated(found).value
    assert value["problems"][0] == {
        "line": 2,
        "column": "image_url",
        "message": "must begin with http:// or https://, not 'x'",
    }
    assert found.exit is Exit.USAGE


async def test_ten_mistakes_in_ten_lines() -> None:
    """Each of the ten lines of the sample of mistakes is reported, in one pass."""
    found = await validate(SAMPLES / "mistakes.csv")
    assert sorted({problem.line for problem in found.problems}) == list(range(2, 12))
    assert found.rows == 0
    assert "secret" not in validated(found).words


async def test_hostile_rows_are_good() -> None:
    """Whatever a cell says, if it is text it is a good row: nothing in it is obeyed."""
    found = await validate(SAMPLES / "hostile.csv")
    assert (found.problems, found.rows, found.by_type) == ((), 11, {"tagging": 10, "annotating": 1})


async def test_urls_that_differ_are_counted() -> None:
    """Each URL counts once, whichever part its hash falls into."""
    urls = Urls()
    urls.add(f"https://images.test/{number}.jpg" for number in range(1000))
    urls.add(f"https://images.test/{number}.jpg" for number in range(0, 1500, 3))
    assert len(urls) == 1000 + 166


async def test_in_an_empty_home_nothing_is_asked(tmp_path: Path) -> None:
    """Where there is no batch to compare with, the API is asked only if it was said how far to look back."""
    path, store = written(tmp_path, "image_url", "https://a.example/1"), MemoryHome()
    found, asked = await validate(path), list[str]()

    def client() -> None:
        asked.append("a client")

    for since, clients in ((None, []), ("1d", ["a client"])):
        source, said = ManifestSource(str(path)), Repeats(since=since)
        with suppress(UsageError, AssertionError, AttributeError):
            assert await compared(found, store, "http://a.test", source, said, Context(), client) == found
        assert asked == clients


async def test_what_can_be_read_once_more(tmp_path: Path) -> None:
    """A file is compared with what was asked for before; standard input, a pipe, and a manifest whose
    pictures cannot be fetched are not.
    """
    path = written(tmp_path, "image_url", "https://a.example/1")
    os.mkfifo(tmp_path / "pipe")
    found = await validate(path)
    assert can_be_compared(str(path), found)
    assert not can_be_compared("-", found)
    assert not can_be_compared(str(tmp_path / "pipe"), found)
    assert not can_be_compared(str(path), replace(found, unreachable=1))


@virtual
async def test_what_was_asked_before_is_told_by_a_check(stage: Stage) -> None:
    """Where the home has a batch that asks for the same, a check says how a submission would end."""
    await submit(stage.home, stage.client, stage.manifest("a", name="one.csv"), silent(), stage.context)
    source = stage.manifest("a", name="two.csv")
    found = await validate(source.path)
    checked = await compared(found, stage.home, ORIGIN, source, Repeats(), stage.context)
    assert isinstance(checked.refused, AskedBefore)
