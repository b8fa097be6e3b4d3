"""Load on one system: as much as it takes, or a given number of requests a second."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.data import Catalogue
from bench.plan import CONNECTIONS
from bench.processes import run
from bench.results import Sample
from bench.systems import Running

WORKLOADS = {
    "uniform": "page of a product, any of the catalogue",
    "zipf": "page of a product, popular ones more often (Zipf, s = 1)",
    "hot": "page of one hot product",
    "answers": "answers of a question",
    "votes": "votes",
    "mix": "95 % reads, 4 % votes, 1 % new",
}

_K6_ENVIRONMENT = {"GOGC": "400"}
"""Else k6's garbage collector takes both cores so often that it decides the 99th percentile."""
_SLOWEST_SECONDS = 10
_THRESHOLD_MISSED = 99
_SPARE_SECONDS = 60
_LONGEST_SECONDS = 3600


class _Wrk(msgspec.Struct):
    """What bench/wrk/workload.lua prints."""

    seconds: float
    requests: int
    status_errors: int
    socket_errors: int
    timeouts: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Generator:
    """Makes requests with ids out of a catalogue."""

    wrk: str | None
    """None: k6 does what wrk would."""
    k6: str
    scratch: Path
    catalogue: Catalogue

    def saturate(
        self, system: Running, workload: str, seconds: int, *, seed: int, connections: int
    ) -> Sample:
        """Keep connections busy for some seconds: each sends as soon as it has its answer."""
        if not self.wrk:
            environment = {"SECONDS": f"{seconds}", "CONNECTIONS": f"{connections}"}
            return self.k6_run(system, "saturate", {"WORKLOAD": workload, **environment})
        command = self.wrk_command(system.url, workload, seconds, seed, connections)
        output = run(command, seconds=seconds + _SPARE_SECONDS)
        figures = msgspec.json.decode(output.strip().splitlines()[-1], type=_Wrk)
        errors = figures.status_errors + figures.socket_errors + figures.timeouts
        return Sample(
            rate=(figures.requests - figures.status_errors) / figures.seconds,
            p50=figures.p50,
            p99=figures.p99,
            errors=errors,
        )

    def wrk_command(
        self, url: str, workload: str, seconds: int, seed: int, connections: int = CONNECTIONS
    ) -> list[str]:
        """Return how wrk is called."""
        data = self.catalogue
        ids = (data.products, data.questions, data.answers, data.hot_product, seed)
        options = ("-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={_SLOWEST_SECONDS}s")
        script = ("-s", "bench/wrk/workload.lua", url, "--", workload)
        return [self.wrk or "wrk", *options, *script, *map(str, ids)]

    def shown(self, workload: str, seconds: int, connections: int = CONNECTIONS) -> str:
        """Return the command of `saturate` as it is shown: the port is another each time."""
        if self.wrk:
            called = self.wrk_command("http://127.0.0.1:PORT", workload, seconds, 0, connections)
            return " ".join(called)
        return self.shown_script(
            "saturate", WORKLOAD=workload, SECONDS=seconds, CONNECTIONS=connections
        )

    def shown_script(self, script: str, **settings: object) -> str:
        """Return how one of the scripts in bench/k6 is called, as it is shown."""
        where = {"BASE_URL": "http://127.0.0.1:PORT", "PRODUCTS": self.catalogue.products}
        told = " ".join(
            f"{name}={value}" for name, value in (_K6_ENVIRONMENT | settings | where).items()
        )
        return f"{told} k6 run --no-usage-report bench/k6/{script}.js"

    def at_rate(self, system: Running, workload: str, rate: int, seconds: int) -> Sample:
        """Begin `rate` requests a second, however long their answers take."""
        environment = {"WORKLOAD": workload, "RATE": f"{rate}", "SECONDS": f"{seconds}"}
        return self.k6_run(system, "load", environment)

    def k6_run(self, system: Running, script: str, environment: Mapping[str, str]) -> Sample:
        """Run one of the scripts in bench/k6 and sum it up as one sample."""
        summary = self.scratch / "summary.json"
        self.k6_script(system, script, environment, "--summary-export", str(summary))
        return _k6_sample(msgspec.json.decode(summary.read_bytes())["metrics"])

    def k6_script(
        self, system: Running, script: str, environment: Mapping[str, str], *options: str
    ) -> None:
        """Run one of the scripts in bench/k6; its thresholds are judged here, not by k6."""
        data = self.catalogue
        run(
            [self.k6, "run", "--no-usage-report", "--quiet", *options, f"bench/k6/{script}.js"],
            environment={
                **_K6_ENVIRONMENT,
                "BASE_URL": system.url,
                "PRODUCTS": str(data.products),
                "QUESTIONS": str(data.questions),
                "ANSWERS": str(data.answers),
                "PRODUCT": str(data.hot_product),
                **environment,
            },
            good=(0, _THRESHOLD_MISSED),
            seconds=_LONGEST_SECONDS,
        )


def _k6_sample(metrics: Mapping[str, Mapping[str, Any]]) -> Sample:
    requests, latency = metrics["http_reqs"], metrics["http_req_duration"]
    errors = int(metrics["http_req_failed"]["passes"])  # k6 counts a failure as a `pass` of failed
    return Sample(
        rate=requests["rate"] * (1 - errors / max(requests["count"], 1)),
        p50=latency["med"],
        p99=latency["p(99)"],
        errors=errors,
        dropped=int(metrics.get("dropped_iterations", {"count": 0})["count"]),
    )
