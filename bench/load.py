"""Load on one system: saturation, or a constant arrival rate."""

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
    "v1": "page of a product under /v1: ten questions, two answers each",
    "v1-five": "page of five questions under /v1, as many as under /qa",
    "v1-304": "page of ten questions, answered with 304",
    "v1-batch": "first pages of 20 products under /v1",
    "v1-summary": "summary of a product under /v1",
    "votes": "votes",
    "mix": "95 % reads, 4 % votes, 1 % new",
}

_K6_ENVIRONMENT = {"GOGC": "400"}
"""Without it, k6's garbage collector occupies both cores often enough to determine the p99."""
_REQUEST_TIMEOUT = 10
_K6_THRESHOLDS_CROSSED = 99
_SPARE_SECONDS = 60
_K6_TIMEOUT = 3600


class _Wrk(msgspec.Struct):
    """The output of bench/wrk/workload.lua."""

    seconds: float
    requests: int
    status_errors: int
    socket_errors: int
    timeouts: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Generator:
    """Sends requests with ids from a catalogue."""

    wrk: str | None
    """None: k6 is used instead."""
    k6: str
    scratch: Path
    catalogue: Catalogue
    core: int | None = None
    """The only core that it may use; by default, all."""

    def saturate(
        self, system: Running, workload: str, seconds: int, *, seed: int, connections: int
    ) -> Sample:
        """Keep connections busy for some seconds: each sends a request after every response."""
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
        """Return the wrk command."""
        data = self.catalogue
        ids = (data.products, data.questions, data.answers, data.hot_product, seed)
        options = ("-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={_REQUEST_TIMEOUT}s")
        script = ("-s", "bench/wrk/workload.lua", url, "--", workload)
        return [*self.placed(), self.wrk or "wrk", *options, *script, *map(str, ids)]

    def placed(self) -> list[str]:
        """Return what starts a program on the generator's core, before its command."""
        return [] if self.core is None else ["taskset", "--cpu-list", str(self.core)]

    def shown(self, workload: str, seconds: int, connections: int = CONNECTIONS) -> str:
        """Return the command of `saturate` for display, with a placeholder for the port."""
        if self.wrk:
            command = self.wrk_command("http://127.0.0.1:PORT", workload, seconds, 0, connections)
            return " ".join(command)
        return self.shown_script(
            "saturate", WORKLOAD=workload, SECONDS=seconds, CONNECTIONS=connections
        )

    def shown_script(self, script: str, **settings: object) -> str:
        """Return the command of a script in bench/k6 for display."""
        target = {"BASE_URL": "http://127.0.0.1:PORT", "PRODUCTS": self.catalogue.products}
        variables = " ".join(
            f"{name}={value}" for name, value in (_K6_ENVIRONMENT | settings | target).items()
        )
        return f"{variables} k6 run --no-usage-report bench/k6/{script}.js"

    def at_rate(
        self, system: Running, workload: str, rate: int, seconds: int, *options: str
    ) -> Sample:
        """Start `rate` requests per second, independent of response times; takes k6's options."""
        environment = {"WORKLOAD": workload, "RATE": f"{rate}", "SECONDS": f"{seconds}"}
        return self.k6_run(system, "load", environment, *options)

    def k6_run(
        self, system: Running, script: str, environment: Mapping[str, str], *options: str
    ) -> Sample:
        """Run a script in bench/k6; return its summary as a sample."""
        summary = self.scratch / "summary.json"
        self.k6_script(system, script, environment, "--summary-export", str(summary), *options)
        return _k6_sample(msgspec.json.decode(summary.read_bytes())["metrics"])

    def k6_script(
        self, system: Running, script: str, environment: Mapping[str, str], *options: str
    ) -> None:
        """Run a script in bench/k6, ignoring k6's verdict on the script's thresholds."""
        data = self.catalogue
        command = [self.k6, "run", "--no-usage-report", "--quiet", *options]
        run(
            [*self.placed(), *command, f"bench/k6/{script}.js"],
            environment={
                **_K6_ENVIRONMENT,
                "BASE_URL": system.url,
                "PRODUCTS": str(data.products),
                "QUESTIONS": str(data.questions),
                "ANSWERS": str(data.answers),
                "PRODUCT": str(data.hot_product),
                **environment,
            },
            exit_codes=(0, _K6_THRESHOLDS_CROSSED),
            seconds=_K6_TIMEOUT,
        )


def _k6_sample(metrics: Mapping[str, Mapping[str, Any]]) -> Sample:
    requests, latency = metrics["http_reqs"], metrics["http_req_duration"]
    errors = int(metrics["http_req_failed"]["passes"])  # a failed request is a `pass` of this rate
    return Sample(
        rate=requests["rate"] * (1 - errors / max(requests["count"], 1)),
        p50=latency["med"],
        p99=latency["p(99)"],
        errors=errors,
        dropped=int(metrics.get("dropped_iterations", {"count": 0})["count"]),
    )
