"""The performance targets, compared with the results."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.load import WORKLOADS
from bench.plan import OPEN_LOOP_RATE
from bench.results import Results, Rounds, Sample
from bench.systems import CEILING, EXPRESS, FASTAPI, OURS


@dataclass(frozen=True, slots=True)
class Spread:
    """The median, minimum and maximum of some rounds."""

    median: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits: int) -> str:
        """Return `median (minimum to maximum)`."""
        numbers = (self.median, self.minimum, self.maximum)
        median, minimum, maximum = (f"{number:,.{digits}f}" for number in numbers)
        return median if minimum == maximum else f"{median} ({minimum} to {maximum})"


@dataclass(frozen=True, slots=True)
class Target:
    """A target: `limit` is the minimum (≥) or the maximum (≤)."""

    what: str
    sign: Literal["≥", "≤"]
    limit: float
    measured: Spread
    unit: str = ""
    digits: int = 2

    @property
    def reached(self) -> bool:
        """Whether the median, rounded as displayed, is within the limit."""
        value = round(self.measured.median, self.digits)
        return value >= self.limit if self.sign == "≥" else value <= self.limit

    @property
    def limit_text(self) -> str:
        """Return the limit for display."""
        return f"{self.sign} {self.limit:g}{self.unit}"

    @property
    def measured_text(self) -> str:
        """Return the measured values for display."""
        return f"{self.measured.text(self.digits)}{self.unit}"


def ratios(rounds: Rounds, one: str, other: str, figure: Callable[[Sample], float]) -> Spread:
    """Return the spread of the ratios of two systems, computed within each round."""
    pairs = zip(rounds[one], rounds[other], strict=True)
    return Spread.of([figure(a) / max(figure(b), 1e-9) for a, b in pairs])


def targets(results: Results) -> list[Target]:
    """Return the targets of everything measured."""
    return [target for part in _PARTS for target in part(results)]


def _saturation(results: Results) -> list[Target]:
    found = results.saturation
    limits = [
        ("uniform", "page reads", EXPRESS, "Express + pg", 4),
        ("uniform", "page reads", FASTAPI, "FastAPI + SQLAlchemy", 20),
        ("uniform", "page reads", CEILING, "the ceiling", 0.5),
        ("answers", "answers of a question", EXPRESS, "Express + pg", 4),
        ("votes", "durable votes", EXPRESS, "Express + pg", 2.2),
        ("mix", WORKLOADS["mix"], EXPRESS, "Express + pg", 3),
    ]
    return [
        Target(f"{what}, ours ÷ {title}", "≥", limit, ratios(found[workload], OURS, peer, _rate))
        for workload, what, peer, title, limit in limits
        if peer in found.get(workload, {})
    ]


def _v1(results: Results) -> list[Target]:
    pages = {name: results.saturation.get(name, {}) for name in ("v1", "uniform")}
    if not all(OURS in rounds for rounds in pages.values()):
        return []
    measured = ratios({name: found[OURS] for name, found in pages.items()}, "v1", "uniform", _rate)
    return [Target("page reads under /v1 ÷ page reads under /qa", "≥", 0.7, measured)]


def _open_loop(results: Results) -> list[Target]:
    samples = results.open_loop.get(f"{OPEN_LOOP_RATE}", {}).get(OURS)
    if not samples:
        return []
    name = f"open loop, {OPEN_LOOP_RATE:,} requests/s:"

    def target(figure: str, limit: float, values: list[float], unit: str, digits: int) -> Target:
        return Target(f"{name} {figure}", "≤", limit, Spread.of(values), unit, digits)

    return [
        target("median", 1.2, [sample.p50 for sample in samples], " ms", 2),
        target("p99 of the worst round", 8, [max(sample.p99 for sample in samples)], " ms", 1),
        target("errors in all rounds", 0, [sum(sample.errors for sample in samples)], "", 0),
        target("dropped in all rounds", 0, [sum(sample.dropped for sample in samples)], "", 0),
    ]


def _hot(results: Results) -> list[Target]:
    lookups = [sample.lookups for sample in results.hot if sample.lookups is not None]
    what = "one hot product: lookups in PostgreSQL ÷ requests"
    return [Target(what, "≤", 0.2, Spread.of(lookups), digits=3)] if lookups else []


def _beside_large(results: Results) -> list[Target]:
    rounds = results.beside_large.get(OURS)
    what = "p99 of small reads during reads of 50,000 questions ÷ alone"
    return [Target(what, "≤", 2, ratios(rounds, "beside", "alone", _p99))] if rounds else []


def _growth(results: Results) -> list[Target]:
    if not results.growth:
        return []
    rows = f"{results.data['rows']:,}"
    what = f"p50 of a page read at {rows} rows ÷ at a hundredth of them"
    return [Target(what, "≤", 1.2, ratios(results.growth, "full", "hundredth", _p50))]


def _memory(results: Results) -> list[Target]:
    if OURS not in results.memory:
        return []
    resident = Spread.of([results.memory[OURS].resident])
    return [Target("memory of an instance under load", "≤", 80, resident, " MB", 0)]


def _transfer(results: Results) -> list[Target]:
    if not results.transfer:
        return []
    found = results.transfer
    floor = "plain COPY + keys + indexes + ANALYZE"
    return [
        Target(f"import ÷ {floor}", "≤", 2.5, Spread.of([t.imported / t.floor for t in found])),
        Target(
            "peak memory of the importer",
            "≤",
            1024,
            Spread.of([t.memory for t in found]),
            " MB",
            0,
        ),
        Target("verify ÷ import", "≤", 0.4, Spread.of([t.verified / t.imported for t in found])),
    ]


def _rate(sample: Sample) -> float:
    return sample.rate


def _p50(sample: Sample) -> float:
    return sample.p50


def _p99(sample: Sample) -> float:
    return sample.p99


_PARTS = (_saturation, _v1, _open_loop, _hot, _beside_large, _growth, _memory, _transfer)
