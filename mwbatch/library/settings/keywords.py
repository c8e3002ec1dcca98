"""Options as keywords: the names, the defaults and the rules of the command line.

The dataclasses of `groups` hold names and defaults once, for both; the typed dictionaries here tell type
checkers which keywords a method takes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from mwbatch.core.words.values import SINCE
from mwbatch.errors import BadValue
from mwbatch.library.settings.groups import AskedBeforeOptions, MeantOptions, RowSelection, Spending

if TYPE_CHECKING:
    from mwbatch.commands.manifest.planning import ManifestSource
    from mwbatch.commands.sending.creating import SendOptions
    from mwbatch.commands.verbs.run import ReceiverAddress
    from mwbatch.core.spending.overlaps import Repeats

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)

Confirm = Callable[[str], bool]
"""Asked before many tasks are concerned, with what is about to happen; False: it does not."""


class CompareOptions(TypedDict, total=False):
    """What is to become of rows that were asked for before."""

    only_new: bool
    again: Iterable[str]
    against_api: bool
    since: str | None


class CreateOptions(CompareOptions, total=False):
    """How tasks are created, and how many; ``settle`` is in seconds, ``rate`` in requests a second."""

    callback_url: str | None
    concurrency: int
    rate: float | None
    trust_folder: bool
    keep_going: bool
    settle: float
    max_tasks: int | None
    price: float | None
    max_cost: float | None
    confirm: Confirm


class ManifestOptions(TypedDict, total=False):
    """What of a manifest is meant as it stands, and which of its rows are taken."""

    own_column: Iterable[str]
    single_option: bool
    volatile: Iterable[str]
    add: bool
    allow_duplicates: bool
    skip_invalid: bool


class CheckOptions(CompareOptions, total=False):
    """What of a manifest that is only looked at is meant as it stands."""

    own_column: Iterable[str]
    single_option: bool
    volatile: Iterable[str]
    allow_duplicates: bool


class SubmitOptions(ManifestOptions, CreateOptions, total=False):
    """All that a submission can be told."""


class ListenOptions(TypedDict, total=False):
    """Where a receiver listens: by default at port 8080 of this machine alone."""

    port: int
    host: str
    tls_cert: str | Path | None
    tls_key: str | Path | None
    admin_port: int | None
    admin_host: str


class RunOptions(SubmitOptions, ListenOptions, total=False):
    """All that a submission that receives can be told."""


def taken(kind: type[T], options: dict[str, Any]) -> T:
    """Some of the options as one of the dataclasses in `groups`; they are taken out of ``options``.

    Raises:
        BadValue: a value that the command line could not say either.
    """
    named = {field.name: field.default for field in fields(kind) if field.name in options}  # type: ignore[arg-type]
    return kind(**{name: _one(name, options.pop(name), default) for name, default in named.items()})


def _one(name: str, value: object, default: object) -> object:
    """A value as the command line would have it: a word says something, a flag is one, words are several."""
    if isinstance(default, bool) and not isinstance(value, bool):
        raise BadValue(name, value, "True or False would do")
    if isinstance(value, str) and not value.strip():
        raise BadValue(name, value, "an empty word says nothing: leave it out, or name something")
    if not isinstance(default, tuple):
        return value
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise BadValue(name, value, f"several may be named: [{value!r}] would do")
    return tuple(_one(name, word, "") for word in value)


def one_of(field: str, value: str, words: type[W]) -> W:
    """One of an enum's words; raises `BadValue` for another."""
    try:
        return words(value)
    except ValueError:
        raise BadValue(field, value, f"choose one of {', '.join(words)}") from None


def no_more(options: Mapping[str, object]) -> None:
    """Raise TypeError for a keyword that nobody took, as a call of any function does."""
    for name in options:
        raise TypeError(f"unexpected keyword argument {name!r}")


def never_asked(_: str) -> bool:
    """The answer of who is not to be asked."""
    return True


def send_options(
    spending: Spending, said: AskedBeforeOptions, confirm: Confirm = never_asked
) -> "SendOptions":
    """The options as the commands take them; raises `UsageError` for what cannot be."""
    from mwbatch.commands.sending.creating import SendOptions
    from mwbatch.core.spending.budget import Limits

    return SendOptions(
        callback_url=spending.callback_url,
        concurrency=spending.concurrency,
        rate=spending.rate,
        keep_going=spending.keep_going,
        trust_folder=spending.trust_folder,
        settle=spending.settle,
        limits=Limits(spending.max_tasks, spending.price, spending.max_cost),
        confirm=confirm,
        repeats=asking(said),
    )


def asking(said: AskedBeforeOptions) -> "Repeats":
    """What the user says to rows that were asked for before."""
    from mwbatch.core.spending.overlaps import Repeats

    return Repeats(said.only_new, said.again, looked_back(said.against_api, said.since))


def looked_back(against_api: bool, since: str | None) -> str | None:
    """How far back the account's listing is looked through, None for not at all."""
    return (since or SINCE) if against_api else None


def source_of(manifest: str, batch: str | None, meant: MeantOptions, taken: RowSelection) -> "ManifestSource":
    """A manifest with what the user said of it."""
    from mwbatch.commands.manifest.planning import ManifestSource

    return ManifestSource(
        manifest,
        batch,
        allow_duplicates=taken.allow_duplicates,
        add=taken.add,
        skip_invalid=taken.skip_invalid,
        own_columns=frozenset(meant.own_column),
        single_option=meant.single_option,
        volatile=meant.volatile,
    )


def created_by(options: Mapping[str, object]) -> "SendOptions":
    """The options that keywords of `CreateOptions` make; raises as `send_options`, TypeError for another."""
    left: dict[str, Any] = {**options}
    confirm: Confirm = left.pop("confirm", never_asked)
    made = send_options(taken(Spending, left), taken(AskedBeforeOptions, left), confirm)
    no_more(left)
    return made


def submitted_by(
    manifest: str | Path, batch: str | None, options: Mapping[str, object]
) -> "tuple[ManifestSource, SendOptions]":
    """The manifest and the options that keywords of `SubmitOptions` make; raises as `created_by`."""
    left: dict[str, Any] = {**options}
    source = source_of(str(manifest), _name(batch), taken(MeantOptions, left), taken(RowSelection, left))
    return source, created_by(left)


def _name(batch: str | None) -> str | None:
    """The name of a batch, which is not empty."""
    if batch is not None and not batch.strip():
        raise BadValue("batch", batch, "an empty word says nothing: leave it out, or name something")
    return batch


def door_of(options: dict[str, Any]) -> "ReceiverAddress":
    """Where a receiver listens, by keywords of `ListenOptions`, which are taken out of ``options``.

    Raises:
        BadValue: it cannot listen there.
    """
    from mwbatch.commands.verbs.run import ReceiverAddress

    there = {
        field.name: options.pop(field.name) for field in fields(ReceiverAddress) if field.name in options
    }
    for name in {"tls_cert", "tls_key"} & there.keys():
        there[name] = None if there[name] is None else Path(there[name])
    return ReceiverAddress(**there)


def checked_by(
    manifest: str, batch: str | None, options: Mapping[str, object]
) -> "tuple[ManifestSource, Repeats]":
    """The manifest and what was said of repeats by keywords of `CheckOptions`; raises as `created_by`."""
    left: dict[str, Any] = {**options}
    source = source_of(manifest, _name(batch), taken(MeantOptions, left), taken(RowSelection, left))
    said = asking(taken(AskedBeforeOptions, left))
    no_more(left)
    return source, said
