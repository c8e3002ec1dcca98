"""The laws, judged by the simulator's ledger: each is one sentence, and each sentence here was broken by somebody."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from mwbatch.core.address import find
from mwbatch.core.batch import Batch
from mwbatch.core.facts import Failed, Seen, digest
from mwbatch.core.fold import ABSENT, Status
from mwbatch.core.outcomes import Reconciled
from mwbatch.errors import Exit
from mwbatch.journal.segment import read
from mwbatch.journal.segments import Segments
from mwbatch.simulator import Fault
from mwbatch.simulator.answers import response
from tests.torture.interludes import other_key, restored

if TYPE_CHECKING:
    from tests.torture.story import Run, Story

Task = dict[str, Any]
TWICE: Final = "no row is paid twice"


def tasks_by_row(story: "Story") -> dict[int, list[Task]]:
    """What the ledgers of all accounts hold, by row."""
    found = defaultdict[int, list[Task]](list)
    for key, account in story.network.accounts.items():
        account.world.advance(story.network.now())
        for url, tasks in account.world.ledger():
            address = find(url)
            assert address is not None
            found[address.row] += [{**task, "key": key} for task in tasks]
    return found


def broken(story: "Story", last: "Run") -> Iterator[str]:
    """The laws that a story broke, at its end; ``last`` is its last reconciliation."""
    ledger, state = tasks_by_row(story), story.state
    for law in (
        _once,
        _all_known,
        _doubles_end,
        _sums,
        _finished,
        _answers,
        _kept,
        _nothing_forgotten,
        _no_more_settling,
    ):
        yield from law(story, last, ledger, state)


def _once(story: "Story", _: "Run", ledger: dict[int, list[Task]], __: Batch) -> Iterator[str]:
    double = sorted(row for row, tasks in ledger.items() if len(tasks) > 1)
    if double and not beyond(story):
        yield f"{TWICE}: {double}"


def beyond(story: "Story") -> bool:
    """Whether nobody can prevent a double.

    Also where a redirect hid a task and another account is asked for it, or where only callbacks tell and none comes.
    """
    hidden = Fault.CREATED_307 in story.cause.rates and story.circumstance.interlude is other_key
    unheard = story.cause.told and story.circumstance.deafens
    return story.cause.beyond or hidden or unheard


def _all_known(story: "Story", _: "Run", ledger: dict[int, list[Task]], state: Batch) -> Iterator[str]:
    for row, tasks in ledger.items():
        unknown = [task["task_id"] for task in tasks if task["task_id"] not in state.row(row).tasks]
        if unknown and not (open_(story) and state.row(row).status is Status.DOUBT):
            yield f"every task is known in the end: row {row} ({state.row(row).status}) lacks {unknown}"


def _doubles_end(_: "Story", last: "Run", ledger: dict[int, list[Task]], __: Batch) -> Iterator[str]:
    there = 0
    for row, tasks in ledger.items():
        alive = [task for task in tasks if task["status"] != "canceled"]
        there += max(0, len(alive) - 1)
        if len(tasks) > 1 and any(task["status"] == "pending" for task in tasks):
            yield f"a double is cancelled while it is pending: row {row}"
    if isinstance(last.result, Reconciled) and last.result.report.surplus < there:
        yield f"every double is reported: {there} there, {last.result.report.surplus} reported"


def _sums(story: "Story", last: "Run", _: dict[int, list[Task]], state: Batch) -> Iterator[str]:
    if last.result is None:
        yield f"the last reconciliation ends: {last.error!r}"
        return
    report = last.result.report
    if (
        not story.rows == report.rows == sum(report.by_status.values())
        or report.by_status != state.by_status()
    ):
        yield f"every row has exactly one status: {story.rows} rows, {report.by_status}"


def _finished(story: "Story", last: "Run", _: dict[int, list[Task]], state: Batch) -> Iterator[str]:
    if last.result is None or not last.result.report.unfinished:
        return
    assert isinstance(last.result, Reconciled)
    if not open_(story) and not any(row.belied for row in state.rows.values()):
        yield f"a batch comes to its end: {last.result.report.by_status}, {last.result.reasons}"
    if last.result.exit < Exit.UNFINISHED or (state.by_status()[Status.DOUBT] and not last.result.reasons):
        yield "what stays in doubt has a reason, and exit 3"


def open_(story: "Story") -> bool:
    """Whether rows of this story may stay open for ever."""
    return story.cause.blind or story.circumstance.interlude is other_key or story.unproved


def _answers(story: "Story", _: "Run", ledger: dict[int, list[Task]], state: Batch) -> Iterator[str]:
    right = _right_answers(story)
    for row, tasks in ledger.items():
        done = {task["task_id"] for task in tasks if task["status"] == "completed"}
        lost = done and state.row(row).status is not Status.COMPLETED
        if lost and not (open_(story) and state.row(row).status in (Status.DOUBT, Status.PENDING)):
            yield f"no answer is lost: row {row} is {state.row(row).status}"
        for task in state.row(row).tasks.values():
            if any(answer != right[task.task_id] for answer in task.answers):
                yield f"an answer is kept as it was given: task {task.task_id}"


def _right_answers(story: "Story") -> dict[str, str]:
    return {
        entry["task_id"]: digest(response(account.world.get(entry["task_id"], story.network.now()).draft))
        for account in story.network.accounts.values()
        for _, tasks in account.world.ledger()
        for entry in tasks
    }


def _kept(story: "Story", _: "Run", __: dict[int, list[Task]], ___: Batch) -> Iterator[str]:
    facts = Segments(story.folder, "laws").read_answers()
    kept = {fact.task_id for fact in facts}
    if story.circumstance.interlude is not restored and (lost := story.network.acknowledged - kept):
        yield f"a callback that was answered 2xx is on disk: {sorted(lost)}"


def _nothing_forgotten(_: "Story", __: "Run", ledger: dict[int, list[Task]], state: Batch) -> Iterator[str]:
    for row, tasks in ledger.items():
        alive = any(task["status"] != "canceled" for task in tasks)
        if alive and state.row(row).status in (Status.PLANNED, Status.REJECTED, Status.CANCELED):
            yield f"a row with a task is never planned, rejected or canceled: {row} is {state.row(row).status}"


def _no_more_settling(story: "Story", _: "Run", __: dict[int, list[Task]], ___: Batch) -> Iterator[str]:
    """The sweeps of one run may show it: what it writes after that is in the same segment."""
    absent = set[tuple[int, int]]()
    segments = (story.folder / "journal").glob("*.jsonl")
    for path in sorted(segments, key=lambda path: path.stem.rpartition("-")[2]):  # their names are counted
        belied = False
        for fact in read(path, lambda _: None):
            if isinstance(fact, Failed) and fact.verdict == ABSENT:
                absent.add((fact.row, fact.attempt))
                if belied:
                    yield f"a sweep that shows that another one erred settles nothing: row {fact.row}"
            belied |= isinstance(fact, Seen) and (fact.row, fact.attempt) in absent
