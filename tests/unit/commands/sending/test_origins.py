"""One API under several forms of its base URL: known as one, and never taken for another."""

from dataclasses import replace

import pytest

from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.rehearse import rehearse
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.errors import AskedBefore, Exit, OtherApi
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ELSEWHERE, Stage, answer, silent

FORMS = ["HTTPS://API.Elsewhere.test/", "https://api.elsewhere.test:443", "https://api.elsewhere.test."]


@pytest.mark.parametrize("form", FORMS)
@virtual
async def test_a_batch_at_another_form_of_its_url(stage: Stage, form: str) -> None:
    """A batch goes on, settles its doubt and is proved, however the URL of its API is written."""
    client, source = stage.client_at(form), stage.manifest(1, 2)
    stage.wire.plays = [answer(503)]
    await submit(stage.home, client, source, silent(), stage.context)
    other = stage.client_at(ELSEWHERE)
    await resume(stage.home, other, "logos", silent(), stage.new_context())
    proved = await reconcile(stage.home, other, "logos", stage.new_context(), ReconcileOptions())
    assert proved.proof is not None
    assert (stage.tasks, proved.proof.paid_twice) == (2, 0)


@virtual
async def test_a_batch_of_an_older_version(stage: Stage) -> None:
    """Batch info and facts of an older version, which kept a dot at the end of the host,
    are at the same API as today's.
    """
    client, source = stage.client_at(ELSEWHERE), stage.manifest(1, 2, 3)
    client.origin = f"{ELSEWHERE}."
    stage.wire.plays = [answer(503)]
    await submit(stage.home, client, source, silent(), stage.context)
    info = stage.home.find("logos").info
    assert info.origin == f"{ELSEWHERE}."
    again = await submit(stage.home, stage.client_at(ELSEWHERE), source, silent(), stage.new_context())
    assert (again.exit, stage.tasks) == (Exit.DONE, 3)
    assert stage.home.find("logos").info.origin == info.origin
    with pytest.raises(AskedBefore, match="batch logos"):
        await rehearse(stage.home, ELSEWHERE, replace(source, batch="other"), silent(), stage.new_context())


@virtual
async def test_two_names_of_this_machine(stage: Stage) -> None:
    """What was asked for at 127.0.0.1 was asked for at localhost;
    the batch itself stays with the name that it has.
    """
    source = stage.manifest(1, 2)
    await submit(stage.home, stage.client, source, silent(), stage.context)
    localhost = "http://localhost:8900"
    with pytest.raises(AskedBefore, match="batch logos"):
        await rehearse(stage.home, localhost, replace(source, batch="other"), silent(), stage.new_context())
    with pytest.raises(OtherApi, match="belongs to http://127"):
        await resume(stage.home, stage.client_at(localhost), "logos", silent(), stage.new_context())
    elsewhere = replace(source, batch="other")
    assert (
        await rehearse(stage.home, "http://localhost:8901", elsewhere, silent(), stage.new_context())
    ).to_send == 2
