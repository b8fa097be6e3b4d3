"""A rate that increases until the service is overloaded: when, how, and whether it recovers."""

import msgspec

from bench.results import Timeline
from bench.stage import Stage
from bench.systems import Running


def measure(stage: Stage, ours: Running) -> None:
    """Run bench/k6/stress.js on the service."""
    stage.log("Ramp to overload.")
    path = stage.load.scratch / "timeline.json"
    environment = {"SECONDS": str(stage.plan.ramp), "TIMELINE": str(path)}
    stage.load.k6_script(ours, "stress", environment)
    stage.results.ramp = msgspec.json.decode(path.read_bytes(), type=Timeline)
    stage.results.commands["ramp"] = stage.load.shown_script("stress", SECONDS=stage.plan.ramp)
