"""Who is befallen, and how a user says so."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.simulator import PROFILES, Fault, Faults, FaultsError, Line, load_faults
from mwbatch.simulator.world.faults import (
    ASKED_FAULTS,
    CALLBACK_FAULTS,
    CREATE_FAULTS,
    DATE_FAULTS,
    LIST_FAULTS,
    TASK_FAULTS,
    Form,
)
from tests import documents

HALF = Faults(rates={Fault.CREATED_500: 0.25, Fault.BUSY: 0.25})


@given(st.text(), st.integers(0, 5), st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_order_of_requests_does_not_matter(url: str, again: int, one: int, other: int) -> None:
    """What befalls a request depends on its address and its repetition, not on when it comes."""
    assert HALF.pick(one, url, again) == HALF.pick(other, url, again)


def test_the_rates_are_kept() -> None:
    """Over many requests each fault befalls about as many as its rate says."""
    picked = [HALF.pick(n, f"http://a/{n}", 0) for n in range(4000)]
    assert 850 < picked.count(Fault.CREATED_500) < 1150
    assert 850 < picked.count(Fault.BUSY) < 1150
    assert 1800 < picked.count(None) < 2200


def test_a_repetition_has_another_fate() -> None:
    """An address that was refused once is not refused for ever."""
    fates = {HALF.pick(1, "http://a/1", again) for again in range(50)}
    assert None in fates


def test_another_seed_befalls_others() -> None:
    """Two seeds do not befall the same requests."""
    other = Faults(seed=1, rates=HALF.rates)
    urls = [f"http://a/{n}" for n in range(100)]
    assert [HALF.pick(1, url, 0) for url in urls] != [other.pick(1, url, 0) for url in urls]


def test_a_script_names_requests() -> None:
    """A script befalls exactly the requests it names, whatever their address."""
    scripted = Faults(script=(Line(Fault.CREATED_CUT, 3, 4), Line(Fault.CALLBACK_LOST, 4, 4)))
    assert [n for n in range(1, 9) if scripted.pick(n, "http://a", 0)] == [3, 4]
    assert [scripted.pick_callback(n, "http://a", 0) for n in (3, 4)] == [None, Fault.CALLBACK_LOST]


def test_every_fault_belongs_to_one_group() -> None:
    """Each fault befalls either a create, a callback, a task, an answer about one, a date or a listing."""
    groups = (CREATE_FAULTS, CALLBACK_FAULTS, TASK_FAULTS, ASKED_FAULTS, DATE_FAULTS, LIST_FAULTS)
    assert sorted(fault for group in groups for fault in group) == sorted(Fault)


@pytest.mark.parametrize(
    "rates", [{Fault.BUSY: 1.5}, {Fault.BUSY: -0.1}, {Fault.BUSY: 0.6, Fault.CREATED_500: 0.6}]
)
def test_impossible_rates_are_refused(rates: dict[Fault, float]) -> None:
    """Rates that no request could obey are refused."""
    with pytest.raises(FaultsError):
        Faults(rates=rates)


def test_a_file_says_it_all(tmp_path: Path) -> None:
    """A TOML file gives profile, seed, rates, sizes and script."""
    path = tmp_path / "faults.toml"
    path.write_text(
        'profile = "heavy"\nseed = 7\n[rates]\nbusy = 0.5\n[size]\nlist_lag_s = 30.0\n'
        'created_at_form = "http"\n'
        '[[script]]\nrequest = 17\nthrough = 18\nfault = "created_500"\n'
    )
    read = load_faults(path)
    assert (read.seed, read.rates[Fault.BUSY], read.size.list_lag_s) == (7, 0.5, 30.0)
    assert read.size.created_at_form is Form.HTTP
    assert read.rates[Fault.CREATED_CUT] == PROFILES["heavy"].rates[Fault.CREATED_CUT]
    assert read.script == (Line(Fault.CREATED_500, 17, 18),)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rates = 3", "faults.toml"),
        ("[rates]\nbored = 0.1", "bored"),
        ("[rates]\nbusy = 2", "busy"),
        ("[size]\nlag = 1", "lag"),
        ("[size]\nlist_lag_s = 'long'", "list_lag_s"),
        ("[size]\ncreated_at_form = 'runes'", "there is no form 'runes'; there are "),
        ("[size]\ncreated_at_form = 7", "there is no form 7; there are "),
        ("seed = 7 #" + "x" * (1 << 20), "is larger than 1,048,576 bytes"),
        ("size = 3", "size"),
        ("colour = 1", "colour"),
        ('profile = "wild"', "wild"),
        ("[[script]]\nrequest = 1", "fault"),
        ("[[script]]\nrequest = 'one'\nfault = 'busy'", "one"),
        ("[", "faults.toml"),
    ],
)
def test_a_bad_file_names_its_fault(tmp_path: Path, text: str, named: str) -> None:
    """A file that cannot be followed is refused with its path and what is wrong."""
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(FaultsError, match=named) as refused:
        load_faults(path)
    assert str(path) in str(refused.value)


def test_every_fault_is_documented() -> None:
    """The documents name each fault, and none that does not exist."""
    told = documents.read("guarantees")
    table = told.partition("## What the simulator can do wrong")[2].partition("\n## ")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| ")
        for name in re.findall("`([a-z0-9_]+)`", line)
    }
    assert named == set(Fault)
