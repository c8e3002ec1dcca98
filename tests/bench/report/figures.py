"""One line of the table, made of the rounds of one contender."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

from mwbatch.core.codec.json_codec import Json


@dataclass(frozen=True, slots=True)
class Round:
    """One run of one contender: how many requests, in how many seconds,
    for how many seconds of processor time.
    """

    requests: int
    seconds: float
    cpu: float | None = None
    extra: Mapping[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def cpu_each(self) -> float | None:
        """Microseconds of processor time for one request."""
        return None if self.cpu is None else self.cpu / self.requests * 1e6


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians of one contender's rounds.

    ``ratio`` is its rate beside the measure's in the same round; ``cpu_ratio`` the measure's processor time
    for a request beside its own, which a busy machine disturbs less. More is better in both.
    """

    section: str
    case: str
    contender: str
    per_second: float
    ratio: float
    cpu_each: float | None = None
    cpu_ratio: float | None = None
    goal: float | None = None
    extra: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is known by from one run to the next."""
        return f"{self.section} | {self.case} | {self.contender}"

    def json(self) -> Json:
        """The object for scripts."""
        return asdict(self)


def figure(
    section: str,
    case: str,
    contender: str,
    own: Sequence[Round],
    measure: Sequence[Round],
    goal: float | None = None,
) -> Figure:
    """The medians of ``own`` beside ``measure``, round by round: what disturbs a round disturbs both."""
    costs = [one.cpu_each for one in own if one.cpu_each is not None]
    shares = [m.cpu_each / o.cpu_each for o, m in zip(own, measure, strict=True) if m.cpu_each and o.cpu_each]
    return Figure(
        section,
        case,
        contender,
        median(one.per_second for one in own),
        median(o.per_second / m.per_second for o, m in zip(own, measure, strict=True)),
        median(costs) if costs else None,
        median(shares) if shares else None,
        goal,
        {name: median(one.extra[name] for one in own) for name in own[0].extra},
    )


def compare(
    section: str,
    case: str,
    plays: Mapping[str, Callable[[], Round]],
    runs: int,
    say: Callable[[str], None],
    goals: Mapping[str, float],
) -> Iterator[Figure]:
    """Let the contenders take turns, there and back, as often as asked; the first one is the measure."""
    rounds: dict[str, list[Round]] = {name: [] for name in plays}
    for number in range(runs):
        say(f"{section}, {case}: round {number + 1} of {runs}")
        for name in list(plays)[:: -1 if number % 2 else 1]:
            rounds[name].append(plays[name]())
    measure = next(iter(rounds.values()))
    for name, own in rounds.items():
        yield figure(section, case, name, own, measure, goals.get(name))
