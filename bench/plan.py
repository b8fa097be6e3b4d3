"""How much is measured, and for how long."""

from dataclasses import dataclass

CONNECTIONS = 64
"""How many connections wrk keeps busy."""
INSTANCES = 3
OPEN_LOOP_RATE = 2500
"""Requests a second of the open loop that the bar is about."""
COMMON_RATE = 300
"""Requests a second that every system can carry."""
QUIET_RATE = 1000
"""Requests a second of small reads beside a client that reads a large product."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One way of running the benchmark. Times are in whole seconds, as wrk wants them."""

    name: str
    products: int
    """The size of the catalogue."""
    rounds: int
    """How often everything is measured, interleaved."""
    seconds: int
    """Of one measurement at saturation."""
    warm_up: int
    """Before each measurement at saturation."""
    first_warm_up: int
    """Of each system before the first round."""
    open_loop: int
    """Seconds of one measurement at a given rate."""
    transfer_rounds: int
    """How often the export is imported, each time beside the floor."""
    ramp: int
    """Seconds in which the rate is driven up until the service breaks."""


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
