"""Status, logs and metrics for operators."""

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from atelier.local.cluster import control
from atelier.local.host.home import Home
from atelier.local.monitoring import metrics as cluster_metrics
from tests.cluster.conftest import Operated
from tests.support.commands import run
from tests.support.postgres import temporary_folder
from tests.support.processes import Process, all_processes

_SECONDS = 60


def test_status_shows_each_instance_and_postgresql(operated: Operated) -> None:
    for _ in range(20):
        httpx.get(f"{operated.url}/qa/questions?product_id=1").raise_for_status()
    until(lambda: {each["state"] for each in operated.instances()} == {"ready"})
    state = json.loads(operated.command("status", "--json"))
    assert [each["name"] for each in state["instances"]] == ["instance 1", "instance 2"]
    for each in state["instances"]:
        assert each["state"] == "ready"
        assert each["requests"] > 0
        assert each["errors"] == 0
        assert 0 < each["p50"] <= each["p95"] <= each["p99"]
        assert each["version"]
    assert state["postgresql"]["role"] == "primary"
    assert state["postgresql"]["idle"] > 0


def test_status_table_shows_the_same(operated: Operated) -> None:
    output = operated.command("status")
    pids = [each["pid"] for each in operated.instances()]
    assert all(str(pid) in output for pid in pids)
    assert "PostgreSQL 1" in output
    assert "primary" in output


def test_only_the_owner_may_control_a_service(operated: Operated) -> None:
    path = control.address(Home.open(operated.home))
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("command", [("status",), ("reload",), ("scale", "2")])
def test_command_without_a_service_gives_a_remedy(command: tuple[str, ...]) -> None:
    with temporary_folder() as folder:
        refused = run(folder / "home", *command)
    assert refused.returncode == 1
    assert "start it with `atelier up`" in refused.stderr


def test_an_instance_that_was_killed_shows_in_status_and_metrics(operated: Operated) -> None:
    victim = operated.instances()[0]
    os.kill(victim["pid"], signal.SIGKILL)
    until(lambda: operated.instances()[0]["restarts"] == victim["restarts"] + 1)
    until(lambda: operated.instances()[0]["state"] == "ready")
    assert operated.instances()[0]["pid"] != victim["pid"]
    shown = httpx.get(operated.metrics_url).text
    assert f'atelier_instance_restarts{{instance="instance-1"}} {victim["restarts"] + 1}' in shown


def test_hung_instance_is_shown_in_status(operated: Operated) -> None:
    victim = operated.instances()[1]
    os.kill(victim["pid"], signal.SIGSTOP)
    try:
        assert operated.instances()[1]["state"] == "does not answer"
        assert (
            'atelier_instance_up{instance="instance-2"} 0.0'
            in httpx.get(operated.metrics_url, timeout=20).text
        )
    finally:
        os.kill(victim["pid"], signal.SIGCONT)


def test_cluster_metrics_have_an_instance_label(operated: Operated) -> None:
    httpx.get(f"{operated.url}/qa/questions?product_id=1").raise_for_status()
    shown = httpx.get(operated.metrics_url, timeout=20).text
    for series in (
        'atelier_request_seconds_count{instance="instance-1",method="GET",route="/ready"',
        'atelier_pool_connections{instance="instance-2",',
        "atelier_postgresql_connections",
        "atelier_postgresql_up 1.0",
    ):
        assert series in shown
    assert httpx.get(f"{operated.url}/metrics").status_code == 404


def test_every_component_has_a_log_and_errors_are_found_by_request_id(
    operated: Operated,
) -> None:
    answer = httpx.get(f"{operated.url}/qa/questions?product_id=1")
    log = operated.home / "log" / "access.log"
    until(lambda: answer.headers["X-Request-ID"] in log.read_text())
    postgres = operated.home / "log" / "postgresql.log"
    supervisor = operated.home / "log" / "supervisor.log"
    assert "listening on" in postgres.read_text()
    assert "Ready" in supervisor.read_text()
    refused = until(lambda: _refusal_without_postgres(operated))
    request = refused.headers["X-Request-ID"]
    assert f"(request {request})" in refused.text
    until(lambda: httpx.get(f"{operated.url}/ready").status_code == 200)
    files = (operated.home / "log").glob("instance-*.log")
    lines = [line for file in files for line in file.read_text().splitlines()]
    events = [json.loads(line) for line in lines if line.startswith("{")]
    warnings = [event for event in events if event["level"] == "WARNING"]
    assert {"time", "message", "request", "instance", "version"} <= warnings[0].keys()
    assert "WARNING no database" in operated.running.output


def test_metrics_port_in_use_is_a_warning_not_a_failure() -> None:
    output: list[str] = []
    with (
        socket.create_server(("127.0.0.1", 0)) as occupied,
        cluster_metrics.served(occupied.getsockname()[1], cast("Any", None), output.append),
    ):
        assert output[0].startswith("No cluster metrics: port ")
        assert "ATELIER_METRICS_PORT" in output[0]


def until(condition: Callable[[], object]) -> httpx.Response:
    deadline = time.monotonic() + _SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found  # type: ignore[return-value] # the callers return responses


def _refusal_without_postgres(operated: Operated) -> httpx.Response | None:
    for process in _processes_of_postgres(operated):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    response = httpx.get(f"{operated.url}/qa/questions?product_id=1", timeout=20)
    return response if response.status_code == 503 else None


def _processes_of_postgres(operated: Operated) -> list[Process]:
    data = str(operated.home / "postgresql")
    return [p for p in all_processes() if "bin/postgres" in p.command and data in p.command]
