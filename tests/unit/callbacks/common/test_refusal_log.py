"""What is refused is said once for each kind, at once; trouble that lasts has a beginning and an end."""

import asyncio
import logging

import pytest

from mwbatch.callbacks.common.periodic import every
from mwbatch.callbacks.common.refusal_log import MUCH
from mwbatch.callbacks.common.subscriber import where
from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.callbacks.ops.server import serve
from mwbatch.client.receiver_probe import OTHER_KEYS, probe
from mwbatch.core.api.address import Key, write
from mwbatch.core.api.receiver_probe import PROBE, STRANGE, probe_address, question
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.errors import BadValue
from tests.unit.callbacks.stage import Stage, callback, make_home, request, talk, until

FOREIGN = Key(Kid("k9"), b"0123456789abcdef")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of refusals."""
    return [record.getMessage() for record in caplog.records if "this is said once" in record.getMessage()]


async def test_a_kind_is_said_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """However many callbacks are refused, each kind is one line, while the receiver runs."""
    for row in range(20):
        assert (await stage.post(stage.address(row), b"{")).status == 400
        assert (await stage.post(stage.address(row), callback(), Content_Encoding="br")).status == 415
    await until(lambda: len(said(caplog)) == 2)
    await asyncio.sleep(1.2)
    assert len(said(caplog)) == 2
    assert "not_json" in said(caplog)[0] + said(caplog)[1]


async def test_keys_of_another_home(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Callbacks at addresses that other keys signed are one line, which says what to do;
    strangers alone are none.
    """
    for number in range(MUCH - 1):
        assert (await stage.post(f"{stage.running.url}/{number}")).status == 404
    await asyncio.sleep(1.2)
    assert said(caplog) == []
    for row in range(MUCH):
        url = write(stage.running.url, FOREIGN, "b234567890", RowNumber(row), Attempt(1))
        assert (await stage.post(url, callback())).status == 404
    await until(lambda: said(caplog))
    await asyncio.sleep(1.2)
    [line] = said(caplog)
    assert "the same MWBATCH_HOME" in line
    assert stage.running.counts.foreign == MUCH
    assert (await stage.post(f"{stage.running.url}/more")).status == 404
    await until(lambda: len(said(caplog)) == 2)


async def test_a_probe_with_other_keys(stage: Stage) -> None:
    """A probe that another key signed hears that a receiver stands there,
    whether its key's name is ours or not; nothing else does.
    """
    assert await probe(stage.running.url, FOREIGN) == OTHER_KEYS
    assert await probe(stage.running.url, Key(stage.key.kid, FOREIGN.secret)) == OTHER_KEYS
    assert await probe(stage.running.url, stage.key) == ""
    replies = [
        await stage.post(probe_address(stage.running.url, Key(kid, FOREIGN.secret)), question("n"))
        for kid in (FOREIGN.kid, stage.key.kid)
    ]
    assert replies[0] == replies[1]
    assert (replies[0].status, replies[0].body.decode()) == (404, STRANGE)
    for url in (
        write(stage.running.url, FOREIGN, "b234567890", RowNumber(0), Attempt(1)),
        f"{stage.running.url}/{PROBE}",
    ):
        assert (await stage.post(url, question("n"))).body == b"404: Not Found"
    assert stage.running.counts.probes == 1


async def test_a_look_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """A look that fails again and again is one line, and another one once it goes well."""
    fails, looks = True, 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        if fails:
            raise RuntimeError

    async with every(0.001, look):
        await until(lambda: looks > 5)
        fails, looks = False, 0
        await until(lambda: looks > 5)
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


def test_a_trouble_has_a_beginning_and_an_end(caplog: pytest.LogCaptureFixture) -> None:
    """What lasts is said when it begins, when it becomes another, and when it ends; never twice,
    and no end without a beginning.
    """
    troubles = Troubles()
    troubles.end("a", "end 0")
    for kind, words in ((1, "one"), (1, "one again"), (2, "two"), (2, "two again")):
        troubles.begin("a", words, kind)
    troubles.begin("b", "other")
    for _ in range(2):
        troubles.end("a", "end 1")
    troubles.begin("a", "anew", 2)
    assert [record.getMessage() for record in caplog.records] == ["one", "two", "other", "end 1", "anew"]


@pytest.mark.parametrize("field", ["host", "admin_host"])
async def test_no_host_is_not_every_host(tmp_path_factory: pytest.TempPathFactory, field: str) -> None:
    """An empty host, as a variable that is not set gives it, opens no port to the world."""
    home = make_home(tmp_path_factory.mktemp("home"))
    hosts = {"host": "127.0.0.1", "admin_host": "127.0.0.1"} | {field: ""}
    with pytest.raises(BadValue, match=f"{field} is ''"):
        await serve(home, hosts["host"], 0, admin_host=hosts["admin_host"], admin_port=0)


async def test_the_method_of_a_probe(stage: Stage) -> None:
    """A probe with other keys hears the same whatever its method, and its body is not read."""
    path = probe_address("", FOREIGN)
    head = request(path, "Content-Length: 100", "Expect: 100-continue", length=False)
    answer = await talk(stage.running.port, head)
    assert answer.startswith(b"HTTP/1.1 404")


def test_where_an_error_was_raised() -> None:
    """The log names file and line of what was never foreseen; of an error that nobody raised, neither."""
    with pytest.raises(KeyError) as raised:
        dict[str, int]()["secret"]
    assert where(raised.value).partition(":")[0] == __file__
    assert where(KeyError("secret")) == "?"
