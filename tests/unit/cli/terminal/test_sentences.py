"""What people are told when something is wrong: one clear sentence with the next step,
and the right exit code.
"""

import json
import re
import shlex
import socket
import subprocess
from collections.abc import Iterator

import pytest

from mwbatch.errors import Exit
from tests.e2e.support.stage import KEY, ROOT, Ran, Stage, until
from tests.support.ports import free_port

SUBMIT = ("submit", "m.csv", "--callback-url", "none")


@pytest.fixture(scope="module", autouse=True)
def unreached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """A submitter that finds no API: it is patient for a quarter of a minute, while the other tests run."""
    stage = Stage(tmp_path_factory.mktemp("unreached"))
    stage.manifest(1)
    with stage.start(*SUBMIT, MICROWORK_BASE_URL=f"http://127.0.0.1:{free_port()}") as started:
        yield started
        started.kill()


def told(ran: Ran, code: int, *words: str) -> None:
    """The command ended with ``code``, and its last line for people is one sentence that holds ``words``."""
    *_, sentence = ran.err.splitlines()
    assert ran.code == code, ran.err
    assert sentence.startswith(("mwbatch: ", "Error: "))
    for word in words:
        assert word in sentence


def test_ten_mistakes(patient: Stage) -> None:
    """A manifest with ten mistakes is refused with `file:line: column: what is wrong` for each,
    and nothing is sent.
    """
    (patient.folder / "m.csv").write_bytes((ROOT / "sample_manifests" / "mistakes.csv").read_bytes())
    ran = patient.run(*SUBMIT)
    assert ran.code == Exit.USAGE
    problems = ran.err.partition("mwbatch: ")[2].splitlines()
    assert {line.split(":")[1] for line in problems if line.startswith("m.csv:")} == set(
        map(str, range(2, 12))
    )
    assert "nothing was sent" in problems[-1]
    assert not (patient.home / "m").exists()


def test_no_key(patient: Stage) -> None:
    """Without an API key the variables that may hold one are named."""
    patient.manifest(1)
    del patient.env["MICROWORK_API_KEY"]
    told(patient.run(*SUBMIT), Exit.USAGE, "MICROWORK_API_KEY_FILE", "mwbatch simulate")


def test_a_key_file_as_windows_writes_it(patient: Stage) -> None:
    """A byte order mark is no part of a key; in UTF-16 the file is refused with a way on,
    and no byte of it is shown.
    """
    del patient.env["MICROWORK_API_KEY"]
    path = patient.folder / "key"
    path.write_bytes(b"\xef\xbb\xbf" + KEY.encode() + b"\r\n")
    path.chmod(0o600)
    assert patient.run("tasks", "list", MICROWORK_API_KEY_FILE=str(path)).code == 0
    path.write_bytes(KEY.encode("utf-16"))
    ran = patient.run(*SUBMIT, MICROWORK_API_KEY_FILE=str(path))
    told(ran, Exit.USAGE, "iconv -f UTF-16")
    assert KEY not in ran.err.replace("\0", "")


def test_utf_16_as_a_spreadsheet_saves_it(patient: Stage) -> None:
    """The command that is advised names the file, and one that nothing has;
    what it writes is a manifest without a mistake.
    """
    text = (patient.folder / patient.manifest(2)).read_text()
    (patient.folder / "m.csv").write_text(text, encoding="utf-16")
    (patient.folder / "m.2.csv").write_text("mine")
    ran = patient.run("validate", "m.csv")
    told(ran, Exit.USAGE, "iconv -f UTF-16 -t UTF-8 m.csv > m.3.csv")
    subprocess.run(ran.err.partition("with ")[2], shell=True, cwd=patient.folder, check=True)
    assert patient.run("validate", "m.3.csv").code == 0
    assert (patient.folder / "m.2.csv").read_text() == "mine"


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_a_header_that_nobody_understands(patient: Stage, mark: str) -> None:
    """Nothing is said of ids, nor of rows to part from others, where no row was read;
    also not to who did part them.
    """
    text = (patient.folder / patient.manifest(2)).read_text()
    (patient.folder / "m.csv").write_text(text.replace(",", mark))
    ran = patient.run("validate", "m.csv")
    assert (ran.code, "known by" in ran.out, "image_url: there is no such column" in ran.out) == (
        2,
        False,
        True,
    )
    for more in ((), ("--skip-invalid",)):
        ran = patient.run(*SUBMIT, *more)
        assert ran.code == Exit.USAGE
        assert ran.err.endswith(
            "1 problem; nothing was sent. Mend what is wrong, then run the same command again\n"
        )


@pytest.mark.parametrize("line", ["sep=,", '"sep=,"', "SEP=;"])
def test_a_line_for_spreadsheets_alone(patient: Stage, line: str) -> None:
    """What a spreadsheet writes for itself before the header is told;
    without it the file is as good as any.
    """
    text = (patient.folder / patient.manifest(2)).read_text()
    (patient.folder / "m.csv").write_text(f"{line}\n{text}")
    ran = patient.run("validate", "m.csv")
    assert (ran.code, "m.csv:1: image_url: there is no such column (delete this line" in ran.out) == (2, True)


def test_a_mistake_that_can_be_put_aside(patient: Stage) -> None:
    """Where some rows are good, it is said how to send these."""
    with (patient.folder / patient.manifest(2)).open("a") as file:
        file.write("r9,nowhere,c\n")
    assert "; with --skip-invalid the other rows are sent now" in patient.run(*SUBMIT).err
    assert patient.run(*SUBMIT, "--skip-invalid").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("results", "m", "-o"),
        ("export", "m", "--format", "csv", "-o"),
        ("make-annotating", "m", "--instruction", "Is it?", "--option", "a", "--option", "b", "-o"),
    ],
    ids=lambda words: words[0],
)
def test_a_place_where_nobody_may_look(patient: Stage, words: tuple[str, ...]) -> None:
    """A path at which the system will not even look is a mistake of the one who typed it,
    and no bug of ours.
    """
    patient.run("submit", patient.manifest(1), "--callback-url", "none")
    told(patient.run(*words, f"{'x' * 300}/there.jsonl"), Exit.USAGE, "File name too long", "you may write")


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("validate", "m.csv/m.csv"), {}),
        (("simulate", "--port", "0", "--faults", "gone.toml"), {}),
        (("tasks", "list"), {"MICROWORK_API_KEY_FILE": "gone"}),
    ],
)
def test_files_that_cannot_be_read(patient: Stage, words: tuple[str, ...], env: dict[str, str]) -> None:
    """What the system says of a file stands there in its words, without Python's."""
    patient.manifest(1)
    del patient.env["MICROWORK_API_KEY"]
    patient.env |= env
    ran = patient.run(*words)
    assert (ran.code, "Errno" in ran.err, ran.err.strip() != "") == (2, False, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("status", "--rows", "pending"), "--rows pending lists the rows of one batch: name it"),
        (("reconcile", "m", "--for", "5"), "--for says nothing without --wait"),
        (("reconcile", "m", "--every", "5"), "--every says nothing without --wait"),
        (("reconcile", "m", "--offline", "--wait"), "leave out one of them"),
        (("reconcile", "m", "--list", "surplus", "--wait"), "leave out one of them"),
        (
            ("run", "m.csv", "--port", "0", "--admin-host", "127.0.0.1"),
            "--admin-host says nothing without --admin-port",
        ),
        (("audit", "--since", "3d"), "--since says nothing without --against-api"),
        (("results", "m", "--force"), "give -o PATH, or leave it out"),
        (("results", "m", "--follow", "--force"), "give -o PATH, or leave it out"),
    ],
)
def test_an_option_that_would_say_nothing(patient: Stage, words: tuple[str, ...], said: str) -> None:
    """An option without the one that it belongs to is refused, and never passed over in silence."""
    patient.run("submit", patient.manifest(1), "--callback-url", "none")
    told(patient.run(*words), Exit.USAGE, said)


def test_ids_that_are_not_there(patient: Stage) -> None:
    """A list of ids that is not there is told in words, its path once."""
    patient.run("submit", patient.manifest(1), "--callback-url", "none")
    ran = patient.run("cancel", "m", "--ids-from", "gone.txt")
    told(ran, Exit.USAGE, "cannot read the ids in gone.txt: No such file or directory")
    assert "Errno" not in ran.err


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("bussy=1", "there is no fault 'bussy'; there are"),
        ("busy", "--fault busy: write NAME=RATE, such as busy=0.2"),
        ("busy=often", "--fault busy=often: write NAME=RATE, such as busy=0.2"),
        ("busy=2", "rate of busy is 2.0: a rate lies between 0 and 1"),
    ],
)
def test_faults_that_cannot_be(patient: Stage, fault: str, words: str) -> None:
    """What is wrong with a fault of the simulator is told in the words of its users, not of Python."""
    told(patient.run("simulate", "--port", "0", "--fault", fault), Exit.USAGE, words)


@pytest.mark.parametrize("words", [SUBMIT, ("submit", "m.csv", "-n"), ("validate", "m.csv"), ("audit",)])
def test_since_says_nothing_by_itself(patient: Stage, words: tuple[str, ...]) -> None:
    """A word that would say nothing is refused, with the one that it belongs to; nothing is made or sent."""
    patient.manifest(1)
    told(patient.run(*words, "--since", "7d"), Exit.USAGE, "--against-api")
    assert not (patient.home / "m").exists()


def test_ids_as_windows_writes_them(patient: Stage) -> None:
    """Ids are read after a byte order mark, too; other codings and pictures are named for what they are."""
    patient.run("submit", patient.manifest(3), "--callback-url", "none")
    path = patient.folder / "ids.txt"
    path.write_bytes(b"\xef\xbb\xbf" + b"r1\r\n")
    cancel = ("cancel", "m", "--ids-from", "ids.txt")
    assert patient.run(*cancel).code == Exit.DONE
    path.write_bytes("r1\n".encode("utf-16"))
    told(patient.run(*cancel), Exit.USAGE, "ids.txt, which is to list ids, is UTF-16: save it as UTF-8")
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    told(patient.run(*cancel), Exit.USAGE, "is a picture (PNG)")
    path.write_bytes(b'"r1"\n')
    told(
        patient.run(*cancel),
        Exit.USAGE,
        """as tr -d '"' < ids.txt writes them, piped into the same command""",
    )


def test_ids_from_standard_input(patient: Stage) -> None:
    """Ids are read from standard input as from a file; what is no list there is said of it."""
    patient.run("submit", patient.manifest(3), "--callback-url", "none")
    cancel = ("cancel", "m", "--ids-from", "-")
    told(patient.run(*cancel), Exit.USAGE, "standard input lists no ids")
    told(
        patient.run(*cancel, stdin=b'"r1"\n'),
        Exit.USAGE,
        "standard input, which is to list ids, is in quotes",
        """as tr -d '"' writes them, piped into the same command""",
    )
    assert patient.run(*cancel, stdin=b"r1\nr2\n").code == Exit.DONE
    assert patient.json("status", "m")["by_status"]["canceled"] == 2


def test_mistakes_on_standard_input(patient: Stage) -> None:
    """Mistakes of what came through a pipe are told of where it came from,
    and not of where it is kept meanwhile.
    """
    submit = ("submit", "-", "--batch", "m", "--callback-url", "none")
    ran = patient.run(*submit, stdin=b"image_url\nnowhere\n")
    assert (ran.code, "mwbatch: standard input:2: image_url" in ran.err) == (Exit.USAGE, True)
    assert ".mwbatch-" not in ran.err
    for content, said in (
        (b"image_url\n", "has a header"),
        (b"[1]", "is one JSON list"),
        (b"%PDF", "is a PDF"),
    ):
        told(patient.run(*submit, stdin=content), Exit.USAGE, f"standard input {said}")


def test_a_name_that_is_nearly_one(patient: Stage) -> None:
    """A batch whose name, or whose manifest's, is nearly that is suggested."""
    patient.run("submit", patient.manifest(1, "logos.csv"), "--callback-url", "none")
    told(patient.run("status", "logso"), Exit.USAGE, "no batch logso", "(did you mean logos?)")
    told(patient.run("status", "logo.csv"), Exit.USAGE, "(did you mean logos?)")
    assert "mean" not in patient.run("status", "other").err


def test_ipv6_alone(patient: Stage) -> None:
    """Who listens on `::` is told that nobody comes there by IPv4; and nobody does."""
    port = free_port()
    with patient.running("serve-callbacks", "--host", "::", "--port", str(port)) as server:
        assert server.stderr is not None
        lines = [server.stderr.readline().decode(), server.stderr.readline().decode()]
        assert lines[1].endswith(", by IPv6 only; --host 0.0.0.0 is for IPv4\n")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=20)
        socket.create_connection(("::1", port), timeout=20).close()


def test_options_before_the_verb(patient: Stage) -> None:
    """What every verb takes may stand before it, too; behind it words mean what they meant."""
    patient.run("submit", patient.manifest(1), "--callback-url", "none")
    home = str(patient.home)
    for words in (("-v", "status", "m"), ("--json", "-q", "status", "m"), ("--home", home, "status", "m")):
        assert patient.run(*words).code == Exit.DONE
    assert json.loads(patient.run("--json", f"--home={home}", "status", "m").out)["rows"] == 1
    assert patient.run("-q", "keys", "list").code == Exit.DONE
    assert patient.run("-v").code == patient.run().code
    assert patient.run("-v", "dance").code == patient.run("--nonsense", "status").code == Exit.USAGE


def test_quiet_is_quiet(patient: Stage) -> None:
    """With -q nothing stands beside the result but warnings and errors."""
    sent = patient.run("submit", patient.manifest(1), "--callback-url", "http://127.0.0.1:9", "-q")
    assert [line for line in sent.err.splitlines() if not line.startswith("warning: ")] == []
    assert "no receiver answers" in sent.err
    assert patient.run("status", "m", "-q").err == ""
    told(patient.run("status", "n", "-q"), Exit.USAGE, "no batch n")


def test_the_values_of_an_option_stand_in_its_help(patient: Stage) -> None:
    """Who asks for rows by their status is told which there are, in the help and when he errs."""
    assert "--rows [planned|doubt|pending|completed|canceled|rejected]" in patient.run("status", "-h").out
    assert "a row is planned, doubt," in patient.run("status", "m", "--rows", "lost").err


@pytest.mark.parametrize("name", ["MICROWORK_API_KEY", "MICROWORK_API_KEY_FILE"])
def test_an_empty_key(patient: Stage, name: str) -> None:
    """A variable for the key that is set, but blank, is refused, and the other one named;
    it hinders no look.
    """
    patient.manifest(1)
    (patient.folder / "key").write_text(patient.env.pop("MICROWORK_API_KEY"))
    patient.env |= {"MICROWORK_API_KEY_FILE": "key"} | {name: " "}
    told(patient.run(*SUBMIT), Exit.USAGE, f"{name} is set, but empty: unset {name}")
    assert not (patient.home / "m").exists()
    for look in ("status", "validate m.csv", "--help", "--version"):
        assert patient.run(*look.split()).code == Exit.DONE


@pytest.mark.parametrize(("path", "word"), [("nowhere", "cannot be read"), ("empty", "is empty")])
def test_a_key_file_without_a_key(patient: Stage, path: str, word: str) -> None:
    """A key file that is missing or empty is named."""
    (patient.folder / "empty").touch()
    patient.manifest(1)
    del patient.env["MICROWORK_API_KEY"]
    told(patient.run(*SUBMIT, MICROWORK_API_KEY_FILE=path), Exit.USAGE, word, "MICROWORK_API_KEY_FILE")


def test_a_wrong_key(patient: Stage) -> None:
    """A key that the API refuses ends the command with 4, is not shown, and the variable is named."""
    patient.manifest(1)
    ran = patient.run(*SUBMIT, MICROWORK_API_KEY="sk_wrong")
    told(ran, Exit.API, "401", "MICROWORK_API_KEY")
    assert "sk_wrong" not in ran.err


@pytest.mark.parametrize("verb", ["serve-callbacks", "run m.csv", "simulate"])
def test_a_port_that_is_taken(patient: Stage, verb: str) -> None:
    """A port on which another process listens is named, with --port as the way out."""
    patient.manifest(1)
    assert patient.api is not None
    port = patient.api.url.rpartition(":")[2]
    told(patient.run(*verb.split(), "--port", port), Exit.USAGE, port, "--port")


def test_nowhere_to_call(patient: Stage) -> None:
    """Without a callback base nothing is sent, and both ways to give one are named."""
    told(patient.run("submit", patient.manifest(1)), Exit.USAGE, "--callback-url", "none")


def test_another_api(patient: Stage) -> None:
    """A batch stays with the API that it was begun with."""
    patient.manifest(1)
    assert patient.run(*SUBMIT).code == Exit.DONE
    told(patient.run(*SUBMIT, MICROWORK_BASE_URL="http://127.0.0.1:9"), Exit.USAGE, "MICROWORK_BASE_URL")


def test_a_batch_in_use(stuck: Stage) -> None:
    """Of two submitters of one batch the second ends with 5, and names the process of the first."""
    stuck.manifest(1)
    with stuck.running(*SUBMIT) as first:
        until((stuck.home / "m" / "lock.json").exists)
        told(stuck.run(*SUBMIT), Exit.IN_USE, str(first.pid), "mwbatch status m")
        first.kill()


@pytest.mark.parametrize("verb", ["status", "resume", "reconcile", "results", "retry"])
def test_an_unknown_batch(patient: Stage, verb: str) -> None:
    """A batch that is not there is answered with those that are."""
    patient.manifest(1)
    told(patient.run(verb, "nope"), Exit.USAGE, "no batch nope", "none yet")


def test_an_unreadable_home(patient: Stage) -> None:
    """A home that is no folder, or whose batch cannot be read, ends with 6 and is named."""
    patient.manifest(1)
    patient.home.write_text("")
    told(patient.run(*SUBMIT), Exit.MACHINE, str(patient.home))
    patient.home.unlink()
    assert patient.run(*SUBMIT).code == Exit.DONE
    (patient.home / "m" / "batch.json").write_text("{")
    told(patient.run("status", "m"), Exit.MACHINE, "batch.json")


def test_a_damaged_line(patient: Stage) -> None:
    """A line that the disk spoiled is counted by `status`, ends `reconcile` with 6,
    and is listed with its place.
    """
    patient.manifest(3)
    assert patient.run(*SUBMIT).code == Exit.DONE
    path = next(path for path in (patient.home / "m" / "journal").glob("*.jsonl") if path.stat().st_size)
    first, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(first.replace(b'"v":1', b'"v":7') + b"\n" + rest)
    assert patient.json("status", "m")["damaged_lines"] == 1
    assert patient.run("reconcile", "m", "--offline").code == Exit.MACHINE
    (listed,) = patient.json("reconcile", "m", "--list", "damaged")["damaged_lines"]
    assert (listed["file"], listed["offset"]) == (str(path), 0)


@pytest.mark.parametrize(
    "words",
    [
        "submit",
        "submit m.csv --nonsense",
        "submit m.csv --concurrency many",
        "submit m.csv --callback-url ftp://x",
        "submit -",
        "submit nope.csv --callback-url none",
        "serve-callbacks --port 70000",
        "status m --rows lost",
        "reconcile m --list lost",
        "simulate --profile mad",
        "simulate --faults nope.toml",
        "dance",
    ],
)
def test_usage(patient: Stage, words: str) -> None:
    """What cannot be meant ends with 2 and says what would do."""
    patient.manifest(1)
    ran = patient.run(*words.split())
    assert ran.code == Exit.USAGE
    assert ran.out == ""
    assert ran.err.strip()


def test_an_error_as_json(patient: Stage) -> None:
    """With --json an error is an object too, with its exit code."""
    ran = patient.run("status", "nope", "--json")
    assert ran.json == {"error": json.loads(ran.out)["error"], "exit": Exit.USAGE}
    assert "no batch nope" in ran.json["error"]


def test_a_home_that_cannot_be_made(patient: Stage) -> None:
    """A home below something that is no folder ends with 6."""
    patient.manifest(1)
    patient.home.write_text("a file", encoding="utf-8")
    told(patient.run(*SUBMIT), Exit.MACHINE, str(patient.home))


def test_an_api_that_is_not_there(unreached: subprocess.Popen[bytes]) -> None:
    """An API that cannot be reached ends the command with 4, and the base URL is what to look at."""
    out, err = unreached.communicate(timeout=60)
    told(Ran(unreached.returncode, out.decode(), err.decode()), Exit.API, "no connection", "--base-url")


def test_columns_of_ones_own(patient: Stage) -> None:
    """A column that looks like a known one is refused with an option that works as it is printed."""
    patient.manifest(2)
    manifest = patient.folder / "m.csv"
    manifest.write_text(
        manifest.read_text().replace("image_url", "image_url,\u200bTags", 1).replace(".jpg", ".jpg,x")
    )
    ran = patient.run(*SUBMIT)
    assert ran.code == Exit.USAGE
    assert not (patient.home / "m").exists()
    (option,) = re.findall(r"(--own-column \S+)\)", ran.err)
    done = patient.run(*SUBMIT, *shlex.split(option))
    assert done.code == Exit.DONE, done.err
    assert "2 tagging, 0 annotating; yours: '\\u200bTags'" in done.err
    assert patient.run(*SUBMIT).code == Exit.DONE


def test_a_dry_run_without_a_key(patient: Stage) -> None:
    """A dry run needs neither key nor base and says that both are missing; a base that is none it refuses."""
    patient.manifest(1)
    key = patient.env.pop("MICROWORK_API_KEY")
    ran = patient.run("submit", "m.csv", "--dry-run")
    assert (ran.code, "no API key" in ran.out, "no callback base" in ran.out) == (Exit.DONE, True, True)
    bad = ("submit", "m.csv", "--callback-url", "labels.example.com")
    told(patient.run(*bad, "--dry-run"), Exit.USAGE, "must begin with http")
    told(patient.run(*bad, MICROWORK_API_KEY=key), Exit.USAGE, "must begin with http")
    assert not (patient.home / "m").exists()
