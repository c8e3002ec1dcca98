"""The callback base: which one is used, and whether anybody listens there."""

from typing import Final

from mwbatch.client.receiver_probe import OTHER_KEYS, probe
from mwbatch.commands.context.context import Context
from mwbatch.core.api.address import NOBODY, Key
from mwbatch.core.urls.hosts import is_near, names_host, without_user
from mwbatch.core.urls.proxies import on_the_way
from mwbatch.core.words.hint import hint
from mwbatch.errors import UsageError

NO_CALLBACKS: Final = "none"
"""The callback base of users whom nobody can call."""

NO_BASE: Final = (
    "no callback base: give --callback-url (or MWBATCH_CALLBACK_URL) the public URL of your receiver "
    "(serve-callbacks), or --callback-url none to fetch results by polling"
)


def callback_base(asked: str | None, last: str | None, context: Context) -> str:
    """The callback base to use: the one asked for, else the one used last, which is said.

    Raises:
        UsageError: there is neither, or it cannot be one.
    """
    if asked == NO_CALLBACKS:
        return NOBODY
    base = checked_base(asked) if asked else last
    if base is None:
        raise UsageError(NO_BASE)
    if not asked:
        context.tally.note(f"callbacks go to {without_user(base)}, as before")
    warn_clear(base, context)
    return base


def checked_base(url: str) -> str:
    """A callback base as it is used; raises `UsageError` for what cannot be one."""
    from yarl import URL  # noqa: PLC0415 (views do without)

    said = f"--callback-url {without_user(url)!r}"
    try:
        base = URL(url)
    except ValueError as error:
        raise UsageError(f"{said} is no URL ({without_user(str(error))})") from None
    if base.scheme not in ("http", "https") or not names_host(url):
        raise UsageError(f"{said} must begin with http:// or https:// and name a host")
    if base.query_string or base.fragment or "@" in base.raw_authority:
        raise UsageError(f"{said} may carry a path, but no query, fragment or password")
    return str(base).rstrip("/")


def warn_clear(base: str, context: Context) -> None:
    """Tell people whose callbacks would cross a foreign network in clear:
    whoever reads an address can forge its answer.
    """
    from yarl import URL  # noqa: PLC0415 (views do without)

    url = URL(base)
    if url.scheme == "http" and not is_near(url.host or ""):
        context.tally.note(
            f"warning: {without_user(base)} is plain http, and {url.host} is not local: callback addresses "
            "and answers travel in clear, and whoever reads them can forge answers; use https "
            "(serve-callbacks --tls-cert --tls-key, or a proxy in front of it)"
        )


async def warn_unheard(base: str, key: Key, context: Context) -> bool:
    """Post a signed probe to our own callback base; people should know before money is spent.

    Whether it was heard.
    """
    if base == NOBODY:
        return False
    problem = await probe(base, key, on_the_way(context.proxies, base))
    if problem == OTHER_KEYS:
        context.tally.note(
            f"warning: {problem} answers at {without_user(base)}, and refuses the callbacks of this batch: "
            "start it with the same MWBATCH_HOME, or give both the same MWBATCH_CALLBACK_KEY_FILE. Tasks "
            "are created all the same: their answers are fetched by reconcile"
        )
    elif problem:
        context.tally.note(
            f"warning: no receiver answers at {without_user(base)} ({problem}); start one: "
            f"{hint('serve-callbacks')}. Tasks are created all the same: answers that find nobody are "
            "fetched by reconcile"
        )
    return not problem
