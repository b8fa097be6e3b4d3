"""The effect on small reads of a client that constantly reads a product with 50,000 questions."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.data import LARGE_PRODUCT
from bench.plan import COMMON_RATE, QUIET_RATE
from bench.processes import started
from bench.results import Sample
from bench.stage import Stage
from bench.systems import CEILING, OURS, Running

_PATH = f"/qa/questions?product_id={LARGE_PRODUCT}&count=10000000000"


def measure(stage: Stage, systems: Sequence[Running]) -> None:
    """Measure each system without and with that client; the peers once, at a lower rate."""
    stage.log("Small reads during reads of a large product.")
    for system in systems:
        if system.name == OURS:
            _rounds(stage, system, QUIET_RATE, stage.plan.rounds)
        elif system.name != CEILING and stage.plan.name == "full":
            _rounds(stage, system, COMMON_RATE, 1)
    stage.results.commands |= {
        "large reader": f"python -m bench.large_reader 'http://127.0.0.1:PORT{_PATH}'",
        "beside large": stage.load.shown_script(
            "load", WORKLOAD="uniform", RATE=QUIET_RATE, SECONDS=stage.plan.open_loop
        ),
    }


def _rounds(stage: Stage, system: Running, rate: int, rounds: int) -> None:
    found: dict[str, list[Sample]] = {"alone": [], "beside": []}
    stage.results.beside_large[system.name] = found
    for _ in range(rounds):
        found["alone"].append(_at(stage, system, rate))
        with _large_reader(stage, system):
            found["beside"].append(_at(stage, system, rate))


def _at(stage: Stage, system: Running, rate: int) -> Sample:
    return stage.load.at_rate(system, "uniform", rate, stage.plan.open_loop)


@contextmanager
def _large_reader(stage: Stage, system: Running) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.large_reader", system.url + _PATH]
    with started(command, log=stage.load.scratch / "large-reader.log"):
        yield
