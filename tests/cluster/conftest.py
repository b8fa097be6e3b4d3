"""A running `atelier up`, shared by these tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atelier.local.cluster.control import request
from atelier.local.host.home import Home
from tests.support.cluster import free_port
from tests.support.commands import Up, run, up
from tests.support.postgres import temporary_folder


@dataclass(frozen=True)
class Operated:
    """A running service with its ports and commands."""

    home: Path
    port: int
    metrics_port: int
    running: Up

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    def status(self) -> dict[str, Any]:
        """Return what `atelier status --json` prints, without a process."""
        return dict(request(Home.open(self.home), "status"))

    def instances(self) -> list[dict[str, Any]]:
        return list(self.status()["instances"])

    def command(self, *arguments: str, **settings: str) -> str:
        """Run a command that must succeed; return its output."""
        done = run(self.home, *arguments, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="package")
def operated() -> Iterator[Operated]:
    port, metrics_port = free_port(), free_port()
    with temporary_folder() as folder:
        home = folder / "home"
        settings = {"PORT": str(port), "ATELIER_METRICS_PORT": str(metrics_port)}
        with up(home, INSTANCES="2", **settings) as running:
            running.wait_for("Ready")
            yield Operated(home, port, metrics_port, running)
