"""The laws, judged by the simulator's ledger: each is one sentence,
and each sentence here was broken by somebody.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from mwbatch.core.api.address import find
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Failed, Seen, Verdict
from mwbatch.core.report.command_outcomes import Reconciled
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Row, Status
from mwbatch.errors import Exit
from mwbatch.journal.home.folder_record import FolderRecord
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.scan import read
from mwbatch.simulator import Fault
from mwbatch.simulator.http.listing import given
from mwbatch.simulator.world.tasks import Task as SimulatedTask
from tests.proof.torture.schedules.interludes import (
    damaged,
    other_key,
    put_back,
    restored,
    results_removed,
    segments_gone,
)

if TYPE_CHECKING:
    from tests.proof.torture.story import Run, Story

Task = dict[str, Any]
TWICE: Final = "no row is paid twice"
OWN: Final = "no row has another's answer"
LOST: Final = "no answer is lost"
OWN_PLACE: Final = "a task that the API shows is kept at its own row"
A_WHILE: Final = 120.0
"""Seconds, of the API's clock, within which what it was asked for may not have come to be."""
_UNRECORDING: Final = (restored, put_back, segments_gone, damaged)
"""The interludes after which starts are gone from the record."""
FORGETTING: Final = (restored, put_back, results_removed)
"""The interludes after which answers that were acknowledged are gone; they are fetched."""


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
        _in_their_places,
        _contradicted,
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

    Also where a redirect hid a task and another account is asked for it, or where only callbacks tell and
    none comes; or where a kill took with it what a run had learned, the record of its start is lost besides,
    and the listing stands still and shows some of it: none of the three that could tell has told. A run that
    ended has noted what it left behind, and a listing that shows nothing of the batch is not to be believed.
    """
    hidden = Fault.CREATED_307 in story.cause.rates and story.circumstance.interlude is other_key
    unheard = story.cause.told and story.circumstance.deafens
    unrecorded = story.ending.figures["kills"] > 0 and story.circumstance.interlude in _UNRECORDING
    unnoted = story.cause.stands and story.shown and unrecorded
    return story.cause.beyond or hidden or unheard or unnoted


def _out_of_reach(story: "Story", tasks: list[Task]) -> bool:
    """Whether nothing can tie the tasks of a row to it any more, which is refused as asked for before, then.

    Their record is gone, the API shows no addresses, and what their callbacks told was stored in what is
    gone.
    """
    unrecorded = Fault.NO_ECHO in story.cause.lasting and story.circumstance.interlude in _UNRECORDING
    return unrecorded and all(task["task_id"] in story.network.acknowledged for task in tasks)


def _all_known(story: "Story", _: "Run", ledger: dict[int, list[Task]], state: Batch) -> Iterator[str]:
    for row, tasks in ledger.items():
        if _out_of_reach(story, tasks):
            continue
        unknown = [task["task_id"] for task in tasks if task["task_id"] not in state.row(row).tasks]
        if unknown and not (open_(story) and state.row(row).status is Status.DOUBT):
            yield f"every task is known in the end: row {row} ({state.row(row).status}) lacks {unknown}"


def _doubles_end(story: "Story", last: "Run", ledger: dict[int, list[Task]], state: Batch) -> Iterator[str]:
    there = 0
    for row, tasks in ledger.items():
        # What another account alone can show is believed only if it was asked for it in time.
        shown = {task.task_id for task in state.row(row).tasks.values() if task.confirmed}
        alive = [
            task
            for task in tasks
            if task["status"] != "canceled" and (task["key"] == story.key or task["task_id"] in shown)
        ]
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
    if not open_(story) and not any(row.refuted for row in state.rows.values()):
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
        lost = done and state.row(row).status is not Status.COMPLETED and not _out_of_reach(story, tasks)
        if lost and not (open_(story) and state.row(row).status in (Status.DOUBT, Status.PENDING)):
            yield f"{LOST}: row {row} is {state.row(row).status}"
        for task_id in done.intersection(state.row(row).tasks):
            if not right[task_id].issuperset(state.row(row).tasks[task_id].answers):
                yield f"an answer is kept as it was given: task {task_id}"
        yield from _own(state.row(row), done, row)


def _own(row: Row, done: set[str], number: int) -> Iterator[str]:
    """What is shown of a row is the answer of one of its own tasks, where one is known."""
    if row.kept is not None and row.kept.answered and row.kept.task_id not in done and done & set(row.tasks):
        yield f"{OWN}: row {number} shows that of {row.kept.task_id}"


def _in_their_places(story: "Story", _: "Run", ledger: dict[int, list[Task]], state: Batch) -> Iterator[str]:
    """What the API shows of a task is kept at its own row,
    unless creates themselves are answered with one id for many.
    """
    if Fault.ONE_TASK_ID in story.cause.rates:
        return
    for number, row in state.rows.items():
        own = {task["task_id"] for task in ledger.get(number, ())}
        for task in row.tasks.values():
            if task.confirmed and task.task_id not in own:
                yield f"{OWN_PLACE}: task {task.task_id} at row {number}"


def _contradicted(story: "Story", last: "Run", __: dict[int, list[Task]], state: Batch) -> Iterator[str]:
    """A stored answer that listings contradict is told of;
    one that every listing abridges is not counted as such.
    """
    if not isinstance(last.result, Reconciled):
        return
    rates = story.cause.rates
    if Fault.LIST_ABRIDGED in rates and last.result.differing and not _short(story, state):
        yield f"what is abridged does not differ: {len(last.result.differing)}"
    if Fault.LISTED_OTHERWISE in rates and last.result.exit is Exit.DONE:
        kept = {row.kept.task_id: row.kept for row in state.rows.values() if row.kept is not None}
        for task in story.network.account(story.key).world.tasks():
            true, otherwise, _ = map(digest, given(task))
            if task.otherwise and task.task_id in kept and otherwise not in kept[task.task_id].answers:
                assert true in kept[task.task_id].answers
                yield f"a stored answer that the listing contradicts is told of: task {task.task_id}"


def _short(story: "Story", state: Batch) -> bool:
    """Whether an answer was stored as an abridged listing shows it:
    then nobody can tell which of the two is short.
    """
    stored = {one for row in state.rows.values() for task in row.tasks.values() for one in task.answers}
    tasks = story.network.account(story.key).world.tasks()
    return any(digest(short) in stored for true, _, short in map(given, tasks) if short != true)


def _right_answers(story: "Story") -> dict[str, set[str]]:
    """What the API says in answer to each task: by callback and GET, and in its listings,
    which may differ.
    """
    return {
        task.task_id: {digest(response) for response in given(task)}
        for account in story.network.accounts.values()
        for task in account.world.tasks()
    }


def false_proof(story: "Story", run: "Run") -> str | None:
    """What is untrue about "paid twice: n, by a listing of N tasks"; None where it is true, or was not said.

    Counted is what was created a while before in the account that was asked: what is on its way now may be
    missed.
    """
    proof = run.result.proof if isinstance(run.result, Reconciled) else None
    if proof is None or proof.paid_twice is None:
        return None
    then, rows, known = story.network.now() - A_WHILE, defaultdict[int, list[float]](list), 0
    state, batch = story.state, FolderRecord.read(story.folder).info.batch_id
    for url, tasks in _alive(story):
        address = find(url)
        assert address is not None
        if address.batch != batch:
            continue
        rows[address.row] += [task.born_at for task in tasks]
        confirmed = {one.task_id for one in state.row(address.row).tasks.values() if one.confirmed}
        known += sum(task.task_id in confirmed for task in tasks if task.born_at < then)
    most = sum(len(born) - 1 for born in rows.values())
    least = sum(max(0, sum(at < then for at in born) - 1) for born in rows.values())
    if not (0 if story.cause.blind else least) <= proof.paid_twice <= most:
        return f"a proof is true: {proof.paid_twice} said to be paid twice, {least} to {most} are"
    if proof.listed < known:
        return f"a proof rests on all that is known: {proof.listed} listed, {known} known"
    return None


def _alive(story: "Story") -> Iterator[tuple[str, list[SimulatedTask]]]:
    """The tasks of the account that are not canceled, by address."""
    account = story.network.account(story.key)
    account.world.advance(story.network.now())
    there = defaultdict[str, list[SimulatedTask]](list)
    for task in account.world.tasks():
        if task.status != "canceled":
            there[task.draft.callback_url].append(task)
    yield from there.items()


def _kept(story: "Story", _: "Run", __: dict[int, list[Task]], ___: Batch) -> Iterator[str]:
    facts = Segments(story.folder, "laws").answers()
    kept = {fact.task_id for fact in facts}
    if story.circumstance.interlude not in FORGETTING and (lost := story.network.acknowledged - kept):
        yield f"a callback that was answered 2xx is on disk: {sorted(lost)}"


def _nothing_forgotten(
    story: "Story", _: "Run", ledger: dict[int, list[Task]], state: Batch
) -> Iterator[str]:
    for row, tasks in ledger.items():
        alive = any(task["status"] != "canceled" for task in tasks)
        forgotten = state.row(row).status in (Status.PLANNED, Status.REJECTED, Status.CANCELED)
        if alive and forgotten and not _out_of_reach(story, tasks):
            yield (
                f"a row with a task is never planned, rejected or canceled: {row} is {state.row(row).status}"
            )


def _no_more_settling(story: "Story", _: "Run", __: dict[int, list[Task]], ___: Batch) -> Iterator[str]:
    """The sweeps of one run may show it: what it writes after that is in the same segment."""
    absent = set[tuple[int, int]]()
    segments = (story.folder / "journal").glob("*.jsonl")
    for path in sorted(segments, key=lambda path: path.stem.rpartition("-")[2]):  # their names are counted
        refuted = False
        for fact in read(path, lambda _: None):
            if isinstance(fact, Failed) and fact.verdict == Verdict.ABSENT:
                absent.add((fact.row, fact.attempt))
                if refuted:
                    yield f"a sweep that shows that another one erred settles nothing: row {fact.row}"
            refuted |= isinstance(fact, Seen) and (fact.row, fact.attempt) in absent
