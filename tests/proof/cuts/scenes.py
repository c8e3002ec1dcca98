"""The commands that are cut short, each with what comes before it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mwbatch.client import Client
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.verbs.audit import audit
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.export import export
from mwbatch.commands.verbs.keys import listed, retired, rotated
from mwbatch.commands.verbs.make_annotating import make_annotating
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.rehearse import rehearse
from mwbatch.commands.verbs.results import take_home
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.run import ReceiverAddress, run
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.commands.verbs.validate import validate
from mwbatch.core.report.second_stage import BoxQuestion, Filter
from mwbatch.errors import Unsure
from mwbatch.export.choices import FormatName
from mwbatch.export.writing import Order
from mwbatch.journal.interface.open_batch import read
from tests.proof.cuts import network
from tests.unit.commands.conftest import ORIGIN, answer, clock, silent
from tests.unit.commands.conftest import Stage as Stages

ROWS: Final = 40
"""More than two runs of rows at `MOST` in flight."""

MOST: Final = 4


class Stage(Stages):
    """A stage with an `api` and with `pictures` that are asked over real sockets."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.api, self.pictures = network.api(self.wire), network.pictures()

    def still_open(self) -> int:
        """How many connections were left open; nobody listens any more."""
        return self.api.still_open() + self.pictures.still_open()


Act = Callable[[Stage], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A command, and what comes ``before`` it; ``settled``:
    all rows are pending once it was repeated to its end.
    """

    act: Act
    before: Act
    sends: bool = False


async def _nothing(_: Stage) -> None:
    """A home that is not there yet."""


def _source(stage: Stage) -> ManifestSource:
    path = stage.folder / "logos.csv"
    return ManifestSource(str(path)) if path.exists() else stage.manifest(*range(ROWS))


async def _submit(stage: Stage) -> object:
    return await submit(
        stage.home, stage.client, _source(stage), silent(concurrency=MOST, settle=2.0), stage.new_context()
    )


async def _resume(stage: Stage) -> object:
    return await resume(
        stage.home, stage.client, "logos", silent(concurrency=MOST, settle=2.0), stage.new_context()
    )


async def _doubted(stage: Stage) -> None:
    """Some rows are in doubt: half of them have a task. Two were refused, and two are not sent yet."""
    stage.wire.plays = [None, None, Unsure("cut"), None, answer(422), Unsure("cut"), None, answer(422)]
    context = stage.new_context()
    stage.wire.on_create = lambda _: context.stopping.set() if len(stage.wire.creates) == ROWS - 10 else None
    await submit(stage.home, stage.client, _source(stage), silent(concurrency=MOST, settle=2.0), context)
    stage.wire.on_create = lambda _: None


async def _retry(stage: Stage) -> object:
    options = silent(concurrency=MOST, settle=2.0)
    return await retry(stage.home, stage.client, "logos", Choice(), options, stage.new_context())


async def _cancel(stage: Stage) -> object:
    return await cancel(stage.home, stage.client, "logos", (), stage.new_context())


async def _reconcile(stage: Stage) -> object:
    options = ReconcileOptions(settle=2.0)
    return await reconcile(
        stage.home, stage.client, str(stage.folder / "logos.csv"), stage.new_context(), options
    )


async def _answered(stage: Stage) -> None:
    """A batch of which most rows have an answer, in the API and not here."""
    await _submit(stage)
    for row in range(ROWS - 5):
        batch = read(stage.home, stage.home.find("logos"))
        task = stage.world.get(next(iter(batch.state.row(row).tasks)), clock())
        stage.world.early(task, clock())


async def _labelled(stage: Stage) -> None:
    await _answered(stage)
    await _reconcile(stage)


async def _run(stage: Stage) -> object:
    stage.world.settings = _quick(stage)
    options = silent(concurrency=MOST, settle=2.0)
    return await run(
        stage.home,
        stage.client,
        _source(stage),
        options,
        ReceiverAddress(port=0, admin_port=0),
        stage.new_context(),
        1.0,
    )


def _quick(stage: Stage) -> Any:
    return replace(stage.world.settings, complete_after=(2.0, 2.0))


async def _export(stage: Stage, name: FormatName, target: str) -> object:
    opened = read(stage.home, stage.home.find("logos"))
    order = Order(name, _fresh(stage, target), leave_out_unsized=True)
    return await export(opened, stage.new_context(), order, demanded=True)


def _fresh(stage: Stage, name: str) -> Path:
    """A path that has nothing."""
    path = stage.folder / "out" / name
    path.parent.mkdir(exist_ok=True)
    return next(one for n in range(99) if not (one := path.with_name(f"{n}-{name}")).exists())


async def _take_home(stage: Stage) -> object:
    opened = read(stage.home, stage.home.find("logos"))
    context = stage.new_context()
    return await take_home(opened, _fresh(stage, "labels.jsonl"), context, force=False, every=False)


async def _make_annotating(stage: Stage) -> object:
    question, path = BoxQuestion("Is it good?", ("good", "bad")), _fresh(stage, "two.jsonl")
    return await make_annotating(stage.home, "logos", question, Filter(), path, stage.new_context())


def _over_http(act: Act) -> Act:
    """A command whose client has real connections, of its own."""

    async def over(stage: Stage) -> object:
        with stage.api.serving() as url:
            async with Client("sim_key", url) as stage.client:
                return await act(stage)

    return over


async def _pictured(stage: Stage) -> None:
    """A batch with answers, whose pictures can be fetched."""
    rows = [f"{row},{stage.pictures.url}/{row}.png" for row in range(ROWS)]
    (stage.folder / "logos.csv").write_text("\n".join(["id,image_url", *rows]) + "\n")
    await _labelled(stage)


async def _measure(stage: Stage) -> object:
    opened = read(stage.home, stage.home.find("logos"))
    order = Order(FormatName.YOLO, _fresh(stage, "yolo"))
    with stage.pictures.serving():
        exported = await export(opened, stage.new_context(), order, measuring=True)
    assert exported.images + exported.unusable == ROWS - 5
    return exported


async def _check_images(stage: Stage) -> object:
    with stage.pictures.serving():
        checked = await validate(_source(stage).path, check_images=True, context=stage.new_context())
    assert (checked.rows, checked.unreachable) == (ROWS, 0)
    return checked


async def _rotate(stage: Stage) -> object:
    return rotated(stage.home, stage.new_context())


async def _retire(stage: Stage) -> object:
    """A new key signs, and the oldest that verified is retired."""
    kid = rotated(stage.home, stage.new_context()).verifying[0]
    return await retired(stage.home, kid, stage.new_context(), force=True)


SCENES: Final[Mapping[str, Scene]] = {
    "submit": Scene(_submit, _nothing, sends=True),
    "resume": Scene(_resume, _doubted, sends=True),
    "retry": Scene(_retry, _doubted, sends=True),
    "cancel": Scene(_cancel, _doubted),
    "reconcile": Scene(_reconcile, _answered),
    "reconcile-doubt": Scene(_reconcile, _doubted),
    "run": Scene(_run, _nothing, sends=True),
    "export-csv": Scene(lambda stage: _export(stage, FormatName.CSV, "out.csv"), _labelled),
    "export-yolo": Scene(lambda stage: _export(stage, FormatName.YOLO, "yolo"), _labelled),
    "results": Scene(_take_home, _labelled),
    "make-annotating": Scene(_make_annotating, _labelled),
    "audit": Scene(lambda stage: audit(stage.home, stage.new_context(), stage.client, "30d"), _labelled),
    "validate": Scene(lambda stage: validate(_source(stage).path, context=stage.new_context()), _labelled),
    "validate-images": Scene(_check_images, _pictured),
    "export-measuring": Scene(_measure, _pictured),
    "submit-http": Scene(_over_http(_submit), _nothing, sends=True),
    "resume-http": Scene(_over_http(_resume), _over_http(_doubted), sends=True),
    "cancel-http": Scene(_over_http(_cancel), _over_http(_doubted)),
    "reconcile-http": Scene(_over_http(_reconcile), _over_http(_answered)),
    "keys-rotate": Scene(_rotate, _labelled),
    "keys-retire": Scene(_retire, _labelled),
    "keys": Scene(lambda stage: listed(stage.home, stage.new_context()), _labelled),
    "rehearse": Scene(
        lambda stage: rehearse(stage.home, ORIGIN, _source(stage), silent(), stage.new_context()), _doubted
    ),
}
