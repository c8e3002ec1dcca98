"""`mwbatch keys list|rotate|retire`: the callback keys."""

from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import Group, verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import library
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Argument, Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context


@verb
def list_(*, place: settings.HomeOptions, talk: settings.OutputOptions) -> None:
    """List the callback keys, and what waits for each.

    No secret is shown. The one that signs makes the addresses of new tasks; those that verify are accepted
    until they are retired. `waiting` counts rows that may still be answered at addresses of that key.

    \b
    Examples:
      mwbatch keys list
      mwbatch keys list --json
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.keys import listed

        async with library(place, context) as home:
            return listed(await home.keys.list())

    perform(command, talk)


@verb
def rotate(*, place: settings.HomeOptions, talk: settings.OutputOptions) -> None:
    """Make a new key, which signs from now on.

    It makes the addresses of new tasks. The other keys stay: callbacks at addresses that they signed are
    accepted until they are retired. Where several hosts have copies of the key file, give it to the receivers
    first.

    \b
    Examples:
      mwbatch keys rotate
      mwbatch keys rotate --json
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.keys import rotated

        async with library(place, context) as home:
            return rotated(await home.keys.rotate())

    perform(command, talk)


@verb
def retire(
    kid: Annotated[str, Argument(metavar="KID", help="The key's name, as `mwbatch keys list` has it.")],
    *,
    force: Annotated[
        bool,
        Option("--force", help="Even while rows may be answered at its addresses: reconcile fetches them."),
    ] = False,
    place: settings.HomeOptions,
    talk: settings.OutputOptions,
) -> None:
    """Refuse callbacks at an old key's addresses.

    Running receivers notice within a second. Its secret is forgotten, its name is kept. The key that signs
    cannot be retired: rotate first.

    \b
    Examples:
      mwbatch keys retire KID
      mwbatch keys retire KID --force
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.keys import retired

        async with library(place, context) as home:
            return retired(await home.keys.retire(kid, force=force))

    perform(command, talk)


keys = Group(
    "keys", [list_, rotate, retire], no_args_is_help=True, help="List, rotate and retire the callback keys."
)
