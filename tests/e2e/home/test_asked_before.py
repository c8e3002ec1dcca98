"""The same rows under another name, with the installed command: never paid twice,
and each way on runs as it is printed.
"""

import json
import shlex
import shutil
from collections import Counter

import pytest

from tests.e2e.support.stage import ADDRESS, Ran, Stage

NOBODY = ("--callback-url", "none")


def paid(stage: Stage) -> Counter[int]:
    """How many tasks of all batches of the home ask for each number of
    `Stage.manifest` that are not canceled.
    """
    assert stage.api is not None
    batches = {one["batch_id"]: one["batch"] for one in stage.json("status")["batches"]}
    asked = {
        (batch_id, line["row"]): int(line["request"]["image_url"].rpartition("/")[2].removesuffix(".jpg"))
        for batch_id, name in batches.items()
        for line in map(json.loads, stage.run("results", name, "--all").out.splitlines())
    }
    found: Counter[int] = Counter()
    for address, entries in stage.api.get("/_sim/ledger").items():
        match = ADDRESS.search(address)
        if match and match[1] in batches:
            found[asked[match[1], int(match[2])]] += sum(one["status"] != "canceled" for one in entries)
    return +found


def ways(refused: Ran) -> list[list[str]]:
    """The commands that a refusal prints, as words without the first."""
    assert refused.code == 2, refused.err
    lines = refused.err.partition("go on with one of these:\n")[2].splitlines()
    return [shlex.split(line.partition("  # ")[0])[1:] for line in lines]


def submitted(stage: Stage, *words: str) -> Ran:
    """Submit as somebody whom nobody can call."""
    return stage.run("submit", *words, *NOBODY)


def once(numbers: range) -> Counter[int]:
    """Each once."""
    return Counter(dict.fromkeys(numbers, 1))


def test_week1_and_its_second_version(patient: Stage) -> None:
    """Ten rows, then those and one more in another file: refused with numbers,
    and added with the first way on.
    """
    assert submitted(patient, patient.manifest(10, "week1.csv")).code == 0
    refused = submitted(patient, patient.manifest(11, "week1-v2.csv"))
    assert "10 of 11 rows to be sent were asked for before; nothing was sent" in refused.err
    assert "batch week1 (" in refused.err
    assert (
        "10 rows, 10 pending; for example line 2 ('r0') asks for what its line 2 ('r0') asked for"
        in refused.err
    )
    added = patient.run(*ways(refused)[0], "--json")
    assert (added.code, added.json["batch"], added.json["rows"]) == (0, "week1", 11)
    assert paid(patient) == once(range(11))


def test_only_what_is_new(patient: Stage) -> None:
    """The second way on makes a batch of the one row that nobody asked for,
    and says how many were left out.
    """
    submitted(patient, patient.manifest(10, "week1.csv"))
    refused = submitted(patient, patient.manifest(11, "week1-v2.csv"))
    new = patient.run(*ways(refused)[1], "--json")
    assert (new.code, new.json["batch"], new.json["rows"], new.json["left_out"]) == (0, "week1-v2", 1, 10)
    assert paid(patient) == once(range(11))


def test_knowingly_again(patient: Stage) -> None:
    """The last way on pays again, and the batch info says so; the refusal is an object for scripts, too."""
    submitted(patient, patient.manifest(2, "week1.csv"))
    copy = patient.manifest(2, "copy.csv")
    told = patient.json("submit", copy, *NOBODY, code=2)
    assert (told["exit"], told["asked_before"]["rows"], told["asked_before"]["of"]) == (2, 2, 2)
    assert told["asked_before"]["batches"][0]["by_status"] == {"pending": 2}
    assert told["asked_before"]["batches"][0]["example"].startswith("line 2 (")
    again = patient.run(*shlex.split(told["asked_before"]["ways"][-1])[1:])
    assert again.code == 0, again.err
    assert paid(patient) == Counter({0: 2, 1: 2})
    assert patient.json("resume", "copy")["by_status"]["pending"] == 2


@pytest.mark.parametrize("how", ["copy", "link", "moved"])
def test_the_same_file_elsewhere(patient: Stage, how: str) -> None:
    """A copy, a link and another folder lead to nothing that is paid again."""
    path = patient.folder / patient.manifest(3, "week1.csv")
    submitted(patient, path.name)
    other = patient.folder / ("monday.csv" if how != "moved" else "elsewhere/week2.csv")
    other.parent.mkdir(exist_ok=True)
    if how == "link":
        other.symlink_to(path)
    else:
        shutil.copy(path, other)
    ran = submitted(patient, str(other.relative_to(patient.folder)))
    assert ran.code == (0 if how == "link" else 2), ran.err
    assert paid(patient) == once(range(3))


def test_a_file_that_overlaps_two_batches(patient: Stage) -> None:
    """Both batches are named, and each way on that pays nothing twice runs as it stands."""
    submitted(patient, patient.manifest(3, "one.csv"))
    submitted(patient, patient.manifest(3, "two.csv", start=3))
    refused = submitted(patient, patient.manifest(8, "both.csv"))
    assert "batch one (" in refused.err
    assert "batch two (" in refused.err
    first, second, _ = ways(refused)
    assert patient.run(*first).code == 0
    assert patient.run(*second).code == 0
    assert paid(patient) == once(range(8))


def test_two_at_once_in_two_terminals(slow: Stage) -> None:
    """Two copies that are submitted at the same moment: one plans first, and the other one sees it."""
    names = [slow.manifest(20, f"copy{n}.csv") for n in range(4)]
    running = [slow.start("submit", name, *NOBODY) for name in names]
    ended = [(one.communicate(timeout=60)[1].decode(), one.returncode) for one in running]
    assert sorted(code for _, code in ended) == [0, 2, 2, 2], ended
    assert all("asked for before; nothing was sent" in said for said, code in ended if code == 2)
    assert paid(slow) == once(range(20))


def test_retry_after_another_batch_asked(patient: Stage) -> None:
    """Canceled rows that another batch has asked for since are not opened again; only the others are,
    on request.
    """
    submitted(patient, patient.manifest(3, "one.csv"))
    patient.run("cancel", "one")
    submitted(patient, patient.manifest(2, "two.csv"))
    refused = patient.run("retry", "one", "--status", "canceled")
    assert ways(refused)[0] == ["retry", "one", "--status", "canceled", "--only-new"]
    assert "2 of 3 rows to be sent were asked for before" in refused.err
    assert patient.run(*ways(refused)[0]).code == 0
    assert paid(patient) == once(range(3))


@pytest.mark.parametrize(
    "look",
    [
        "submit M -n",
        "submit M --dry-run -q",
        "submit -qn M",
        "validate M --price 1",
        "-q validate M",
        "submit -n -- M",
    ],
)
def test_whoever_only_looks_is_told_how_to_go_on(patient: Stage, look: str) -> None:
    """What would be refused is refused in a rehearsal, and its ways on are commands that do it."""
    submitted(patient, patient.manifest(2, "week1.csv"))
    patient.manifest(3, "week1-v2.csv")
    patient.env["MWBATCH_CALLBACK_URL"] = "none"
    refused = patient.run(*look.replace("M", "week1-v2.csv").split())
    said = ways(Ran(refused.code, "", refused.err + refused.out))
    assert {way[0] for way in said} == {"submit"}
    assert not any(word in ("-n", "-qn", "--dry-run") for way in said for word in way)
    for way in said[:2]:
        assert patient.run(*way).code == 0
    assert paid(patient) == once(range(3))


def test_the_command_that_is_repeated(patient: Stage) -> None:
    """Names with blanks are quoted, and an option that is said anew is said once."""
    submitted(patient, patient.manifest(2, "week1.csv"))
    refused = submitted(
        patient, patient.manifest(3, "week 2.csv"), "--batch", "mine", "--home", str(patient.home)
    )
    assert "mwbatch submit 'week 2.csv' --home" in refused.err
    assert "--batch mine --batch week1" not in refused.err
    assert patient.run(*ways(refused)[0]).code == 0
    assert paid(patient) == once(range(3))


def test_validate_says_the_same(patient: Stage) -> None:
    """Checking a copy tells what submitting it would; the manifest that was submitted,
    and a rehearsal elsewhere, stay valid.
    """
    submitted(patient, patient.manifest(3, "week1.csv"))
    assert patient.run("validate", "week1.csv").code == 0
    copy = patient.manifest(4, "week1-v2.csv")
    told = patient.run("validate", copy)
    assert (told.code, "submit would refuse this: 3 of 4 rows" in told.out) == (2, True)
    assert "nothing was sent" not in told.out
    said = patient.json("validate", copy, code=2)
    assert (said["valid"], said["asked_before"]["rows"]) == (True, 3)
    assert patient.run("validate", copy, "--only-new").code == 0
    assert patient.run("validate", copy, "--batch", "week1").code == 0
    assert patient.run("validate", copy, "--base-url", "https://api.elsewhere.test").code == 0


def test_what_was_accepted_stays_valid(patient: Stage) -> None:
    """A manifest that was submitted is checked without a fault again, as it is submitted again;
    a new row is not spared.
    """
    path = patient.folder / "own.csv"
    path.write_text("id,image_url,Tags\na,https://images.example.com/1.jpg,red\n")
    assert patient.run("validate", "own.csv").code == 2
    assert submitted(patient, "own.csv", "--own-column", "Tags").code == 0
    assert submitted(patient, "own.csv").code == 0
    told = patient.run("validate", "own.csv")
    assert (told.code, "batch own has these rows as they are" in told.out) == (0, True)
    said = patient.json("validate", "own.csv")
    assert (said["valid"], said["accepted_by"], said["problem_count"]) == (True, "own", 1)
    path.write_text(path.read_text() + "b,ftp://images.example.com/2.jpg,blue\n")
    assert (patient.run("validate", "own.csv").code, submitted(patient, "own.csv").code) == (2, 2)


def test_against_the_account(patient: Stage) -> None:
    """What another home asked for long ago, beyond the first page,
    is found where the account is looked through.
    """
    early = patient.manifest(2, "early.csv")
    patient.run("submit", early, *NOBODY, "--home", str(patient.folder / "other"))
    patient.run(
        "submit",
        patient.manifest(110, "many.csv", start=10),
        *NOBODY,
        "--yes",
        "--home",
        str(patient.folder / "other"),
    )
    told = patient.run("validate", early, "--against-api")
    assert (told.code, "of another home or machine: 2 rows, 2 pending" in told.out) == (2, True)
    assert "pages, about" in told.err
    assert patient.run("validate", early).code == 0
    refused = patient.run("submit", early, *NOBODY, "--against-api", "--since", "1h")
    assert ways(refused)[0] == [
        "submit",
        "early.csv",
        *NOBODY,
        "--against-api",
        "--since",
        "1h",
        "--only-new",
    ]
    assert patient.run(*ways(refused)[0]).code == 0
    assert patient.json("status")["batches"][0]["rows"] == 0
    assert patient.run("submit", early, *NOBODY, "--dry-run", "--against-api").code == 2


def test_an_audit_finds_what_was_paid_twice(patient: Stage) -> None:
    """What was knowingly asked again is told with batches, rows, tasks and cost; exit code 1."""
    submitted(patient, patient.manifest(3, "one.csv"))
    assert patient.json("audit")["asked_again"] == 0
    assert patient.run("submit", patient.manifest(2, "two.csv"), *NOBODY, "--again", "one").code == 0
    told = patient.json("audit", "--price", "0.5", code=1)
    assert (told["asked_again"], told["tasks_beyond"], told["cost"]) == (2, 2, 1.0)
    assert [row["batch"] for row in told["requests"][0]["rows"]] == ["one", "two"]
    assert "2 requests were asked for more than once: 2 tasks beyond one each" in patient.run("audit").out
