"""`mwbatch export`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import library_batch
from mwbatch.export.choices import By, FormatName, Orientation, Outside
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to become of boxes and of the images that they lie in."""

    measure_images: Annotated[
        bool,
        Option("--measure-images", help="Read the sizes that the manifest lacks from the images' headers."),
    ] = False
    leave_out_unsized: Annotated[
        bool,
        Option("--leave-out-unsized", help="Leave out images of unknown size, instead of refusing."),
    ] = False
    outside: Annotated[
        Outside | None,
        Option(
            "--outside",
            help="Boxes beyond their image: keep, clip or drop. Default: clip; csv and parquet keep them.",
        ),
    ] = None
    orientation: Annotated[
        Orientation | None,
        Option(
            "--orientation",
            help="Sizes of photographs that are stored turned (EXIF): as displayed, or stored. "
            "Default: displayed, unless the boxes say otherwise.",
        ),
    ] = None
    category: Annotated[
        By | None,
        Option("--category", help="Default: the brand of tagging rows, the label of annotating rows."),
    ] = None


@verb
def export(
    batch: settings.BatchArgument,
    *,
    format_: Annotated[FormatName, Option("--format", help="What to write.")],
    output: Annotated[
        Path, Option("--output", "-o", metavar="PATH", help="Where: a file, or for boxes a folder.")
    ],
    force: settings.ForceOption = False,
    drawing: Drawing,
    require_complete: settings.RequireOption = False,
    place: settings.HomeOptions,
    talk: settings.OutputOptions,
) -> None:
    """Write completed rows for spreadsheets and training.

    csv and parquet have a line a tag. coco, yolo, voc and label-studio make a folder, with images.csv to say
    which file each image is (coco and label-studio: the JSON alone where PATH ends in .json); they need the
    size of every image. The pictures themselves are not downloaded: coco, yolo and voc look for them in
    images/ beside images.csv, label-studio at their URLs. PATH is written whole or not at all.

    \b
    Examples:
      mwbatch export ten --format csv -o ten.csv
      mwbatch export ten --format yolo -o ten-yolo --measure-images
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.exported import written

        async with library_batch(batch, place, context) as there:
            found = await there.export(
                format=format_,
                output=output,
                force=force,
                require_complete=require_complete,
                **asdict(drawing),
            )
        return written(found, aloud=drawing.outside is not Outside.KEEP)

    perform(command, talk)
