"""What each view shows, for people and for scripts, byte for byte: scripts read it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mwbatch.core.codec.ids import Kid
from mwbatch.core.codec.json_codec import indented
from mwbatch.core.manifest.entry import Problem
from mwbatch.core.pace.course import Ending
from mwbatch.core.report.command_outcomes import (
    Canceled,
    Comparison,
    Created,
    Made,
    Proof,
    Ran,
    Reconciled,
    ResultsWritten,
)
from mwbatch.core.report.exported import Exported
from mwbatch.core.report.key_use import Retired, Rotated, Use
from mwbatch.core.report.preview import Rehearsal, Validation
from mwbatch.core.report.progress import Report
from mwbatch.core.spending.budget import Limits, Spent
from mwbatch.core.spending.scrutiny import Leave, Scrutiny
from mwbatch.core.state.row_status import Status
from mwbatch.errors import NOTHING_SENT, Exit, UsageError
from mwbatch.views import keys, standing
from mwbatch.views.audit import audited
from mwbatch.views.exported import written
from mwbatch.views.listing import listing
from mwbatch.views.outcomes import canceled, created, made, reconciled
from mwbatch.views.plain import Result, plain
from mwbatch.views.preview import rehearsed, validated
from mwbatch.views.received import summary
from mwbatch.views.results import taken

KEPT: Final = Path(__file__).with_name("shown.txt")


def report(name: str = "logos", **more: Any) -> Report:
    """A batch of ten rows, two of them in doubt and one rejected."""
    by_status = dict(zip(Status, (1, 2, 3, 3, 0, 1), strict=True))
    return Report(name, "k2j4mno5p6", "/home", 10, by_status, **({"in_flight": 1, **NOTHING} | more))


NOTHING: Final = {"surplus": 0, "conflicts": 0, "unknown_tasks": 0, "damaged_lines": 0}
SPENT: Final = Spent(8, {"2026-10": 3, "2026-11": 5}, Limits(max_tasks=50, price=0.1, max_cost=4))
ENDING: Final = Ending(Exit.API, "HTTP 401: who are you?")
PROOF: Final = Proof(1, 9, "2026-11-30T12:00:00Z", (), 7, 8)
COUNTS: Final = {
    "received": 5,
    "stored": 3,
    "repeated": 1,
    "inbox": 1,
    "mismatched": 0,
    "rejected": {"404": 1},
}
MISTAKES: Final = (Problem(2, "image_url", "is missing"),)
REFUSED: Final = UsageError(f"1 row was asked for before{NOTHING_SENT}")
KINDS: Final = {"tagging": 1, "annotating": 1}
LOOKED: Final = Scrutiny(Leave())
RESULTS: Final[Mapping[str, Result]] = {
    "one batch": standing.one(report(spent=SPENT, surplus=1, differing=2), demanded=True),
    "every batch": standing.every("/home", (report(spent=SPENT), report("b2")), unreadable=("b3: no rows",)),
    "no batch": standing.every("/home", ()),
    "a run of creating": created(Created(report(), ENDING, ("a sweep was not valid",), 2, 1)),
    "a run": created(Ran(report(), Ending(), 4)),
    "a reconciliation": reconciled(
        Reconciled(
            report(), 2, 1, ("t9 canceled",), ["3 are pending"], False, PROOF, Comparison("m", 1, 2, 0)
        )
    ),
    "no proof": reconciled(Reconciled(report(), proof=Proof(reasons=("not all tasks were listed",)))),
    "no proof, and more that is open": reconciled(
        Reconciled(report(), reasons=["3 are pending"], proof=Proof(reasons=("3 are pending", "a page")))
    ),
    "a reconciliation without a request": reconciled(Reconciled(report(), reasons=["3 are pending"])),
    "a cancellation": canceled(Canceled(report(), 3, 2, 1, ("row 5: people have completed it",), True)),
    "a manifest": made(
        Made("logos", "m.jsonl", 5, 9, 1, 2, 3, 4, 6, 1, 2, single=True, name="m", later="m.2.jsonl")
    ),
    "a file of results": taken(ResultsWritten(report(), "r.jsonl", 3), demanded=True),
    "an export": written(
        Exported("logos", "yolo", "out", 10, 3, 3, 7, 1, 2, 2, 1, 1, gone=1, damaged=1, categories=["a"])
    ),
    "an export of photographs that are stored turned": written(
        Exported(
            "logos",
            "yolo",
            "out",
            9,
            9,
            9,
            dropped=1,
            turned=2,
            as_sent=3,
            unusable=4,
            oriented=5,
            only_displayed=2,
            only_stored=1,
        )
    ),
    "an export that was stopped": written(Exported("logos", "csv", "out.csv", stopped=True)),
    "a list": listing("rejected callbacks", ({"row": 1, "why": "a\tb"}, {"row": 2, "why": None})),
    "an empty list": listing("rejected callbacks", (), words="unusable callbacks"),
    "no audit": audited(()),
    "a receiver": Result(value=COUNTS),
    "a new key": keys.rotated(Rotated(Kid("k2"), "2026-11-30T12:00:00Z", (Kid("k1"),), "/home/keys.json")),
    "a key that is gone": keys.retired(Retired(Kid("k1"), None, (Use("logos", 3),), (("b2", "process 7"),))),
    "a manifest that can be sent": validated(
        Validation("m.csv", 12, {"tagging": 10, "annotating": 2}, 0, 0, "id", 0, (), price=0.1, unreachable=0)
    ),
    "a manifest with mistakes": validated(
        Validation(
            "m.csv", 3, {"tagging": 3, "annotating": 0}, 1, 2, None, 2, MISTAKES, ((5, 2),), unreachable=4
        )
    ),
    "a manifest that nobody understands": validated(Validation("m.csv", 0, {}, 0, 0, None, 1, MISTAKES)),
    "a manifest that was accepted once": validated(
        Validation("m.csv", 1, {"tagging": 1}, 0, 0, "id", 1, MISTAKES, accepted_by="logos")
    ),
    "a manifest that would be refused": validated(
        Validation("m.csv", 1, {"tagging": 1}, 0, 0, "id", 0, (), refused=REFUSED)
    ),
    "a dry run of a new batch": rehearsed(
        Rehearsal("m", True, 2, 0, 0, 0, 0, KINDS, LOOKED, 2, None, "no key", "no base")
    ),
    "a dry run of what is there": rehearsed(
        Rehearsal("m", False, 0, 7, 1, 2, 3, KINDS, LOOKED, 3, 0.5, "", "", ("a warning",), 4, 5, SPENT)
    ),
    "what is said already": Result(exit=Exit.UNFINISHED),
    "a value": plain({"a": [1]}),
}


def shown() -> str:
    """All of them, one after another."""
    return "".join(
        f"## {name}: exit {int(one.exit)}\n{one.words}\n--json\n{indented(one.value)}\n"
        for name, one in RESULTS.items()
    )


def test_every_view_shows_what_it_showed() -> None:
    """Neither a word nor a name changes unseen; run this module where one is to."""
    assert shown() == KEPT.read_text()


def test_the_end_of_a_receiver() -> None:
    """A receiver that ends tells in one sentence what came, and why some was refused."""
    assert summary(COUNTS) == (
        "received 5 callbacks: 3 stored, 1 repeated, 1 for batches that are not here; not answered 200: 1 404"
    )


if __name__ == "__main__":
    KEPT.write_text(shown())
