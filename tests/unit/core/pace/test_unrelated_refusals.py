"""Refusals that are scattered over all rates are borne, and a limit beside them is found, in virtual time.

The same at a thousand a second: `tests/bench/pacing/test_pace_goals.py`.
"""

from math import log

import pytest

from mwbatch.core.pace.pace import Pace
from mwbatch.core.pace.trial import ENOUGH, FEW, LONG_S, LONGEST_S, SETTLE_S, End, Trial
from mwbatch.core.pace.unrelated_refusals import ALARM, NONE, SLOW, Counts, UnrelatedRefusals
from tests.support.throttled import COLD_S, GOODPUT, KINDS, Chance, Kind, Play, Run, Scattered

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
SHARE, LEAST, WALLED = 0.05, 0.9, 0.05
"""What is refused by chance; of what is possible, at least so much is served;
the limit itself refuses at most so many.
"""


@kinds
@pytest.mark.parametrize("rate", [100, 300])
@pytest.mark.parametrize("taken", [False, True], ids=["before the limit", "behind it"])
@pytest.mark.parametrize("seed", range(2))
def test_a_limit_beside_chance_is_used(kind: Kind, rate: int, taken: bool, seed: int) -> None:
    """With one create in twenty refused at random, 0.9 of the limit is served,
    of what it leaves where those count for it.
    """
    api = Scattered(kind(rate), SHARE, seed, taken=taken)
    run = Play(Pace(), api, 50 if rate == 100 else 30, seed=seed)()
    assert run.goodput(COLD_S) >= LEAST * rate * (1 - SHARE if taken else 1)
    assert api.walled <= WALLED * len(run.starts)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1])
@pytest.mark.parametrize(("most", "latency"), [(128, 0.08), (32, 0.08), (64, 0.5)])
def test_chance_alone_slows_nobody(share: float, most: int, latency: float) -> None:
    """Where there is no limit, 0.9 is served of what latency allows to senders who neither yield nor rest."""
    run = Play(Pace(most), Chance(share, 3), 20, latency=latency, jitter=0.0, seed=3)()
    assert run.goodput(COLD_S) >= LEAST * (1 - share) * most / latency


def test_no_seed_falls_far_below_the_others() -> None:
    """No trial goes down and down: of 20 runs all but one serve 0.9 of what the limit leaves,
    and that one 0.85.
    """
    served = list[float]()
    for seed in range(20):
        api = Scattered(KINDS["a window by the clock"](300), SHARE, seed, taken=True)
        served.append(Play(Pace(), api, 40, seed=seed)().goodput(COLD_S) / (300 * (1 - SHARE)))
    worst, second, *_ = sorted(served)
    assert worst >= 0.85
    assert second >= LEAST


@pytest.mark.parametrize("seed", range(3))
@kinds
def test_a_short_batch(kind: Kind, seed: int) -> None:
    """A thousand rows at a hundred a second take at most 13 s,
    16 where hardly anything is let through at once.
    """
    run = Play(Pace(), Scattered(kind(100), SHARE, seed), 30, seed=seed)()
    assert run.served[999] <= (16 if kind is KINDS["a bucket of a twentieth"] else 13)


@kinds
@pytest.mark.parametrize("part", ["begins", "ends"])
def test_chance_that_begins_or_ends(kind: Kind, part: str) -> None:
    """Scattered refusals that begin or end in mid-run cost a few seconds,
    and then 0.9 of the limit is served again.
    """
    since, until = (20.0, float("inf")) if part == "begins" else (0.0, 20.0)
    api = Scattered(kind(100), SHARE, 1, since=since, until=until)
    run = Play(Pace(), api, 70, seed=1)()
    assert run.goodput(35) >= LEAST * 100
    assert api.walled <= WALLED * len(run.starts)


@kinds
def test_a_limit_that_appears_beside_chance(kind: Kind) -> None:
    """A limit that comes while refusals are borne is found: soon 0.85 of it is served,
    and it refuses little.
    """
    refused = started = 0
    for seed in range(3):
        api = Scattered(kind(1e6), SHARE, seed)
        run = Play(Pace(32), api, 60, seed=seed, changes=[(20, 100)])()
        assert run.goodput(12, 20) >= 340
        assert run.goodput(35) >= 0.85 * 100
        refused += refused_after(run, 35)
        started += sum(moment >= 35 for moment in run.starts)
    assert refused <= (SHARE + WALLED) * started


def test_one_refusal_is_an_alarm_where_none_is_expected() -> None:
    """After many answers without a refusal the first one is heeded; with refusals known,
    only a cluster is.
    """
    plain, scattered = UnrelatedRefusals(), UnrelatedRefusals()
    plain.learn(Counts(0, 1000))
    assert plain.none
    assert plain.refused(100, bound=True)
    scattered.learn(Counts(50, 1000))
    assert not scattered.none
    assert [scattered.refused(100, bound=True) for _ in range(12)].index(True) in range(4, 10)


def test_one_refusal_is_no_alarm_while_nothing_bounds_us() -> None:
    """However many were answered before: a limit shows itself there by several at once."""
    scatter = UnrelatedRefusals()
    scatter.learn(Counts(0, 10_000))
    assert not scatter.refused(1000, bound=False)
    assert any(scatter.refused(1000, bound=False) for _ in range(12))


def test_false_alarms_are_as_rare_at_any_rate() -> None:
    """The faster we send, the more must speak for an alarm: by the minute there are hardly more of them."""

    def needed(rate: float) -> int:
        scatter = UnrelatedRefusals()
        return next(count for count in range(1, 30) if scatter.refused(rate, bound=True))

    assert needed(1) == needed(SLOW) < needed(1000) < needed(50_000)


def test_what_chance_explains() -> None:
    """Where no chance is known it explains nothing; a share explains itself, not a cluster."""
    scatter = UnrelatedRefusals()
    scatter.disbelieve()
    assert not scatter.explains(Counts(1, 20))
    scatter.learn(Counts(10, 180))
    scatter.disbelieve()  # it is known meanwhile, and stays so
    assert scatter.share > NONE
    assert scatter.explains(Counts(1, 20))
    assert not scatter.explains(Counts(int(2 * ALARM), 10))


def tried(refused: int, answered: int, *, seconds: float = 1.0, share: float = 0.05) -> End | None:
    """What a trial says to so many refusals and answers,
    evenly spread over the seconds after it has settled.
    """
    trial, total = Trial(90.0, 0.0, Counts()), refused + answered
    end = None
    for number in range(total):
        now = SETTLE_S + seconds * (number + 1) / total
        end = end or trial.counted(now, (number + 1) * refused // total > number * refused // total, share)
    return end


def test_what_a_trial_says() -> None:
    """It is over after enough answers, after a time with a few, or after a long time;
    most refused is a limit at once.
    """
    assert tried(5, ENOUGH - 5) is End.CLEAN
    assert tried(14, ENOUGH - 14) is End.MORE
    assert tried(9, 3) is End.LIMIT
    assert tried(1, FEW - 2) is None
    assert tried(1, FEW - 2, seconds=LONG_S) is None
    assert tried(1, FEW - 1, seconds=LONG_S) is End.CLEAN
    assert tried(0, 3, seconds=LONGEST_S) is End.CLEAN


def test_what_came_before_a_trial_does_not_count() -> None:
    """Answers before it has settled are no part of it."""
    trial = Trial(90.0, 0.0, Counts())
    for _ in range(ENOUGH):
        assert trial.counted(SETTLE_S / 2, False, 0.05) is None
    trial.counted(SETTLE_S, False, 0.05)
    assert trial.counts == (0, 1)


def test_alike() -> None:
    """Two trials with about the same share are alike;
    not where nothing was expected and the lower one saw nothing.
    """

    def trial(refused: int) -> Trial:
        made = Trial(90.0, 0.0, Counts())
        for number in range(90):
            made.counted(SETTLE_S, number < refused, 0.5)
        return made

    assert trial(6).alike(trial(9), none=True)
    assert not trial(0).alike(trial(3), none=True)
    assert trial(0).alike(trial(3), none=False)
    assert not trial(1).alike(trial(20), none=False)


def refused_after(run: Run, moment: float) -> int:
    """How many were refused from a moment on."""
    return sum(refused >= moment for refused in run.refused)


def test_an_outage_is_got_over() -> None:
    """When for half a minute hardly anything is let through, few are refused,
    and a minute later the limit is used again.
    """
    run = Play(Pace(), KINDS["a window by the clock"](100), 110, changes=[(20, 1), (50, 100)])()
    assert refused_after(run, 21) <= 150
    assert run.goodput(100) >= GOODPUT * 100


@pytest.mark.parametrize(
    ("one", "other"), [((1, 10), (2, 20)), ((0, 10), (0, 5)), ((3, 3), (2, 2)), ((5, 10), (0, 10))]
)
def test_how_far_two_shares_are_apart(one: tuple[int, int], other: tuple[int, int]) -> None:
    """It is the log of how much likelier two shares are than one, by what each answer had of likelihood:
    nothing where they are the same.
    """

    def likely(*there: tuple[int, int]) -> float:
        refused, total = map(sum, zip(*there, strict=True))
        share = refused / total
        return float(share**refused * (1 - share) ** (total - refused))

    apart = Counts(*one).apart(Counts(*other))
    assert apart == pytest.approx(log(likely(one) * likely(other) / likely(one, other)))
