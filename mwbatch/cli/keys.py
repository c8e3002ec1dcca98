"""`mwbatch keys list|rotate|retire`: the callback keys."""

from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.options import unfolded
from mwbatch.cli.program import Result, perform
from mwbatch.cli.wiring import open_home

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk

keys = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List, rotate and retire the callback keys."
)


@keys.command("list")
@unfolded
def list_(*, place: settings.Place, talk: settings.Talk) -> None:
    """List the callback keys, and what waits for each.

    No secret is shown. The one that signs makes the addresses of new tasks; those that verify are accepted until they
    are retired. `waiting` counts rows that may still be answered at addresses of that key.

    \b
    Examples:
      mwbatch keys list
      mwbatch keys list --json
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.keys import listed
        from mwbatch.views.listing import Listing

        lines = await listed(open_home(place, desk))
        return Listing("keys", tuple(line.json() for line in lines))

    perform(command, talk)


@keys.command("rotate")
@unfolded
def rotate(*, place: settings.Place, talk: settings.Talk) -> None:
    """Make a new key, which signs from now on.

    It makes the addresses of new tasks. The other keys stay: callbacks at addresses that they signed are accepted until they are retired. Where several hosts
    have copies of the key file, give it to the receivers first.

    \b
    Examples:
      mwbatch keys rotate
      mwbatch keys rotate --json
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.keys import rotated

        return rotated(open_home(place, desk), desk)

    perform(command, talk)


@keys.command("retire")
@unfolded
def retire(
    kid: Annotated[str, typer.Argument(metavar="KID", help="The key's name, as `mwbatch keys list` has it.")],
    *,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Even while rows may be answered at its addresses: reconcile fetches them."
        ),
    ] = False,
    place: settings.Place,
    talk: settings.Talk,
) -> None:
    """Refuse callbacks at an old key's addresses.

    Running receivers notice within a second. Its secret is forgotten, its name is kept. The key that signs cannot be retired: rotate first.

    \b
    Examples:
      mwbatch keys retire KID
      mwbatch keys retire KID --force
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.keys import retired

        return await retired(open_home(place, desk), kid, desk, force=force)

    perform(command, talk)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(keys, name="keys")
