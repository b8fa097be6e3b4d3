"""The report contains the results, and only those."""

import re
from pathlib import Path

import pytest

from bench import report
from bench.results import (
    Cost,
    Memory,
    Profile,
    Results,
    Sample,
    Slot,
    Timeline,
    Transfer,
    load,
    save,
    save_profile,
)
from bench.targets import Spread, Target, targets


def sample(rate: float, p50: float = 1.0, p99: float = 4.0) -> Sample:
    return Sample(rate=rate, p50=p50, p99=p99)


@pytest.fixture
def results() -> Results:
    systems = {
        "ours": [sample(20_000), sample(10_000), sample(30_000)],
        "express": [sample(1_000), sample(1_000), sample(1_000)],
        "fastapi": [sample(500), sample(500), sample(500)],
    }
    slots = [Slot(0, 500, 500, 1, 2, 3, 0), Slot(2, 900, 0, None, None, None, 0)]
    return Results(
        plan="full",
        date="2026-01-01",
        rounds=3,
        machine={"processor": "a", "cores": "2", "memory": "24 GB", "kernel": "Linux"},
        data={"products": 10, "questions": 35, "answers": 68, "photos": 20, "rows": 123},
        saturation={
            "uniform": {**systems, "ceiling": [sample(40_000), sample(40_000), sample(40_000)]},
            "votes": systems,
            "v1": {"ours": [sample(15_000), sample(9_000), sample(15_000)]},
        },
        hot=[Sample(1, 1, 1, lookups=0.05)],
        floor={"1": [44_000], "50": [100_000]},
        open_loop={"2500": {"ours": [sample(2500)]}, "300": systems},
        beside_large={"ours": {"alone": [sample(1)], "beside": [sample(1, p99=12)]}},
        growth={"full": [sample(1)], "hundredth": [sample(1)]},
        memory={"ours": Memory(60, 50)},
        transfer=[Transfer(20, 50, 20, 700)],
        ramp=Timeline(10, 0, slots, "It broke."),
    )


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace what other commands measured last; the profile is empty."""
    monkeypatch.setattr(report, "PROFILE", tmp_path / "profile.json")
    texts = []
    for name in ("V1", "LARGER", "STEADY", "SEARCH", "POSTS"):
        file = tmp_path / name
        file.write_text(f"what {name} measured\n")
        monkeypatch.setattr(report, name, file)
        texts.append(f"what {name} measured")
    return texts


@pytest.fixture
def profile() -> Profile:
    parts = {"nginx": 20.0, "instances": 40.0, "PostgreSQL": 30.0, "the rest": 10.0}
    ours, peer = Cost(1, parts), Cost(1, {name: 4 * micros for name, micros in parts.items()})
    part = Results(
        plan="full",
        date="2026-01-01",
        costs={"ours": [ours], "express": [peer], "fastapi": [peer, peer]},
    )
    return {"uniform": part, "votes": part, "mix": part}


def test_report_begins_with_the_costs_and_what_they_mean(
    results: Results, profile: Profile, tmp_path: Path
) -> None:
    save_profile(profile, report.PROFILE)
    report.write(results, tmp_path / "performance.md")
    text = (tmp_path / "performance.md").read_text()
    assert text.startswith("# Performance\n\n![CPU time of a request](performance/costs.svg)")
    assert "| Atelier Q&A | 10,000 | 10,000 | 10,000 | 1 | 2 |" in text
    assert "| Express + pg | 2,500 | 2,500 | 2,500 | 2 | 7 |" in text
    assert "`atelier plan-capacity --rps 9500 --votes 500`" in text
    assert "Not measured" not in text
    picture = (tmp_path / "performance" / "costs.svg").read_text()
    for title in ("a page", "a vote", "FastAPI + SQLAlchemy", "PostgreSQL"):
        assert f">{title}<" in picture


def test_ratio_is_the_median_of_the_ratios_per_round(results: Results) -> None:
    target = targets(results)[0]
    assert target.measured == Spread(20, 10, 30)
    assert target.measured_text == "20.00 (10.00 to 30.00)"


def test_pages_under_v1_are_compared_with_those_under_qa(results: Results) -> None:
    [target] = [each for each in targets(results) if "/v1" in each.what]
    assert target.measured == Spread(0.75, 0.5, 0.9)


def test_every_target_is_one_row_of_the_report(
    results: Results, profile: Profile, kept: list[str], tmp_path: Path
) -> None:
    save_profile(profile, report.PROFILE)
    document = tmp_path / "performance.md"
    report.write(results, document)
    text = document.read_text()
    assert all(each in text for each in kept)
    found = targets(results)
    assert len(found) == 16
    for target in found:
        reached = "yes" if target.reached else "no"
        row = f"| {target.what} | {target.limit_text} | {target.measured_text} | {reached} |"
        assert text.count(row) == 1
    assert "Not measured" not in text
    assert "$" not in text


def test_missed_target_is_reported(results: Results) -> None:
    missed = [target.what for target in targets(results) if not target.reached]
    assert missed == ["p99 of small reads during reads of 50,000 questions ÷ alone"]


def test_target_is_checked_against_the_displayed_figure() -> None:
    assert Target("a", "≤", 1.2, Spread(1.204, 1, 2)).reached
    assert not Target("a", "≤", 1.2, Spread(1.205001, 1, 2)).reached
    assert not Target("a", "≥", 15, Spread(14.99, 14, 16)).reached


def test_the_instances_of_the_measurement_are_shown(results: Results, tmp_path: Path) -> None:
    results.instances = 7  # whatever this machine would have
    save(results, tmp_path / "full.json")
    report.write(load(tmp_path / "full.json"), tmp_path / "full.md")
    assert "nginx, 7 instances of each system" in (tmp_path / "full.md").read_text()


def test_missing_measurements_are_reported(results: Results, tmp_path: Path) -> None:
    empty = Results(plan="quick", date="2026-01-01", machine=results.machine, data=results.data)
    document = tmp_path / "quick.md"
    report.write(empty, document)
    assert document.read_text().count("Not measured.") == 11
    assert targets(empty) == []


def test_plots_are_written(results: Results, tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    report.write(results, document)
    for name in ("throughput", "latency", "ramp"):
        assert f"](performance/{name}.svg)" in document.read_text()
        assert (tmp_path / "performance" / f"{name}.svg").read_text().startswith("<?xml")
    planned = (tmp_path / "performance" / "ramp.svg").read_text()
    assert re.search(r"10,000/s: \d+ nginx hosts, \d+ hosts of instances", planned)


def test_results_survive_a_round_trip_through_the_file(results: Results, tmp_path: Path) -> None:
    save(results, tmp_path / "full.json")
    assert load(tmp_path / "full.json") == results
