"""The size, rounds and durations of the measurements."""

from dataclasses import dataclass

from atelier.settings import Settings

CONNECTIONS = 64
"""Number of connections that wrk keeps busy."""
INSTANCES = Settings().instances
"""Of each system: as many as the service has by default on this machine."""
OPEN_LOOP_RATE = 2500
"""Requests/s of the open loop that has a target."""
COMMON_RATE = 300
"""Requests/s that every system can sustain."""
QUIET_RATE = 1000
"""Requests/s of small reads while a client reads a large product."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration of the benchmark. Times are in whole seconds, as wrk requires."""

    name: str
    products: int
    """The size of the catalogue."""
    rounds: int
    """Number of rounds, each of which measures everything."""
    seconds: int
    """Duration of a measurement at saturation."""
    warm_up: int
    """Warm-up before each measurement at saturation."""
    first_warm_up: int
    """Warm-up of each system before the first round."""
    open_loop: int
    """Duration of a measurement at a constant rate."""
    transfer_rounds: int
    """Number of imports, each measured together with its floor."""
    ramp: int
    """Duration of the increase of the rate in the overload test."""


FULL = Plan(
    "full",
    products=1_000_011,
    rounds=5,
    seconds=6,
    warm_up=1,
    first_warm_up=10,
    open_loop=10,
    transfer_rounds=3,
    ramp=90,
)
QUICK = Plan(
    "quick",
    products=100_001,
    rounds=3,
    seconds=1,
    warm_up=0,
    first_warm_up=2,
    open_loop=2,
    transfer_rounds=1,
    ramp=0,
)
