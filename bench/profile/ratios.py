"""What a request costs beside what it must at least, and beside the peers: the targets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from bench.profile.floor import FLOOR
from bench.results import Cost, Profile
from bench.systems import BARE, CEILING, EXPRESS, OURS
from bench.targets import Spread, Target

_Figure = Callable[[Cost], float]


@dataclass(frozen=True, slots=True)
class _Ratio:
    """A target for a figure of one system, divided by that of another."""

    what: str
    part: str
    one: str
    other: str
    figure: _Figure
    sign: Literal["≥", "≤"]
    limit: float


def _time(component: str) -> _Figure:
    return lambda cost: cost.parts[component]


def _rate(cost: Cost) -> float:
    return cost.rate


def _log(cost: Cost) -> float:
    return cost.log_bytes


_RATIOS = (
    _Ratio(
        "page: an instance's part ÷ the constant answer's",
        *("uniform", OURS, CEILING, _time("instances"), "≤", 1.35),
    ),
    _Ratio(
        "page: PostgreSQL's part ÷ that of its statement in pgbench, in batches of 50",
        *("uniform", OURS, FLOOR, _time("PostgreSQL"), "≤", 1.8),
    ),
    _Ratio(
        "page: nginx's part ÷ a bare `least_conn` proxy's",
        *("nginx", OURS, OURS + BARE, _time("nginx"), "≤", 1.05),
    ),
    _Ratio(
        "page: requests/s ÷ those of the constant answer behind the bare proxy",
        *("uniform", OURS, CEILING + BARE, _rate, "≥", 0.65),
    ),
    _Ratio("pages, requests/s ÷ Express + pg", "uniform", OURS, EXPRESS, _rate, "≥", 4),
    _Ratio("answers, requests/s ÷ Express + pg", "answers", OURS, EXPRESS, _rate, "≥", 4),
    _Ratio("votes, requests/s ÷ Express + pg", "votes", OURS, EXPRESS, _rate, "≥", 2.2),
    _Ratio(
        "vote: PostgreSQL's part ÷ that of Express + pg",
        *("votes", OURS, EXPRESS, _time("PostgreSQL"), "≤", 0.6),
    ),
    _Ratio("vote: WAL ÷ that of Express + pg", "votes", OURS, EXPRESS, _log, "≤", 1.1),
)


def targets(profile: Profile) -> Iterator[Target]:
    """Yield the targets of everything measured."""
    for ratio in _RATIOS:
        costs = profile[ratio.part].costs if ratio.part in profile else {}
        if ratio.one in costs and ratio.other in costs:
            yield Target(ratio.what, ratio.sign, ratio.limit, _spread(ratio, costs))


def _spread(ratio: _Ratio, costs: dict[str, list[Cost]]) -> Spread:
    pairs = zip(costs[ratio.one], costs[ratio.other], strict=True)
    return Spread.of([ratio.figure(one) / max(ratio.figure(other), 1e-9) for one, other in pairs])
