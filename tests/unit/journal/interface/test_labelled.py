"""Rows beside their answers: what is shown is what the fold would show, and needs none."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.kinds import Fact, Planned, Request, Via
from mwbatch.core.facts.lines import line
from mwbatch.core.spending.plan import precedence
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.errors import StoreError
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.labelled import labelled, results
from mwbatch.journal.interface.open_batch import OpenBatch, look
from mwbatch.journal.segments.folders import place
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.offsets import MOST_OPEN, Places
from tests.support.disks import descriptors
from tests.support.facts import ROWS, answer, fail, histories, mixed_up, plan, show, start
from tests.support.virtual import virtual


def segments(folder: Path, *runs: Sequence[Fact]) -> Segments:
    """The journal of a batch to which one writer after another wrote."""
    for number, facts in enumerate(runs):
        for fact in facts:
            segment = folder / place(fact) / f"20240101T00000{number}Z-submit-0000000{number}.jsonl"
            segment.parent.mkdir(parents=True, exist_ok=True)
            with segment.open("ab") as file:
                file.write(line(fact))
    return Segments(folder, "view")


def told(row: int) -> Fact:
    """An answer in a body that names its task, as every callback does."""
    return answer(1, row=row)._replace(body=encode({"task_id": "task-1", "response": "yes"}))


async def opened(folder: Path) -> OpenBatch:
    """An empty batch, opened."""
    home = Home(folder / "home")
    home.create(BatchInfo("logos", "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ()))
    return await look(home, home.find("logos"), "submit")


@settings(max_examples=60, deadline=None)
@given(histories | mixed_up)
@example([plan(0), answer(1, at="2024-01-01"), answer(1, "no", at="2024-01-02")])
@example([plan(0), answer(1, at="2024-01-02"), answer(1, "no", at="2024-01-01")])
@example([plan(0), answer(1, at="2024-01-01"), answer(2, at="2024-01-02"), show(2)])
@example([plan(0), answer(2, at="2024-01-02", via=Via.GET), answer(1, at="2024-01-01")])
@example([plan(0), plan(1), answer(1, task="a"), answer(1, task="a", row=1), show(1, task="a")])
def test_the_answer_is_the_one_of_the_fold(
    tmp_path_factory: pytest.TempPathFactory, facts: list[Fact]
) -> None:
    """Whatever happened, in whatever order: the rows with an answer and the answers are those of the fold."""
    journal = segments(tmp_path_factory.mktemp("batch"), facts, facts[::2])
    state = Batch(facts)
    shown = {row.row: found for row, found in labelled(journal.answered())}
    completed = [n for n in range(ROWS) if n in state.rows and state.rows[n].planned]
    assert sorted(shown) == [n for n in completed if state.rows[n].status is Status.COMPLETED]
    for number, found in shown.items():
        kept = state.rows[number].kept
        assert kept is not None
        assert (found.completed_at or "", found.task_id, found.sha256) == kept.least


def test_nothing_is_folded_where_no_answer_is_disputed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer a row, each of its own task, is shown without the state, which takes far more memory."""
    journal = segments(tmp_path, [*map(plan, range(3)), told(0), answer(1, row=2, task="other")])
    monkeypatch.setattr(Segments, "refresh", None)
    assert [row for row in range(3) if row in journal.answered()] == [0, 2]


def test_a_row_counts_once(tmp_path: Path) -> None:
    """A planned fact that stands in two segments is one row, where it stood first."""
    journal = segments(tmp_path, [plan(0), plan(2)], [plan(2), plan(1)])
    assert [planned.row for planned in journal.rows()] == [0, 2, 1]


def again(row: int, edition: int, note: str = "") -> Planned:
    """A row in another edition."""
    request: Request = {"image_url": f"https://images.test/{row}.jpg?signature={edition}{note}"}
    return plan(row)._replace(edition=edition, request=request)


@given(
    st.permutations([plan(0), again(0, 1), again(0, 2), again(0, 2, "b"), plan(1), again(2, 1), plan(2)]),
    st.integers(0, 7),
)
def test_the_latest_edition_of_a_row_holds(facts: list[Planned], cut: int) -> None:
    """Whatever the order and the segments.

    Of each row the greatest edition, whoever asks for it and in whichever way.
    """
    with TemporaryDirectory() as folder:
        journal = segments(Path(folder), facts[:cut], facts[cut:])
        latest = {int(planned.row): planned for planned in journal.rows()}
        assert {row: planned.edition for row, planned in latest.items()} == {0: 2, 1: 0, 2: 1}
        assert list(latest) == list(dict.fromkeys(fact.row for fact in facts))
        assert latest[0] == max(again(0, 2), again(0, 2, "b"), key=precedence)
        assert {row: journal.plans()(row) for row in latest} == latest
        assert [
            *journal.rows(lambda row: row == 0),
            *journal.rows({1, 2}.__contains__, "tagging"),
        ] == sorted(latest.values(), key=lambda planned: (planned.row > 0, list(latest).index(planned.row)))


def test_a_column_that_is_called_edition_is_a_column(tmp_path: Path) -> None:
    """What the user's columns hold renews no row."""
    rows = [plan(n)._replace(columns={"edition": 7}) for n in range(2)]
    assert list(segments(tmp_path, rows).rows()) == rows


def test_a_place_that_is_gone(tmp_path: Path) -> None:
    """A fact whose segment vanished is an error that names the segment; a row without a place has no fact."""
    places = Places()
    places.note(3, tmp_path / "gone.jsonl", 0)
    assert [row for row in range(5) if row in places] == [3]
    assert places.read(0) is None
    with pytest.raises(StoreError, match=r"gone\.jsonl"):
        places.read(3)


def test_places_in_many_segments(tmp_path: Path) -> None:
    """However many segments there are, each fact is read where it stands.

    And few of them are open at a time.
    """
    places, before = Places(), descriptors()
    for row in range(3 * MOST_OPEN):
        path = tmp_path / f"{row}.jsonl"
        path.write_bytes(line(plan(row)))
        places.note(row, path, 0)
    for _ in range(2):
        assert [places.read(row) for row in range(3 * MOST_OPEN)] == [plan(n) for n in range(3 * MOST_OPEN)]
        assert descriptors() <= before + MOST_OPEN


@virtual
async def test_what_comes_after_the_fold(tmp_path: Path) -> None:
    """A row and an answer that are written after the state was folded are shown like all others."""
    viewer = await opened(tmp_path)
    writer = await look(viewer.store, viewer.ref, "submit")
    await writer.record([plan(0), plan(1), told(1)])
    lines = list(results(viewer, every=True))
    assert [(line["row"], line["status"], line["response"]) for line in lines] == [
        (0, "planned", None),
        (1, "completed", "yes"),
    ]
    assert [line["row"] for line in results(viewer)] == [1]
    await writer.journal.close()


@virtual
async def test_results_come_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    """However the answers came, the lines stand as the rows do."""
    batch = await opened(tmp_path)
    await batch.record([*map(plan, range(6)), *map(told, (5, 0, 3, 1))])
    assert [line["row"] for line in results(batch)] == [0, 1, 3, 5]
    await batch.journal.close()


@virtual
async def test_all_rows_come_with_what_failed(tmp_path: Path) -> None:
    """Where every row is asked for, one that was refused says why; the others have no error."""
    batch = await opened(tmp_path)
    await batch.record(
        [plan(0), plan(1), start(1, ((0, 2),)), replace(fail(1, final=True, row=1), message="no")]
    )
    errors = {line["row"]: line["error"] for line in results(batch, every=True)}
    assert errors == {0: None, 1: "no"}
    await batch.journal.close()
