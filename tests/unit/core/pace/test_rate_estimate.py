"""What is learned from refusals, in virtual time, against limits of about fifty a second.

The same at higher rates, and beside rivals: `tests/bench/pacing/test_pace_goals.py`.
"""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mwbatch.core.pace.curve_top import FIRST, FIRST_RATE, REMEMBERED, SAFE, YIELD
from mwbatch.core.pace.pace import FIRST as FIRST_IN_FLIGHT
from mwbatch.core.pace.pace import SLACK_S, Pace
from mwbatch.core.pace.rate_curve import APPROACH_S
from mwbatch.core.pace.rate_estimate import WALL, RateEstimate
from mwbatch.core.pace.trial import TRIED
from mwbatch.core.pace.unrelated_refusals import LONGEST, MANY
from tests.support.throttled import GOODPUT, KINDS, Chance, Kind, Play, Window, heeds, meets

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@kinds
def test_the_limit_is_used(kind: Kind) -> None:
    """Beyond 10 s at least 0.95 of the limit is served, and at most 2 % of all requests are refused."""
    assert meets(Play(Pace(), kind(50), 60)(), 50)


@kinds
def test_retry_after(kind: Kind) -> None:
    """With Retry-After nobody sends while it lasts;
    the seconds that it costs leave at least 0.9 of the limit.
    """
    assert heeds(Play(Pace(), kind(50), 60, retry_after=1.0)(), 50, 1.0)


@kinds
@pytest.mark.parametrize(("before", "after", "within"), [(60, 120, 40), (120, 40, 10)])
def test_a_limit_that_changes(kind: Kind, before: float, after: float, within: float) -> None:
    """Twice the limit is found within 40 s, two thirds less within 10 s; in the end it is used,
    5 % are refused in all.
    """
    run = Play(Pace(), kind(before), 100, changes=[(30, after)])()
    assert run.reached(GOODPUT * after, since=31) <= within
    assert run.goodput(31 + within) >= GOODPUT * after
    assert run.share_refused <= 0.05


@pytest.mark.parametrize(("most", "latency"), [(64, 0.08), (128, 0.5), (16, 0.01)])
def test_without_a_limit_nothing_slows_us(most: int, latency: float) -> None:
    """An API that refuses nothing has ``most`` in flight after a dozen round trips, whatever its latency,
    and all the time.
    """
    play = Play(Pace(most), Chance(0.0, 1), 40 * latency, latency=latency, jitter=0.5)
    run = play()
    assert run.most == most
    assert run.goodput(14 * latency) >= 0.97 * most / (1.25 * latency)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("share", "retry_after", "least"), [(0.01, None, 250), (0.05, None, 200), (0.05, 1.0, 15)]
)
def test_chance_is_not_a_limit(share: float, retry_after: float | None, least: float, seed: int) -> None:
    """Refusals that have nothing to do with our rate do not bring us to a stand,
    as they do those who always yield.
    """
    run = Play(Pace(32), Chance(share, seed), 90, retry_after=retry_after, seed=seed)()
    assert run.goodput(30) >= least


def test_a_limit_after_chance() -> None:
    """Once refusals are borne, a limit that comes is noticed all the same."""

    class Both(Window):
        chance = Chance(0.05, 1)

        def admits(self, now: float) -> bool:
            return self.chance.admits(now) and (now < 40 or super().admits(now))

    run = Play(Pace(32), Both(50), 60)()
    assert run.goodput(20, 40) > 200
    assert 25 <= run.goodput(50, 60) <= 50
    assert sum(moment >= 50 for moment in run.refused) < 1500


@given(st.sampled_from(list(KINDS.values())), st.integers(1, 40), st.floats(5, 80), st.none() | st.just(1.0))
@settings(max_examples=10, deadline=None)
def test_the_user_has_the_last_word(kind: Kind, most: int, rate: float, retry_after: float | None) -> None:
    """Whatever is learned, --concurrency and --rate are never exceeded."""
    run = Play(Pace(most, rate), kind(50), 20, retry_after=retry_after)()
    assert run.most <= most
    for window in (0.1, 1.0, 5.0):
        assert run.bursts(window) <= rate * (window + SLACK_S) + 1 + 1e-6


def test_a_limit_that_is_no_more_is_forgotten() -> None:
    """When an API stops refusing, in the end nothing bounds us but ``most``."""
    pace = Pace(32)
    run = Play(pace, Window(50), 90, changes=[(20, float("inf"))])()
    assert pace.bound is None
    assert run.goodput(85) >= 0.9 * 32 / 0.082


Script = list[tuple[int, bool, float | None]]
TICK = 1 / 64
"""Seconds; a part of two, so that no sum of them is rounded."""

events = st.lists(
    st.tuples(st.integers(0, 90), st.booleans(), st.sampled_from([None, 0.0, 1.0])), min_size=5, max_size=200
)


def told(one: RateEstimate | Pace, since: float, script: Script) -> Iterator[None]:
    """Tell of each event in its turn: some ticks later one is answered (None), or refused with a wait."""
    now = since
    for ticks, fresh, wait in script:
        now += ticks * TICK
        began = now if fresh else float("-inf")
        if wait is None:
            one.answered(began, now)
        else:
            one.refused(began, now, wait)
        yield


def rates(since: float, script: Script) -> list[float | None]:
    """What an estimate allows after each event."""
    estimate = RateEstimate()
    return [estimate.rate for _ in told(estimate, since, script)]


@given(events, st.sampled_from([64.0, 4096.0, 131072.0]))
def test_the_clock_may_begin_anywhere(script: Script, later: float) -> None:
    """Shifting all times changes nothing."""
    assert rates(later, script) == pytest.approx(rates(0.0, script))


FEW: Script = [(1, True, None)] * 12 + [(0, True, 1.0), (64, True, None)]
"""Few are refused, and each refusal silences us: in the end that is taken for chance."""


@given(events)
@example([(1, True, None)] * 257 + [(0, True, 0.0)] * 8)
@example([(0, True, None)] * 9 + [(0, True, 0.0), (0, True, None), (0, True, None), (0, True, 1.0)])
@example(FEW * (3 * LONGEST) + [(0, False, 0.0)] * WALL + [(0, True, None)] * 2)
def test_answers_are_told_together_as_one_by_one(script: Script) -> None:
    """While nothing bounds us the pace tells of a tenth of a second of answers at once: bound and wall are
    after each event what they are where each answer is told of by itself.
    """
    pace, estimate = Pace(), RateEstimate()
    for _ in zip(told(pace, 0.0, script), told(estimate, 0.0, script), strict=True):
        assert pace.bound == pytest.approx(estimate.rate)
        assert pace._estimate.walled is estimate.walled


def test_a_wall_is_told_from_the_rate_at_which_it_refuses() -> None:
    """While everything is refused few ask; one answer, and as many as before may be in flight."""
    pace = Pace(32)
    for trip in range(10):
        for _ in range(int(pace.limit)):
            pace.answered(float(trip), float(trip))
    assert pace.delay(20, 10.0) == 0.0
    for _ in range(WALL):
        pace.refused(9.5, 10.0, None)
    assert [pace.delay(in_flight, 11.0) for in_flight in (FIRST_IN_FLIGHT - 1, FIRST_IN_FLIGHT)] == [
        0.0,
        None,
    ]
    pace.answered(10.5, 11.0)
    assert pace.delay(20, 12.0) == 0.0


def test_what_left_before_a_trial_lowers_nothing() -> None:
    """However many refusals come of requests that left before a trial began,
    it stays near what was served.
    """
    steady: Script = [(1, True, None)] * 96  # 64 a second
    refused: Script = [(0, True, 0.0)]
    trial = [*steady, *steady, *SHOWN, *steady, *((*steady, *refused) * MANY)]
    late: Script = [(0, False, 0.0)] * 100
    before, after = rates(0.0, trial)[-1], rates(0.0, [*trial, *late])[-1]
    assert before is not None
    assert after is not None
    assert after >= TRIED * before


SHOWN: Script = [(0, True, 0.0)] * 8
"""As many refusals at once are a limit's, whatever is expected by chance."""


def test_the_first_refusal_counts_from_the_first_answer() -> None:
    """Of what was answered before the first refusal the rate is taken over
    the time since the first answer, and a second.
    """
    steady: Script = [(1, True, None)] * 257  # 4 s
    for idle in (0, 64_000):
        first = rates(0.0, [(idle, True, None), *steady, *SHOWN])[-1]
        assert first == pytest.approx(FIRST * 258 / (257 * TICK + 1))
    assert rates(7.0, SHOWN)[-1] == FIRST_RATE


def test_one_refusal_bounds_nothing_at_first() -> None:
    """While nothing bounds us one refusal may be chance, unless it silences us:
    then each costs too much to wait for more.
    """
    before: Script = [(1, True, None)] * 64
    assert rates(0.0, [*before, (0, True, 0.0)])[-1] is None
    assert rates(0.0, [*before, (0, True, 1.0)])[-1] is not None


def test_silence_makes_more_careful() -> None:
    """A refusal on the way back to the top lowers it to `REMEMBERED` of the rate,
    one that silences us to its square.
    """
    brisk: Script = [(ticks, True, None) for _ in range(96) for ticks in (0, 1)]  # 1.5 s of 128 a second
    refused: Script = [(0, True, 0.0)]
    before = [*brisk, *SHOWN, *brisk, *refused, *brisk]
    rate = rates(0.0, before)[-1]
    assert rate is not None
    for wait, power in ((0.0, 1), (1.0, 2)):
        seconds = int((APPROACH_S + wait + 0.25) / TICK)
        back: Script = [(1, True, None)] * seconds
        assert rates(0.0, [*before, (0, True, wait), *back])[-1] == pytest.approx(rate * REMEMBERED**power)


def test_one_refusal_is_one_generation() -> None:
    """The first refusal of an excess leaves `YIELD` of the rate, and no less."""
    brisk: Script = [(ticks, True, None) for _ in range(96) for ticks in (0, 1)]
    refused: Script = [(0, True, 0.0)]
    rate, left = rates(0.0, [*brisk, *SHOWN, *brisk, *refused, *brisk, *refused])[-2:]
    assert rate is not None
    assert left == pytest.approx(YIELD * rate)


def test_a_limit_between_two_trials() -> None:
    """Where refusals go on in a first trial and not in a second one, lower still,
    the top is just below the first.
    """
    refused: Script = [(0, True, 0.0)]
    steady: Script = [(1, True, None)] * 96  # 1.5 s
    first = [*steady, *steady, *SHOWN, *steady, *((*steady, *refused) * MANY)]
    rate = rates(0.0, first)[-1]
    assert rate is not None
    more: Script = [(0, True, 0.0) if number % 12 == 6 else (1, True, None) for number in range(100)]
    second = [*first, *steady[:65], *more]
    lower = rates(0.0, second)[-1]
    assert lower is not None
    assert lower < rate
    after: Script = [(1, True, None)] * (65 + 100 + int((APPROACH_S + 0.5) / TICK))
    assert rates(0.0, [*second, *after])[-1] == pytest.approx(SAFE * rate)


def test_silence_after_silence_is_no_chance_where_most_is_refused() -> None:
    """Refusals that silence us are given up as chance after `LONGEST` only where they are few."""
    many: Script = [(1, True, None)] * 2 + [(0, True, 1.0), (64, True, None)]
    assert rates(0.0, many * (3 * LONGEST))[-1] is not None
    assert None in rates(0.0, FEW * (3 * LONGEST))[len(FEW) :]


def test_silence_in_vain_teaches_what_share_is_refused() -> None:
    """Once silence after silence found no limit, what is expected is their part of all that came."""
    one, script = RateEstimate(), FEW * (LONGEST + 1)
    for _ in told(one, 0.0, script):
        pass
    assert one.rate is None
    answers = sum(wait is None for _, _, wait in FEW)
    assert one._unrelated.share == pytest.approx(1 / (answers + 1), rel=0.05)


def test_a_wall_is_so_many_refusals_in_a_row() -> None:
    """`WALL` refusals without an answer between them are a wall, not one less; an answer begins anew."""
    one, refused = RateEstimate(), 0
    for now in (1.0, 2.0):
        walled = list[bool]()
        for _ in range(WALL):
            one.refused(now, now, 0.0)
            walled.append(one.walled)
        assert walled == [False] * (WALL - 1) + [True]
        refused += WALL
        one.answered(now, now)
        assert not one.walled
