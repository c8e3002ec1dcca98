"""Checks a manifest before money is spent: every mistake, the counts, the duplicates, the estimated cost."""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mwbatch.commands.asking.foresee import foresee
from mwbatch.commands.context.clocks import of_this_machine
from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.manifest_survey import ManifestSurvey, survey
from mwbatch.commands.manifest.manifests import Manifest, is_pipe, size_of
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.manifest.urls import Urls
from mwbatch.core.manifest.row_identity import Identity, RowKind
from mwbatch.core.report.preview import Validation
from mwbatch.core.spending.overlaps import Repeats
from mwbatch.core.spending.scrutiny import Leave, Scrutiny
from mwbatch.core.words.values import GREATEST_COST, amount
from mwbatch.errors import ManifestError, OtherApi, UsageError
from mwbatch.journal.interface.store import Store

if TYPE_CHECKING:
    from mwbatch.client import Client


async def validate(
    path: str | Path,
    *,
    allow_duplicates: bool = False,
    leave: Leave | None = None,
    volatile: Collection[str] = (),
    price: float | None = None,
    check_images: bool = False,
    context: Context | None = None,
) -> Validation:
    """Read a whole manifest and say what it holds; ``price`` is that of one task.

    ``check_images``: ask for every picture, once, and report those that cannot be fetched.

    Raises:
        UsageError: there is no such file, or it is no manifest at all; or the price cannot be one.
    """
    amount("price", price, 0, GREATEST_COST, none=True)
    context, scrutiny = context or Context(), Scrutiny(leave or Leave())
    manifest = Manifest(path, context.tally)
    context.tally.begin("checking the manifest", size_of(manifest.path), of_bytes=True)
    found = await survey(
        manifest,
        lambda column: Identity(column, allow_duplicates=allow_duplicates, volatile=volatile),
        found=ManifestSurvey(urls=Urls(), scrutiny=scrutiny),
        clock=of_this_machine(context),
    )
    assert found.urls is not None
    unreachable = await _unreachable(manifest, found, context) if check_images else None
    return Validation(
        path=manifest.path,
        rows=found.new,
        by_type=found.each_type(),
        repeated=found.by_kind[RowKind.REPEATED],
        repeated_urls=found.new - len(found.urls),
        id_column=found.id_column,
        found=found.found,
        problems=tuple(found.problems),
        repeats=tuple(found.repeats),
        price=price,
        unreachable=unreachable,
        scrutiny=scrutiny,
    )


async def compared(
    checked: Validation,
    store: Store,
    origin: str,
    source: ManifestSource,
    repeats: Repeats,
    context: Context,
    client: Callable[[], "Client | None"] = lambda: None,
) -> Validation:
    """The same, with what of its rows was asked for before,
    and whether a batch has those with problems already.

    The account's listing is looked at where ``client`` gives one, as it must where ``repeats`` says how far
    back.
    """
    if repeats.since is None and not (any(True for _ in store.batches()) or store.departed(())):
        return checked  # a second reading would find nothing to compare with
    try:
        found = await foresee(store, origin, source, repeats, context, client())
    except (OtherApi, ManifestError):  # it is compared with what was asked for at this API
        return checked
    except UsageError as error:
        return checked if checked.found else replace(checked, refused=error)
    return replace(checked, accepted_by=found.info.name) if checked.found else checked


def can_be_compared(path: str, checked: Validation) -> bool:
    """Whether a manifest can be read a second time, and is worth that."""
    return not (path == "-" or is_pipe(path) or checked.unreachable)


async def _unreachable(manifest: Manifest, found: ManifestSurvey, context: Context) -> int:
    """Ask for every picture; those that cannot be fetched are problems of the survey, too."""
    from mwbatch.commands.pictures.checking import check_images  # noqa: PLC0415 (HTTP, which few ask for)

    with context.in_flight():
        return await check_images(manifest.path, found.good, context, found.wrong)
