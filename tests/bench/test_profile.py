"""CPU time is attributed to the right processes, and what it is compared with is what it says."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from bench.cores import confine
from bench.data import Catalogue
from bench.profile import cpu, figures
from bench.profile.document import write
from bench.profile.ratios import targets
from bench.profile.run import PARTS, explained
from bench.results import Cost, Profile, Results, load_profile, save_profile
from bench.systems import Running, behind_bare_proxy

_BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"


def test_cpu_time_includes_descendants_of_each_component() -> None:
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_BUSY!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout
        assert worker.stdout.read(1) == b"\n"
        used = cpu.seconds(cpu.Roots(nginx=worker.pid, instances=[], postmaster=_ended_pid()))
        worker.communicate(b"\n")
    # The kernel rounds user and system time down, each to a tick of 10 ms.
    assert used["nginx"] > 0.3 - 0.02
    assert used["instances"] == used["PostgreSQL"] == 0


def test_other_programs_are_not_counted_as_the_kernels_work() -> None:
    roots = cpu.Roots(nginx=_ended_pid(), instances=[], postmaster=_ended_pid())
    with subprocess.Popen(
        [sys.executable, "-c", _BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        busy, before = cpu.busy_seconds(), cpu.seconds(roots)
        assert other.stdout
        assert other.stdout.read(1) == b"\n"
        used = {part: second - before[part] for part, second in cpu.seconds(roots).items()}
        busy = cpu.busy_seconds() - busy
        other.communicate(b"\n")
    assert used["nginx"] == used["instances"] == used["PostgreSQL"] == 0
    assert used[cpu.REST] < busy - 0.25


def test_plan_is_one_index_scan_per_product(catalogue: Catalogue) -> None:
    plan = asyncio.run(explained(catalogue))
    assert plan.count("Index Scan using question_documents_page") == 1
    assert "Seq Scan" not in plan


def test_bare_proxy_gets_the_same_answer_from_the_same_instances(
    ours: Running, sockets: Path
) -> None:
    path = "/qa/questions?product_id=1"
    with behind_bare_proxy(ours, sockets) as bare:
        assert bare.pids == ours.pids
        assert bare.nginx != ours.nginx
        one, other = (urlopen(system.url + path) for system in (ours, bare))  # noqa: S310 - local
        with one, other:
            assert one.read() == other.read()
            assert one.headers["X-Request-ID"]
            assert "X-Request-ID" not in other.headers


def test_confined_processes_stay_on_their_cores_with_all_threads_and_children() -> None:
    script = f"import threading\nthreading.Thread(target=input).start()\n{_BUSY}"
    cores = sorted(os.sched_getaffinity(0))
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as busy:
        confine([busy.pid], cores[:1])
        threads = list(Path(f"/proc/{busy.pid}/task").iterdir())
        assert all(os.sched_getaffinity(int(each.name)) == {cores[0]} for each in threads)
        busy.communicate(b"\n\n")


def cost(rate: float, **micros: float) -> Cost:
    parts = {"load generator": 10.0, "nginx": 20.0, "instances": 40.0, "PostgreSQL": 16.0}
    return Cost(rate, parts | {"the rest": 5.0} | micros, log_bytes=1000)


@pytest.fixture
def profile() -> Profile:
    def part(date: str, **costs: list[Cost]) -> Results:
        return Results(
            plan="full",
            date=date,
            machine={"processor": "a", "cores": "2", "memory": "24 GB", "kernel": "Linux"},
            data={"products": 10, "questions": 35, "answers": 68, "photos": 20, "rows": 123},
            costs={name.replace("_", "-"): found for name, found in costs.items()},
        )

    ours, others = [cost(200), cost(400)], [cost(100), cost(100)]
    floor = [Cost(1, {"PostgreSQL": 10.0}), Cost(1, {"PostgreSQL": 8.0})]
    systems = {"ours": ours, "express": others, "fastapi": others}
    return {
        "uniform": part(
            "2026-01-02", **systems, ceiling=others, ceiling_bare=others, pgbench=floor
        ),
        "answers": part("2026-01-03", **systems),
        "votes": part("2026-01-04", **systems),
        "mix": part("2026-01-05", **systems),
        "nginx": part("2026-01-06", ours=ours, ours_bare=others),
    }


def test_ratios_are_computed_within_each_round(profile: Profile) -> None:
    found = {target.what: target.measured for target in targets(profile)}
    assert found["pages, requests/s ÷ Express + pg"].median == 3
    [floor] = [spread for what, spread in found.items() if "pgbench" in what]
    assert (floor.minimum, floor.maximum) == (1.6, 2)


def test_document_says_of_each_table_when_it_was_measured(profile: Profile, tmp_path: Path) -> None:
    save_profile(profile, tmp_path / "profile.json")
    write(load_profile(tmp_path / "profile.json"), "a plan", tmp_path / "profile.md")
    text = (tmp_path / "profile.md").read_text()
    for name in PARTS:
        assert (f"--only {name} " in text) == (name in profile)
    for target in targets(profile):
        assert f"| {target.what} | {target.limit_text} |" in text
    assert "on 2026-01-04: 123 rows" in text
    assert "$" not in text


def test_capacity_model_gets_the_medians(profile: Profile, tmp_path: Path) -> None:
    figures.write(profile, tmp_path / "figures.json")
    found = json.loads((tmp_path / "figures.json").read_text())
    assert found["date"] == "2026-01-02"
    assert found["vote"] == {
        "nginx": 20,
        "instances": 40,
        "PostgreSQL": 16,
        "the rest": 5,
        "WAL": 1000,
    }


def _ended_pid() -> int:
    """Return the pid of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        return process.pid
