"""What the user set: flags, the environment and files become frozen values, in one place.

The declarations here and `environment` are the only readers of the environment; a flag beats a variable beats
a default. Options that several verbs share stand together in a dataclass; `mwbatch.cli.options.verb` spreads
it over a verb's options.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from mwbatch.core.words import values
from mwbatch.library.settings.declarations import Argument, Option


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


class TaskStatus(StrEnum):
    """The statuses that the API tells apart."""

    PENDING = "pending"
    COMPLETED = "completed"
    CANCELED = "canceled"


class TaskType(StrEnum):
    """The types of tasks."""

    TAGGING = "tagging"
    ANNOTATING = "annotating"


BatchArgument = Annotated[str, Argument(metavar="BATCH", help="A batch's name, or the path of its manifest.")]
ManifestArgument = Annotated[
    str, Argument(metavar="MANIFEST", help="CSV or JSONL, also .gz; - for standard input.")
]
BatchOption = Annotated[
    str | None,
    Option("--batch", help="The batch's name. Default: the one of this manifest, else its file name."),
]
DuplicatesOption = Annotated[
    bool,
    Option("--allow-duplicates", help="Let a new id ask for what a known row asks for already."),
]
ForceOption = Annotated[
    bool, Option("--force", help="Replace what mwbatch wrote there; nothing that is yours.")
]
SingleOption = Annotated[bool, Option("--single-option", help="Take questions that offer one answer only.")]
PriceOption = Annotated[float | None, Option("--price", min=0.0, help="What one task costs.")]
AgainstOption = Annotated[
    bool,
    Option("--against-api", help="Look through the account's listing for the same requests, too."),
]
SinceOption = Annotated[
    str | None,
    Option(
        "--since",
        metavar="WHEN",
        beside="--against-api",
        help=f"With --against-api: how far back to look, such as 12h or 2026-11-01. Default: {values.SINCE}.",
    ),
]
RequireOption = Annotated[bool, Option("--require-complete", help="Exit 3 unless every row is final.")]
SettleOption = Annotated[
    float,
    Option(
        "--settle",
        min=0.0,
        help="Seconds to wait before a row may be sent again whose last request may have made a task "
        "(a row in doubt): "
        "the longer, the surer that none is paid twice. At least 120, save on loopback.",
    ),
]


@dataclass(frozen=True, slots=True)
class MeantOptions:
    """What of a manifest is meant as it stands."""

    own_column: Annotated[
        tuple[str, ...],
        Option(
            "--own-column",
            metavar="NAME",
            help="Keep this column as one of yours, although it looks like a misspelt known one, such "
            "as Tags; several times.",
        ),
    ] = ()
    single_option: SingleOption = False
    volatile: Annotated[
        tuple[str, ...],
        Option(
            "--volatile",
            metavar="NAME",
            help="A parameter of image URLs, such as a token, that changes although the picture does "
            "not; several times.",
        ),
    ] = ()


@dataclass(frozen=True, slots=True)
class RowSelection:
    """Which rows of a manifest are taken."""

    add: Annotated[bool, Option("--add", help="Add the rows of another file to an existing batch.")] = False
    allow_duplicates: DuplicatesOption = False
    skip_invalid: Annotated[
        bool,
        Option(
            "--skip-invalid",
            help="Put rows with mistakes aside in MANIFEST.invalid.jsonl, and send the others.",
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How a command talks."""

    json: Annotated[
        bool,
        Option(
            "--json",
            help="For scripts: one JSON object on standard output (of rows and tasks one a line); "
            "words go to standard error.",
        ),
    ] = False
    quiet: Annotated[bool, Option("--quiet", "-q", help="Only warnings, errors and the result.")] = False
    verbose: Annotated[bool, Option("--verbose", "-v", help="Log what happens, to standard error.")] = False
    log_format: Annotated[
        LogFormat,
        Option("--log-format", envvar="MWBATCH_LOG_FORMAT", help="How log lines are written."),
    ] = LogFormat.TEXT


@dataclass(frozen=True, slots=True)
class AskedBeforeOptions:
    """What is to become of rows that were asked for before, and where they are looked for."""

    only_new: Annotated[bool, Option("--only-new", help="Leave out rows that were asked for before.")] = False
    again: Annotated[
        tuple[str, ...],
        Option(
            "--again",
            metavar="BATCH",
            help="Pay again for what this batch asked for; several times. api: for tasks at no address "
            "of mwbatch.",
        ),
    ] = ()
    against_api: AgainstOption = False
    since: SinceOption = None


@dataclass(frozen=True, slots=True)
class HomeOptions:
    """Where batches and their callback keys are."""

    home: Annotated[
        Path | None,
        Option(
            "--home",
            envvar="MWBATCH_HOME",
            rooted=True,
            help="The data folder: all batches, their answers and keys. Default: the user's data directory.",
        ),
    ] = None
    key_file: Annotated[
        Path | None,
        Option(
            "--callback-key-file",
            envvar="MWBATCH_CALLBACK_KEY_FILE",
            rooted=True,
            help="The callback keys, where several hosts share them. Default: keys.json in the data folder.",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Api:
    """How the API is reached; the key is no flag, see `api_key`."""

    base_url: Annotated[str, Option("--base-url", envvar="MICROWORK_BASE_URL", help="The API.")] = (
        values.BASE_URL
    )
    timeout: Annotated[
        float,
        Option(
            "--timeout", envvar="MWBATCH_TIMEOUT", min=1.0, help="Seconds for one request and its answer."
        ),
    ] = values.TIMEOUT


@dataclass(frozen=True, slots=True)
class Spending:
    """How tasks are created, and how many."""

    callback_url: Annotated[
        str | None,
        Option(
            "--callback-url",
            envvar="MWBATCH_CALLBACK_URL",
            help="The public URL of your receiver; 'none' when nobody can call you (results come by "
            "polling). "
            "Default: the one used last.",
        ),
    ] = None
    concurrency: Annotated[
        int,
        Option(
            "--concurrency",
            envvar="MWBATCH_CONCURRENCY",
            min=1,
            max=values.MOST_CONCURRENT,
            help="Most requests in flight.",
        ),
    ] = values.CONCURRENCY
    rate: Annotated[
        float | None,
        Option(
            "--rate",
            envvar="MWBATCH_RATE",
            min=values.LEAST_RATE,
            help="Most requests started a second. Default: no limit.",
        ),
    ] = None
    trust_folder: Annotated[
        bool,
        Option(
            "--trust-folder",
            help="Go on with a folder on another disk, where the API's listing cannot tell what was "
            "sent: you say nothing is lost.",
        ),
    ] = False
    keep_going: Annotated[
        bool,
        Option("--keep-going", help="Do not stop when 20 rows in a row are refused alike."),
    ] = False
    settle: SettleOption = values.SETTLE
    max_tasks: Annotated[
        int | None,
        Option("--max-tasks", min=0, help="Most tasks that this batch may ever have."),
    ] = None
    price: PriceOption = None
    max_cost: Annotated[
        float | None,
        Option(
            "--max-cost",
            envvar="MWBATCH_MAX_COST",
            min=0.0,
            help="Most that this batch may ever cost, at --price a task. Default: no limit.",
        ),
    ] = None
    yes: Annotated[
        bool, Option("--yes", "-y", help="Do not ask before more than 100 tasks are concerned.")
    ] = False
