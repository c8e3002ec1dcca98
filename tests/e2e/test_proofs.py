"""Proofs as an operator reads them: exit code, sentence and JSON,
over the real command line and real HTTP.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

from mwbatch.simulator import Fault, Faults, Settings
from tests.e2e.support.stage import Api, Stage, until

SUBMIT: Final = ("submit", "m.csv", "--callback-url")


@contextmanager
def befallen(folder: Path, *faults: Fault) -> Iterator[Stage]:
    """A stage whose API these faults befall at every turn; its people answer at once."""
    rates = dict.fromkeys(faults, 1.0)
    with Api(Settings(port=0, api_key=None, complete_after=(0.0, 0.1), faults=Faults(rates=rates))) as api:
        yield Stage(folder, api)


def completed(stage: Stage) -> bool:
    """Whether every answer is on disk."""
    return not stage.json("status", "m")["by_status"]["pending"]


def test_a_proof_names_what_it_rests_on(tmp_path: Path) -> None:
    """The sentence, the JSON and the exit code of a batch of which the listing shows every task."""
    with befallen(tmp_path, Fault.CREATED_AT_APART) as stage:
        stage.manifest(7)
        assert stage.run(*SUBMIT, "none").code == 0
        ran = stage.run("reconcile", "m", "--wait", "--every", "0.2", "--json")
        assert "paid twice: 0, by a listing of 7 tasks at " in ran.err
        assert "which covers 7 of 7 known tasks" in ran.err
        named = (
            "paid_twice",
            "known_tasks",
            "known_tasks_listed",
            "unproved",
            "differing_answers",
            "complete",
        )
        assert [ran.json[name] for name in named] == [0, 7, 7, False, 0, True]
        assert ran.code == 0


def test_an_api_that_never_echoes(tmp_path: Path) -> None:
    """Without a proof it is exit 3, null, and the way on,
    which is exit 0 and says still that there is no proof.
    """
    with befallen(tmp_path, Fault.NO_ECHO) as stage:
        stage.manifest(2)
        stage.run(*SUBMIT, "none")
        ran = stage.run("reconcile", "m", "--wait", "--every", "0.2", "--json")
        assert (ran.code, ran.json["paid_twice"], ran.json["unproved"], ran.json["known_tasks"]) == (
            3,
            None,
            True,
            2,
        )
        assert "mwbatch reconcile m --unproved" in ran.err
        ran = stage.run("reconcile", "m", "--unproved", "--json")
        assert (ran.code, ran.json["paid_twice"], ran.json["unproved"], ran.json["complete"]) == (
            0,
            None,
            True,
            True,
        )


def test_answers_that_the_listing_contradicts(tmp_path: Path) -> None:
    """They are counted, told with the command that lists them, exit 1; the list names row and task."""
    with befallen(tmp_path, Fault.LISTED_OTHERWISE) as stage, stage.receiver() as base:
        stage.manifest(2)
        stage.run(*SUBMIT, base)
        until(lambda: completed(stage))
        ran = stage.run("reconcile", "m", "--json")
        assert (ran.code, ran.json["differing_answers"], ran.json["complete"]) == (1, 2, False)
        assert "mwbatch reconcile m --list differing" in ran.err
        listed = stage.json("reconcile", "m", "--list", "differing", code=1)["differing_answers"]
        assert [item["row"] for item in listed] == [0, 1]
        assert all(item["task_id"] for item in listed)
        refused = stage.run("reconcile", "m", "--list", "differing", "--offline")
        assert (refused.code, "leave out --offline" in refused.err) == (2, True)


def test_an_answer_that_is_not_the_apis(tmp_path: Path) -> None:
    """Somebody who read an address completes its row: the next reconciliation counts it, exit 3,
    and the list names it.
    """
    with Api(Settings(port=0, api_key=None, complete_after=(9e5, 9e5))) as api:
        stage = Stage(tmp_path, api)
        with stage.receiver() as base:
            stage.manifest(1)
            stage.run(*SUBMIT, base)
            [(address, [task])] = api.get("/_sim/ledger").items()
            body = json.dumps({"task_id": task["task_id"], "response": {"tags": []}}).encode()
            with urlopen(Request(address, body, {"Content-Type": "application/json"})) as answer:
                assert answer.status == 200
        ran = stage.run("reconcile", "m", "--json")
        named = ("unanswered_tasks", "differing_answers", "complete", "paid_twice")
        assert (ran.code, [ran.json[name] for name in named]) == (3, [1, 0, False, 0])
        assert "mwbatch reconcile m --list differing" in ran.err
        listed = stage.json("reconcile", "m", "--list", "differing", code=3)["differing_answers"]
        assert listed == [{"row": 0, "task_id": task["task_id"], "listed": "no answer"}]


def test_a_listing_without_end_is_shown_once(tmp_path: Path) -> None:
    """`tasks list` ends where the API ignores the offset and always has more."""
    with befallen(tmp_path, Fault.LIST_OFFSET_IGNORED) as stage:
        stage.manifest(3)
        stage.run(*SUBMIT, "none")
        assert len(stage.run("tasks", "list").out.splitlines()) == 3
