"""A table of histories, and what each one means for its row."""

import pytest

from mwbatch.core.facts.kinds import Fact
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from tests.support.facts import answer, fail, plan, retry, show, start, withdraw

History = list[Fact]

P, D, N, C, X, R = (
    Status.PLANNED,
    Status.DOUBT,
    Status.PENDING,
    Status.COMPLETED,
    Status.CANCELED,
    Status.REJECTED,
)

HISTORIES: list[tuple[str, History, Status, bool]] = [
    ("read from the manifest", [], P, True),
    ("killed while the request was out", [start(1)], D, False),
    ("created", [start(1), show(1)], N, False),
    ("the callback came before the create's answer", [answer(1), start(1)], C, False),
    ("a status that nobody knows", [start(1), show(1, "in review")], N, False),
    ("listed as completed, not fetched yet", [start(1), show(1, "completed")], N, False),
    ("listed as completed, then canceled", [start(1), show(1, "completed"), show(1, "canceled")], X, False),
    ("answered", [start(1), show(1), answer(1)], C, False),
    ("answered although canceled", [start(1), show(1, "canceled"), answer(1)], C, False),
    ("answered although withdrawn", [start(1), withdraw(2), answer(1)], C, False),
    ("refused", [start(1), fail(1, final=True)], R, False),
    ("never left", [start(1), fail(1)], P, True),
    ("refused, then retried", [start(1), fail(1, final=True), retry(2)], P, True),
    ("refused, retried, out", [start(1), fail(1, final=True), retry(2), start(2)], D, False),
    ("refused twice", [start(1), fail(1, final=True), retry(2), start(2), fail(2, final=True)], R, False),
    ("refused, retried, never left", [start(1), fail(1, final=True), retry(2), start(2), fail(2)], P, True),
    ("absent by a sweep, seen later", [start(1), fail(1), show(1)], N, False),
    ("a late task beside the next attempt", [start(1), fail(1), start(2), show(2), show(1)], N, False),
    ("one of two tasks is canceled", [show(1), show(2, "canceled")], N, False),
    ("both tasks are canceled", [show(1, "canceled"), show(2, "canceled")], X, False),
    ("a canceled task and a later doubt", [show(1, "canceled"), retry(2), start(2)], D, False),
    ("canceled", [start(1), show(1), show(1, "canceled")], X, False),
    ("canceled, then retried", [start(1), show(1, "canceled"), retry(2)], P, True),
    (
        "canceled late, the next attempt refused",
        [show(1, "canceled"), start(2), fail(2, final=True)],
        X,
        False,
    ),
    ("canceled, retried, refused", [show(1, "canceled"), retry(2), start(2), fail(2, final=True)], R, False),
    ("canceled, retried, never left", [show(1, "canceled"), retry(2), start(2), fail(2)], P, True),
    ("an old retry opens nothing new", [retry(1), start(1), show(1, "canceled")], X, False),
    ("withdrawn before it was sent", [withdraw(1)], X, False),
    ("withdrawn, then retried", [withdraw(1), retry(2)], P, True),
    ("retried, then withdrawn", [start(1), fail(1, final=True), retry(2), withdraw(3)], X, False),
    ("withdrawn, retried, withdrawn", [withdraw(1), retry(2), withdraw(3)], X, False),
    ("withdrawn and retried for one attempt: the cheaper", [withdraw(2), retry(2)], X, False),
    ("withdrawn while in doubt", [start(1), withdraw(2)], D, False),
    ("withdrawn while in doubt, then absent", [start(1), withdraw(2), fail(1)], X, False),
    ("withdrawn while in doubt, then found", [start(1), withdraw(2), show(1)], N, False),
    ("refused, then withdrawn", [start(1), fail(1, final=True), withdraw(2)], X, False),
    ("retried in spite of doubt", [start(1), retry(2)], D, True),
    ("retried in spite of doubt, out", [start(1), retry(2), start(2)], D, False),
    ("retried in spite of doubt, then withdrawn", [start(1), retry(2), withdraw(3)], D, False),
    ("retried in spite of doubt, created", [start(1), retry(2), start(2), show(2)], N, False),
    ("pending, and an attempt opened all the same", [start(1), show(1), retry(2)], N, False),
]


@pytest.mark.parametrize(
    ("history", "status", "sendable"), [h[1:] for h in HISTORIES], ids=[h[0] for h in HISTORIES]
)
def test_histories(history: History, status: Status, sendable: bool) -> None:
    """Each history means this status, told forwards or backwards."""
    for told in (history, history[::-1]):
        row = Batch([plan(0), *told]).row(0)
        assert (row.status, row.sendable) == (status, sendable)
