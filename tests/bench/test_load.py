"""What makes the load: k6's scripts on their own, and how their figures and wrk's are read."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bench import plots, tools
from bench.data import Catalogue
from bench.load import WORKLOADS, Generator
from bench.processes import ROOT
from bench.results import Timeline
from bench.systems import Running


@pytest.fixture
def generator(tmp_path: Path, catalogue: Catalogue) -> Generator:
    return Generator(shutil.which("wrk"), tools.k6(), tmp_path, catalogue)


def test_the_smoke_script_finds_nothing_wrong_with_the_service(ours: Running) -> None:
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


def test_k6_stands_in_where_there_is_no_wrk(generator: Generator, ours: Running) -> None:
    sample = replace(generator, wrk=None).saturate(ours, "uniform", 1, seed=1, connections=4)
    assert sample.errors == 0
    assert sample.rate > 0


def test_the_open_loop_counts_what_fails(generator: Generator, ours: Running) -> None:
    sample = generator.at_rate(ours, "mix", 50, 1)
    assert (sample.errors, sample.dropped) == (0, 0)
    assert sample.rate == pytest.approx(50, rel=0.2)


def test_a_ramp_becomes_a_timeline_and_a_picture(generator: Generator, ours: Running) -> None:
    path = generator.scratch / "timeline.json"
    environment = {"START": "20", "PEAK": "60", "SECONDS": "1", "TIMELINE": str(path)}
    generator.k6_script(ours, "stress", environment)
    timeline = msgspec.json.decode(path.read_bytes(), type=Timeline)
    assert sum(slot.rate for slot in timeline.slots) > 0
    assert timeline.verdict
    plots.draw_timeline(timeline, path.with_suffix(".svg"), "Ramp")
    assert path.with_suffix(".svg").read_text().startswith("<?xml")
