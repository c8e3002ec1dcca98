"""What the user set: flags, the environment and files become one frozen value, in one place.

The declarations of the options here are the only readers of the environment; a flag beats a variable beats a default.
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from mwbatch.errors import UsageError

BASE_URL: Final = "https://api.microwork.io"
SIMULATOR: Final = "127.0.0.1:8900"
"""Where `mwbatch simulate` listens unless told otherwise; the sample manifests point there."""

SETTLE: Final = 150.0
"""Seconds that a request may need, after all, to become a task; see DESIGN, "absence is an inference"."""


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", envvar="MWBATCH_HOME", help="The folder of all batches. Default: the user's data directory."
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output; words go to standard error.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only what matters.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens, to standard error.")]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask before more than 100 tasks are concerned.")
]
BaseUrlOption = Annotated[
    str, typer.Option("--base-url", envvar="MICROWORK_BASE_URL", help="The API.", show_default=True)
]
CallbackUrlOption = Annotated[
    str | None,
    typer.Option(
        "--callback-url",
        envvar="MWBATCH_CALLBACK_URL",
        help="The public URL of your receiver; 'none' when nobody can call you (results come by polling).",
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--callback-key-file",
        envvar="MWBATCH_CALLBACK_KEY_FILE",
        help="The callback keys, where several hosts share them. Default: keys.json in the home.",
    ),
]
ConcurrencyOption = Annotated[
    int,
    typer.Option(
        "--concurrency", envvar="MWBATCH_CONCURRENCY", min=1, max=1024, help="Most requests in flight."
    ),
]
RateOption = Annotated[
    float | None,
    typer.Option(
        "--rate", envvar="MWBATCH_RATE", min=0.001, help="Most requests started a second. Default: no limit."
    ),
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout", envvar="MWBATCH_TIMEOUT", min=1.0, help="Seconds for one request and its answer."
    ),
]
SettleOption = Annotated[
    float,
    typer.Option(
        "--settle",
        min=0.0,
        help="Seconds after which a task that no listing shows does not exist. At least 120, save on loopback.",
    ),
]
LogFormatOption = Annotated[
    LogFormat, typer.Option("--log-format", envvar="MWBATCH_LOG_FORMAT", help="How log lines are written.")
]
BatchArgument = Annotated[
    str, typer.Argument(metavar="BATCH", help="A batch's name, or the path of its manifest.")
]
ManifestArgument = Annotated[
    str, typer.Argument(metavar="MANIFEST", help="CSV or JSONL, also .gz; - for standard input.")
]


@dataclass(frozen=True, slots=True)
class Api:
    """How the API is reached. ``key`` shows in no repr."""

    key: str
    base_url: str = BASE_URL
    timeout: float = 30.0

    def __repr__(self) -> str:
        return f"Api({self.base_url})"


def api_key() -> str:
    """The API key, from ``MICROWORK_API_KEY`` or the file that ``MICROWORK_API_KEY_FILE`` names; never a flag.

    Raises:
        UsageError: neither is set, or the file cannot be read.
    """
    if key := os.environ.get("MICROWORK_API_KEY", "").strip():
        return key
    path = os.environ.get("MICROWORK_API_KEY_FILE", "")
    if not path:
        raise UsageError(
            "no API key: set MICROWORK_API_KEY, or MICROWORK_API_KEY_FILE to a file that holds it "
            "(to try without one: mwbatch simulate)"
        )
    try:
        key = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the API key from the file that MICROWORK_API_KEY_FILE names: {error}"
        ) from None
    if not key:
        raise UsageError(f"{path}, which MICROWORK_API_KEY_FILE names, is empty")
    return key
