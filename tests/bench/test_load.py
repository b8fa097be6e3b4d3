"""The load generators: the k6 scripts, and the parsing of k6's and wrk's results."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from atelier.local.host.locks import exclusive
from bench import plots, tools
from bench.data import Catalogue
from bench.load import WORKLOADS, Generator
from bench.processes import ROOT
from bench.results import Timeline
from bench.systems import Running


@pytest.fixture
def generator(tmp_path: Path, catalogue: Catalogue) -> Generator:
    return Generator(shutil.which("wrk"), tools.k6(), tmp_path, catalogue)


def test_smoke_script_passes(ours: Running) -> None:
    script = ROOT / "bench" / "k6" / "smoke.js"
    done = subprocess.run(
        [tools.k6(), "run", "--no-usage-report", "--quiet", str(script)],
        env={**os.environ, "BASE_URL": ours.url, "PRODUCT": "5"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_workload_is_answered_without_errors(
    generator: Generator, ours: Running, workload: str
) -> None:
    sample = generator.saturate(ours, workload, 1, seed=1, connections=4)
    assert sample.errors == 0
    assert sample.rate > 0
    assert 0 < sample.p50 <= sample.p99


def test_k6_replaces_a_missing_wrk(generator: Generator, ours: Running) -> None:
    sample = replace(generator, wrk=None).saturate(ours, "uniform", 1, seed=1, connections=4)
    assert sample.errors == 0
    assert sample.rate > 0


def test_open_loop_counts_failures(generator: Generator, ours: Running) -> None:
    sample = generator.at_rate(ours, "mix", 50, 1)
    assert sample.errors == 0
    assert sample.rate > 0
    assert sample.dropped < 50  # a busy machine may not have begun them all


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"P50_MS": "60000", "P99_MS": "60000", "DROPPED": "20"}, 0),
        ({"P50_MS": "0", "P99_MS": "60000"}, 99),
        ({"P50_MS": "soon"}, 107),
    ],
)
def test_thresholds_are_configurable(ours: Running, settings: dict[str, str], code: int) -> None:
    script = ROOT / "bench" / "k6" / "load.js"
    given = [f"{name}={value}" for name, value in settings.items()]
    flags = [part for each in given for part in ("-e", each)]
    done = subprocess.run(
        [tools.k6(), "run", "--no-usage-report", "--quiet", *flags, str(script)],
        env={**os.environ, "BASE_URL": ours.url, "RATE": "20", "SECONDS": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr


def test_concurrent_benchmark_is_refused_and_names_the_first(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "ATELIER_BENCH_HOME": str(tmp_path)}
    with exclusive(tmp_path / "lock") as file:
        file.write("4711")
        file.flush()
        for command in (["run", "--quick"], ["profile"], ["soak"], ["compare", "HEAD"]):
            done = subprocess.run(
                [sys.executable, "-m", "bench", *command],
                cwd=ROOT,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 1
            assert "A benchmark is running" in done.stderr
            assert "process 4711" in done.stderr
            assert len(done.stderr.splitlines()) == 1


def test_ramp_writes_a_timeline_that_can_be_plotted(generator: Generator, ours: Running) -> None:
    path = generator.scratch / "timeline.json"
    environment = {"START": "20", "PEAK": "60", "SECONDS": "1", "TIMELINE": str(path)}
    generator.k6_script(ours, "stress", environment)
    timeline = msgspec.json.decode(path.read_bytes(), type=Timeline)
    assert sum(slot.rate for slot in timeline.slots) > 0
    assert timeline.verdict
    plots.draw_timeline(timeline, path.with_suffix(".svg"), "Ramp")
    assert path.with_suffix(".svg").read_text().startswith("<?xml")
